"""Samples of an ECG come in; a table of its beats and their classes goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgphoton.arguments import strict
from ecgphoton.ecg.annotate import Missing, symbols_of
from ecgphoton.ecg.extract import BeatStream
from ecgphoton.ecg.leads import column_of
from ecgphoton.ecg.quality import Stretch
from ecgphoton.ecg.recording import Recording
from ecgphoton.ecg.resample import Resampler, ratio, scaled
from ecgphoton.errors import InputError
from ecgphoton.host import undisturbed
from ecgphoton.models import NAMES_CLASSES
from ecgphoton.run.backends import Backend, classifier
from ecgphoton.run.samples import checked_peaks, checked_signal
from ecgphoton.run.scope import Observer, ScopeReport
from ecgphoton.runs import TrainedStudent, load
from ecgphoton.settings import convert
from ecgphoton.wording import count

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats in order of time, one row each."""

    sample: NDArray[np.int64]
    """``(n,)`` R sample at the rate of the signal."""
    time: NDArray[np.float64]
    """``(n,)`` the same in seconds."""
    symbol: NDArray[np.str_]
    """``(n,)`` WFDB symbol: N, S, V; Q for any abnormal beat; ? where not classified."""
    probability: NDArray[np.float32]
    """``(n,)`` of not being normal, NaN where not classified."""
    called: NDArray[np.str_]
    """``(n,)`` name of the class, ``?`` where not classified."""
    quality: NDArray[np.str_]
    """``(n,)`` why a beat is not classified, empty where it is."""
    missing: Missing | None = None
    """What is missing of the whole signal; of a part of a stream see `Annotator.missing`."""
    stretches: tuple[Stretch, ...] = ()
    """Where the whole signal is no ECG; of a part of a stream see `Annotator.stretches`."""

    def __len__(self) -> int:
        return len(self.sample)

    def __repr__(self) -> str:
        """Return how many beats there are of each symbol."""
        symbols = [f"{one} {n}" for one, n in sorted(Counter(self.symbol.tolist()).items())]
        return f"Beats({', '.join([count(len(self), 'beat'), *symbols])})"

    @classmethod
    def concat(cls, parts: Sequence[Beats]) -> Beats:
        """One table after the other, of a signal that may go on."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.columns()
        }
        return cls(**joined)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(one.name for one in fields(cls) if one.default is MISSING)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a pandas table of the columns."""
        import pandas

        return pandas.DataFrame({name: getattr(self, name) for name in self.columns()})


def table(
    trained: TrainedStudent,
    fs: float,
    sample: NDArray[np.int64],
    probability: NDArray[np.float32],
    reason: NDArray[np.str_],
) -> Beats:
    """Decide about beats.

    Parameters
    ----------
    trained
        The student with its operating point, without which the likeliest class is called.
    fs
        Rate that samples count, Hz.
    probability
        ``(n, classes)``.
    reason
        ``(n,)`` why a beat has no probability, empty where it has.
    """
    classes = trained.classes
    known = reason == ""
    abnormality = probability[:, 1] if trained.point.binary else 1 - probability[:, 0]
    called = trained.point.classify(np.nan_to_num(probability))
    symbol = symbols_of(called, known, classes)
    names = np.where(known, np.array(classes)[np.where(known, called, 0)], "?")
    return Beats(sample, sample / fs, symbol, abnormality, names, reason)


class Annotator:
    """Classifies beats of a signal that comes piece by piece.

    A beat is returned two to seven seconds after it (signal quality is evaluated every five),
    for any length of the pieces, with the same result as `annotate` of the whole signal. A student
    whose `architecture.delay` is 1 also waits for the window of the next beat.

    Parameters
    ----------
    fs
        Sampling rate, Hz.
    student
        Run, bundle or checkpoint, or the name of a shipped student; by default the newest finished
        run below ``runs/``, otherwise the shipped student that tells N, S, V and F apart; `student`
        says which it was, and why.
    peaks
        ``(n,)`` R samples at `fs`, in order and each once, where they are known; without them they
        are detected.
    backend
        What the student runs on: ``torch``, ``onnx``, ``integer``, or ``chip``: the simulated
        chip 0 with a noise of 0.02 (`ecgphoton.run.annotate` takes others).

    Raises
    ------
    InputError
        If the student, the rate or the peaks cannot be used.

    Examples
    --------
    >>> import ecgphoton as ep
    >>> annotator = ep.Annotator(fs=250)
    >>> for piece in pieces:  # arrays of samples in mV
    ...     beats = annotator.push(piece)
    >>> rest = annotator.finish()
    """

    @undisturbed()
    @strict
    def __init__(
        self,
        fs: float,
        *,
        student: str | Path | TrainedStudent | None = None,
        peaks: ArrayLike | None = None,
        backend: Backend = "torch",
    ) -> None:
        self._trained = load(student, shipped=NAMES_CLASSES)
        self._classify = Observer(classifier(self._trained, backend), self._trained.metadata)
        self._reasons: list[NDArray[np.str_]] = []
        fs = self._fs = convert(fs, float, "fs")
        self._factor = ratio(fs, "the signal")
        self._resampler = Resampler(self._factor)
        self._peaks = None if peaks is None else checked_peaks(peaks)
        self._stream = BeatStream(
            peaks=None if self._peaks is None else scaled(self._peaks, self._factor),
            centring=self._trained.centring,
            delay=self._trained.student.architecture.delay,
        )
        self._done, self._ended = 0, False
        self._at_360 = [np.empty(0, np.int64)]

    def __copy__(self) -> Self:
        """Return a second stream, which continues apart from this one."""
        return deepcopy(self)

    @undisturbed()
    def push(self, samples: ArrayLike) -> Beats:
        """Take the next samples, mV with NaN where nothing was measured, and return beats.

        Raises
        ------
        InputError
            If it is not one row of numbers, or comes after `finish`.
        """
        return self._beats(checked_signal(samples))

    @undisturbed()
    def finish(self) -> Beats:
        """Return the remaining beats at the end of the signal.

        Raises
        ------
        InputError
            If it has ended already.
        """
        return self._beats(np.empty(0, np.float32), last=True)

    @property
    def student(self) -> dict[str, str]:
        """Name, path and SHA-256 of the student, and why it was chosen."""
        return self._trained.about

    def scope(self) -> ScopeReport:
        """Return whether the signal so far lies outside what the student knows.

        It compares beats that were returned, without labels, with the training patients.
        """
        return self._classify.report(np.concatenate([np.empty(0, "<U1"), *self._reasons]))

    def missing(self) -> Missing:
        """Return what is missing of the signal so far, as the summary of `ecgphoton annotate`."""
        found, detected = np.concatenate(self._at_360), self._peaks is None
        return Missing.of(self._stream.gaps.spans, found, detected=detected)

    def stretches(self) -> tuple[Stretch, ...]:
        """Return where the signal so far is no ECG."""
        return tuple(self._stream.stretches)

    def _beats(self, signal: NDArray[np.float32], *, last: bool = False) -> Beats:
        if self._ended:
            raise InputError("this signal has ended; make an Annotator for each signal")
        self._ended = last
        found = self._stream.push(self._resampler.push(signal, last=last), last=last)
        self._reasons.append(found.reason)
        self._at_360.append(found.sample)
        classes = len(self._trained.classes)
        probability = np.full((len(found.sample), classes), np.nan, np.float32)
        if len(found.beats):
            probability[found.reason == ""] = self._classify(found.beats)
        count = len(found.sample)
        sample = scaled(found.sample, 1 / self._factor)
        if self._peaks is not None:
            sample = self._peaks[self._done : self._done + count]
        self._done += count
        return table(self._trained, self._fs, sample, probability, found.reason)


def annotate(
    signal: ArrayLike | Recording,
    fs: float | None = None,
    peaks: ArrayLike | None = None,
    lead: str | None = None,
    *,
    student: str | Path | TrainedStudent | None = None,
    backend: Backend = "torch",
) -> Beats:
    """Classify the beats of a signal in memory.

    Parameters
    ----------
    signal
        ``(n,)`` samples in mV, NaN where nothing was measured, or a `Recording` from `ep.read`.
    fs
        Sampling rate, Hz; a `Recording` has its own.
    peaks
        ``(m,)`` R samples at `fs`, in order; without them they are detected.
    lead
        Which lead of a `Recording`; one with several leads needs it.
    student, backend
        As for `Annotator`.

    Raises
    ------
    InputError
        If the signal, its rate, lead, peaks or the student cannot be used.

    Examples
    --------
    >>> import ecgphoton as ep
    >>> beats = ep.annotate(signal, fs=250)  # samples in mV
    >>> beats.to_dataframe()
    >>> found = neurokit2.ecg_peaks(signal, 250)[1]["ECG_R_Peaks"]
    >>> beats = ep.annotate(signal, fs=250, peaks=found)
    """
    if isinstance(signal, Recording):
        if fs not in (None, signal.fs):
            raise InputError(f"fs={fs}, but the recording is at {signal.fs:g} Hz; leave fs out")
        fs, signal = signal.fs, signal.signal[:, column_of(signal, lead)]
    elif lead is not None:
        raise InputError(f"lead {lead!r} of a plain array; pass the samples of that lead alone")
    if fs is None:
        raise InputError("the sampling rate is missing; give fs in Hz")
    annotator = Annotator(fs, student=student, peaks=peaks, backend=backend)
    beats = Beats.concat([annotator.push(signal), annotator.finish()])
    return replace(beats, missing=annotator.missing(), stretches=annotator.stretches())

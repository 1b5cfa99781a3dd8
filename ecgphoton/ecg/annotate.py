"""Classify the beats of a record: a signal comes in, a decision about each beat goes out.

The signal is read in blocks, so that memory does not grow with its length.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.detect import Centring, Detector
from ecgphoton.ecg.extract import UNDECIDED, BeatStream
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats import find_file
from ecgphoton.ecg.labels import label_file, read_labels
from ecgphoton.ecg.missing import BRIDGED
from ecgphoton.ecg.quality import Stretch, waves
from ecgphoton.ecg.reading import BLOCK_SECONDS, Signal
from ecgphoton.ecg.resample import scaled
from ecgphoton.ecg.rhythm import DOUBTFUL, doubtful
from ecgphoton.errors import InputError
from ecgphoton.progress import Steps, silent
from ecgphoton.wording import count

Classify = Callable[[BeatSet], NDArray[np.float32]]
"""Beats of one record, in order, to class probabilities ``(n, classes)``.

It is called with `CHUNK` beats at a time (fewer at the end), for any size of the blocks.
"""

SEEN = 30
"""Seconds on either side of the middle of a lead that are described where no beat is found."""
FASTEST = 0.28 * SAMPLING_RATE
"""Samples at 360 Hz between beats, below which the detector misses some."""
NEVER = 2**40
"""Sample at 360 Hz behind all others."""
ALIKE = 0.6
"""Share of given R peaks near a detected beat below which that is said. It is at least 0.99 in the
first leads of MIT-BIH and of 39 records of SVDB, and 0.43 at most with peaks at half their time."""
CHUNK = 1024
DETECTED = "detector"
"""Source of R peaks that were detected, in place of an annotator."""
SYMBOLS = {"normal": "N", "abnormal": "Q", "N": "N", "S": "S", "V": "V", "F": "F", "O": "Q"}
"""WFDB symbol written for a class.

WFDB has no symbol for "abnormal, of any kind"; ``Q``, unclassifiable, is the one that EC57
counts as neither S nor V, and the rates of `abnormal` beats count as abnormal.
"""


@dataclass(frozen=True)
class Missing:
    """What is missing of a lead."""

    seconds: float = 0.0
    gaps: int = 0
    bridged: int = 0
    """Gaps so short that beats were detected across them; they are undecided."""
    doubtful_intervals: int = 0
    """Intervals between beats with a gap, so long that they may hide a beat."""

    @classmethod
    def of(cls, spans: NDArray[np.int64], at_360: NDArray[np.int64], *, detected: bool) -> Self:
        """Describe the gaps of a lead, `spans` at 360 Hz, whose beats are detected or given."""
        lengths = np.diff(spans, axis=1)
        return cls(
            float(lengths.sum() / SAMPLING_RATE),
            len(spans),
            int((lengths <= BRIDGED).sum()) if detected else 0,
            doubtful(at_360, spans[:, 0]) if len(spans) else 0,
        )

    def sentence(self, lead: str) -> str:
        """Return it in words."""
        gaps, hiding = count(self.gaps, "gap"), count(self.doubtful_intervals, "interval")
        parts = (
            f"{self.seconds:.2f} s of {lead} missing or on a straight line, in {gaps}",
            f"{self.bridged} of up to {1000 * BRIDGED / SAMPLING_RATE:.0f} ms bridged to detect "
            "beats, which are not classified there" if self.bridged else "",
            f"{hiding} with a gap may hide a beat ({DOUBTFUL:g} times as long as those before, or "
            "not to be compared)" if self.doubtful_intervals else "",
        )  # fmt: skip
        return "; ".join(filter(None, parts))


@dataclass(frozen=True, eq=False)
class BeatCalls:
    """Class and probabilities of every beat of a record."""

    signal: Signal
    sample: NDArray[np.int64]
    """``(n,)`` R sample at the rate of the record."""
    probability: NDArray[np.float32]
    """``(n, classes)``, NaN where the beat has no whole window."""
    reason: NDArray[np.str_]
    """``(n,)`` why a beat could not be classified, empty where it was."""
    peaks_from: str
    """Annotator of the R peaks, or `DETECTED`."""
    stretches: tuple[Stretch, ...] = ()
    """Where the lead is no ECG."""
    notes: tuple[str, ...] = ()
    """On labels that are no beats, and on missing samples."""
    missing: Missing = Missing()

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def classified(self) -> NDArray[np.bool_]:
        """``(n,)`` whether the beat has a whole window."""
        return np.asarray(self.reason == "")


def classify_record(
    signal: Signal,
    classify: Classify,
    *,
    annotator: str | None = None,
    centring: Centring = "annotation",
    block_seconds: float = BLOCK_SECONDS,
    progress: Steps = silent,
) -> BeatCalls:
    """Classify every beat of a record, reading its signal once.

    Windows, features and running template are those of training, computed by the same functions;
    features that look at the next beat are there, too.

    Parameters
    ----------
    signal
        From `open_signal`.
    classify
        The student, on any backend.
    annotator
        Where R peaks come from; None detects them.
    centring
        Where the windows of the student's training were centred.
    block_seconds
        How much of the signal is in memory at a time; the result does not depend on it.
    progress
        Called with the progress of the classification.

    Raises
    ------
    InputError
        If the annotation is missing, a file is damaged, or the record has no beat.
    """
    if not 0 < block_seconds < np.inf:
        raise InputError(f"blocks of {block_seconds} s; give a number of seconds above 0")
    sample, notes = None, list[str]()
    if annotator is not None:
        file = label_file(find_file(signal.held.path), annotator)
        held = signal.held
        labels = read_labels(
            file, signal.lead.fs, held.clock, begins=held.begins, length=signal.lead.length
        )
        sample, notes = labels.sample, [*labels.notes]
    stream = BeatStream(
        gain=signal.lead.gain,
        peaks=None if sample is None else scaled(sample, signal.factor),
        centring=centring,
        name=signal.name,
        source="synthetic" if signal.held.synthetic else str(signal.held.path.parent),
    )
    found: list[tuple[NDArray[np.int64], NDArray[np.str_]]] = []
    detector = None if sample is None else Detector(signal.lead.gain)
    detected: list[NDArray[np.int64]] = []

    def parts() -> Iterator[BeatSet]:
        for start, piece in signal.blocks(block_seconds):
            end = start + len(piece)
            last = end == signal.length_360
            some = stream.push(piece, last=last)
            if detector is not None:
                detected.append(detector.push(piece, last=last))
            found.append((some.sample, some.reason))
            yield some.beats
            progress(end, signal.length_360)

    answers = [_answer(classify, beats) for beats in _chunks(parts())]
    at_360 = np.concatenate([np.empty(0, np.int64), *(at for at, _ in found)])
    missing = Missing.of(stream.gaps.spans, at_360, detected=annotator is None)
    if missing.gaps:
        notes.append(f"{signal.name}: {missing.sentence(signal.lead.name)}")
    if not len(at_360):
        raise _beatless(signal, annotator, [*map(str, stream.stretches[:3]), *notes])
    reason = np.concatenate([why for _, why in found])
    judged = at_360[reason == ""]
    slow = len(judged) > 1 and np.median(np.diff(judged)) >= FASTEST
    if detected and slow and (near := _near(judged, np.concatenate(detected))) < ALIKE:
        notes.append(
            f"{signal.name}: {100 * near:.0f} % of the {count(len(judged), 'mark')} of {annotator} "
            "that are classified are at a QRS complex that is detected in "
            f"{signal.lead.name}: they may be of another record, rate or lead"
        )
    classes = answers[0].shape[1] if answers else 2
    probability = np.full((len(at_360), classes), np.nan, np.float32)
    probability[reason == ""] = np.concatenate([*answers, np.empty((0, classes), np.float32)])
    sample = scaled(at_360, 1 / signal.factor) if sample is None else sample
    return BeatCalls(
        signal,
        sample,
        probability,
        reason,
        annotator or DETECTED,
        tuple(stream.stretches),
        tuple(notes),
        missing,
    )


def _near(marks: NDArray[np.int64], detected: NDArray[np.int64]) -> float:
    """Return the share of marks at 360 Hz within 0.1 s of a beat, all shifted by up to 0.2 s."""
    beats = np.concatenate([[-NEVER], detected, [NEVER]])
    after = np.searchsorted(beats, marks, "right")
    late, early = marks - beats[after - 1], beats[after] - marks
    off = np.where(late <= early, late, -early)
    shift = np.clip(np.median(off), -SAMPLING_RATE / 5, SAMPLING_RATE / 5)
    return float((np.abs(off - shift) <= SAMPLING_RATE / 10).mean())


def _beatless(signal: Signal, annotator: str | None, seen: list[str]) -> InputError:
    """Return the error for a record without a beat: where it is, what is seen, what to do."""
    lead, held = signal.lead, signal.held
    long = f"{lead.length / lead.fs:.1f} s"
    seen = [one.removeprefix(f"{signal.name}: ") for one in seen]
    if annotator is not None:
        return InputError(
            f"record {held.path} has no beat in annotation {annotator} ({long})"
            f"{''.join(f'; {one}' for one in seen)}; name another annotator, or leave it out so "
            "that beats are detected"
        )
    half, middle = round(SEEN * lead.fs), lead.length // 2
    wave = waves(signal.millivolts(middle - half, middle + half), lead.fs)
    others = [one.name for at, one in enumerate(held.channels) if at != signal.channel]
    another = f"its other leads are {', '.join(others)}: name one" if others else "it has no other"
    shown = "; ".join(filter(None, (wave, *seen))) or "nothing, or too little to tell"
    return InputError(
        f"record {held.path} has no beat that is found in {lead.name} ({long}); seen: {shown}. "
        f"Nothing is classified: look at the recording, choose another lead ({another}), or name "
        "an annotation that marks its beats (peaks)"
    )


def _answer(classify: Classify, beats: BeatSet) -> NDArray[np.float32]:
    """Return the class probabilities of some beats."""
    answer = np.asarray(classify(beats), np.float32)
    if answer.ndim != 2 or len(answer) != len(beats):
        raise InputError(
            f"classify gave shape {answer.shape} for {len(beats)} beats; it must give one row "
            "of class probabilities a beat"
        )
    return answer


def _chunks(parts: Iterator[BeatSet]) -> Iterator[BeatSet]:
    """Cut the beats into sets of `CHUNK`, so that the result does not depend on the blocks."""
    waiting: list[BeatSet] = []
    for part in parts:
        waiting.append(part)
        if sum(map(len, waiting)) >= CHUNK:
            joined = BeatSet.concat(waiting)
            for at in range(0, len(joined) - CHUNK + 1, CHUNK):
                yield joined.take(slice(at, at + CHUNK))
            waiting = [joined.take(slice(len(joined) // CHUNK * CHUNK, None))]
    if sum(map(len, waiting)):
        yield BeatSet.concat(waiting)


def symbols_of(
    called: NDArray[np.integer], classified: NDArray[np.bool_], classes: tuple[str, ...]
) -> NDArray[np.str_]:
    """WFDB symbol of every beat.

    Parameters
    ----------
    called
        ``(n,)`` class of every beat; ignored where it was not classified.
    classified
        ``(n,)``.
    classes
        Names of the classes, of `SYMBOLS`.

    Raises
    ------
    InputError
        If a class has no symbol.
    """
    unknown = [name for name in classes if name not in SYMBOLS]
    if unknown:
        raise InputError(f"no WFDB symbol for class {unknown[0]!r}; known are {', '.join(SYMBOLS)}")
    letters = np.array([SYMBOLS[name] for name in classes])
    return np.where(classified, letters[np.where(classified, called, 0)], UNDECIDED)

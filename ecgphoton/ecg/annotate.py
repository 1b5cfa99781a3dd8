"""A record in, a decision about each of its beats out, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.detect import detect_peaks
from ecgphoton.ecg.extract import AT_EDGE, GAP, PAST_END, Timing, describe
from ecgphoton.ecg.features import (
    HALF,
    WINDOW,
)
from ecgphoton.ecg.formats import find_file
from ecgphoton.ecg.labels import label_file, read_labels
from ecgphoton.ecg.quality import Stretch, Watch, reasons
from ecgphoton.ecg.resample import scaled
from ecgphoton.ecg.shape import History
from ecgphoton.ecg.signal import BLOCK_SECONDS, Signal
from ecgphoton.errors import InputError

Classify = Callable[[BeatSet], NDArray[np.float32]]
"""Beats of one record, in order, to class probabilities ``(n, classes)``.

It is called with `CHUNK` beats at a time (fewer at the end), whatever the size of the blocks.
"""
Progress = Callable[[int, int], None]
"""Called with (samples at 360 Hz done, samples in all) after every block."""

CHUNK = 1024
UNDECIDED = "?"
"""WFDB symbol of a beat without a whole window: nothing can be said about it."""
SYMBOLS = {"normal": "N", "abnormal": "Q", "N": "N", "S": "S", "V": "V", "O": "Q"}
"""WFDB symbol written for a class.

WFDB has no symbol for "abnormal, of whatever kind"; ``Q``, unclassifiable, is the one that EC57
counts as neither S nor V, and `BeatComparison.abnormal` counts as abnormal.
"""


@dataclass(frozen=True, eq=False)
class BeatCalls:
    """What was said about every beat of a record."""

    signal: Signal
    sample: NDArray[np.int64]
    """``(n,)`` R sample at the rate of the record."""
    probability: NDArray[np.float32]
    """``(n, classes)``, NaN where the beat has no whole window."""
    reason: NDArray[np.str_]
    """``(n,)`` why a beat could not be classified, empty where it was."""
    peaks_from: str
    """Annotator of the R peaks, or ``xqrs``."""
    stretches: tuple[Stretch, ...] = ()
    """Where the lead is no ECG."""

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
    block_seconds: float = BLOCK_SECONDS,
    progress: Progress | None = None,
) -> BeatCalls:
    """Classify every beat of a record.

    Windows, rhythm features and running template are those of training, computed by the same
    functions; the signal is read once for them, and once before if R peaks are to be detected.

    Parameters
    ----------
    signal
        From `open_signal`.
    classify
        The student, on whatever it runs.
    annotator
        Where R peaks come from; None detects them.
    block_seconds
        How much of the signal is in memory at a time; it changes nothing in the answer.
    progress
        Told how far the classification is.

    Raises
    ------
    InputError
        If the annotation is missing, a file is damaged, or the record has no beat.
    """
    if block_seconds <= 0:
        raise InputError(f"blocks of {block_seconds} s; they must be longer than 0 s")
    watch = Watch(signal.gain)
    blocks = watch.through(signal.blocks(block_seconds))
    if annotator is None:
        at_360 = detect_peaks(blocks, signal.length_360, signal.gain)
        sample = scaled(at_360, 1 / signal.factor)
    else:
        for _ in blocks:  # every block is judged before the first beat is
            pass
        file = label_file(find_file(signal.path), annotator)
        sample = read_labels(file, signal.fs, signal.held.clock).sample
        at_360 = scaled(sample, signal.factor)
    if not len(sample):
        raise InputError(
            f"record {signal.name} has no beat "
            + (f"in annotation {annotator}" if annotator else f"that XQRS finds in {signal.lead}")
            + "; choose another annotator or lead"
        )
    edges, poor = _edges(at_360, signal.length_360), reasons(at_360, watch.stretches)
    reason = np.where(edges == "", poor, edges)
    answers = []
    for beats in _chunks(_beats(signal, at_360, reason, block_seconds, progress)):
        answer = np.asarray(classify(beats), np.float32)
        if answer.ndim != 2 or len(answer) != len(beats):
            raise InputError(
                f"classify gave shape {answer.shape} for {len(beats)} beats; it must give one row "
                "of class probabilities a beat"
            )
        answers.append(answer)
    classes = answers[0].shape[1] if answers else 2
    probability = np.full((len(sample), classes), np.nan, np.float32)
    probability[reason == ""] = np.concatenate([*answers, np.empty((0, classes), np.float32)])
    found = tuple(watch.stretches)
    return BeatCalls(signal, sample, probability, reason, annotator or "xqrs", found)


def _edges(at_360: NDArray[np.int64], length: int) -> NDArray[np.str_]:
    """Why the window of a beat is not inside the signal; empty where it is."""
    reason = np.full(len(at_360), "", f"<U{max(map(len, (PAST_END, AT_EDGE, GAP)))}")
    reason[(at_360 < HALF) | (at_360 + WINDOW - HALF > length)] = AT_EDGE
    reason[at_360 >= length] = PAST_END
    return reason


def _beats(
    signal: Signal,
    at_360: NDArray[np.int64],
    reason: NDArray[np.str_],
    block_seconds: float,
    progress: Progress | None,
) -> Iterator[BeatSet]:
    """Yield the beats of every block in order, marking in `reason` those with a gap."""
    timing = Timing.of(at_360)
    inside = np.flatnonzero(reason == "")
    done = 0
    history = History.empty()
    held, held_first = np.empty(0, np.float32), 0
    for start, piece in signal.blocks(block_seconds):
        held, end = np.concatenate([held, piece]), start + len(piece)
        upto = int(np.searchsorted(at_360[inside], end - (WINDOW - HALF), "right"))
        rows = inside[done:upto]
        done = max(done, upto)
        if len(rows):
            view = np.lib.stride_tricks.sliding_window_view(held, WINDOW)
            windows = view[at_360[rows] - HALF - held_first]
            whole = np.isfinite(windows).all(axis=1)
            reason[rows[~whole]] = GAP
            rows = rows[whole]
            columns, history = describe(windows[whole], timing, rows, history)
            count = len(rows)
            yield BeatSet(
                **columns,
                label=np.full(count, -1, np.int64),
                symbol=np.full(count, UNDECIDED),
                record=np.full(count, signal.name),
                sample=at_360[rows],
                source="synthetic" if signal.synthetic else str(signal.path.parent),
            )
        keep = max(held_first, end - WINDOW)
        held, held_first = held[keep - held_first :], keep
        if progress is not None:
            progress(end, signal.length_360)


def _chunks(parts: Iterator[BeatSet]) -> Iterator[BeatSet]:
    """Cut the stream of beats into sets of `CHUNK`, so that blocks leave no trace in the answer."""
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


def decide_symbols(
    calls: BeatCalls, called: NDArray[np.integer], classes: tuple[str, ...]
) -> NDArray[np.str_]:
    """WFDB symbol of every beat.

    Parameters
    ----------
    called
        ``(n,)`` class of every beat; ignored where the beat was not classified.
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
    return np.where(calls.classified, letters[np.where(calls.classified, called, 0)], UNDECIDED)

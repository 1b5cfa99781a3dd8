"""Cut beats: an `AnnotatedLead` comes in, its beats and a count of those left out go out."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet, Drop, DropReport
from ecgphoton.ecg.detect import Centring, centred
from ecgphoton.ecg.features import HALF, WINDOW, magnitude, normalise
from ecgphoton.ecg.gaps import breaks_before
from ecgphoton.ecg.patient_features import Compared, table
from ecgphoton.ecg.quality import REASONS, Quality, reasons, stretches_of
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.rhythm import Rhythm
from ecgphoton.ecg.shape import History, compare, to_next

PAST_END = "annotated past the end of the signal"
AT_EDGE = "window leaves the record"
GAP = "window has missing samples"


@dataclass(frozen=True)
class Extracted:
    """All beats of one record, before any label scheme."""

    beats: BeatSet
    """With every label -1."""
    report: DropReport


def describe(
    windows: NDArray[np.float32],
    rhythm: Rhythm,
    rows: NDArray[np.int64],
    history: History | None = None,
    *,
    gain: float = 1.0,
    count: int | None = None,
) -> tuple[dict[str, Any], History]:
    """Columns of a `BeatSet` that a student may read, and the history that the next beats need.

    Parameters
    ----------
    windows
        ``(m, 360)`` samples of the beats, any unit.
    rhythm
        Of all beats of the record, whether they have a window or not.
    rows
        ``(m,)`` which of them these beats are.
    history
        Of the beats before, for a stream.
    gain
        Units of the samples per mV.
    count
        How many of the beats to describe; the others are only looked ahead at. None is all.
    """
    normal = normalise(windows)
    likeness, normal = to_next(normal, rows)[:count], normal[:count]
    there = rhythm.rows(rows[:count])
    size = magnitude(windows[:count])
    shape = compare(normal, size, likeness, there.regular, history)
    return {
        "windows": normal,
        "patient": table(Compared(there, shape)),
        "residual": shape.running.residual,
        "size": size / np.float32(gain),
    }, shape.history


def extract(
    recording: AnnotatedLead,
    *,
    source: str,
    centring: Centring = "annotation",
    quality: Quality = "keep",
) -> Extracted:
    """Cut, normalise and describe every beat of a recording.

    Features of intervals use every beat annotation of the record, dropped or not; the running
    template uses every beat that is kept, of any symbol.
    """
    middles = recording.samples
    if centring == "qrs":
        middles = centred(recording.signal, middles)
    unfit = stretches_of(recording.signal, recording.gain) if quality == "drop" else ()
    reason = reasons(recording.samples, unfit)
    windows = cut(recording.signal, middles, reason)
    kept = reason == ""
    breaks = breaks_before(np.isnan(recording.signal), middles, [one.first for one in unfit])
    rhythm = Rhythm.of(middles, recording.fs, breaks=breaks)
    columns, _ = describe(windows, rhythm, np.flatnonzero(kept), gain=recording.gain)
    beats = BeatSet(
        **columns,
        label=np.full(int(kept.sum()), -1, np.int64),
        symbol=recording.symbols[kept],
        record=np.full(int(kept.sum()), recording.name, f"<U{max(8, len(recording.name))}"),
        sample=recording.samples[kept],
        fs=recording.fs,
        source="synthetic" if recording.synthetic else source,
    )
    flat = int((~beats.windows.any(axis=1)).sum())
    notes = recording.notes
    if flat:
        notes += (f"{recording.name}: {flat} flat beats became zeros",)
    drops = count_drops(recording.name, recording.symbols[~kept], reason[~kept])
    return Extracted(beats, DropReport(drops, notes))


def count_drops(
    record: str, symbols: NDArray[np.str_], reasons: NDArray[np.str_] | str
) -> tuple[Drop, ...]:
    """Group dropped beats of one record by symbol and reason."""
    reasons = np.broadcast_to(np.asarray(reasons), symbols.shape)
    counted = Counter(zip(symbols.tolist(), reasons.tolist(), strict=True))
    return tuple(Drop(record, symbol, reason, n) for (symbol, reason), n in counted.items())


def cut(
    signal: NDArray[np.float32],
    middles: NDArray[np.int64],
    reason: NDArray[np.str_],
    first: int = 0,
    largest: float = np.inf,
) -> NDArray[np.float32]:
    """Cut the windows of beats out of a signal.

    Parameters
    ----------
    signal
        ``(samples,)``, of which the first is sample `first` of the record.
    middles
        ``(n,)`` middles of the windows, counted from the start of the record.
    reason
        ``(n,)`` why a beat is left out, empty where it is not; further reasons are entered here.
    largest
        Range of a window, in the unit of the signal, above which its scale is wrong: it holds a
        code that stands for a missing sample.

    Returns
    -------
    ``(m, 360)`` windows of the beats whose reason is empty then.
    """
    end = first + len(signal)
    reason[(middles < HALF) | (middles + WINDOW - HALF > end)] = AT_EDGE
    reason[middles >= end] = PAST_END
    inside = np.flatnonzero(reason == "")
    if not len(inside):
        return np.empty((0, WINDOW), np.float32)
    view = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)
    windows = view[middles[inside] - HALF - first]
    whole, size = np.isfinite(windows).all(axis=1), np.ptp(windows, axis=1)
    reason[inside[~whole]] = GAP
    reason[inside[size > largest]] = REASONS["scale"]
    return np.asarray(windows[whole & (size <= largest)])

"""Windows of beats out of a signal at 360 Hz, and the columns that describe them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import HALF, WINDOW, magnitude, normalise
from ecgphoton.ecg.patient_features import Compared, table
from ecgphoton.ecg.quality import REASONS
from ecgphoton.ecg.rhythm import Rhythm
from ecgphoton.ecg.shape import History, compare, to_next

PAST_END = "annotated past the end of the signal"
AT_EDGE = "window leaves the record"
GAP = "window has missing samples"


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

"""Missing signal: samples that stand still, and intervals in which a beat may be missing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STILL = 1.0
"""Seconds; samples that have one value for longer were not measured. The longest such run in the
first leads of MIT-BIH and of 39 records of SVDB, where the amplifier is saturated, has 0.78 s."""


class Moving:
    """Marks samples that stand still as missing, in a signal that comes piece by piece."""

    def __init__(self, fs: float) -> None:
        """Begin a signal of `fs` samples a second."""
        self._least = round(STILL * fs)
        self._held = np.empty(0, np.float32)  # the run of equal samples at the end
        self._out = 0  # how many of them have been returned

    def push(self, piece: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Take the next samples and return those that are certain, NaN where they stand still."""
        samples = np.concatenate([self._held, piece])
        starts = np.append(0, np.flatnonzero(np.diff(samples)) + 1)
        runs = np.diff(starts, append=len(samples))
        still = np.repeat(runs >= self._least, runs)
        standing = bool(runs[-1] >= self._least)
        ready = len(samples) if last or standing else int(starts[-1])
        found = np.where(still, np.float32(np.nan), samples)[self._out : ready]
        keep = len(samples) - self._least if standing else int(starts[-1])
        self._held, self._out = samples[keep:], ready - keep
        return found


def breaks_before(
    missing: NDArray[np.bool_],
    beats: NDArray[np.int64],
    begins: Sequence[int] = (),
    first: int = 0,
) -> NDArray[np.int64]:
    """Count, for each beat, the missing samples and the stretches without ECG that begin before it.

    Parameters
    ----------
    missing
        ``(samples,)``, of which the first is sample `first` of the record.
    beats
        ``(n,)`` samples of the record, in order.
    begins
        Where stretches begin.
    """
    count = np.append(0, np.cumsum(missing))
    begun = np.searchsorted(begins, beats, "right")
    return np.asarray(count[np.clip(beats - first, 0, len(missing))] + begun, np.int64)

"""Rhythm: the intervals around each beat, and those before it that it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE, IntArray, running_median

FloatArray = NDArray[np.float64]

RR_LIMITS = (0.2, 3.0)
"""Seconds; intervals outside (missed beats, flutter, signal loss) are clipped."""
RECENT, USUAL, LONG_RUN = 10, 30, 250
"""Earlier intervals, at most, that an interval is compared with."""
LAGS = 3
"""An interval that equals one of the last three belongs to a repeating pattern."""
DOUBTFUL = 1.5
"""An interval in which signal is missing, and that is this many times as long as the recent ones,
may hide a beat: it is taken as not there."""
REGULAR = 0.08
"""A beat is regular if the intervals before and after it are within 8 % of the usual one."""
NEEDED = 2 * USUAL + LAGS + 2
"""Beats before a beat that its values depend on, those for `Rhythm.long_run` apart."""


@dataclass(frozen=True, eq=False)
class Rhythm:
    """Intervals of every beat, ``(n,)`` each; NaN where what a value needs is not there."""

    seconds: FloatArray
    """The interval before the beat, s, within `RR_LIMITS`."""
    pre: FloatArray
    """Its logarithm."""
    post: FloatArray
    """Logarithm of the interval after the beat."""
    previous: FloatArray
    """Logarithm of the interval before the one before the beat."""
    recent: FloatArray
    """Logarithm of the median of the up to 10 intervals before `pre`."""
    long_run: FloatArray
    """Logarithm of the mean of the up to 250 intervals before `pre`."""
    usual: FloatArray
    """Median of the logarithms of the up to 30 intervals before `pre`."""
    scatter: FloatArray
    """Median distance of `pre` from `usual` over the up to 30 beats before."""
    irregularity: FloatArray
    """Median, over the up to 30 beats before, of the smallest distance of `pre` from the `pre` of
    the three beats before it; small for every rhythm that repeats itself."""
    rank: FloatArray
    """Where `pre` stands among the up to 30 before it: -1 below, 1 above all of them."""

    @classmethod
    def of(
        cls,
        samples: IntArray,
        fs: float = SAMPLING_RATE,
        *,
        first: int = 0,
        breaks: IntArray | FloatArray | None = None,
    ) -> Self:
        """Compute the rhythm of a record.

        Parameters
        ----------
        samples
            ``(n,)`` R samples of all beats, in order, whether beats are dropped or not.
        fs
            Hz.
        first
            Values of the beats before this one are not needed, and may be NaN.
        breaks
            ``(n,)`` from `breaks_before`; None where no signal is missing. NaN for a beat that may
            be none: intervals to it are not there.
        """
        count = len(samples)
        rr = np.clip(np.diff(np.asarray(samples, float)) / fs, *RR_LIMITS)
        if breaks is not None:
            lost = np.diff(breaks)
            rr = np.where(np.isnan(lost) | _may_hide(rr, lost > 0), np.nan, rr)

        def late(values: FloatArray) -> FloatArray:
            """Return values of the last beats as values of all."""
            return np.concatenate([np.full(count - len(values), np.nan), values])

        long_run = np.log(_running_mean(rr, LONG_RUN)[:-1])
        rr = rr[max(0, first - NEEDED) :]
        log = np.log(rr)
        usual = _median(log, USUAL)[:-1]
        steps = np.full(len(usual), np.inf)
        for lag in range(1, LAGS + 1):
            steps[lag - 1 :] = np.fmin(steps[lag - 1 :], np.abs(log[lag:] - log[:-lag]))
        steps[np.isinf(steps)] = np.nan
        signs, held = np.zeros(len(log)), np.zeros(len(log))
        for lag in range(1, USUAL + 1):
            apart = np.sign(log[lag:] - log[:-lag])
            signs[lag:] += np.nan_to_num(apart)
            held[lag:] += ~np.isnan(apart)
        return cls(
            seconds=late(rr),
            pre=late(log),
            post=np.concatenate([late(log)[1:], np.full(min(count, 1), np.nan)]),
            previous=late(log[:-1]),
            recent=late(np.log(_median(rr, RECENT)[:-1])),
            long_run=late(long_run),
            usual=late(usual),
            scatter=late(_median(np.abs(log[1:] - usual), USUAL)[:-1]),
            irregularity=late(_median(steps, USUAL)[:-1]),
            rank=late(signs[1:] / np.where(held[1:] > 0, held[1:], np.nan)),
        )

    @property
    def regular(self) -> NDArray[np.bool_]:
        """``(n,)`` whether the intervals before and after each beat are the usual ones.

        False where one of them is not there.
        """
        before, after = (np.abs(log - self.usual) < REGULAR for log in (self.pre, self.post))
        return before & after

    def rows(self, index: IntArray) -> Self:
        """Return the rhythm of some of the beats."""
        return type(self)(*(getattr(self, item.name)[index] for item in fields(self)))


def doubtful(samples: IntArray, gaps: IntArray) -> int:
    """Count the intervals between beats that may hide one, as something is missing in them.

    Parameters
    ----------
    samples
        ``(n,)`` R samples at 360 Hz, in order.
    gaps
        ``(m,)`` first samples of the gaps, in order.
    """
    rr = np.clip(np.diff(samples) / SAMPLING_RATE, *RR_LIMITS)
    return int(_may_hide(rr, np.diff(np.searchsorted(gaps, samples)) > 0).sum())


def _may_hide(rr: FloatArray, lost: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether intervals are so long, and lack signal, that they may hide a beat."""
    recent = np.append(np.nan, running_median(rr, RECENT)[:-1])[: len(rr)]
    return lost & ~(rr < DOUBTFUL * recent)


def _running_mean(values: FloatArray, length: int) -> FloatArray:
    """Mean of each value and the up to `length` - 1 before it, of those that are there."""
    total = np.append(0.0, np.cumsum(np.nan_to_num(values)))
    known = np.append(0, np.cumsum(~np.isnan(values)))
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - length, 0)
    count = known[stop] - known[start]
    return np.asarray((total[stop] - total[start]) / np.where(count > 0, count, np.nan))


def _median(values: FloatArray, length: int) -> FloatArray:
    """Median of each value and the up to `length` - 1 before it, of those that are there."""
    if not np.isnan(values).any():
        return running_median(values, length)
    import pandas

    return np.asarray(pandas.Series(values).rolling(length, min_periods=1).median())


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

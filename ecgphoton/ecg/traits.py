"""What a recording looks like, in a few numbers that need no labels: its traits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.features import QRS, WINDOW, FloatArray, running_median
from ecgphoton.ecg.patient_features import columns_of, seconds_of

STEP = 10
"""Samples (28 ms) that are averaged in the shape of the usual beat."""
NARROW = 2
"""Samples (6 ms) to each side within which a pacing spike rises and falls; a QRS does so partly."""
EDGE = 60
"""Samples at each end of a window whose means differ by the wander of the baseline."""
SUSTAINED = 11
"""Intervals whose median is the rate of a rhythm that lasts."""
LASTING = 31
"""Beats whose usual noise or amplitude is beyond a limit are so together."""
ENOUGH = 10
"""Beats called normal from which on the baseline is judged on them alone."""
EARLY = -0.3
"""Of the feature pre/recent: an interval 7 % shorter than the recent median."""
_BASE = 6  # columns of `rows_of` before the features
BY_BEAT = {"noise": 1, "amplitude": 0}
"""Columns of `rows_of` that are looked at beat by beat as well, see `beyond_for_long`."""


@dataclass(frozen=True, eq=False)
class Traits:
    """Medians and shares over the beats of a recording."""

    values: Mapping[str, float]
    """``amplitude`` in mV; ``noise`` outside the QRS, ``spikes`` and ``baseline`` (its wander) as
    parts of the amplitude; ``rate`` and ``fast rate``, which a tenth of the beats exceeds for
    long, a minute; shares of beats: ``abnormal``, ``abnormal in rhythm`` (of those that do not
    come early) and ``doubtful`` (probability nearer to the threshold than to 0 and 1)."""
    features: NDArray[np.float64]
    """``(2 K,)`` medians of K patient features, then their interquartile ranges."""
    shape: NDArray[np.float64]
    """``(36,)`` median beat, in means of `STEP` samples."""


def rows_of(beats: BeatSet, features: Sequence[str]) -> FloatArray:
    """Return what `traits_of` needs of each beat, so that a stream can collect it.

    Returns
    -------
    ``(n, 6 + K + 36)`` for K features.
    """
    windows = beats.windows
    sides = [
        np.abs(np.diff(windows[:, part], n=2, axis=1)).mean(axis=1)
        for part in (slice(QRS.start), slice(QRS.stop, WINDOW))
    ]
    middle = windows[:, NARROW:-NARROW]
    before, after = middle - windows[:, : -2 * NARROW], middle - windows[:, 2 * NARROW :]
    peaks = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0)
    slope = windows[:, :EDGE].mean(axis=1) - windows[:, -EDGE:].mean(axis=1)
    base = (beats.size, (sides[0] + sides[1]) / 2, peaks.max(axis=1, initial=0), slope)
    columns = columns_of(["interval", "pre/recent", *features])
    shape = windows.reshape(len(beats), WINDOW // STEP, STEP).mean(axis=2)
    found: FloatArray = np.column_stack([*base, beats.patient[:, columns], shape])
    return found


def beyond_for_long(
    values: NDArray[np.floating], low: float | None, high: float | None
) -> list[tuple[int, int]]:
    """Return first and last beats of the stretches in which a value is usually beyond a limit.

    The value of a beat is the median of its own and of 15 beats on both sides. With the limits of
    `inter-patient-4`, 2 of 22 records of DS1 and 2 of 22 of DS2 have such stretches of noise.

    Parameters
    ----------
    values
        ``(n,)`` of beats in order, such as a column of `rows_of`.
    low, high
        Limits of the trait; None for none.
    """
    from scipy.ndimage import median_filter

    usual = median_filter(values, LASTING)
    least, most = (-np.inf if low is None else low), (np.inf if high is None else high)
    beyond = (usual < least) | (usual > most)
    edges = np.flatnonzero(np.diff(beyond, prepend=False, append=False)).reshape(-1, 2)
    return [(first, last - 1) for first, last in edges.tolist()]


def traits_of(rows: FloatArray, probability: NDArray[np.floating], point: OperatingPoint) -> Traits:
    """Return the traits of a recording.

    Parameters
    ----------
    rows
        From `rows_of`, one or more.
    probability
        ``(n, classes)`` what a student says of these beats.
    point
        What decides.
    """
    size, noise, spikes, slope, interval, pre = rows[:, :_BASE].T
    features, shape = np.split(rows[:, _BASE:], [-(WINDOW // STEP)], axis=1)
    abnormal = np.asarray(point.classify(probability)) != 0
    threshold = point.threshold if point.binary else 0.5
    unlike = 1 - probability[:, 0]
    doubtful = (unlike > threshold / 2) & (unlike < (1 + threshold) / 2)
    in_rhythm = pre > EARLY
    normal = slope[~abnormal] if (~abnormal).sum() >= ENOUGH else slope
    seconds = seconds_of(interval)
    low, middle, high = np.percentile(features, [25, 50, 75], axis=0).astype(float)
    values = {
        "abnormal": abnormal.mean(),
        "abnormal in rhythm": abnormal[in_rhythm].mean() if in_rhythm.any() else 0.0,
        "doubtful": doubtful.mean(),
        "amplitude": np.median(size),
        "spikes": np.median(spikes),
        "noise": np.median(noise),
        "baseline": np.subtract(*np.percentile(normal, [75, 25])),
        "rate": 60 / np.median(seconds),
        "fast rate": 60 / np.percentile(running_median(seconds, SUSTAINED), 10),
    }
    return Traits(
        {name: float(value) for name, value in values.items()},
        np.concatenate([middle, high - low]),
        np.median(shape, axis=0).astype(float),
    )

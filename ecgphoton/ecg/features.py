"""Features that a student reads, from a signal and its R samples: pure functions on arrays.

Everything called causal uses the current beat and earlier ones only, so that a stream gives the
same numbers as a whole record.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

SAMPLING_RATE = 360.0
"""Hz; every window is at this rate."""
WINDOW = 360
"""Samples of a beat, centred on its R sample."""
HALF = WINDOW // 2
QRS = slice(120, 240)
"""The QRS part of a window."""

FEATURES_VERSION = 3
"""Version of the features; a checkpoint names the version that it was trained on."""
RHYTHM_CAUSAL = ("pre/recent", "pre/long-run", "pre/previous", "deviation")
RHYTHM_FULL = ("pre/recent", "pre/long-run", "post/pre", "deviation")
RR_LIMITS = (0.2, 3.0)
"""Seconds; intervals outside (missed beats, flutter, signal loss) are clipped."""
RECENT, LONG_RUN = 10, 250
RATIO_GAIN = 4.0
"""tanh(4 ln r): a beat 20 % early maps to -0.71, half the interval to -0.99."""
USUAL_INTERVAL = 0.8
"""Seconds; an interval of this length has the value 0 (75 beats a minute)."""


def magnitude(windows: NDArray[np.floating]) -> FloatArray:
    """Largest distance of each row from its mean, ``(n,)`` float32, in the unit of the rows."""
    raw = np.asarray(windows, np.float32)
    size: FloatArray = np.abs(raw - raw.mean(axis=1, keepdims=True)).max(axis=1, initial=0.0)
    return size


def normalise(windows: NDArray[np.floating]) -> FloatArray:
    """Subtract each row's mean, divide by its largest magnitude; a flat row becomes zeros.

    Parameters
    ----------
    windows
        ``(n, samples)``, any unit.

    Returns
    -------
    ``(n, samples)`` float32 in [-1, 1].
    """
    raw = np.asarray(windows, np.float32)
    centred: FloatArray = raw - raw.mean(axis=1, keepdims=True)
    size = np.abs(centred).max(axis=1, keepdims=True, initial=0.0)
    # The difference of equal samples from their mean is rounding, not a heart beat.
    level = np.abs(raw).max(axis=1, keepdims=True, initial=0.0)
    flat = size <= 1e-6 * level
    np.divide(centred, np.where(flat, 1.0, size), out=centred)
    centred[flat[:, 0]] = 0.0
    np.clip(centred, -1.0, 1.0, out=centred)
    return centred


def rhythm_features(
    r_samples: IntArray, sampling_rate: float = SAMPLING_RATE
) -> tuple[FloatArray, FloatArray]:
    """Three RR-interval features of every beat, causal and full.

    With `pre` the interval before a beat and `post` the one after it (both clipped to
    `RR_LIMITS`):

    1. ``tanh(4 ln(pre / median of the 10 intervals before it))``
    2. ``tanh(4 ln(pre / mean of up to 250 intervals before it))``
    3. causal ``tanh(4 ln(pre / the interval before it))``, full ``tanh(4 ln(post / pre))``

    The fourth value of a rhythm token is `shape.Shape.deviation`.

    A term whose interval or history does not exist yet (first beats, last beat) is 0, the value
    of a regular rhythm.

    Parameters
    ----------
    r_samples
        ``(n,)`` R samples of all beats of a record, in order, whether beats are dropped or not.
    sampling_rate
        Hz.

    Returns
    -------
    ``(n, 3)`` causal and ``(n, 3)`` full features, float32 in [-1, 1].
    """
    count = len(r_samples)
    causal = np.zeros((count, 3))
    if count > 1:
        rr = _intervals(r_samples, sampling_rate)
        log = np.log(rr)
        causal[2:, 0] = log[1:] - np.log(_running_median(rr, RECENT)[:-1])
        causal[2:, 1] = log[1:] - np.log(_running_mean(rr, LONG_RUN)[:-1])
        causal[2:, 2] = np.diff(log)
    full = causal.copy()
    if count > 1:
        full[:, 2] = 0.0
        full[1:-1, 2] = np.diff(log)
    causal, full = np.tanh(RATIO_GAIN * causal), np.tanh(RATIO_GAIN * full)
    return causal.astype(np.float32), full.astype(np.float32)


def interval_feature(r_samples: IntArray, sampling_rate: float = SAMPLING_RATE) -> FloatArray:
    """Length of the interval before every beat: ``tanh(2 (pre - 0.8 s))``, 0 for the first beat.

    Returns
    -------
    ``(n,)`` float32 in [-1, 1].
    """
    length = np.zeros(len(r_samples))
    length[1:] = np.tanh(2 * (_intervals(r_samples, sampling_rate) - USUAL_INTERVAL))
    return length.astype(np.float32)


def _intervals(r_samples: IntArray, sampling_rate: float) -> NDArray[np.float64]:
    """Seconds from each R sample to the next, within `RR_LIMITS`."""
    return np.clip(np.diff(np.asarray(r_samples, float)) / sampling_rate, *RR_LIMITS)


def _running_median(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Median of each value and the up to `length` - 1 before it."""
    out = np.array([np.median(values[: i + 1]) for i in range(min(len(values), length - 1))])
    if len(values) < length:
        return out
    return np.concatenate([out, np.median(sliding_window_view(values, length), axis=1)])


def _running_mean(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Mean of each value and the up to `length` - 1 before it."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - length, 0)
    mean: NDArray[np.float64] = (total[stop] - total[start]) / (stop - start)
    return mean

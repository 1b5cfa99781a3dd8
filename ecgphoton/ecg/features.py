"""What windows and features of beats have in common: sizes, normalisation, running median."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Real = TypeVar("Real", bound=np.floating[Any])

SAMPLING_RATE = 360.0
"""Hz; every window is at this rate."""
WINDOW = 360
"""Samples of a beat, centred on its R sample."""
HALF = WINDOW // 2
QRS = slice(120, 240)
"""The QRS part of a window."""
FLAT = 1e-6
"""A window that varies by at most this part of its level is flat: what is left is rounding."""

FEATURES_VERSION = 4
"""Version of the features; a checkpoint names the version that it was trained on."""
SAME_FEATURES = (3, 4)
"""Versions whose students may be used: the features that version 3 had are unchanged in 4."""


def magnitude(windows: NDArray[np.floating]) -> FloatArray:
    """Largest distance of each row from its mean, ``(n,)`` float32, in the unit of the rows."""
    raw = np.asarray(windows, np.float32)
    return np.asarray(np.abs(raw - raw.mean(axis=1, keepdims=True)).max(axis=1, initial=0.0))


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
    flat = size <= FLAT * np.abs(raw).max(axis=1, keepdims=True, initial=0.0)
    np.divide(centred, np.where(flat, 1.0, size), out=centred)
    centred[flat[:, 0]] = 0.0
    np.clip(centred, -1.0, 1.0, out=centred)
    return centred


def running_median(values: NDArray[Real], length: int, first: int = 0) -> NDArray[Real]:
    """Median of each row from `first` on and the up to `length` - 1 before it, column by column.

    Parameters
    ----------
    values
        ``(n,)`` or ``(n, columns)``.
    """
    from scipy.ndimage import rank_filter

    unused = max(0, first - length + 1)
    values, first = values[unused:], first - unused
    # One line per column. Infinities before it, of both signs in turn, complete its first windows;
    # where their number is odd, the median is between those with one more of either sign.
    before = np.resize([np.inf, -np.inf], length - 1)[::-1]
    before = np.broadcast_to(before, (*values.shape[1:], length - 1))

    def ranked(rank: int, sign: int, count: int) -> NDArray[Real]:
        line = np.concatenate([sign * before, values[:count].T], axis=-1, dtype=values.dtype)
        found = rank_filter(line.ravel(), rank, length, origin=(length - 1) // 2)
        return np.ascontiguousarray(found.reshape(line.shape)[..., length - 1 :].T)

    out = ranked((length - 1) // 2, 1, len(values))
    two = len(values) if length % 2 == 0 else min(len(values), length - 1)
    out[:two] = (out[:two] + ranked(length // 2, -1, two)) / 2
    return out[first:]

"""Shape: comparison of a beat with its patient's usual beat, a running median.

Each beat is compared with itself and the 32 before it, so a stream that keeps a `History` gives
the same numbers as a whole record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecgphoton.ecg.features import QRS, FloatArray, IntArray, running_median

TEMPLATE_BEATS = 33
"""Beats whose median is the running template, the current one included."""
P_PART, T_PART = slice(60, 140), slice(220, 340)
"""Samples of a window where P and T waves are looked for."""
STEP = 5
"""P and T parts are compared, and slopes taken, over five samples (14 ms)."""


class Sizes(NamedTuple):
    """What is compared with its own running median, ``(n,)`` each."""

    qrs: FloatArray
    """Mean magnitude of the QRS residual."""
    t: FloatArray
    """The same over the T part."""
    magnitude: FloatArray
    """Logarithm of the largest magnitude before normalisation, any unit."""
    width: FloatArray
    """Mean distance of the QRS part from the window's median."""
    slope: FloatArray
    """Logarithm of the steepest slope of the QRS part before normalisation, unit a sample."""


@dataclass(frozen=True, eq=False)
class History:
    """Values of the previous beats, at most 32, that the running medians need."""

    waves: FloatArray
    """``(m, 160)`` QRS samples, then P and T parts in means of `STEP` samples."""
    sizes: FloatArray
    """``(m, 5)`` columns `Sizes`."""

    @classmethod
    def empty(cls) -> History:
        """Return the history before the first beat."""
        sizes = np.empty((0, len(Sizes._fields)), np.float32)
        return cls(np.empty((0, _WAVES), np.float32), sizes)


@dataclass(frozen=True, eq=False)
class Shape:
    """Beats compared with their patient's usual one, ``(n,)`` where nothing else is said."""

    residual: FloatArray
    """``(n, 120)`` QRS part of each beat minus the running template, clipped to [-1, 1]."""
    now: Sizes
    """Sizes of the beats."""
    usual: Sizes
    """Running medians of the sizes."""
    largest: FloatArray
    """Largest magnitude of the residual."""
    p: FloatArray
    """Mean distance of the P part from that of the running template."""
    likeness: FloatArray
    """Cosine between the QRS parts of beat and template."""
    likeness_to_next: FloatArray
    """Cosine between the QRS parts of this beat and the next; NaN without a window of the next."""
    steepness: FloatArray
    """Steepest slope of the normalised QRS part, a sample."""
    history: History
    """History for the next beats."""


_LENGTH = QRS.stop - QRS.start
_P, _T = ((part.stop - part.start) // STEP for part in (P_PART, T_PART))
_WAVES = _LENGTH + _P + _T


def compare(
    windows: FloatArray,
    magnitude: FloatArray,
    likeness_to_next: FloatArray,
    history: History | None = None,
) -> Shape:
    """Compare each beat of one patient with the running median of the last 33.

    Parameters
    ----------
    windows
        ``(n, 360)`` normalised beats of one patient in order.
    magnitude
        ``(n,)`` largest magnitude of each beat before normalisation, any unit.
    likeness_to_next
        ``(n,)`` from `to_next`.
    history
        Of the beats before, for a stream.
    """
    past = history or History.empty()
    seen = len(past.waves)
    waves = np.concatenate([past.waves, _waves(windows)])
    usual = running_median(waves, TEMPLATE_BEATS)[seen:]
    apart = waves[seen:] - usual
    residual = np.clip(apart[:, :_LENGTH], -1.0, 1.0)
    distance = np.abs(residual)
    p, t = (np.abs(part).mean(axis=1) for part in np.split(apart[:, _LENGTH:], [_P], axis=1))
    qrs = windows[:, QRS]
    width = np.abs(qrs - np.median(windows, axis=1, keepdims=True)).mean(axis=1)
    size = np.log(np.maximum(magnitude, 1e-9))
    steepness = np.maximum(np.abs(qrs[:, STEP:] - qrs[:, :-STEP]).max(axis=1) / STEP, 1e-6)
    now = Sizes(distance.mean(axis=1), t, size, width, np.log(steepness) + size)
    sizes = np.concatenate([past.sizes, np.column_stack(now).astype(np.float32)])
    keep = slice(-(TEMPLATE_BEATS - 1), None)
    return Shape(
        residual,
        Sizes(*sizes[seen:].T),
        Sizes(*running_median(sizes, TEMPLATE_BEATS)[seen:].T),
        distance.max(axis=1, initial=0.0),
        p,
        _cosine(qrs, usual[:, :_LENGTH]),
        likeness_to_next,
        steepness,
        History(waves[keep], sizes[keep]),
    )


def to_next(windows: FloatArray, rows: IntArray) -> FloatArray:
    """Cosine between the QRS parts of each beat and the next one of the record.

    Parameters
    ----------
    windows
        ``(n, 360)`` normalised beats in order.
    rows
        ``(n,)`` which beats of the record they are: the next one may have no window.

    Returns
    -------
    ``(n,)``, NaN where the window of the next beat is not there.
    """
    found = np.full(len(windows), np.nan, np.float32)
    alike = _cosine(windows[:-1, QRS], windows[1:, QRS])
    found[:-1] = np.where(np.diff(rows) == 1, alike, np.nan)
    return found


def _cosine(one: FloatArray, other: FloatArray) -> FloatArray:
    lengths = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    found: FloatArray = (one * other).sum(axis=1) / np.maximum(lengths, 1e-9)
    return found


def _waves(windows: FloatArray) -> FloatArray:
    """(n, 160): QRS samples, then P and T parts in means of `STEP` samples."""
    parts = [
        windows[:, part].reshape(len(windows), width, STEP).mean(axis=2)
        for part, width in ((P_PART, _P), (T_PART, _T))
    ]
    return np.concatenate([windows[:, QRS], *parts], axis=1)

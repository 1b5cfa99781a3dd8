"""Shape: comparison of a beat with its patient's usual beats, by running medians.

A beat is compared with two templates: the median of itself and the 32 beats before it, and the
median of up to 65 earlier beats that came in regular rhythm, which ectopic beats do not move. A
stream that keeps a `History` gives the same numbers as a whole record.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import QRS, FloatArray, IntArray, running_median

TEMPLATE_BEATS = 33
"""Beats whose median is the running template, the current one included."""
REGULAR_BEATS, FEWEST = 65, 5
"""Most and fewest earlier regular beats whose median is the regular template; a beat with fewer of
them before it is compared with the running template instead."""
P_PART, T_PART = slice(60, 140), slice(220, 340)
"""Samples of a window where P and T waves are looked for."""
STEP = 5
"""P and T parts are compared, and slopes taken, over five samples (14 ms)."""
LEAST_SLOPE, LEAST_MAGNITUDE, LEAST_LENGTH = 1e-6, 1e-9, 1e-9
"""What a slope, a magnitude, and the product of two lengths are taken for where they are less."""


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


class Past(NamedTuple):
    """Values of earlier beats that medians need."""

    waves: FloatArray
    """``(m, 160)`` QRS samples, then P and T parts in means of `STEP` samples."""
    sizes: FloatArray
    """``(m, 5)`` columns `Sizes`."""

    def then(self, waves: FloatArray, sizes: FloatArray, most: int) -> Self:
        """Return the last values, at most this many, after these beats."""
        kept = (np.concatenate(pair)[-most:] for pair in zip(self, (waves, sizes), strict=True))
        return type(self)(*kept)


@dataclass(frozen=True, eq=False)
class History:
    """Earlier beats that the templates of the next ones need."""

    running: Past
    """The previous beats, at most 32."""
    regular: Past
    """The previous regular beats, at most 65."""

    @classmethod
    def empty(cls) -> Self:
        """Return the history before the first beat."""
        none = Past(*(np.empty((0, width), np.float32) for width in (_WAVES, len(Sizes._fields))))
        return cls(none, none)


@dataclass(frozen=True, eq=False)
class Against:
    """Beats compared with one template, ``(n,)`` where nothing else is said."""

    residual: FloatArray
    """``(n, 120)`` QRS part of each beat minus the template, clipped to [-1, 1]."""
    now: Sizes
    """Sizes of the beats."""
    usual: Sizes
    """Medians of the sizes over the beats of the template."""
    largest: FloatArray
    """Largest magnitude of the residual."""
    p: FloatArray
    """Mean distance of the P part from that of the template."""
    likeness: FloatArray
    """Cosine between the QRS parts of beat and template."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Beats compared with their patient's usual ones, ``(n,)`` where nothing else is said."""

    running: Against
    """Compared with the median of the last 33 beats."""
    regular: Against
    """Compared with the median of up to 65 earlier beats in regular rhythm."""
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
    regular: NDArray[np.bool_],
    history: History | None = None,
) -> Shape:
    """Compare each beat of one patient with both templates.

    Parameters
    ----------
    windows
        ``(n, 360)`` normalised beats of one patient in order.
    magnitude
        ``(n,)`` largest magnitude of each beat before normalisation, any unit.
    likeness_to_next
        ``(n,)`` from `to_next`.
    regular
        ``(n,)`` from `Rhythm.regular`.
    history
        Of the beats before, for a stream.
    """
    past = history or History.empty()
    waves, qrs = _waves(windows), windows[:, QRS]
    width = np.abs(qrs - np.median(windows, axis=1, keepdims=True)).mean(axis=1)
    size = np.log(np.maximum(magnitude, LEAST_MAGNITUDE))
    steepness = np.abs(qrs[:, STEP:] - qrs[:, :-STEP]).max(axis=1) / STEP
    steepness = np.maximum(steepness, LEAST_SLOPE)
    fixed = (size, width, np.log(steepness) + size)

    def running(rows: FloatArray, before: FloatArray) -> FloatArray:
        return running_median(np.concatenate([before, rows]), TEMPLATE_BEATS, len(before))

    usual = running(waves, past.running.waves)
    residual, of_waves, *rest = _apart(waves, usual)
    sizes = np.column_stack([*of_waves, *fixed]).astype(np.float32)
    typical = running(sizes, past.running.sizes)
    first = Against(residual, Sizes(*sizes.T), Sizes(*typical.T), *rest)
    recent = past.running.then(waves, sizes, TEMPLATE_BEATS - 1)

    usual = _of_regular(waves, past.regular.waves, regular, usual)
    residual, of_waves, *rest = _apart(waves, usual)
    sizes = np.column_stack([*of_waves, *fixed]).astype(np.float32)
    typical = _of_regular(sizes, past.regular.sizes, regular, typical)
    second = Against(residual, Sizes(*sizes.T), Sizes(*typical.T), *rest)
    steady = past.regular.then(waves[regular], sizes[regular], REGULAR_BEATS)
    return Shape(first, second, likeness_to_next, steepness, History(recent, steady))


def _of_regular(
    rows: FloatArray, before: FloatArray, regular: NDArray[np.bool_], instead: FloatArray
) -> FloatArray:
    """Median of the up to 65 regular rows before each row, `instead` where there are too few."""
    steady = np.concatenate([before, rows[regular]])
    count = len(before) + np.cumsum(regular) - regular
    enough = count >= FEWEST
    last = count[enough] - 1
    first = int(last.min(initial=len(steady)))
    found = instead.copy()
    found[enough] = running_median(steady, REGULAR_BEATS, first)[last - first]
    return found


def _apart(
    waves: FloatArray, template: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray], FloatArray, FloatArray, FloatArray]:
    """Residual of the QRS, its mean and that of the T part, its largest, P part, and cosine."""
    apart = waves - template
    residual = np.clip(apart[:, :_LENGTH], -1.0, 1.0)
    distance = np.abs(residual)
    p, t = (np.abs(part).mean(axis=1) for part in np.split(apart[:, _LENGTH:], [_P], axis=1))
    likeness = _cosine(waves[:, :_LENGTH], template[:, :_LENGTH])
    return residual, (distance.mean(axis=1), t), distance.max(axis=1, initial=0.0), p, likeness


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
    found[:-1] = np.where(np.diff(rows) == 1, _cosine(windows[:-1, QRS], windows[1:, QRS]), np.nan)
    return found


def _cosine(one: FloatArray, other: FloatArray) -> FloatArray:
    lengths = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, LEAST_LENGTH))


def _waves(windows: FloatArray) -> FloatArray:
    """(n, 160): QRS samples, then P and T parts in means of `STEP` samples."""
    parts = [
        windows[:, part].reshape(len(windows), width, STEP).mean(axis=2)
        for part, width in ((P_PART, _P), (T_PART, _T))
    ]
    return np.concatenate([windows[:, QRS], *parts], axis=1)

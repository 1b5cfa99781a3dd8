"""Resample a signal of any rate to 360 Hz, piece by piece or at once with the same result."""

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.missing import Moving
from ecgphoton.errors import InputError

LEAST_RATE, MOST_RATE = 100.0, 20_000.0  # Hz
LARGEST_TERM = 1000
"""Largest denominator of the ratio of two rates."""
ZERO_CROSSINGS, KAISER_BETA = 10, 5.0
"""Zero crossings on each side of the filter that resamples, and its Kaiser window: those of scipy's
`resample_poly`."""


def ratio(rate: float, name: str) -> Fraction:
    """Return 360 Hz over `rate`, in terms up to `LARGEST_TERM`.

    Raises
    ------
    InputError
        If the rate is too low or too high to resample.
    """
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise InputError(
            f"{name} is sampled at {rate:g} Hz; {LEAST_RATE:g} to {MOST_RATE:g} Hz can be "
            "resampled to 360 Hz"
        )
    return Fraction(SAMPLING_RATE / rate).limit_denominator(LARGEST_TERM)


def reach(factor: Fraction) -> int:
    """Input samples on each side that an output sample depends on, twice over."""
    up, down = factor.as_integer_ratio()
    return 2 * (ZERO_CROSSINGS * max(up, down) // up + 2) if factor != 1 else 0


@cache
def taps(up: int, down: int) -> NDArray[np.float64]:
    """Return the low-pass filter between two rates, of which every phase passes a constant whole.

    The window alone leaves a ripple of up to 0.07 %, which makes of the offset of a recorder
    without a high-pass filter (300 mV of the electrodes, or its middle code) more than a QRS.
    """
    from scipy.signal import firwin

    ends = max(up, down)
    found = firwin(2 * ZERO_CROSSINGS * ends + 1, 1 / ends, window=("kaiser", KAISER_BETA))
    phase = np.arange(len(found)) % up
    return np.asarray(found / np.bincount(phase, found)[phase])


def resample(signal: NDArray[np.float32], factor: Fraction) -> NDArray[np.float32]:
    """Resample with a polyphase filter; gaps (NaN) stay gaps.

    The filter uses the nearest measured value in place of a missing one, and past both ends.
    A piece that starts at a multiple of the denominator gives the same samples as the whole, but
    for those within `reach` of its ends.
    """
    from scipy.signal import resample_poly

    if factor == 1 or not len(signal):
        return signal
    up, down = factor.as_integer_ratio()
    gap = np.isnan(signal)
    filled = nearest_filled(signal).astype(np.float64)  # a large offset would cost digits
    window: Any = taps(up, down) / up  # stubs of scipy know of no coefficients
    wave = resample_poly(filled, up, down, window=window, padtype="edge")
    out = np.asarray(wave, np.float32)
    if gap.any():
        source = (2 * np.arange(len(out)) * down + up) // (2 * up)
        out[gap[np.minimum(source, len(gap) - 1)]] = np.nan
    return out


class Resampler:
    """Resampler of a signal that comes piece by piece; the result does not depend on the pieces.

    Samples on a straight line are missing, see `Moving`.
    """

    def __init__(self, factor: Fraction, gain: float = 1.0) -> None:
        """Begin a signal whose rate is 360 Hz over `factor`, `gain` units per mV."""
        self._factor, self._moving = factor, Moving(SAMPLING_RATE / float(factor), gain)
        self._held = np.empty(0, np.float32)
        self._first = self._end = self._done = 0

    def push(self, piece: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """Take the next samples and return those at 360 Hz that they complete."""
        up, down = self._factor.as_integer_ratio()
        margin, piece = reach(self._factor), self._moving.push(piece, last=last)
        self._held = np.concatenate([self._held, piece])
        self._end += len(piece)
        ready = -(-self._end * up // down) if last else (self._end - margin) * up // down
        if ready <= self._done:
            return np.empty(0, np.float32)
        first = self._first * up // down
        out = resample(self._held, self._factor)[self._done - first : ready - first]
        self._done = ready
        keep = max(self._first, (ready * down // up - margin) // down * down)
        self._held, self._first = self._held[keep - self._first :], keep
        return out


def nearest_filled(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put the nearest measured value (the earlier of two) in place of each missing one."""
    known = np.flatnonzero(~np.isnan(signal))
    if len(known) in (0, len(signal)):
        return signal if len(known) else np.zeros_like(signal)
    halves = (known[:-1] + known[1:]) // 2
    return signal[known[np.searchsorted(halves, np.arange(len(signal)))]]


def scaled(samples: NDArray[np.int64], factor: Fraction) -> NDArray[np.int64]:
    """Bring sample numbers from one rate to another."""
    return np.asarray(np.rint(samples * (factor.numerator / factor.denominator)), np.int64)

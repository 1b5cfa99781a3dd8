"""Detection of R peaks in a signal of any length, piece by piece.

The signal becomes an energy: the slope of its 6 to 20 Hz band, smoothed over 0.17 s, which has one
peak for a QRS complex, narrow or wide. A peak is a beat if it is high enough between the heights
of recent beats and of recent other peaks, has enough contrast to its surroundings, and is no
T wave; where a beat is overdue, the highest of the lower peaks is taken. The rules are those of
Pan and Tompkins [1]_ and Hamilton [2]_, the numbers were chosen on the 22 patients of DS1.

References
----------
.. [1] Pan & Tompkins 1985, IEEE TBME 32(3):230, DOI 10.1109/TBME.1985.325532.
.. [2] Hamilton 2002, Computers in Cardiology 29:101, DOI 10.1109/CIC.2002.1166717.
"""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.missing import BRIDGED, bridged
from ecgphoton.ecg.qrs_rules import Peak, Rules

Centring = Literal["annotation", "qrs"]
"""Where a window is centred: on the R peak that is annotated (or estimated, where beats are
detected), or on the middle of the QRS that `centred` finds around either."""
BAND = (6.0, 20.0)  # Hz
BAND_TAPS, SMOOTH_TAPS, STEP = 61, 61, 4
REFRACTORY = 78
"""Samples (0.22 s) on both sides of a beat within which nothing is higher."""
SURROUNDINGS, EVERY = 121, 9
"""Every ninth sample of 3 s gives the energy of its quiet quarter, the reference of contrast."""
MARGIN = BAND_TAPS // 2 + STEP // 2 + SMOOTH_TAPS // 2 + SURROUNDINGS // 2 * EVERY + EVERY
"""Samples on each side that a peak has to exceed."""
EDGE = 36
"""Distance to an end of the signal or a gap within which a QRS is incomplete, samples (0.1 s)."""
CENTRE = 40
"""Samples (0.11 s) by which `centred` moves a beat at most."""
R_REACH, R_UPRIGHT = 30, 1.5
"""Samples around the centre where the R peak is searched; weight of an upright deflection."""


@cache
def _taps() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.signal import firwin
    from scipy.signal.windows import hann

    smooth = hann(SMOOTH_TAPS + 2)[1:-1]
    return firwin(BAND_TAPS, BAND, pass_zero=False, fs=SAMPLING_RATE), smooth / smooth.sum()


def energy(signal: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the energy of the QRS band around every sample, in the unit of the signal.

    Parameters
    ----------
    signal
        ``(n,)`` at 360 Hz, finite.
    """
    from scipy.ndimage import correlate1d

    band, smooth = _taps()
    wave = correlate1d(np.asarray(signal, np.float64), band, mode="nearest")
    slope = np.zeros_like(wave)
    slope[STEP // 2 : -(STEP // 2)] = np.abs(wave[STEP:] - wave[:-STEP])
    return np.asarray(correlate1d(slope, smooth, mode="nearest"), np.float64)


def held(signal: NDArray[np.floating], before: float = 0.0) -> NDArray[np.floating]:
    """Put the last measured value in place of each missing one, `before` where there is none."""
    known = np.isfinite(signal)
    if known.all():
        return signal
    at = np.maximum.accumulate(np.where(known, np.arange(len(signal)), -1))
    return np.where(at < 0, signal.dtype.type(before), signal[at])


def centred(signal: NDArray[np.floating], samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move beats to the middle of their QRS: where the energy is largest within 0.11 s.

    An annotated and a detected position of one beat are moved to the same sample, so that a
    student whose windows are centred here reads the same windows in training and in use. A beat
    beside missing samples is not moved: what remains of its QRS has its largest energy elsewhere.

    Parameters
    ----------
    signal
        ``(n,)`` at 360 Hz, any unit; NaN where nothing was measured.
    samples
        ``(m,)`` beats in order; those outside the signal stay where they are.

    Returns
    -------
    ``(m,)`` samples in order.
    """
    from scipy.ndimage import maximum_filter1d

    inside = (samples >= 0) & (samples < len(signal))
    lacking = maximum_filter1d(np.isnan(signal), 2 * (CENTRE + BAND_TAPS // 2) + 1)
    inside[inside] = ~lacking[samples[inside]]
    if not inside.any():
        return samples
    around = np.pad(energy(held(signal)), CENTRE, constant_values=-1.0)
    view = np.lib.stride_tricks.sliding_window_view(around, 2 * CENTRE + 1)
    moved = samples.copy()
    moved[inside] += view[samples[inside]].argmax(axis=1) - CENTRE
    return np.maximum.accumulate(moved)


def r_peaks(signal: NDArray[np.floating], centres: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the R peaks around the middles of QRS complexes.

    It is the largest deflection from the median of a second within 83 ms, an upright one counting
    one and a half times: where the annotators of MIT-BIH put their marks.
    """
    if not len(centres):
        return centres
    half = int(SAMPLING_RATE // 2)
    around = np.pad(held(signal).astype(np.float32), half, mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(around, 2 * half + 1)
    found = []
    for some in np.array_split(centres, max(1, len(centres) // 4096)):
        windows = view[some]
        near = windows[:, half - R_REACH : half + R_REACH + 1]
        size = near - np.median(windows, axis=1, keepdims=True)
        found.append(some + np.where(size > 0, R_UPRIGHT * size, -size).argmax(axis=1) - R_REACH)
    return np.concatenate(found)


class Detector:
    """Detector of QRS complexes in a signal that comes piece by piece.

    The result does not depend on how the signal is cut into pieces. Gaps of up to `BRIDGED` samples
    are bridged by a straight line: a QRS of which no more is missing is found.
    """

    def __init__(self, gain: float = 1.0) -> None:
        """Begin a signal of `gain` units per mV."""
        self._gain = np.float32(gain)
        self._waiting = np.empty(0, np.float32)  # a gap at the end that may turn out to be short
        self._signal = np.empty(0, np.float32)  # the last samples, without gaps
        self._known = np.empty(0, bool)  # whether they were measured
        self._first = 0  # number of the first of them
        self._ready = 0  # samples whose peaks are known
        self._rules = Rules()

    def push(self, piece: NDArray[np.float32], *, last: bool = False) -> NDArray[np.int64]:
        """Take the next samples at 360 Hz and return the middles of QRS complexes found by now.

        Parameters
        ----------
        piece
            ``(n,)``, NaN where nothing was measured.
        last
            Whether the signal ends with it.
        """
        piece = np.concatenate([self._waiting, piece])
        known = np.flatnonzero(np.isfinite(piece))
        rest = len(piece) - (int(known[-1]) + 1 if len(known) else 0)
        rest = 0 if last or rest > BRIDGED else rest
        piece, self._waiting = np.split(piece, [len(piece) - rest])
        before = float(self._signal[-1]) if len(self._signal) else 0.0
        piece = bridged(piece, before if self._known[-1:].any() else np.nan)
        self._signal = np.concatenate([self._signal, held(piece, before)])
        self._known = np.concatenate([self._known, np.isfinite(piece)])
        end = self._first + len(self._signal)
        ready = end if last else max(self._ready, end - MARGIN)
        found = self._rules.judge(self._peaks(self._ready, ready, last), ready, last=last)
        self._ready = ready
        drop = max(0, ready - MARGIN - REFRACTORY) // EVERY * EVERY - self._first
        if drop > 0:
            self._signal, self._known = self._signal[drop:], self._known[drop:]
            self._first += drop
        return np.array(found, np.int64)

    def _peaks(self, start: int, stop: int, last: bool) -> list[Peak]:
        """Return the peaks of the energy from `start` to before `stop`."""
        from scipy.ndimage import correlate1d, maximum_filter1d, rank_filter

        low, high = max(start, EDGE), stop - EDGE if last else stop
        if low >= high:
            return []
        wave = self._signal / self._gain
        power = energy(wave)
        highest = maximum_filter1d(power, 2 * REFRACTORY + 1)
        lacking = maximum_filter1d(~self._known, 2 * EDGE + 1)
        part = slice(low - self._first, high - self._first)
        at = np.flatnonzero(((power == highest) & (power > 0) & ~lacking)[part]) + part.start
        around = rank_filter(power[::EVERY], rank=SURROUNDINGS // 4, size=SURROUNDINGS)
        slope = np.abs(np.gradient(correlate1d(wave.astype(np.float64), np.full(5, 0.2))))
        steepest = maximum_filter1d(slope, 41)
        height, usual = power[at], np.maximum(around[at // EVERY], 1e-12)
        columns = (at + self._first, height, height / usual, steepest[at])
        return [Peak(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

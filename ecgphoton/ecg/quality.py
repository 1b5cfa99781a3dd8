"""Signal quality: stretches of 5 s that are flat, spikes, steps, noise, saturated, wrongly scaled.

A beat in such a stretch cannot be decided. The indices are those of Li et al. [1]_ and Clifford et
al. [2]_: the kurtosis of the samples (kSQI) and the share of power around the QRS (pSQI), with
limits chosen so that ventricular flutter and wide beats are never called noise.

References
----------
.. [1] Li, Mark & Clifford 2008, Physiol. Meas. 29(1):15, DOI 10.1088/0967-3334/29/1/002.
.. [2] Clifford et al. 2012, Physiol. Meas. 33(9):1419, DOI 10.1088/0967-3334/33/9/1419.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.resample import nearest_filled

Quality = Literal["keep", "drop"]
"""Whether beats in stretches that are no ECG are kept or left out."""
LENGTH = 1800
"""Samples at 360 Hz (5 s) that are judged together."""
AT_ONCE = 100
"""Such pieces, so that memory does not grow with the length of a record."""
LEAST = 720
"""Samples of the shortest piece that can be judged."""
FLAT = 0.05
"""mV; a lead in which 99 % of the samples, without wander, lie in less than this has no beat."""
SPIKE, SPARSE, HIGH = 9, 0.05, 0.2
"""Samples, a share and mV. A median over 9 samples (25 ms) removes what lasts less than 14 ms, as
pacing spikes and bad contacts do, and leaves every QRS complex; a lead that is flat then held
spikes alone. It must be beyond `FLAT` in fewer than 5 % of the samples, and beyond 0.2 mV in some.
None of 28,130 windows of both leads of 25 records of MIT-BIH and 14 of SVDB is called so."""
RISE, CALM, HELD = 4, 22, 10
"""Samples (11, 61 and 28 ms) of a step of the level, such as an edge of a calibration pulse, a tap
on an electrode, or an amplifier that toggles."""
BEFORE, AFTER, KEPT, SHARP = 0.2, 0.5, 0.3, (0.05, 0.1)
"""Shares of its change within 11 ms, and mV. In the 61 ms before and after it, no other 11 ms of a
step change by so much, and it keeps so much for 28 ms; a QRS complex rises for longer, or comes
back. A lead has no beat if all sharp changes are steps of more than `HIGH`; sharp is a tenth of
the sharpest, within the limits in mV. None of the 62,736 windows of both leads of MIT-BIH and of 39
records of SVDB is called so."""
LARGEST = 20.0
"""mV; no ECG is larger: the unit is wrong."""
STUCK = 0.2
"""Share of samples at the very largest or smallest value of a saturated amplifier."""
NOISE_KURTOSIS, NOISE_SHARE = 4.5, 0.5
"""Noise has few large values (a kurtosis of 3), and most of its power between 5 and 40 Hz lies
above 15 Hz. 2 of the 31,368 windows of MIT-BIH and of 39 records of SVDB pass both limits."""
HUM, QUIET = 45.0, 0.01
"""Hz and mV RMS: mains hum lies above, the waves of an ECG below. Where there is less than this
below, and five times as much above, there is no beat but hum."""
FIBRILLATION = 2.5, 9.0
"""Hz; an assumption: where ventricular flutter and fibrillation are strongest (150 to 540 a
minute)."""
REASONS = {
    "flat": "no signal: the lead is flat",
    "spikes": "no signal but narrow spikes",
    "steps": "no signal but steps of the level",
    "saturated": "the amplifier is saturated",
    "noise": "noise without beats",
    "scale": "wrong scale: check the unit",
}
"""Reason why a beat in a stretch is not decided."""
MOST_POOR = 0.05
"""Share of the beats of a lead in such stretches above which they are mentioned."""
LONGEST_REASON = 40
"""Characters of a reason, these or those of `windows`."""


@dataclass(frozen=True)
class Stretch:
    """A part of a lead that is no ECG."""

    first: int
    """Sample at 360 Hz."""
    last: int
    """Sample after the end."""
    what: str
    """One of `REASONS`."""

    def __str__(self) -> str:
        start, end = (f"{at / SAMPLING_RATE:.0f}" for at in (self.first, self.last))
        return f"{start} to {end} s: {REASONS[self.what]}"


@dataclass(eq=False)
class Watch:
    """Judges a signal at 360 Hz piece by piece; the result does not depend on the pieces."""

    gain: float
    """Units of the samples per mV."""
    stretches: list[Stretch] = field(default_factory=list)
    """Found so far."""
    until: int = 0
    """Sample up to which the signal has been judged."""
    _held: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def push(self, piece: NDArray[np.float32], *, last: bool = False) -> None:
        """Take the next samples; the rest at the end is judged if it is long enough."""
        self._held = np.concatenate([self._held, piece])
        whole = len(self._held) // LENGTH
        windows, self._held = np.split(self._held, [whole * LENGTH])
        for first in range(0, len(windows), AT_ONCE * LENGTH):
            self._add(windows[first : first + AT_ONCE * LENGTH].reshape(-1, LENGTH))
        if last and len(self._held) >= LEAST:
            self._add(self._held[None])

    def _add(self, windows: NDArray[np.float32]) -> None:
        for what in judge(windows / np.float32(self.gain)).tolist():
            start, self.until = self.until, self.until + LENGTH
            before = self.stretches[-1] if self.stretches else None
            if what and before is not None and (before.last, before.what) == (start, what):
                self.stretches[-1] = Stretch(before.first, self.until, what)
            elif what:
                self.stretches.append(Stretch(start, self.until, what))


@np.errstate(over="ignore", invalid="ignore")  # of samples that no ECG has
def judge(windows: NDArray[np.float32]) -> NDArray[np.str_]:
    """Return the defect of each window of a lead at 360 Hz; empty where there is none.

    Parameters
    ----------
    windows
        ``(n, samples)`` in mV, NaN where nothing was measured.

    Returns
    -------
    ``(n,)`` keys of `REASONS`, or ``""``. A window that is mostly missing is not judged.
    """
    count, length = windows.shape
    found = np.zeros(count, "<U9")
    missing = np.isnan(windows)
    filled = np.array([nearest_filled(row) for row in windows]) if missing.any() else windows
    top, bottom = filled.max(axis=1, keepdims=True), filled.min(axis=1, keepdims=True)
    stuck = np.maximum((filled == top).mean(axis=1), (filled == bottom).mean(axis=1))
    spectrum = np.fft.rfft(filled - filled.mean(axis=1, keepdims=True), axis=1)
    frequency = np.fft.rfftfreq(length, 1 / SAMPLING_RATE)
    band = (frequency >= 5) & (frequency <= 40)
    power = np.abs(spectrum[:, band]) ** 2
    high = power[:, frequency[band] > 15].sum(axis=1) / np.maximum(power.sum(axis=1), 1e-30)
    waves = np.fft.irfft(spectrum * band, n=length, axis=1)
    squares = (waves / np.maximum(waves.std(axis=1), 1e-12)[:, None]) ** 2
    kurtosis = (squares**2).mean(axis=1)
    steady = np.fft.irfft(spectrum * (frequency >= 1), n=length, axis=1)
    size = _size(steady)
    found[(kurtosis < NOISE_KURTOSIS) & (high > NOISE_SHARE)] = "noise"
    found[_hums(filled, frequency)] = "noise"
    found[stuck > STUCK] = "saturated"
    found[_steps(filled)] = "steps"
    found[size > LARGEST] = "scale"
    found[_spikes(steady)] = "spikes"
    found[size < FLAT] = "flat"
    found[missing.mean(axis=1) > 0.5] = ""
    return found


def _size(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the range of 99 % of the samples of each window."""
    low, high = np.percentile(windows, [0.5, 99.5], axis=1)
    return np.asarray(high - low)


def _spikes(steady: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether windows without wander are flat but for excursions narrower than any QRS complex."""
    from scipy.ndimage import median_filter

    size = np.abs(steady - np.median(steady, axis=1, keepdims=True))
    found = ((size > FLAT).mean(axis=1) < SPARSE) & (size.max(axis=1) > HIGH)
    found[found] = _size(median_filter(steady[found], (1, SPIKE))) < FLAT
    return np.asarray(found)


def _steps(windows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether all sharp changes of windows, but for those at their ends, are steps of the level."""
    from scipy.ndimage import maximum_filter1d

    change = np.abs(windows[:, RISE:] - windows[:, :-RISE])
    near = maximum_filter1d(change, CALM - RISE, axis=1)
    inner, away = slice(CALM, -CALM), RISE + (CALM - RISE) // 2 + 1
    sharp, count = change[:, inner], change.shape[1] - 2 * CALM
    before, after = (near[:, CALM + by :][:, :count] for by in (-away, away))
    far, first = np.abs(windows[:, 2 * HELD :] - windows[:, : -2 * HELD]), CALM + RISE // 2 - HELD
    kept = far[:, first : first + count]
    step = (sharp > HIGH) & (before < BEFORE * sharp) & (after < AFTER * sharp)
    step &= kept > KEPT * sharp
    least = np.clip(change.max(axis=1, keepdims=True) / 10, *SHARP)
    peak = (change == maximum_filter1d(change, 2 * CALM + 1, axis=1))[:, inner] & (sharp > least)
    return np.asarray(peak.any(axis=1) & (step | ~peak).all(axis=1))


def _hums(windows: NDArray[np.float32], frequency: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether windows hold mains hum alone; tapered, so that any frequency stays in its place."""
    taper = np.hanning(windows.shape[1])
    tapered = (windows - windows.mean(axis=1, keepdims=True)) * taper
    power = np.abs(np.fft.rfft(tapered, axis=1)) ** 2 * 2 / (len(taper) * (taper**2).sum())
    below = power[:, (frequency >= 1) & (frequency <= HUM)].sum(axis=1)
    above = power[:, frequency > HUM].sum(axis=1)
    return np.asarray((below < QUIET**2) & (above > 25 * below))


def waves(signal: NDArray[np.float32], fs: float) -> str:
    """Return in words what a lead without beats shows; empty where it is flat or missing.

    Parameters
    ----------
    signal
        ``(samples,)`` in mV, NaN where nothing was measured.
    fs
        Hz.
    """
    known = signal[np.isfinite(signal)].astype(np.float64)
    if len(known) < fs:
        return ""
    spectrum = np.fft.rfft((known - known.mean()) * np.hanning(len(known)))
    frequency = np.fft.rfftfreq(len(known), 1 / fs)
    kept = (frequency >= 1) & (frequency <= 40)
    strongest = float(frequency[kept][np.abs(spectrum[kept]).argmax()])
    size = float(_size(known[None])[0])
    fast = FIBRILLATION[0] <= strongest <= FIBRILLATION[1]
    text = (
        f"waves of {size:.2f} mV in which no QRS complex is found, strongest at {strongest:.1f} Hz"
    )
    text += ", as in ventricular flutter or fibrillation (or movement)" if fast else ""
    return text if size >= FLAT else ""


def stretches_of(signal: NDArray[np.float32], gain: float) -> list[Stretch]:
    """Return where a whole lead at 360 Hz, `gain` units per mV, is no ECG."""
    watch = Watch(gain)
    watch.push(signal, last=True)
    return watch.stretches


def mostly_none(at_360: NDArray[np.int64], stretches: Iterable[Stretch]) -> bool:
    """Whether most beats lie where a lead is no ECG; arguments as for `reasons`."""
    return bool((reasons(at_360, stretches) != "").sum() > len(at_360) / 2)


def reasons(at_360: NDArray[np.int64], stretches: Iterable[Stretch]) -> NDArray[np.str_]:
    """Return the reason for each beat that lies where the lead is no ECG; empty for others.

    Parameters
    ----------
    at_360
        ``(n,)`` R samples at 360 Hz, in order.
    """
    found = np.zeros(len(at_360), f"<U{LONGEST_REASON}")
    for stretch in stretches:
        first, last = np.searchsorted(at_360, [stretch.first, stretch.last])
        found[first:last] = REASONS[stretch.what]
    return found


def poor(at_360: NDArray[np.int64], stretches: Iterable[Stretch]) -> str:
    """Return in words how many beats lie where a lead is no ECG; empty where they are few.

    Arguments are as for `reasons`.
    """
    found = Counter(reasons(at_360, stretches).tolist())
    bad = found.total() - found.pop("", 0)
    if bad <= MOST_POOR * len(at_360):
        return ""
    why = ", ".join(f"{number} {reason}" for reason, number in found.most_common())
    return f"{bad} of {len(at_360)} beats in poor signal ({why})"

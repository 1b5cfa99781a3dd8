"""Synthetic patients: waves, rhythm, premature beats and disturbances of a generated recording.

Beats are sums of Gaussians over the cycle, as in McSharry et al. 2003, IEEE TBME 50(3):289,
DOI 10.1109/TBME.2003.808805, in closed form instead of by a differential equation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.errors import InputError

Waves = NDArray[np.float64]
"""``(waves, 3)``: amplitude in mV, centre in seconds from R, width (sigma) in seconds."""

LEADS = ("MLII", "V1")
BEATS = 300
GAIN, BASELINE = 200, 1024  # ADC counts per mV, and of 0 mV, as in MIT-BIH
_BEFORE, _AFTER = 0.5, 0.8  # seconds around R in which a beat is drawn
MIXES: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("N", {"V": 0.14}),
    ("N", {"A": 0.08, "V": 0.05}),
    ("N", {"V": 0.12, "F": 0.08}),
    ("L", {"V": 0.10}),
    ("N", {"S": 0.12}),
    ("N", {}),
    ("N", {"V": 0.08, "F": 0.03, "S": 0.03}),
    ("R", {"A": 0.06, "V": 0.06}),
    ("/", {"V": 0.06}),
)
"""Base rhythm and share of each ectopic beat; patients take them in turn."""


@dataclass(frozen=True, eq=False)
class Patient:
    """One synthetic patient: waves, rhythm and disturbances."""

    name: str
    base: str
    """Symbol of the usual beat: N, L, R or /."""
    ectopy: Mapping[str, float]
    """Share of beats with another symbol."""
    waves: Mapping[str, Waves]
    """Waves of every symbol in lead MLII."""
    projection: NDArray[np.float64]
    """``(waves,)`` factor of every wave in lead V1."""
    rr: float
    """Usual RR interval in seconds."""
    coupling: float
    """Interval before a premature beat, as a share of the usual."""
    noise: float
    """Standard deviation of the measurement noise in mV."""
    wander: float
    """Amplitude of the baseline wander in mV."""
    seed: tuple[int, int]


@dataclass(frozen=True, eq=False)
class SyntheticRecord:
    """A generated recording."""

    name: str
    digital: NDArray[np.int16]
    """``(samples, 2)`` ADC counts of the leads MLII and V1."""
    samples: NDArray[np.int64]
    symbols: NDArray[np.str_]


def patient(number: int, *, seed: int = 0) -> Patient:
    """Return patient `number` (from 1); it does not depend on the size of the group."""
    rng = np.random.default_rng([seed, number, 0])
    base, ectopy = MIXES[(number - 1) % len(MIXES)]
    return Patient(
        name=f"s{number:02d}",
        base=base,
        ectopy=ectopy,
        waves=_morphologies(rng),
        projection=np.array([0.6, 1.2, 0.35, 2.5, -0.5, -1.2]) * rng.uniform(0.8, 1.2, 6),
        rr=rng.uniform(0.65, 1.0),
        coupling=rng.uniform(0.55, 0.75),
        noise=rng.uniform(0.01, 0.03),
        wander=rng.uniform(0.05, 0.25),
        seed=(seed, number),
    )


def synthesise(who: Patient, *, beats: int = BEATS) -> SyntheticRecord:
    """Record a patient for about this many beats, at 360 Hz.

    Raises
    ------
    InputError
        If fewer than 10 beats are asked for.
    """
    if beats < 10:
        raise InputError(f"{beats} synthetic beats; ask for 10 or more")
    rng = np.random.default_rng([*who.seed, 1])
    symbols = _sequence(who, beats, rng)
    times, rr = _times(who, symbols, rng)
    samples = np.rint(times * SAMPLING_RATE).astype(np.int64)
    length = int(samples[-1] + SAMPLING_RATE)
    leads = _draw(who, symbols, samples, rr, length, np.random.default_rng([*who.seed, 2]))
    leads += _disturbance(who, length, rng)
    digital = np.clip(np.rint(leads * GAIN) + BASELINE, 0, 2047).astype(np.int16)
    return SyntheticRecord(who.name, digital, samples, np.array(symbols))


def _morphologies(rng: np.random.Generator) -> dict[str, Waves]:
    """Six waves (P, Q, R, S, T, one more) of every kind of beat of one patient."""

    def table(*rows: tuple[float, float, float]) -> Waves:
        return np.array(rows) * own

    own = np.column_stack(
        [rng.uniform(0.75, 1.25, 6), rng.uniform(0.94, 1.06, 6), rng.uniform(0.88, 1.12, 6)]
    )
    none = (0.0, 0.0, 0.02)
    p, t = (0.14, -0.18, 0.022), (0.28, 0.27, 0.05)
    normal = table(p, (-0.10, -0.035, 0.009), (1.2, 0, 0.011), (-0.25, 0.03, 0.010), t, none)
    side = rng.choice([-1.0, 1.0], p=[0.3, 0.7])
    wide = rng.uniform(0.030, 0.042)
    ventricular = table(
        none,
        (-0.2 * side, -0.09, 0.03),
        (1.5 * side, 0.0, wide),
        (-0.6 * side, 0.10, 0.035),
        (-0.5 * side, 0.30, 0.07),
        none,
    )
    atrial = normal.copy()
    atrial[0] *= (rng.uniform(-0.9, 0.5), rng.uniform(0.65, 0.85), 0.9)
    fused = (normal + ventricular) / 2
    fused[0] = normal[0] * (0.6, 1, 1)
    left = table(p, none, (0.9, -0.022, 0.020), none, (-0.3, 0.29, 0.06), (0.8, 0.028, 0.020))
    right = table(p, (-0.08, -0.035, 0.009), (1.0, 0, 0.011), none, t, (-0.45, 0.055, 0.024))
    paced = table(
        (0.5, -0.085, 0.0025),
        none,
        (-0.9, 0.0, 0.030),
        (0.2, 0.09, 0.03),
        (0.45, 0.30, 0.06),
        none,
    )
    return {
        "N": normal, "A": atrial, "S": atrial, "V": ventricular, "F": fused,
        "L": left, "R": right, "/": paced,
    }  # fmt: skip


def _sequence(who: Patient, beats: int, rng: np.random.Generator) -> list[str]:
    """Symbols in order: an ectopic beat is followed by a usual one, but for rare couplets of V."""
    kinds = list(who.ectopy)
    shares = np.array([who.ectopy[kind] for kind in kinds])
    free = 1 - shares.sum()
    symbols: list[str] = []
    for _ in range(beats):
        last = symbols[-1] if symbols else who.base
        if last == who.base and len(symbols) > 2 and kinds:
            odds = np.append(shares / free, max(0.0, 1 - shares.sum() / free))
            symbols.append([*kinds, who.base][rng.choice(len(odds), p=odds / odds.sum())])
        else:
            symbols.append("V" if last == "V" and rng.random() < 0.08 else who.base)
    return symbols


def _times(
    who: Patient, symbols: list[str], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """R times and the interval before each beat, in seconds.

    The usual interval varies with respiration (0.25 Hz) and slowly (0.1 Hz), the two peaks of
    McSharry's RR spectrum. A premature ventricular beat is followed by a full compensatory pause,
    so that the two intervals together make two usual ones; a premature atrial beat resets the
    rhythm.
    """
    depth = 0.004 if who.base == "/" else 0.03
    phase = rng.uniform(0, 2 * np.pi, 2)
    now, pause = 0.7, 1.0
    times, intervals = [], []
    for symbol in symbols:
        swing = np.sin(2 * np.pi * 0.25 * now + phase[0]) + np.sin(2 * np.pi * 0.1 * now + phase[1])
        usual = who.rr * (1 + depth * swing + 0.3 * depth * rng.standard_normal())
        early = who.coupling * rng.normal(1, 0.04)
        if symbol == "V":
            share, next_pause = early, 2 - early
        elif symbol in "AS":
            share, next_pause = early * 1.08, rng.uniform(1.0, 1.12)
        elif symbol == "F":
            share, next_pause = rng.uniform(0.9, 0.97), 1.05
        else:
            share, next_pause = pause, 1.0
        pause = next_pause
        interval = max(0.25, usual * share)
        now += interval
        times.append(now)
        intervals.append(interval)
    return np.array(times), np.array(intervals)


@np.errstate(under="ignore")  # a wave far from its centre is zero
def _draw(
    who: Patient,
    symbols: list[str],
    samples: NDArray[np.int64],
    rr: NDArray[np.float64],
    length: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Both clean leads in mV, ``(length, 2)``: every wave of every beat, each time different."""
    waves = np.stack([who.waves[symbol] for symbol in symbols])  # (beats, 6, 3)
    waves = waves * (1 + rng.normal(0, [0.05, 0.01, 0.03], waves.shape))
    until_next = np.append(rr[1:], rr[-1])
    waves[:, 4, 1] *= np.sqrt(np.minimum(np.median(rr), until_next) / 0.8)  # Bazett
    before, after = round(_BEFORE * SAMPLING_RATE), round(_AFTER * SAMPLING_RATE)
    at = (np.arange(-before, after) / SAMPLING_RATE).astype(np.float32)
    amplitude, centre, width = np.moveaxis(waves, 2, 0)[..., None].astype(np.float32)
    shapes = amplitude * np.exp(-0.5 * ((at - centre) / width) ** 2)  # (beats, 6, span)
    factors = np.stack([np.ones(len(who.projection)), who.projection]).astype(np.float32)
    beats = np.swapaxes(factors @ shapes, 1, 2)  # (beats, span, 2)
    leads = np.zeros((before + length + after, 2))
    for sample, beat in zip(samples, beats, strict=True):
        leads[sample : sample + len(at)] += beat
    return leads[before : before + length]


def _disturbance(who: Patient, length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Baseline wander, mains hum and noise, ``(length, 2)`` in mV."""
    at = np.arange(length)[:, None] / SAMPLING_RATE
    rate, phase = rng.uniform([0.15, 0.3], [0.3, 0.6]), rng.uniform(0, 2 * np.pi, (3, 2))
    wander = np.sin(2 * np.pi * rate[0] * at + phase[0])
    wander += 0.4 * np.sin(2 * np.pi * rate[1] * at + phase[1])
    hum = 0.005 * np.sin(2 * np.pi * 60 * at + phase[2])
    noise = rng.normal(0, who.noise, (length, 2))
    return np.asarray(who.wander * wander + hum + noise)

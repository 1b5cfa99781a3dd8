"""Features of a beat against its own patient's other beats: the one list of them, by name.

A token of a student names four of them. Another module adds one with `FEATURES.add`; beats are then
computed anew each time, because the cache of beats does not know its code.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import FloatArray
from ecgphoton.ecg.rhythm import Rhythm
from ecgphoton.ecg.shape import Against, Shape
from ecgphoton.errors import InputError
from ecgphoton.host import as_array
from ecgphoton.intake import expecting
from ecgphoton.registry import Registry

RATIO_GAIN = 4.0
"""tanh(4 ln r): a beat 20 % early maps to -0.71, half the interval to -0.99."""
USUAL_INTERVAL = 0.8
"""Seconds; an interval of this length has the value 0 (75 beats a minute)."""
NOISE = 0.03
"""Added to both terms of a ratio of deviations: the deviation that noise alone causes."""
JITTER = 0.03
"""Added to a patient's scatter: 3 % of an interval is nothing unusual for anybody."""


class Compared(NamedTuple):
    """Some beats of one patient, compared with the others."""

    rhythm: Rhythm
    shape: Shape


Law = Callable[[Compared], NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Feature:
    """One value of a beat.

    Raises
    ------
    InputError
        If the delay is neither 0 nor 1.
    """

    name: str
    """What tokens call it."""
    meaning: str
    """What it is computed from, with its formula."""
    law: Law
    """``(n,)`` values in [-1, 1] of n beats; NaN where what it needs is not there, which becomes
    0, the value of nothing unusual."""
    delay: int = 0
    """Beats that must follow before it is known: 0 or 1."""

    def __post_init__(self) -> None:
        """Check the delay."""
        if type(self.delay) is not int or self.delay not in (0, 1):
            raise InputError(
                f"feature {self.name!r}: its delay is {self.delay!r}; it must be 0 or 1"
            )


def _ratio(logarithm: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.tanh(RATIO_GAIN * logarithm))


def seconds_of(interval: FloatArray) -> FloatArray:
    """Return the seconds that values of the feature ``interval`` stand for."""
    return np.asarray(USUAL_INTERVAL + np.arctanh(interval) / 2)


def _in_scatter(interval: NDArray[np.float64], rhythm: Rhythm) -> NDArray[np.float64]:
    return np.asarray(np.tanh((interval - rhythm.usual) / (rhythm.scatter + JITTER) / 3))


def _above(now: FloatArray, usual: FloatArray, floor: float) -> FloatArray:
    """Logarithm of a ratio to the usual value."""
    return np.asarray(np.log(now + floor) - np.log(usual + floor))


def _unlike(cosine: FloatArray) -> FloatArray:
    return np.asarray(np.log(1.02 - np.minimum(cosine, 1.0)))


class Comparison(NamedTuple):
    """A feature that compares beats with a template."""

    meaning: str
    law: Callable[[Against], NDArray[np.floating[Any]]]


AGAINST: Mapping[str, Comparison] = {
    "deviation": Comparison(
        "tanh(ln((d + 0.03) / (usual d + 0.03))), d the mean magnitude of the QRS part minus that "
        "of the template, clipped to [-1, 1]. A noisy lead raises both.",
        lambda beats: np.tanh(_above(beats.now.qrs, beats.usual.qrs, NOISE)),
    ),
    "QRS deviation": Comparison(
        "tanh(8 d - 1), d the mean magnitude of the QRS part minus that of the template, clipped "
        "to [-1, 1].",
        lambda beats: np.tanh(8 * beats.now.qrs - 1),
    ),
    "amplitude/usual": Comparison(
        "tanh(3 ln(m / usual m)), m the largest magnitude of the window minus its mean, before "
        "normalisation.",
        lambda beats: np.tanh(3 * (beats.now.magnitude - beats.usual.magnitude)),
    ),
    "width/usual": Comparison(
        "tanh(2 ln((w + 0.02) / (usual w + 0.02))), w the mean distance of the QRS part from the "
        "median of the window.",
        lambda beats: np.tanh(2 * _above(beats.now.width, beats.usual.width, 0.02)),
    ),
    "QRS largest deviation": Comparison(
        "tanh(ln(l + 0.05) + 1), l the largest magnitude of the QRS part minus that of the "
        "template, clipped to [-1, 1].",
        lambda beats: np.tanh(np.log(beats.largest + 0.05) + 1),
    ),
    "T deviation/usual": Comparison(
        "tanh(ln((t + 0.03) / (usual t + 0.03))), t the mean magnitude of the T part minus that "
        "of the template.",
        lambda beats: np.tanh(_above(beats.now.t, beats.usual.t, NOISE)),
    ),
    "P deviation": Comparison(
        "tanh(8 p - 1), p the mean magnitude of the P part minus that of the template.",
        lambda beats: np.tanh(8 * beats.p - 1),
    ),
    "unlikeness": Comparison(
        "tanh(2 ln(1.02 - c) + 4), c the cosine between the QRS parts of beat and template.",
        lambda beats: np.tanh(2 * _unlike(beats.likeness) + 4),
    ),
}
"""Features that compare beats with a template, by name; each is there for both templates."""


def _running(name: str) -> Feature:
    comparison = AGAINST[name]
    return Feature(
        name,
        f"{comparison.meaning} The template is the running one.",
        lambda beats: comparison.law(beats.shape.running),
    )


def _regular(name: str) -> Feature:
    """Return the same feature against the regular template, which is known one beat late."""
    comparison = AGAINST[name]
    return Feature(
        f"{name.removesuffix('/usual')}/regular",
        f"{comparison.meaning} The template is the regular one: of up to 65 earlier beats whose "
        "intervals before and after were within 8 % of the usual one.",
        lambda beats: comparison.law(beats.shape.regular),
        delay=1,
    )


FEATURES: Registry[Feature] = Registry(
    "patient feature",
    Feature(
        "pre/recent",
        "tanh(4 ln(r)), r the interval before the beat over the median of the up to 10 before it.",
        lambda beats: _ratio(beats.rhythm.pre - beats.rhythm.recent),
    ),
    Feature(
        "pre/long-run",
        "tanh(4 ln(r)), r the interval before the beat over the mean of the up to 250 before it.",
        lambda beats: _ratio(beats.rhythm.pre - beats.rhythm.long_run),
    ),
    Feature(
        "pre/previous",
        "tanh(4 ln(r)), r the interval before the beat over the one before it.",
        lambda beats: _ratio(beats.rhythm.pre - beats.rhythm.previous),
    ),
    *map(_running, ("deviation", "QRS deviation", "amplitude/usual", "width/usual")),
    Feature(
        "interval",
        "tanh(2 (interval before the beat - 0.8 s)).",
        lambda beats: np.tanh(2 * (beats.rhythm.seconds - USUAL_INTERVAL)),
    ),
    *map(_running, ("QRS largest deviation", "T deviation/usual", "P deviation", "unlikeness")),
    Feature(
        "post/pre",
        "tanh(4 ln(r)), r the interval after the beat over the one before it.",
        lambda beats: _ratio(beats.rhythm.post - beats.rhythm.pre),
        delay=1,
    ),
    Feature(
        "post/usual",
        "tanh(4 x), x the ln of the interval after the beat minus the median of the ln of the up "
        "to 30 intervals before the one before the beat.",
        lambda beats: _ratio(beats.rhythm.post - beats.rhythm.usual),
        delay=1,
    ),
    Feature(
        "interval z",
        "In the patient's own scatter: tanh(x / (3 (s + 0.03))), x the ln of the interval before "
        "the beat minus the median of the ln of the up to 30 before it, s the median of |x| over "
        "the up to 30 beats before.",
        lambda beats: _in_scatter(beats.rhythm.pre, beats.rhythm),
    ),
    Feature(
        "next interval z",
        "In the patient's own scatter: tanh(y / (3 (s + 0.03))), y the ln of the interval after "
        "the beat minus the median of the ln of the up to 30 intervals before the one before the "
        "beat, s the median, over the up to 30 beats before, of |x|, which is |y| with the "
        "interval before the beat.",
        lambda beats: _in_scatter(beats.rhythm.post, beats.rhythm),
        delay=1,
    ),
    Feature(
        "irregularity",
        "tanh(ln(i + 0.01) + 3), i the median, over the up to 30 beats before, of the smallest "
        "|ln ratio| of the interval before a beat to one of the up to three before it.",
        lambda beats: np.tanh(np.log(beats.rhythm.irregularity + 0.01) + 3),
    ),
    Feature(
        "interval rank",
        "Where the interval before the beat stands among the up to 30 before it: the mean of 1 "
        "for each that is shorter, -1 for each that is longer, 0 for equal ones.",
        lambda beats: beats.rhythm.rank,
    ),
    Feature(
        "steepness",
        "tanh(ln s + 3), s the largest slope of the normalised QRS part over five samples, a "
        "sample.",
        lambda beats: np.tanh(np.log(beats.shape.steepness) + 3),
    ),
    Feature(
        "steepness/usual",
        "tanh(2 ln(s / usual s)), s the largest slope of the QRS part over five samples before "
        "normalisation; usual with the running template.",
        lambda beats: np.tanh(
            2 * (beats.shape.running.now.slope - beats.shape.running.usual.slope)
        ),
    ),
    Feature(
        "unlikeness to next",
        "tanh(ln(1.02 - c) + 2), c the cosine between the QRS parts of this beat and the next; 0 "
        "where the next beat has no window.",
        lambda beats: np.tanh(_unlike(beats.shape.likeness_to_next) + 2),
        delay=1,
    ),
    *map(_regular, AGAINST),
)
"""Every feature of this package and of others; columns of `BeatSet.patient`, in this order."""


def table(beats: Compared) -> FloatArray:
    """Compute every feature of some beats of one patient.

    Returns
    -------
    ``(n, K)`` columns `FEATURES`, float32 in [-1, 1]; 0 where what a feature needs is not there:
    the first beats of a record have no history, its last one no next beat.

    Raises
    ------
    InputError
        If the law of a feature fails, or gives another shape, or values outside [-1, 1].
    """
    found = np.empty((len(beats.rhythm.pre), len(FEATURES)), np.float32)
    for column, feature in enumerate(FEATURES.values()):
        with expecting(f"feature {feature.name!r}", "usable", "correct its law"):
            values = as_array(feature.law(beats), "what its law gives")
            real = values.shape == found.shape[:1] and values.dtype.kind in "fiub"
            if not real or (np.abs(values) > 1).any():
                raise InputError(
                    f"its law gives {values.dtype} of shape {values.shape} for {len(found)} beats, "
                    "or values outside [-1, 1]; give one real value in [-1, 1] for each beat"
                )
        found[:, column] = np.where(np.isnan(values), 0.0, values)
    return found


def delay_of(names: Iterable[str]) -> int:
    """Return how many beats must follow before these features are known."""
    return max((FEATURES[name].delay for name in names), default=0)


def columns_of(names: Iterable[str]) -> list[int]:
    """Return the columns of `table` that hold these features."""
    order = list(FEATURES)
    return [order.index(name) for name in names]

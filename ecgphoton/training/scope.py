r"""The scope of a student: the ranges of what its training patients look like, and their limits.

A patient has nine values, see `CHECKS`; two of them compare the patient with the others. The range
of a value reaches from the second smallest to the second largest of the training patients. A limit
lies :math:`w` widths of the range outside of it, the same :math:`w` for all values: each training
patient is compared with the ranges of the others, the value of the patient that lies farthest
outside them counts, and :math:`w` is the second largest of these distances. So one training
patient at most is outside the limits when it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.traits import Traits
from ecgphoton.errors import InputError

FEWEST = 5
"""Patients without whom there are no ranges."""
POOR_LIMIT = 0.05
"""Largest share of beats in poor signal; an assumption, as training beats are not judged."""
DIGITS = 6  # significant digits of stored values
_FLOOR = 0.02  # added to the spread of a feature over patients
Number = Callable[[float], float]


@dataclass(frozen=True)
class Check:
    """One value of a recording that has limits."""

    name: str
    words: str
    """What it is, in a sentence."""
    hint: str
    """What may be the reason where it is beyond its limit."""
    side: Literal["low", "high", "both"] = "high"
    """Where it has a limit."""
    scale: Number = float
    """Maps the value to the scale on which ranges are widened."""
    back: Number = float
    """Inverse of `scale`."""
    least: float = 0.05
    """Smallest width of a range on that scale."""
    form: str = "{:.2f}"

    def text(self, value: float) -> str:
        """Return the value with its unit."""
        return self.form.format(value)


def _angle(share: float) -> float:
    return float(np.arcsin(np.sqrt(min(max(share, 0.0), 1.0))))


def _share(angle: float) -> float:
    return float(np.sin(min(max(angle, 0.0), np.pi / 2)) ** 2)


def _log(value: float) -> float:
    return float(np.log(max(value, 1e-9)))


def _shares(name: str, words: str, hint: str) -> Check:
    return Check(name, words, hint, scale=_angle, back=_share, form="{:.1%}")


CHECKS = (
    _shares("abnormal", "beats called abnormal", "the rhythm is abnormal, or false alarms"),
    _shares(
        "abnormal in rhythm",
        "beats called abnormal of those that do not come early",
        "false alarms are likely",
    ),
    _shares("doubtful", "beats near the threshold", "the student is not sure"),
    Check(
        "amplitude", "amplitude of a beat", "check unit, gain and electrodes",
        "both", _log, lambda x: float(np.exp(x)), form="{:.2f} mV",
    ),
    Check(
        "shape", "cosine between the usual beat and that of training patients",
        "another lead, an inverted one, or a rare shape", "low",
    ),
    Check("spikes", "narrowest deflection of a beat", "pacing spikes or noise", least=0.02),
    Check(
        "noise", "noise outside the QRS", "noise", scale=_log, back=lambda x: float(np.exp(x)),
        form="{:.2%}",
    ),
    Check("wander", "wander of the baseline", "loose electrodes or movement", least=0.02),
    Check(
        "features", "distance of the patient features from their averages",
        "a rhythm or shapes that training did not hold",
        scale=_log, back=lambda x: float(np.exp(x)),
    ),
)  # fmt: skip
"""Values with limits from training patients; those a student cannot have are left out."""
POOR = Check("poor signal", "beats in poor signal", "check the electrodes", form="{:.1%}")


@dataclass(frozen=True)
class Finding:
    """One value of a recording and its limits."""

    check: str
    value: float
    low: float | None
    high: float | None
    position: float
    """0 in the middle of the training patients, 1 at the limit, above 1 beyond it."""
    sentence: str

    @property
    def beyond(self) -> bool:
        """Whether it is beyond its limit."""
        return self.position > 1

    @classmethod
    def of(
        cls, check: Check, value: float, low: float | None, high: float | None, position: float
    ) -> Finding:
        """Return a finding with its sentence."""
        limits = " to ".join(check.text(limit) for limit in (low, high) if limit is not None)
        sentence = f"{check.words} {check.text(value)} (limit {limits})"
        if position > 1:
            sentence += f": {check.hint}"
        return cls(check.name, value, low, high, position, sentence)


def poor_signal(share: float) -> Finding:
    """Return the finding about the share of beats in poor signal."""
    return Finding.of(POOR, share, None, POOR_LIMIT, share / POOR_LIMIT)


@dataclass(frozen=True)
class Scope:
    """Ranges of the training patients, JSON-ready."""

    patients: int
    widening: float
    """Widths of a range between it and its limit."""
    ranges: Mapping[str, Sequence[float]]
    """Second smallest and second largest of the patients, on the scale of the check."""
    features: Sequence[str]
    """Patient features of the student."""
    centre: Sequence[float]
    """Averages over patients of `Traits.features`."""
    spread: Sequence[float]
    """Their standard deviations over patients, and 0.02."""
    shape: Sequence[float]
    """Average of `Traits.shape`."""
    operating_point: Mapping[str, Any] | None
    """What decided about the training beats."""

    @classmethod
    def of(
        cls, patients: Sequence[Traits], features: Sequence[str], point: OperatingPoint
    ) -> Scope | None:
        """Return the scope of a student from the traits of its training patients.

        Parameters
        ----------
        patients
            From out-of-fold scores.
        features
            Names of the patient features that the traits hold.
        point
            What decided about the beats.

        Returns
        -------
        None if there are fewer than `FEWEST` patients.
        """
        if len(patients) < FEWEST:
            return None
        rows = np.array(
            [
                _values(one, *_reference([*patients[:at], *patients[at + 1 :]]))
                for at, one in enumerate(patients)
            ]
        )
        checks = [check for check in CHECKS if features or check.name != "features"]
        rows = rows[:, : len(checks)]
        farthest = []
        for at, row in enumerate(rows):
            others = _ranges(np.delete(rows, at, axis=0))
            farthest.append(max(map(_off, checks, row, others)) - 0.5)
        widening = max(0.0, sorted(farthest)[-2])
        centre, spread, shape = _reference(patients)
        return cls(
            len(patients),
            _rounded(widening),
            {c.name: _rounded(pair) for c, pair in zip(checks, _ranges(rows), strict=True)},
            tuple(features),
            _rounded(centre),
            _rounded(spread),
            _rounded(shape),
            point.to_dict(),
        )

    def findings(self, traits: Traits) -> list[Finding]:
        """Compare a recording with the training patients."""
        values = _values(traits, *map(np.asarray, (self.centre, self.spread, self.shape)))
        found = []
        for check, value in zip(CHECKS, values, strict=False):
            if check.name not in self.ranges:
                continue
            low, high = self.ranges[check.name]
            middle, reach = (low + high) / 2, max(high - low, check.least) * (0.5 + self.widening)
            position = _off(check, value, (low, high)) / (0.5 + self.widening)
            found.append(
                Finding.of(
                    check,
                    check.back(value),
                    None if check.side == "high" else check.back(middle - reach),
                    None if check.side == "low" else check.back(middle + reach),
                    position,
                )
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Scope:  # noqa: ANN401 - JSON is any value
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            If it is damaged.
        """
        try:
            found = cls(**data)
            widths = {len(found.centre), len(found.spread), 2 * len(found.features)}
            if len(widths) != 1 or any(len(pair) != 2 for pair in found.ranges.values()):
                raise InputError("the scope of the student is damaged: lengths do not fit together")
        except TypeError as error:
            raise InputError(f"the scope of the student is damaged ({error})") from error
        return found


def _reference(patients: Sequence[Traits]) -> tuple[NDArray[np.float64], ...]:
    """Return centre and spread of the features, and the average shape."""
    features = np.array([one.features for one in patients])
    spread = features.std(axis=0, ddof=1) + _FLOOR
    return features.mean(axis=0), spread, np.mean([one.shape for one in patients], axis=0)


def _values(
    traits: Traits,
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
    shape: NDArray[np.float64],
) -> list[float]:
    """Return the values of all checks on their scales, in order; ``features`` is the last."""
    lengths = np.linalg.norm(traits.shape) * np.linalg.norm(shape)
    apart = (traits.features - centre) / spread
    values = {
        **traits.values,
        "shape": float(traits.shape @ shape / max(lengths, 1e-12)),
        "features": float(np.sqrt(np.mean(apart**2))) if len(apart) else 0.0,
    }
    return [check.scale(values[check.name]) for check in CHECKS]


def _ranges(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return second smallest and second largest, (checks, 2), of (patients, checks) values."""
    ordered: NDArray[np.float64] = np.sort(rows, axis=0)[[1, -2]].T
    return ordered


def _off(check: Check, value: float, limits: Sequence[float]) -> float:
    """Distance from the middle of a range towards a limit, in widths of the range."""
    low, high = limits
    off = (value - (low + high) / 2) / max(high - low, check.least)
    return float({"low": -off, "high": off, "both": abs(off)}[check.side])


def _rounded(value: Any) -> Any:  # noqa: ANN401 - a number or an array
    if np.ndim(value):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}")

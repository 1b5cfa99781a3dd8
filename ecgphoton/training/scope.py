r"""The scope of a student: the ranges of what its training patients look like, and their limits.

A patient has the values of `checks.CHECKS`; two of them compare the patient with the others.
The range of a value reaches from the second smallest to the second largest of the training
patients. A limit lies :math:`w` widths of the range outside of it, the same :math:`w` for all
values of one kind, which are the student's answers and the recording: each training patient is
compared with the ranges of the others, the value of the patient that lies farthest outside them
counts, and :math:`w` is the second largest of these distances. So one training patient at most is
outside the limits of a kind when it is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import numpy as np

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.features import WINDOW
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.ecg.traits import STEP, Traits
from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Floats
from ecgphoton.training.checks import CHECKS, Check, Finding, Kind

FEWEST = 5
"""Patients without whom there are no ranges."""
DIGITS = 6  # significant digits of stored values
_FLOOR = 0.02  # added to the spread of a feature over patients


@dataclass(frozen=True)
class Scope:
    """Ranges of the training patients, JSON-ready."""

    patients: int
    widening: Mapping[str, float]
    """Widths of a range between it and its limit, of each kind of value."""
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
    ) -> "Scope | None":
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
        off = np.array(
            [
                [*map(_off, checks, row, _ranges(np.delete(rows, at, axis=0)))]
                for at, row in enumerate(rows)
            ]
        )
        widening = {}
        for kind in get_args(Kind):
            farthest = off[:, [check.of == kind for check in checks]].max(axis=1) - 0.5
            widening[kind] = _rounded(max(0.0, np.sort(farthest)[-2]))
        centre, spread, shape = _reference(patients)
        return cls(
            len(patients),
            widening,
            {c.name: _rounded(pair) for c, pair in zip(checks, _ranges(rows), strict=True)},
            tuple(features),
            _rounded(centre),
            _rounded(spread),
            _rounded(shape),
            point.to_dict(),
        )

    @property
    def without_range(self) -> list[str]:
        """Values that a student of another version holds no range of."""
        own = [check.name for check in CHECKS if self.features or check.name != "features"]
        return [name for name in own if name not in self.ranges]

    def findings(self, traits: Traits) -> list[Finding]:
        """Compare a recording with the training patients."""
        values = _values(traits, *map(np.asarray, (self.centre, self.spread, self.shape)))
        found = []
        for check, value in zip(CHECKS, values, strict=False):
            if check.name not in self.ranges:
                continue
            low, high = self.ranges[check.name]
            widths = 0.5 + self.widening[check.of]
            middle, reach = (low + high) / 2, max(high - low, check.least) * widths
            position = _off(check, value, (low, high)) / widths
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
    def from_dict(cls, data: Any) -> "Scope":  # noqa: ANN401 - JSON is any value
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            If it is damaged.
        """
        try:
            features = tuple(FEATURES[name].name for name in data["features"])
            widening = data["widening"]  # once one number for both kinds
            if not isinstance(widening, Mapping):
                widening = dict.fromkeys(get_args(Kind), widening)
            centre, spread, shape = (
                [float(number) for number in data[name]] for name in ("centre", "spread", "shape")
            )
            found = cls(
                int(data["patients"]),
                {kind: float(widening[kind]) for kind in get_args(Kind)},
                {name: (float(low), float(high)) for name, (low, high) in data["ranges"].items()},
                features,
                centre,
                spread,
                shape,
                data["operating_point"],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"the scope of the student is damaged ({error!r})") from error
        widths = {len(centre), len(spread), 2 * len(features)}
        if len(widths) != 1 or len(shape) != WINDOW // STEP:
            raise InputError("the scope of the student is damaged: lengths do not fit together")
        return found


def _reference(patients: Sequence[Traits]) -> tuple[Floats, ...]:
    """Return centre and spread of the features, and the average shape."""
    features = np.array([one.features for one in patients])
    spread = features.std(axis=0, ddof=1) + _FLOOR
    return features.mean(axis=0), spread, np.mean([one.shape for one in patients], axis=0)


def _values(
    traits: Traits,
    centre: Floats,
    spread: Floats,
    shape: Floats,
) -> list[float]:
    """Return the values of all checks on their scales, in order; ``features`` is the last."""
    lengths = float(np.linalg.norm(traits.shape) * np.linalg.norm(shape))
    apart = (traits.features - centre) / spread
    values = {
        **traits.values,
        "shape": float(traits.shape @ shape) / max(lengths, 1e-12),
        "features": float(np.sqrt(np.mean(apart**2))) if len(apart) else 0.0,
    }
    return [check.scale(values[check.name]) for check in CHECKS]


def _ranges(rows: Floats) -> Floats:
    """Return second smallest and second largest, (checks, 2), of (patients, checks) values."""
    return np.asarray(np.sort(rows, axis=0)[[1, -2]].T)


def _off(check: Check, value: float, limits: Sequence[float]) -> float:
    """Distance from the middle of a range towards a limit, in widths of the range."""
    low, high = limits
    off = (value - (low + high) / 2) / max(high - low, check.least)
    return float({"low": -off, "high": off, "both": abs(off)}[check.side])


def _rounded(value: Any) -> Any:  # noqa: ANN401 - a number or an array
    return [_rounded(item) for item in value] if np.ndim(value) else float(f"{value:.{DIGITS}g}")

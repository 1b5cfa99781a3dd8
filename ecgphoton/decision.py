"""From a probability to a decision: the operating point and how it is chosen.

The default policy follows the original system: candidates on a grid and at quantiles, hard limits
on miss rate and FPR, a recall-weighted score among feasible points, and the least violation when
nothing is feasible. Each piece is a value; `ThresholdPolicy` composes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.errors import InputError, refuse_unless
from ecgphoton.metrics import Confusion, confusion

Scored = tuple[NDArray[Any], NDArray[Any]]
"""(probability of abnormal (n,), label (n,))."""


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the probability of abnormal, and the evidence it was chosen on."""

    threshold: float
    fitted_on: tuple[str, ...]
    """Names of the sets that took part, e.g. ``("validation",)``."""
    feasible: bool = True
    """Whether the hard limits on miss rate and FPR were met on those sets."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise InputError(f"threshold is {self.threshold!r}; it must be in [0, 1]")

    def decide(self, probability: NDArray[Any]) -> NDArray[np.bool_]:
        """Return True where a beat is called abnormal (probability >= threshold)."""
        return np.asarray(probability) >= self.threshold

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"fitted_on": list(self.fitted_on)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OperatingPoint:
        """Inverse of `to_dict`; InputError when a key is missing or wrong."""
        try:
            return cls(
                float(data["threshold"]), tuple(map(str, data["fitted_on"])), bool(data["feasible"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"operating point {data!r} cannot be read: {error}") from error


@dataclass(frozen=True)
class ThresholdPolicy:
    """How a threshold is chosen; the defaults are the original system's.

    Feasible points (miss <= `max_miss`, FPR <= `max_fpr`) are ranked by ``F1 + gain *
    recall_weight * TPR - (fpr_weight + fpr_penalty) * FPR - pull * |threshold - center|`` with
    ``gain = 1 + miss_gain * miss_ema``. Where none is feasible, the least violation wins.
    """

    grid_low: float = 0.05
    grid_high: float = 0.95
    grid_points: int = 181
    quantiles: int = 200
    """Number of probability quantiles added to the grid, 0 for none."""
    max_miss: float = 0.10
    max_fpr: float = 0.10
    recall_weight: float = 1.5
    fpr_weight: float = 1.0
    miss_gain: float = 1.8
    """How much a high running miss rate favours recall."""
    fpr_penalty: float = 0.9
    """Extra weight of FPR."""
    center: float = 0.78
    pull: float = 0.02
    blend: float = 0.0
    """Weight of a second set (the original used generalization at 0.35); 0 keeps it out."""

    def __post_init__(self) -> None:
        refuse_unless(
            "decision",
            self,
            (
                (0 <= self.grid_low <= self.grid_high, "grid_low", "from 0 to decision.grid_high"),
                (self.grid_high <= 1, "grid_high", "at most 1"),
                (1 <= self.grid_points <= 100_000, "grid_points", "from 1 to 100000"),
                (0 <= self.quantiles <= 100_000, "quantiles", "from 0 to 100000"),
                *(
                    (0 <= getattr(self, name) <= 1, name, "from 0 to 1")
                    for name in ("max_miss", "max_fpr", "center")
                ),
                *(
                    (0 <= getattr(self, name) <= 1000, name, "from 0 to 1000")
                    for name in ("recall_weight", "fpr_weight", "miss_gain", "fpr_penalty", "pull")
                ),
                (0 <= self.blend < 1, "blend", "in [0, 1)"),
            ),
        )

    def candidates(self, probability: NDArray[Any]) -> NDArray[np.float64]:
        """Thresholds to try: grid plus quantiles, ascending."""
        grid = np.linspace(self.grid_low, self.grid_high, self.grid_points)
        if self.quantiles and len(probability):
            levels = np.linspace(0, 1, self.quantiles + 2)[1:-1]
            grid = np.concatenate([grid, np.quantile(probability, levels)])
        return np.unique(np.clip(grid, 0.0, 1.0))

    def score(
        self,
        miss: NDArray[Any],
        fpr: NDArray[Any],
        f1: NDArray[Any],
        threshold: NDArray[Any],
        *,
        miss_ema: float = 0.0,
    ) -> NDArray[Any]:
        """Value of each candidate (higher is better)."""
        gain = 1 + self.miss_gain * miss_ema
        return np.asarray(
            f1
            + gain * self.recall_weight * (1 - miss)
            - (self.fpr_weight + self.fpr_penalty) * fpr
            - self.pull * np.abs(threshold - self.center)
        )

    def fit(self, scores: Mapping[str, Scored], *, miss_ema: float = 0.0) -> OperatingPoint:
        """Choose a threshold.

        Parameters
        ----------
        scores
            One set (``{"validation": (probability, label)}``), or two when `blend` > 0; the
            second then counts with weight `blend`. The names are recorded.
        miss_ema
            Running validation miss rate during training.

        Raises
        ------
        InputError
            If a set is empty, or their number does not fit `blend`.
        """
        wanted = 2 if self.blend > 0 else 1
        if len(scores) != wanted:
            raise InputError(
                f"threshold policy with blend={self.blend} needs {wanted} set(s), got "
                f"{len(scores)} ({', '.join(scores)})"
            )
        for name, (probability, _) in scores.items():
            if len(probability) == 0:
                raise InputError(f"the threshold cannot be fitted: set {name!r} has no beats")
        thresholds = self.candidates(np.concatenate([p for p, _ in scores.values()]))
        curves = [rates(p, y, thresholds) for p, y in scores.values()]
        weights = [1.0] if wanted == 1 else [1 - self.blend, self.blend]
        miss, fpr, f1 = np.tensordot(weights, np.asarray(curves), axes=1)
        worst_miss = np.max([c[0] for c in curves], axis=0)
        worst_fpr = np.max([c[1] for c in curves], axis=0)
        violation = np.maximum(worst_miss - self.max_miss, 0) + np.maximum(
            worst_fpr - self.max_fpr, 0
        )
        value = self.score(miss, fpr, f1, thresholds, miss_ema=miss_ema)
        best = np.lexsort((-value, violation.round(12)))[0]
        return OperatingPoint(
            float(thresholds[best]), tuple(scores), feasible=bool(violation[best] <= 0)
        )

    def without_blend(self) -> ThresholdPolicy:
        """Return the same policy on one set only."""
        return replace(self, blend=0.0)


def rates(
    probability: NDArray[Any], label: NDArray[Any], thresholds: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Miss rate, FPR and F1 at every threshold (one sort, not one pass a threshold)."""
    truth = np.asarray(label) != 0
    positive, negative = np.sort(probability[truth]), np.sort(probability[~truth])
    missed = np.searchsorted(positive, thresholds, "left")
    false = len(negative) - np.searchsorted(negative, thresholds, "left")
    caught = len(positive) - missed
    f1 = 2 * caught / np.maximum(2 * caught + missed + false, 1)
    return missed / max(len(positive), 1), false / max(len(negative), 1), f1


SelectionScore = Callable[[Confusion], float]

SELECTION: dict[str, SelectionScore] = {
    "f1-miss-fpr": lambda c: c.f1 - c.miss_rate - c.fpr,
    "f1+tpr-fpr/2": lambda c: c.f1 + (1 - c.miss_rate) - 0.5 * c.fpr,
    "-(miss+0.35fpr)": lambda c: -(c.miss_rate + 0.35 * c.fpr),
}
"""Scores for early stopping, higher is better; ``auc`` and ``macro-f1`` need more than counts."""


def evaluate_at(point: OperatingPoint, probability: NDArray[Any], label: NDArray[Any]) -> Confusion:
    """Confusion of a set at an operating point."""
    return confusion(label, point.decide(probability))

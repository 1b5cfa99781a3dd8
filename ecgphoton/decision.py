"""From a probability to a decision: the operating point and how it is chosen.

Probabilities and labels come in; an operating point, or the class every beat is called, goes out.
The default policy follows the original system: candidates on a grid and at quantiles, hard limits
on miss rate and FPR, a recall-weighted score among feasible points, and the least violation when
nothing is feasible. Each piece is a value; `ThresholdPolicy` composes them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgphoton.errors import InputError
from ecgphoton.host import as_array
from ecgphoton.metrics import Confusion, confusion
from ecgphoton.settings import Settings, setting

ROUNDING = 1e-6
"""How far above 1 a probability may be."""
Scored = tuple[NDArray[Any], NDArray[Any]]
"""(probability of abnormal (n,), label (n,))."""


@dataclass(frozen=True)
class OperatingPoint(Settings):
    """A threshold on the probability of abnormal, and the evidence it was chosen on.

    Raises
    ------
    InputError
        If the threshold is outside 0 to 1.
    """

    threshold: float = setting(MISSING, "Smallest probability called abnormal.", low=0, high=1)
    fitted_on: tuple[str, ...] = setting(
        MISSING, "Names of the sets that took part, for instance `validation`."
    )
    feasible: bool = setting(
        True, "Whether the hard limits on miss rate and FPR were met on those sets."
    )

    binary: ClassVar[bool] = True
    """Whether there are two classes, between which the threshold decides."""

    def decide(self, probability: NDArray[Any]) -> NDArray[np.bool_]:
        """Return True where a beat is called abnormal (probability >= threshold).

        Raises
        ------
        InputError
            If a value is no probability, as NaN of a beat which is not classified, or a logit.
        """
        return np.asarray(_known(probability) >= self.threshold)

    def classify(self, probability: NDArray[Any]) -> NDArray[np.int64]:
        """Return the (n,) class index every beat is called, from (n, 2) probabilities."""
        known = _known(probability)
        if known.ndim != 2 or known.shape[1] != 2:
            raise InputError(
                f"probabilities of shape {known.shape}; a threshold decides between two classes, "
                "in a column each"
            )
        return self.decide(known[:, 1]).astype(np.int64)

    def to_dict(self) -> dict[str, Any] | None:
        """Plain values for JSON."""
        return asdict(self) | {"fitted_on": list(self.fitted_on)}

    @staticmethod
    def from_dict(data: Mapping[str, Any] | None) -> "OperatingPoint":
        """Inverse of `to_dict`; InputError when a key is missing or wrong."""
        if data is None:
            return LargestProbability()
        try:
            return OperatingPoint(data["threshold"], tuple(data["fitted_on"]), data["feasible"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"operating point {data!r} cannot be read: {error}") from error


def abnormal_of(labels: ArrayLike) -> NDArray[np.bool_]:
    """Return which of (B,) labels are abnormal, those that are not 0.

    Raises
    ------
    InputError
        If they are not the classes of beats: whole numbers from 0 on, in one row. -1 is the label
        of beats outside a label scheme.
    """
    given = as_array(labels, "labels")
    whole = given.ndim == 1 and given.dtype.kind in "biuf"
    if not whole or not (np.isfinite(given) & (given >= 0) & (given == np.rint(given))).all():
        some = sorted(set(map(repr, given.ravel().tolist())))[:5]
        raise InputError(
            f"labels of shape {given.shape} hold {', '.join(some)} ...; one row of "
            "classes is needed, 0 for normal; leave beats outside the label scheme (-1) out"
        )
    return np.asarray(given != 0)


def _known(probability: NDArray[Any]) -> NDArray[Any]:
    """Return numbers from 0 to 1, or InputError."""
    known = as_array(probability, "probability")
    if known.dtype.kind not in "biuf":
        raise InputError(f"probability holds {known.dtype}; it must hold numbers from 0 to 1")
    if (inside := (known >= 0) & (known <= 1 + ROUNDING)).all():
        return known
    if lost := int(np.isnan(known).sum()):
        raise InputError(
            f"{lost} of {known.size} probabilities are NaN: these beats are undecided; omit them"
        )
    some = ", ".join(f"{value:g}" for value in known[~inside][:3])
    raise InputError(
        f"{known.size - inside.sum()} of {known.size} probabilities are not from 0 to 1 ({some}); "
        "give those that predict returns, no logits or per cent"
    )


@dataclass(frozen=True)
class LargestProbability(OperatingPoint):
    """What decides among more than two classes: the largest probability, and no threshold."""

    threshold: float = setting(0.5, "Not used.")
    fitted_on: tuple[str, ...] = setting((), "No set: nothing is fitted.")

    binary: ClassVar[bool] = False

    def classify(self, probability: NDArray[Any]) -> NDArray[np.int64]:
        """Return the (n,) class index of the largest probability."""
        return np.asarray(_known(probability).argmax(1), np.int64)

    def to_dict(self) -> None:
        """Return None, since there are no parameters."""


@dataclass(frozen=True)
class ThresholdPolicy(Settings, section="decision"):
    """How a threshold is chosen; the defaults are the original system's.

    Feasible points (miss <= `max_miss`, FPR <= `max_fpr`) are ranked by ``f1_weight * F1 + gain *
    recall_weight * TPR - fpr_weight * FPR - pull * |threshold - center|`` with ``gain = 1 +
    miss_gain * miss_ema``. Where none is feasible, the least violation wins.

    Raises
    ------
    InputError
        When a value is outside what its declaration or a rule allows.
    """

    grid_low: float = setting(0.05, "Lowest threshold of the grid.", low=0, high=1)
    grid_high: float = setting(0.95, "Highest threshold of the grid.", low=0, high=1)
    grid_points: int = setting(181, "Thresholds on the grid.", low=1, high=100_000)
    quantiles: int = setting(
        200, "Quantiles of the probabilities tried besides the grid.", low=0, high=100_000
    )
    max_miss: float = setting(0.10, "Largest miss rate of a feasible point.", low=0, high=1)
    max_fpr: float = setting(
        0.10, "Largest false positive rate (FPR) of a feasible point.", low=0, high=1
    )
    f1_weight: float = setting(
        1.0, "Weight of F1, which depends on the prevalence.", low=0, high=1000
    )
    recall_weight: float = setting(1.5, "Weight of the sensitivity (TPR).", low=0, high=1000)
    fpr_weight: float = setting(1.9, "Weight of the false positive rate.", low=0, high=2000)
    miss_gain: float = setting(
        1.8, "How much a high running miss rate raises the weight of sensitivity.", low=0, high=1000
    )
    center: float = setting(
        0.78, "Threshold that is preferred where all else is equal.", low=0, high=1
    )
    pull: float = setting(
        0.02, "Weight of the distance between threshold and `center`.", low=0, high=1000
    )
    blend: float = setting(
        0.0,
        "Weight of the second monitored set in threshold and score (the original gave the "
        "generalization set 0.35); 0 keeps that set out.",
        low=0,
        below=1,
    )

    def rules(self) -> Iterable[tuple[bool, str, str]]:
        """Require that the grid ends after it begins."""
        yield self.grid_low <= self.grid_high, "grid_low", "at most decision.grid_high"

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
            self.f1_weight * f1
            + gain * self.recall_weight * (1 - miss)
            - self.fpr_weight * fpr
            - self.pull * np.abs(threshold - self.center)
        )

    def fit(
        self,
        scores: Mapping[str, Scored],
        *,
        miss_ema: float = 0.0,
        weights: Mapping[str, NDArray[Any] | None] = MappingProxyType({}),
    ) -> OperatingPoint:
        """Choose a threshold.

        Parameters
        ----------
        scores
            One set (``{"validation": (probability, label)}``), or two when `blend` > 0; the
            second then counts with weight `blend`. The names are recorded.
        miss_ema
            Running validation miss rate during training.
        weights
            (n,) weights of the beats of a set, with which rates and F1 are computed; every beat of
            a set that is not named weighs the same.

        Raises
        ------
        InputError
            If a set is empty or not whole, or their number does not fit `blend`.
        """
        wanted = 2 if self.blend > 0 else 1
        if len(scores) != wanted:
            raise InputError(
                f"threshold policy with blend={self.blend} needs {wanted} set(s), got "
                f"{len(scores)} ({', '.join(scores)})"
            )
        scores = {name: (_known(p), as_array(y, "label")) for name, (p, y) in scores.items()}
        for name, (p, y) in scores.items():
            if not len(p) == len(y) > 0:
                found = f"{len(y)} labels of {len(p)} beats" if len(y) else "no beats"
                raise InputError(f"the threshold cannot be fitted: set {name!r} has {found}")
        thresholds = self.candidates(np.concatenate([p for p, _ in scores.values()]))
        curves = np.asarray(
            [rates(p, y, thresholds, weights.get(name)) for name, (p, y) in scores.items()]
        )
        shares = [1.0] if wanted == 1 else [1 - self.blend, self.blend]
        miss, fpr, f1 = np.tensordot(shares, curves, axes=1)
        limits = np.array([[self.max_miss], [self.max_fpr]])
        violation = np.maximum(curves.max(0)[:2] - limits, 0).sum(0)
        value = self.score(miss, fpr, f1, thresholds, miss_ema=miss_ema)
        best = np.lexsort((-value, violation.round(12)))[0]
        return OperatingPoint(
            float(thresholds[best]), tuple(scores), feasible=bool(violation[best] <= 0)
        )


def rates(
    probability: NDArray[Any],
    label: NDArray[Any],
    thresholds: NDArray[Any],
    weight: NDArray[Any] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Miss rate, FPR and F1 at every threshold (one sort, not one pass a threshold)."""
    truth = abnormal_of(label)
    weight = np.ones(len(truth)) if weight is None else weight
    missed, abnormal = _below(probability[truth], weight[truth], thresholds)
    quiet, normal = _below(probability[~truth], weight[~truth], thresholds)
    false, caught = normal - quiet, abnormal - missed
    either = 2 * caught + missed + false
    f1 = 2 * caught / np.where(either > 0, either, 1)
    return missed / (abnormal or 1), false / (normal or 1), f1


def _below(
    probability: NDArray[Any], weight: NDArray[Any], thresholds: NDArray[Any]
) -> tuple[NDArray[np.float64], float]:
    """Return the weight of the beats below every threshold, and that of all beats."""
    order = np.argsort(probability)
    total = np.concatenate([[0.0], np.cumsum(weight[order])])
    return total[np.searchsorted(probability[order], thresholds, "left")], float(total[-1])


def evaluate_at(
    point: OperatingPoint,
    probability: NDArray[Any],
    label: NDArray[Any],
    weight: NDArray[Any] | None = None,
) -> Confusion:
    """Confusion of a set at an operating point."""
    return confusion(label, point.decide(probability), weight)

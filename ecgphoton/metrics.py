"""Numbers about decisions: confusion, miss rate, FPR, ranking quality.

Miss rate is the share of abnormal beats called normal (FN / abnormal); FPR the share of normal
beats called abnormal (FP / normal). A rate of no beats is None in results, with a reason
(`Confusion.to_dict`), and a dash in tables; where beats are scored to choose something it is 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.errors import InputError

EMPTY_AT = {"miss": 0.0, "fpr": 1.0}
"""Prevalence at which there is no beat that a rate could be a share of."""
REASONS = "reasons"
"""Key of a row of metrics: why a number of it is None, by its name."""


def stated(numbers: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - as the row has it
    """Return a number of a row of metrics, None for a share of no beats (0 in runs of 0.1)."""
    nobody = name in EMPTY_AT and numbers.get("prevalence") == EMPTY_AT[name]
    return None if nobody else numbers.get(name)


def check_both(label: NDArray[np.bool_], what: str = "beats") -> None:
    """Refuse beats on which there is no miss rate or no FPR.

    Parameters
    ----------
    label
        (B,) whether each is abnormal.
    what
        What they are, for the error.

    Raises
    ------
    InputError
        If all are normal, or all abnormal, or there are none.
    """
    if label.any() and not label.all():
        return
    kind, rate = ("abnormal", "FPR") if label.any() else ("normal", "miss rate")
    found = f"all {len(label):,} {what} are {kind}, so there is no {rate}"
    raise InputError(
        f"{found if len(label) else f'there are no {what}'}; normal and abnormal ones are needed: "
        "take other beats (--data)"
    )


@dataclass(frozen=True)
class Confusion:
    """Counts of a binary decision, abnormal being positive; sums where beats have weights."""

    tp: float
    fn: float
    fp: float
    tn: float

    @property
    def abnormal(self) -> float:
        """Number of abnormal beats."""
        return self.tp + self.fn

    @property
    def normal(self) -> float:
        """Number of normal beats."""
        return self.fp + self.tn

    @property
    def miss_rate(self) -> float:
        """FN / abnormal, 0 when there is none."""
        return self.fn / self.abnormal if self.abnormal else 0.0

    @property
    def fpr(self) -> float:
        """FP / normal, 0 when there is none."""
        return self.fp / self.normal if self.normal else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity; depends on prevalence."""
        denominator = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / denominator if denominator else 0.0

    @property
    def prevalence(self) -> float:
        """Share of abnormal beats."""
        total = self.abnormal + self.normal
        return self.abnormal / total if total else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return counts and rates; a rate of no beats is None, and ``reasons`` says why."""
        rates = {name: rate(self) for name, rate in RATES.items()}
        rates["prevalence"] = self.prevalence if self.abnormal + self.normal else None
        why = {name: NOBODY[name] for name, rate in rates.items() if rate is None}
        return {**asdict(self), **rates, REASONS: why}


RATES: Mapping[str, Callable[[Confusion], float | None]] = {
    "miss": lambda counts: counts.miss_rate if counts.abnormal else None,
    "fpr": lambda counts: counts.fpr if counts.normal else None,
    "f1": lambda counts: counts.f1 if counts.abnormal + counts.fp else None,
}
"""Rates of counts, None where there are no beats that they are a share of."""
NOBODY = {
    "miss": "no beat is abnormal",
    "fpr": "no beat is normal",
    "f1": "no beat is abnormal or called so",
    "prevalence": "there are no beats",
}
"""Why a rate is None."""

WHOLE_PATIENT = 20
"""Beats of one class from which on a patient counts as a whole one, see `patients_alike`."""


def patients_alike(subject: NDArray[Any], label: NDArray[Any]) -> NDArray[np.float64]:
    """Return the (n,) weights of beats with which every patient counts alike.

    In each class the beats of a patient weigh 1 together, however many there are; a patient with
    fewer than 20 beats of the class weighs a twentieth for each of them, since a rate over two
    beats says little. Weighted rates are then means over patients.

    Parameters
    ----------
    subject
        (n,) patient of each beat.
    label
        (n,) class of each beat.
    """
    _, place, counts = np.unique(
        np.stack([np.unique(subject, return_inverse=True)[1], np.asarray(label, np.int64)]),
        axis=1,
        return_inverse=True,
        return_counts=True,
    )
    return np.asarray(1 / np.maximum(counts, WHOLE_PATIENT)[place.ravel()])


def confusion(
    label: NDArray[Any], called: NDArray[Any], weight: NDArray[Any] | None = None
) -> Confusion:
    """Count a binary decision; `label` and `called` are (n,), nonzero means abnormal.

    With `weight` (n,) the counts are sums of the weights of the beats.
    """
    truth, positive = np.asarray(label) != 0, np.asarray(called) != 0
    if weight is not None:
        cells = (truth & positive, truth & ~positive, ~truth & positive, ~truth & ~positive)
        return Confusion(*(float(weight[cell].sum()) for cell in cells))
    tp, fn = int((truth & positive).sum()), int((truth & ~positive).sum())
    fp = int((~truth & positive).sum())
    return Confusion(tp, fn, fp, len(truth) - tp - fn - fp)


def ranking(label: NDArray[Any], probability: NDArray[Any]) -> dict[str, float | None]:
    """Area under ROC and average precision; None where only one class is present."""
    truth = np.asarray(label) != 0
    if truth.all() or not truth.any():
        return {"auc": None, "average_precision": None}
    from sklearn.metrics import average_precision_score, roc_auc_score

    return {
        "auc": float(roc_auc_score(truth, probability)),
        "average_precision": float(average_precision_score(truth, probability)),
    }


def auc_by_rank(
    positive: NDArray[Any],
    negative: NDArray[Any],
    weights: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney).

    `weights` are those of the positive and of the negative beats.
    """
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left")
    upto = np.searchsorted(ordered, positive, "right")
    if weights is not None:
        own, others = weights
        total = np.concatenate([[0.0], np.cumsum(others[np.argsort(negative)])])
        ranks = total[below] + total[upto]
        return min(1.0, float((own * ranks).sum() / (2 * own.sum() * others.sum())))
    return float((below + upto).sum() / (2 * len(positive) * len(negative)))


def class_table(
    label: NDArray[Any],
    called: NDArray[Any],
    names: Sequence[str],
    weight: NDArray[Any] | None = None,
) -> dict[str, dict[str, float | None]]:
    """Sensitivity (recall), +P (precision), F1 and support of every class.

    A recall of no beats, and a precision of a class that no beat is called, are None.
    """
    table: dict[str, dict[str, float | None]] = {}
    for index, name in enumerate(names):
        counts = confusion(np.asarray(label) == index, np.asarray(called) == index, weight)
        positive = counts.tp + counts.fp
        table[name] = {
            "recall": 1.0 - counts.miss_rate if counts.abnormal else None,
            "precision": counts.tp / positive if positive else None,
            "f1": counts.f1 if counts.abnormal or positive else None,
            "support": counts.abnormal,
        }
    return table


def macro_f1(
    label: NDArray[Any],
    called: NDArray[Any],
    classes: int,
    weight: NDArray[Any] | None = None,
) -> float:
    """Mean F1 over classes that have beats."""
    table = class_table(label, called, [str(index) for index in range(classes)], weight)
    scores = [row["f1"] or 0.0 for row in table.values() if row["support"]]
    return float(np.mean(scores)) if scores else 0.0


def confusion_matrix(label: NDArray[Any], called: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts, rows are truth."""
    flat = np.asarray(label, np.int64) * classes + np.asarray(called, np.int64)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def by_group(
    label: NDArray[Any],
    called: NDArray[Any],
    group: NDArray[Any],
    weight: NDArray[Any] | None = None,
) -> dict[str, Confusion]:
    """Confusion of every record (or symbol), in sorted order."""
    own = ((str(name), group == name) for name in np.unique(group))
    return {
        name: confusion(label[rows], called[rows], None if weight is None else weight[rows])
        for name, rows in own
    }

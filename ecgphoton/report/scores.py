"""The score files of a run come in; probabilities, curves and wrong decisions go out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgphoton.artifacts import read_arrays
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.runs import CHOOSING

SUFFIX = "_scores.npz"


@dataclass(frozen=True, eq=False)
class Scores:
    """Probabilities, labels and identity of the beats of one set."""

    probability: NDArray[np.float32]
    """``(n, classes)``."""
    label: NDArray[np.int64]
    record: NDArray[np.str_]
    sample: NDArray[np.int64]
    """``(n,)`` R sample at 360 Hz."""
    symbol: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.label)


def read_scores(path: Path) -> Scores:
    """Read ``<set>_scores.npz``.

    Raises
    ------
    InputError
        If the file is missing or damaged, or its columns do not fit together.
    """
    data = read_arrays(path, "a table of scores; `ecgphoton train` writes it")
    missing = sorted(set(Scores.__dataclass_fields__) - set(data))
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; `ecgphoton train` writes it")
    columns = {name: data[name] for name in Scores.__dataclass_fields__}
    sizes = {column.shape[:1] for column in columns.values()}  # of a single number ()
    if len(sizes) != 1 or columns["probability"].ndim != 2:
        shapes = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise InputError(f"{path} has columns that do not fit together: {shapes}")
    return Scores(**columns)


def read_all_scores(folder: Path) -> dict[str, Scores]:
    """Return the scores of every set of a run, first that on which its threshold was chosen."""
    found = {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}
    names = sorted(found, key=lambda name: (name not in CHOOSING, name))
    return {name: read_scores(found[name]) for name in names}


def roc(truth: NDArray[Any], probability: NDArray[Any]) -> NDArray[np.float64]:
    """Return points ``(k, 2)`` of FPR and sensitivity, one per distinct score."""
    from sklearn.metrics import roc_curve

    return np.column_stack(roc_curve(truth, probability, drop_intermediate=False)[:2])


def precision_recall(truth: NDArray[Any], probability: NDArray[Any]) -> NDArray[np.float64]:
    """Return points ``(k, 2)`` of sensitivity and precision, by falling threshold."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, probability)
    return np.column_stack([recall, precision])[-2::-1]  # without the point at sensitivity 0


def is_part(name: str) -> bool:
    """Whether a set is a part of another: test records without those of shared subjects."""
    return "_without_" in name


class Errors(NamedTuple):
    """One kind of wrong decision."""

    name: str
    wrong: NDArray[np.bool_]
    """``(n,)`` which beats are decided wrongly."""
    of: int
    """Beats that could be decided wrongly in this way."""
    wrongness: NDArray[np.float32]
    """``(n,)`` larger is worse."""


def errors_of(scores: Scores, point: OperatingPoint) -> tuple[Errors, Errors]:
    """Return the missed abnormal beats, and the false alarms."""
    abnormal, probability = scores.label == 1, scores.probability[:, 1]
    called = point.decide(probability)
    return (
        Errors("abnormal beats missed", abnormal & ~called, int(abnormal.sum()), -probability),
        Errors("false alarms", ~abnormal & called, int((~abnormal).sum()), probability),
    )


def worst_in_turn(
    scores: Scores, wrong: NDArray[np.bool_], wrongness: NDArray[Any], count: int
) -> NDArray[np.int64]:
    """Return rows of wrong decisions: the worst of each record, then the second worst, and so on.

    Otherwise one record with many similar errors would fill the page.
    """
    import pandas

    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-wrongness[rows], kind="stable")]
    turn = pandas.Series(rows).groupby(scores.record[rows]).cumcount().to_numpy()
    return rows[np.argsort(turn, kind="stable")][:count]

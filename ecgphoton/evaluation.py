"""Evaluation: probabilities and labelled beats come in; tables of rates with intervals go out.

Rates are given in total, per record, per annotation symbol and per class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.decision import OperatingPoint, classify
from ecgphoton.metrics import (
    Confusion,
    by_group,
    class_table,
    confusion,
    confusion_matrix,
    macro_f1,
    ranking,
    record_bootstrap,
)

if TYPE_CHECKING:
    from ecgphoton.ecg.beats import BeatSet

BOOTSTRAP_SEED = 20


def evaluate_set(
    probability: np.ndarray, beats: BeatSet, point: OperatingPoint | None, classes: Sequence[str]
) -> dict[str, Any]:
    """Everything reported about one set.

    Parameters
    ----------
    probability
        (n, classes) of the beats, in order.
    point
        Operating point of a binary student; None for several classes (largest probability wins).
    classes
        Names of the classes.

    Returns
    -------
    dict
        Counts and rates, ranking, 95 % intervals from resampling whole records, tables per record
        and per symbol; per class and macro-F1 for several classes.
    """
    label, calls = beats.label, classify(probability, point)
    if point is None:
        return {
            "beats": len(label),
            "macro_f1": macro_f1(label, calls, len(classes)),
            "classes": class_table(label, calls, classes),
            "confusion_matrix": confusion_matrix(label, calls, len(classes)).tolist(),
            "accuracy": float((label == calls).mean()),
        }
    total = confusion(label, calls)
    per_record = by_group(label, calls, beats.record)
    counts = list(per_record.values())
    statistics: dict[str, Callable[[Confusion], float]] = {
        "miss": lambda c: c.miss_rate,
        "fpr": lambda c: c.fpr,
        "f1": lambda c: c.f1,
    }
    return {
        "beats": len(label),
        **total.to_dict(),
        **ranking(label, probability[:, 1]),
        "interval_95": {
            name: record_bootstrap(counts, statistic, seed=BOOTSTRAP_SEED)
            for name, statistic in statistics.items()
        },
        "records": {name: counts.to_dict() for name, counts in per_record.items()},
        "symbols": _per_symbol(beats.symbol, calls, label),
        "confusion_matrix": [[total.tn, total.fp], [total.fn, total.tp]],
    }


def _per_symbol(symbol: np.ndarray, calls: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    table = {}
    for name in np.unique(symbol):
        rows = symbol == name
        table[str(name)] = {
            "beats": int(rows.sum()),
            "abnormal": bool(label[rows][0]),
            "called_abnormal": float(calls[rows].mean()),
        }
    return table

"""Evaluation: a student and labelled beats come in; tables of rates with intervals go out.

Rates are given in total, per record, per annotation symbol and per class. Nothing is chosen or
fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton import runs
from ecgphoton.arguments import strict
from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.ecg.beats import BeatSet
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.ecg.records import LabelScheme, label_scheme
from ecgphoton.errors import InputError
from ecgphoton.intervals import record_bootstrap
from ecgphoton.metrics import (
    RATES,
    REASONS,
    by_group,
    class_table,
    confusion,
    confusion_matrix,
    macro_f1,
    ranking,
    stated,
)
from ecgphoton.report.scores import Scores
from ecgphoton.run.beats import (
    beats_elsewhere,
    examples_of,
    reported,
    scheme_of,
    splits_like,
    stated_by,
)
from ecgphoton.run.crossed import at_wish, stored_numbers, stored_sets
from ecgphoton.run.known import learnt_from
from ecgphoton.runs import TrainedStudent
from ecgphoton.training.crossfit import NAME
from ecgphoton.training.judge import probabilities
from ecgphoton.wording import listed, percent, words

BOOTSTRAP_SEED = 20
ONE_KIND = "all beats are normal, or all abnormal"
FEW = "fewer than two records have such beats"


def evaluate_set(
    probability: np.ndarray, beats: BeatSet | Scores, point: OperatingPoint, classes: Sequence[str]
) -> dict[str, Any]:
    """Everything reported about one set.

    Parameters
    ----------
    probability
        (n, classes) of the beats, in order.
    point
        Operating point of the student.
    classes
        Names of the classes.

    Returns
    -------
    dict
        Counts and rates, ranking, 95 % intervals from resampling whole records, tables per record
        and per symbol; per class and macro-F1 for several classes. What is a share of no beats is
        None, with a reason; so is an interval over fewer than two records.
    """
    label, calls = beats.label, point.classify(probability)
    if not point.binary:
        return {
            "beats": len(label),
            "macro_f1": macro_f1(label, calls, len(classes)),
            "classes": class_table(label, calls, classes),
            "confusion_matrix": confusion_matrix(label, calls, len(classes)).tolist(),
            "accuracy": float((label == calls).mean()),
        }
    total = confusion(label, calls)
    per_record = by_group(label, calls, beats.record)
    counts, areas = list(per_record.values()), ranking(label, probability[:, 1])
    intervals = {
        name: record_bootstrap(counts, rate, seed=BOOTSTRAP_SEED) for name, rate in RATES.items()
    }
    numbers = total.to_dict()
    reasons = {
        **numbers[REASONS],
        **{name: ONE_KIND for name, area in areas.items() if area is None},
        **{f"interval_95.{name}": FEW for name, ends in intervals.items() if ends is None},
    }
    return {
        "beats": len(label),
        **numbers,
        **areas,
        "interval_95": intervals,
        REASONS: reasons,
        "records": {name: counts.to_dict() for name, counts in per_record.items()},
        "symbols": _per_symbol(beats.symbol, calls, label),
        "confusion_matrix": [[total.tn, total.fp], [total.fn, total.tp]],
    }


def _per_symbol(symbol: np.ndarray, calls: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    found = {str(name): symbol == name for name in np.unique(symbol)}
    return {
        name: {
            "beats": int(rows.sum()),
            "abnormal": bool(label[rows][0]),
            "called_abnormal": float(calls[rows].mean()),
        }
        for name, rows in found.items()
    }


@dataclass(frozen=True)
class Evaluation:
    """Results of a student on the sets of a protocol."""

    metrics: Mapping[str, Any]
    source: str
    """Where the beats come from."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.metrics, "source": self.source}


@strict
def evaluate(
    model: Path | str | None = None,
    *,
    protocol: str | None = None,
    labels: str | None = None,
    max_miss: float | None = None,
    max_fpr: float | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
) -> Evaluation:
    """Evaluate a trained student on the sets of a protocol.

    Nothing is chosen or fitted on these sets. Where the protocol of training has folds, the
    out-of-fold numbers come first.

    Parameters
    ----------
    protocol
        Protocol whose sets are used, ``reference``, ``inter-patient`` or a TOML file, with the
        labels and lead that the file states; by default that of training.
    labels
        Labels, as ``ecgphoton train`` takes them; by default those of training.
    max_miss
        Largest miss rate, from 0 to 1, on the out-of-fold scores of a run: the threshold with the
        smallest FPR within it is used, instead of that of training.
    max_fpr
        Largest FPR, from 0 to 1, on the out-of-fold scores of a run: the threshold with the
        smallest miss rate within it is used, instead of that of training.
    model, data, data_dir
        As `ecgphoton.run.simulate` takes them. All beats of a dataset that the protocol does not
        divide (``svdb``, a folder) are one set.

    Raises
    ------
    InputError
        If the classes of student and labels differ, beats cannot be found, or no out-of-fold
        threshold keeps `max_miss` and `max_fpr`.
    """
    trained, wished = at_wish(runs.load_student(*runs.choose(model)), max_miss, max_fpr)
    about = dict(trained.metadata)
    own = {} if protocol is None else stated_by(protocol_of(protocol))
    if labels is not None and own.get("labels", labels) != labels:
        raise InputError(
            f"labels is {labels!r}, but the protocol is for labels {own['labels']!r}; leave one out"
        )
    if labels not in (None, about["labels"]):
        about["labels"] = label_scheme(labels).name
    other = beats_elsewhere(about, data, data_dir) if protocol is None else None
    if other is not None and other.origin is not None:
        sets, scheme = {other.origin.dataset.name: other.beats}, scheme_of(about)
        report = other.report
    else:
        splits = splits_like(about, data, data_dir, protocol)
        sets, scheme, report = reported(splits), splits.labels, splits.report
    others = protocol is not None or other is not None
    known = learnt_from(trained.metadata, sets) if others else []
    earlier = {
        name: evaluate_set(one.probability, one, trained.point, trained.classes)
        for name, one in stored_sets(trained).items()
    }
    across = wished or stored_numbers(trained)
    when = f"in training{' and out of fold' if across else ''}"
    changed = [
        f"{what} of these sets: {value}, not {was} as {when}"
        for what, value in {**own, "labels": scheme.name}.items()
        if value != (was := trained.metadata.get(what, value))
    ]
    metrics = {
        "run": str(trained.folder),
        "chosen": trained.chosen,
        **({NAME: across} if across else {}),
        "sets": {**earlier, **evaluate_sets(trained, sets, scheme)},
        "operating_point": trained.metadata["operating_point"],
        "took_part_in_selection": ["training", *trained.metadata["selection"]["sets"]],
        "notes": [*changed, *report.lines(), *known],
    }
    metrics["shortfall"] = shortfall(trained.recipe.decision, trained.point, metrics)
    return Evaluation(metrics, next(iter(sets.values())).source)


def shortfall(
    policy: ThresholdPolicy, point: OperatingPoint, metrics: Mapping[str, Any]
) -> str | None:
    """Return which limits no threshold kept, and what the one taken reaches; None if one did.

    Rates that chose the threshold are taken: over folds, those that weight patients alike.
    """
    if not point.binary or point.feasible:
        return None
    sets = metrics["sets"] | ({NAME: metrics[NAME]} if NAME in metrics else {})
    reached = [
        f"miss {percent(stated(sets[name], 'miss'))} and FPR {percent(stated(sets[name], 'fpr'))} "
        f"on {words(name)}"
        for name in point.fitted_on
        if name in sets
    ]
    limits = f"miss <= {percent(policy.max_miss, None)} and FPR <= {percent(policy.max_fpr, None)}"
    found = f": {', '.join(reached)}" if reached else ""
    return (
        f"no threshold kept {limits} where it was chosen ({listed(point.fitted_on)}); the one "
        f"with the smallest violation was taken{found}"
    )


def evaluate_sets(
    trained: TrainedStudent, sets: Mapping[str, BeatSet], labels: LabelScheme
) -> dict[str, Any]:
    """Return the numbers of every set.

    Raises
    ------
    InputError
        If the numbers of classes of student and labels differ.
    """
    architecture = trained.student.architecture
    if architecture.classes != len(labels.classes):
        raise InputError(
            f"the student of {trained.folder} has {architecture.classes} classes, labels "
            f"{labels.name!r} have {len(labels.classes)}; evaluate with --labels "
            f"{trained.metadata['labels']}"
        )
    return {
        name: evaluate_set(
            probabilities(trained.student, examples_of(beats, architecture)),
            beats,
            trained.point,
            trained.classes,
        )
        for name, beats in sets.items()
    }

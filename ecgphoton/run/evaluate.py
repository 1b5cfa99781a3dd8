"""Evaluate a trained student; nothing is chosen or fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton import runs
from ecgphoton.errors import InputError
from ecgphoton.evaluation import evaluate_set
from ecgphoton.run.beats import beats_elsewhere, examples_of, reported, scheme_of, splits_like
from ecgphoton.training.judge import probabilities

if TYPE_CHECKING:
    from ecgphoton.ecg.beats import BeatSet
    from ecgphoton.ecg.records import LabelScheme
    from ecgphoton.runs import TrainedStudent


@dataclass(frozen=True)
class Evaluation:
    """What a student is worth on the sets of a protocol."""

    metrics: Mapping[str, Any]
    source: str
    """Where the beats come from."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.metrics, "source": self.source}


def evaluate(
    model: Path | str | None = None,
    *,
    protocol: str | None = None,
    labels: str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
) -> Evaluation:
    """Evaluate a trained student on the sets of a protocol; nothing is chosen or fitted.

    Parameters
    ----------
    model
        A run, bundle or checkpoint, or the name of a shipped student; by default the newest run,
        otherwise the shipped student.
    protocol, labels
        By default those the student was trained with.
    data, data_dir
        Where the beats come from; by default as in training. All beats of a dataset that the
        protocol does not divide (``svdb``, a folder) are one set.

    Raises
    ------
    InputError
        If the student knows other classes than the labels have, or beats cannot be found.
    """
    trained = runs.load_student(runs.choose(model))
    about = {**trained.metadata, **({} if labels is None else {"labels": labels})}
    other = beats_elsewhere(about, data, data_dir) if protocol is None else None
    if other is not None and other.origin is not None:
        sets, scheme = {other.origin.dataset.name: other.beats}, scheme_of(about)
        report = other.report
    else:
        splits = splits_like(about, data, data_dir, protocol)
        sets, scheme, report = reported(splits), splits.labels, splits.report
    metrics = {
        "run": str(trained.folder),
        "sets": evaluate_sets(trained, sets, scheme),
        "operating_point": trained.metadata["operating_point"],
        "took_part_in_selection": ["training", *trained.metadata["selection"]["sets"]],
        "notes": report.lines(),
    }
    return Evaluation(metrics, next(iter(sets.values())).source)


def evaluate_sets(
    trained: TrainedStudent, sets: Mapping[str, BeatSet], labels: LabelScheme
) -> dict[str, Any]:
    """Return the numbers of every set.

    Raises
    ------
    InputError
        If the student knows another number of classes.
    """
    architecture = trained.student.architecture
    if architecture.classes != len(labels.classes):
        raise InputError(
            f"the student of {trained.folder} knows {architecture.classes} classes, labels "
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

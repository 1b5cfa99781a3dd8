"""Evaluate a trained student; nothing is chosen or fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton import runs
from ecgphoton.errors import InputError
from ecgphoton.evaluation import evaluate_set
from ecgphoton.run.beats import examples_of, reported, splits_like
from ecgphoton.training.judge import probabilities

if TYPE_CHECKING:
    from ecgphoton.ecg.beats import Splits
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
    protocol
        Protocol whose sets are used; by default that of training.
    labels
        Label scheme; by default that of training.
    model, data, data_dir
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If the student knows other classes than the labels have, or beats cannot be found.
    """
    trained = runs.load_student(runs.choose(model))
    about = {**trained.metadata, **({} if labels is None else {"labels": labels})}
    splits = splits_like(about, data, data_dir, protocol)
    metrics = {
        "run": str(trained.folder),
        "sets": evaluate_sets(trained, splits),
        "operating_point": trained.metadata["operating_point"],
        "took_part_in_selection": ["training", *trained.metadata["selection"]["sets"]],
    }
    return Evaluation(metrics, splits.test.source)


def evaluate_sets(trained: TrainedStudent, splits: Splits) -> dict[str, Any]:
    """Return the numbers of every reported set.

    Raises
    ------
    InputError
        If the student knows another number of classes.
    """
    architecture = trained.student.architecture
    if architecture.classes != len(splits.labels.classes):
        raise InputError(
            f"the student of {trained.folder} knows {architecture.classes} classes, labels "
            f"{splits.labels.name!r} have {len(splits.labels.classes)}; evaluate with --labels "
            f"{trained.metadata['labels']}"
        )
    return {
        name: evaluate_set(
            probabilities(trained.student, examples_of(beats, architecture)),
            beats,
            trained.point,
            trained.classes,
        )
        for name, beats in reported(splits).items()
    }

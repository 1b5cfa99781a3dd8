"""Evaluate a trained student; nothing is chosen or fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecgphoton import runs
from ecgphoton.ecg.beats import Splits
from ecgphoton.errors import InputError
from ecgphoton.evaluation import evaluate_set
from ecgphoton.run.beats import examples_of, reported
from ecgphoton.training.judge import probabilities


def evaluate(run: Path, splits: Splits) -> dict[str, Any]:
    """Evaluate a trained student on the sets of `splits`; nothing is chosen here."""
    trained = runs.load_student(run)
    expected = trained.student.architecture.classes
    if expected != len(splits.labels.classes):
        raise InputError(
            f"{run} knows {expected} classes, labels {splits.labels.name!r} have "
            f"{len(splits.labels.classes)}; evaluate with --labels {trained.metadata['labels']}"
        )
    return {
        name: evaluate_set(
            probabilities(trained.student, examples_of(beats, trained.student.architecture)),
            beats,
            trained.point,
            trained.classes,
        )
        for name, beats in reported(splits).items()
    }

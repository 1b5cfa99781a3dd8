"""What a finished run leaves behind: checkpoint, scores, metrics, pictures, manifest."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgphoton import runs
from ecgphoton.artifacts import (
    atomic_path,
    save_checkpoint,
    write_json,
    write_manifest,
    write_text,
)
from ecgphoton.ecg.beats import BeatSet, Splits
from ecgphoton.ecg.features import FEATURES_VERSION
from ecgphoton.evaluation import evaluate_set
from ecgphoton.recipe import Recipe
from ecgphoton.run.beats import examples_of, monitored, reported
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.fit import Fitted
from ecgphoton.training.judge import probabilities
from ecgphoton.training.parts import EpochRecord
from ecgphoton.version import __version__

if TYPE_CHECKING:
    from ecgphoton.student.architecture import Architecture


@dataclass(frozen=True)
class RunReport:
    """What a finished run has to say."""

    folder: Path
    metrics: Mapping[str, Any]


def finish(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    fitted: Fitted,
    architecture: Architecture,
    *,
    seed: int,
    began: float,
    gates: tuple[str, ...] = (),
) -> RunReport:
    """Write checkpoint, probabilities, metrics, pictures and manifest of a fitted student.

    `gates` names further sets that took part in selection.
    """
    from ecgphoton.report.plots import draw_run

    student = fitted.model
    assert isinstance(student, SegmentStudent)
    classes = list(splits.labels.classes)
    took_part = ["training", *dict.fromkeys((*monitored(recipe, splits), *gates))]
    metadata = {
        "architecture": asdict(architecture),
        "features_version": FEATURES_VERSION,
        "classes": classes,
        "labels": splits.labels.name,
        "protocol": splits.protocol.name,
        "lead": splits.protocol.lead or recipe.data.lead,
        "centring": recipe.data.centring,
        "source": splits.train.source,
        "operating_point": None if fitted.point is None else fitted.point.to_dict(),
        "selection": {
            "score": recipe.training.selection,
            "sets": took_part[1:],
            "best_epoch": fitted.best_epoch,
        },
        "seed": seed,
        "recipe": recipe.to_dict(),
        "data": {
            "training": splits.train.digest,
            "validation": splits.validation.digest,
            splits.protocol.test_name: splits.test.digest,
        },
        "provenance": splits.provenance,
        "version": __version__,
    }
    save_checkpoint(folder / runs.CHECKPOINT, student.arrays(), metadata)
    write_history(folder, fitted.history)
    sets = reported(splits)
    results = {}
    for name, beats in sets.items():
        probability = probabilities(student, examples_of(beats, architecture))
        _write_scores(folder / f"{name}_scores.npz", probability, beats)
        results[name] = evaluate_set(probability, beats, fitted.point, classes)
    metrics = {
        "sets": results,
        "took_part_in_selection": took_part,
        "operating_point": metadata["operating_point"],
        "parameters": architecture.parameters,
        "gains": len(architecture.blocks),
        "best_epoch": fitted.best_epoch,
        "epochs": len(fitted.history),
        "seed": seed,
        "source": splits.train.source,
        "dropped": splits.report.to_dict(),
    }
    write_json(folder / runs.METRICS, metrics)
    write_json(
        folder / "environment.json",
        {
            "seconds": round(time.perf_counter() - began, 1),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "ecgphoton": __version__,
        },
    )
    draw_run(folder, fitted.history, sets, fitted.point, classes)
    (folder / runs.STATE).unlink(missing_ok=True)
    write_manifest(folder, kind=runs.KIND)
    return RunReport(folder, metrics)


def write_history(folder: Path, history: tuple[EpochRecord, ...]) -> None:
    """Write one JSON line an epoch."""
    lines = [json.dumps(record.to_dict(), sort_keys=True) for record in history]
    write_text(folder / runs.HISTORY, "\n".join(lines) + "\n")


def _write_scores(path: Path, probability: np.ndarray, beats: BeatSet) -> None:
    """Probabilities, labels and identity of every beat (no samples of the recording)."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            probability=probability,
            label=beats.label,
            record=beats.record,
            sample=beats.sample,
            symbol=beats.symbol,
        )

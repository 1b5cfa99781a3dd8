"""Files of a finished run: checkpoint, scores, metrics, pictures, manifest."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ecgphoton import runs
from ecgphoton.artifacts import (
    save_checkpoint,
    write_arrays,
    write_json,
    write_manifest,
    write_text,
)
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.features import FEATURES_VERSION
from ecgphoton.recipe import Recipe
from ecgphoton.report.scores import SUFFIX
from ecgphoton.run.beats import examples_of, monitored, reported
from ecgphoton.run.crossed import Crossed
from ecgphoton.run.evaluate import evaluate_set, shortfall
from ecgphoton.run.provenance import now, versions
from ecgphoton.run.scope import scope_of
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.crossfit import NAME
from ecgphoton.training.fit import Fitted
from ecgphoton.training.judge import probabilities
from ecgphoton.training.parts import EpochRecord
from ecgphoton.version import __version__


@dataclass(frozen=True)
class TrainedRun:
    """A finished run: its folder, its numbers, and the beats it was trained on."""

    folder: Path
    metrics: Mapping[str, Any]
    splits: Splits = field(repr=False)
    distillation: Mapping[str, Any] = field(default_factory=dict)
    """Verdict and numbers of teacher, baseline and distilled student; empty without a teacher."""

    @property
    def source(self) -> str:
        """Where the beats come from."""
        return self.splits.train.source

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"run": str(self.folder), **self.distillation, **self.metrics}


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
    across: Crossed | None = None,
) -> TrainedRun:
    """Write checkpoint, probabilities, metrics, pictures and manifest of a fitted student.

    `gates` names further sets that took part in selection; `across` is what its folds say.
    """
    from ecgphoton.report.plots import draw_run

    student = fitted.model
    assert isinstance(student, SegmentStudent)
    classes = list(splits.labels.classes)
    point, choosing, sets = fitted.point, monitored(recipe, splits), reported(splits)
    chosen_by, scope, known = {}, {}, {}
    if across is not None:
        point, choosing = across.point, {NAME: splits.train}
        chosen_by, known = {"scale": asdict(across.scale)}, {NAME: across}
        scope = scope_of(splits, architecture.features, across.probability, point)
        sets = choosing | sets
    took_part = ["training", *dict.fromkeys((*choosing, *gates))]
    metadata = {
        "architecture": architecture.to_dict(),
        "features_version": FEATURES_VERSION,
        "classes": classes,
        "labels": splits.labels.name,
        "protocol": splits.protocol.name,
        "lead": splits.protocol.lead or recipe.data.lead,
        "source": splits.train.source,
        "operating_point": point.to_dict(),
        "selection": {
            "score": recipe.training.selection,
            "sets": took_part[1:],
            "best_epoch": fitted.best_epoch,
            **chosen_by,
        },
        "seed": seed,
        "recipe": recipe.to_dict(),
        "data": {
            "training": splits.train.digest,
            **({"validation": splits.validation.digest} if across is None else {}),
            splits.protocol.test_name: splits.test.digest,
        },
        "provenance": splits.provenance,
        **scope,
        "version": __version__,
    }
    save_checkpoint(folder / runs.CHECKPOINT, student.arrays(), metadata)
    write_history(folder, fitted.history)
    results = {}
    for name, beats in sets.items():
        one = known.get(name)
        probability = (
            probabilities(student, examples_of(beats, architecture)) if one is None
            else one.probability
        )  # fmt: skip
        write_arrays(
            folder / f"{name}{SUFFIX}",
            probability=probability,
            label=beats.label,
            record=beats.record,
            sample=beats.sample,
            symbol=beats.symbol,
            **({} if one is None else one.columns),
        )
        results[name] = evaluate_set(probability, beats, point, classes)
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
        "further_leads": [asdict(one) for one in splits.further],
        **{name: one.numbers for name, one in known.items()},
    }
    metrics["shortfall"] = shortfall(recipe.decision, point, metrics)
    write_json(folder / runs.METRICS, metrics)
    environment = {
        "seconds": round(time.perf_counter() - began, 1),
        "threads": torch.get_num_threads(),
        "date": now(),
        "ecgphoton": __version__,
        **versions(),
    }
    write_json(folder / runs.ENVIRONMENT, environment)
    draw_run(folder, fitted.history, sets, point, classes)
    (folder / runs.STATE).unlink(missing_ok=True)
    shutil.rmtree(folder / runs.FOLDS, ignore_errors=True)
    write_manifest(folder, kind=runs.KIND)
    return TrainedRun(folder, metrics, splits)


def write_history(folder: Path, history: tuple[EpochRecord, ...]) -> None:
    """Write one JSON line an epoch."""
    lines = [json.dumps(record.to_dict(), sort_keys=True) for record in history]
    write_text(folder / runs.HISTORY, "\n".join(lines) + "\n")

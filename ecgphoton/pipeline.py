"""Whole journeys, one function each: what the commands call and what scripts may call too."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from ecgphoton import __version__, runs
from ecgphoton.artifacts import (
    atomic_path,
    load_checkpoint,
    read_json,
    save_checkpoint,
    write_json,
    write_manifest,
    write_text,
)
from ecgphoton.ecg.beats import BeatSet, Splits, load_splits
from ecgphoton.errors import InputError
from ecgphoton.evaluation import evaluate_set
from ecgphoton.hwsim.aware import noisy_forward
from ecgphoton.recipe import Recipe, from_dict, write
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs, inputs_of
from ecgphoton.training.assemble import assemble
from ecgphoton.training.fit import Fitted, fit
from ecgphoton.training.judge import probabilities
from ecgphoton.training.parts import (
    Control,
    EpochRecord,
    Examples,
    Parts,
    nothing,
    plain_forward,
)
from ecgphoton.training.state import FitState

if TYPE_CHECKING:
    from ecgphoton.student.architecture import Architecture

Progress = Callable[[EpochRecord, int], None]
"""Called after every epoch with its record and the largest number of epochs."""


@dataclass(frozen=True)
class RunReport:
    """What a finished run has to say."""

    folder: Path
    metrics: Mapping[str, Any]


def examples_of(beats: BeatSet, architecture: Architecture) -> Examples:
    """Tensors of a beat set, as a student of this architecture reads them."""
    return Examples(inputs_of(beats, architecture), torch.as_tensor(beats.label), beats.record)


def splits_of(recipe: Recipe, data_dir: Path | None = None) -> Splits:
    """Load the beats a recipe asks for."""
    data = recipe.data
    return load_splits(
        data.protocol,
        data.labels,
        data=data.source,
        data_dir=data_dir,
        lead=data.lead,
        split_seed=data.split_seed,
        stratified=data.stratified,
    )


def monitored(recipe: Recipe, splits: Splits) -> dict[str, BeatSet]:
    """Return the sets judged after every epoch: validation, and the test set only if blended."""
    sets = {"validation": splits.validation}
    if recipe.decision.blend > 0:
        sets[splits.protocol.test_name] = splits.test
    return sets


def parts_of(recipe: Recipe, training: Examples, architecture: Architecture) -> Parts:
    """Assemble the strategies of a recipe, with the hardware noise it trains under."""
    noise = recipe.noise
    silent = noise.weight == 0 and noise.detector == 0
    return assemble(
        recipe.balance,
        recipe.guards,
        recipe.augment,
        recipe.loss,
        examples=training,
        classes=architecture.classes,
        forward=plain_forward if silent else noisy_forward(noise.weight, noise.detector),
        after_step=track_gains if architecture.gains == "tracked" else nothing,
    )


def track_gains(model: nn.Module, inputs: Inputs) -> None:
    """Let a student follow the detector peaks of the batch it has just seen."""
    cast("SegmentStudent", model).track_gains(inputs)


def start_run(recipe: Recipe, folder: Path, seed: int) -> None:
    """Create a run folder that `train` can fill and resume."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(
            f"{folder} is not empty; choose another --out, or continue it with --resume {folder}"
        )
    write_text(folder / runs.RECIPE, write(recipe))
    write_json(folder / "start.json", {"seed": seed, "recipe": recipe.to_dict()})


def resume_point(folder: Path) -> tuple[Recipe, int, FitState | None]:
    """Recipe, seed and last saved state of an unfinished run."""
    start = read_json(folder / "start.json")
    try:
        recipe, seed = from_dict(start["recipe"]), int(start["seed"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / 'start.json'} cannot be read: {error}") from error
    if not (folder / runs.STATE).exists():
        return recipe, seed, None
    arrays, metadata = load_checkpoint(folder / runs.STATE)
    history = tuple(EpochRecord.from_dict(entry) for entry in metadata["history"])
    return recipe, seed, FitState(arrays, Control(**metadata["control"]), history, metadata["rate"])


def train(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    *,
    seed: int,
    resume: FitState | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Train a student and fill a run folder.

    Parameters
    ----------
    recipe
        What to train and how.
    splits
        Beats, as loaded by `splits_of`.
    folder
        Made by `start_run`; the manifest is written last, so a folder without one is unfinished.
    seed
        Seed of the initial weights and of everything drawn during training.
    resume
        State of an interrupted run.
    progress
        Called after every epoch.
    """
    began = time.perf_counter()
    architecture = replace(recipe.student, classes=len(splits.labels.classes))
    student = SegmentStudent(architecture, seed=seed)
    training = examples_of(splits.train, architecture)
    monitors = {
        name: examples_of(beats, architecture) for name, beats in monitored(recipe, splits).items()
    }

    def save(state: FitState) -> None:
        metadata = {
            "history": [record.to_dict() for record in state.history],
            "control": state.control.to_dict(),
            "rate": state.rate,
        }
        save_checkpoint(folder / runs.STATE, state.arrays, metadata)
        _write_history(folder, state.history)
        if progress is not None:
            progress(state.history[-1], recipe.training.epochs)

    fitted = fit(
        student,
        training,
        monitors,
        recipe.training,
        recipe.decision,
        parts_of(recipe, training, architecture),
        seed=seed,
        resume=resume,
        on_epoch=save,
    )
    report = finish(recipe, splits, folder, fitted, architecture, seed=seed, began=began)
    (folder / runs.STATE).unlink(missing_ok=True)
    return report


def finish(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    fitted: Fitted,
    architecture: Architecture,
    *,
    seed: int,
    began: float,
) -> RunReport:
    """Write checkpoint, probabilities, metrics, pictures and manifest of a fitted student."""
    from ecgphoton.report.plots import draw_run

    student = fitted.model
    assert isinstance(student, SegmentStudent)
    classes = list(splits.labels.classes)
    took_part = ["training", *monitored(recipe, splits)]
    metadata = {
        "architecture": asdict(architecture),
        "classes": classes,
        "labels": splits.labels.name,
        "protocol": splits.protocol.name,
        "lead": recipe.data.lead,
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
        "version": __version__,
    }
    save_checkpoint(folder / runs.CHECKPOINT, student.arrays(), metadata)
    _write_history(folder, fitted.history)
    sets = {"validation": splits.validation, splits.protocol.test_name: splits.test}
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
    write_manifest(folder, kind=runs.KIND)
    return RunReport(folder, metrics)


def _write_history(folder: Path, history: tuple[EpochRecord, ...]) -> None:
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
        for name, beats in {
            "validation": splits.validation,
            splits.protocol.test_name: splits.test,
        }.items()
        if len(beats)
    }

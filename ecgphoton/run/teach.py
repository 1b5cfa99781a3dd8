"""Distil a student: teacher, baseline and distilled student side by side, in one run folder."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ecgphoton.legacy.distill_run import distil
from ecgphoton.legacy.teaching import load_teacher
from ecgphoton.progress import Progress, silent
from ecgphoton.report.distillation import write_distillation
from ecgphoton.run.beats import examples_of
from ecgphoton.run.finish import TrainedRun, finish
from ecgphoton.run.fit import parts_of
from ecgphoton.student.network import SegmentStudent

if TYPE_CHECKING:
    from ecgphoton.ecg.beats import Splits
    from ecgphoton.recipe import Recipe


def distil_run(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    *,
    seed: int,
    progress: Progress = silent,
) -> TrainedRun:
    """Train teacher (unless one is given), baseline and distilled student into a run folder.

    The run holds the distilled student, or the baseline if the gates refused the teacher.

    Parameters
    ----------
    recipe
        With ``distill.teacher`` set to ``auto`` or the path of a teacher checkpoint.
    folder
        Made by `start_run`.
    """
    began = time.perf_counter()
    architecture = replace(recipe.student, classes=len(splits.labels.classes))
    training, validation, test = (
        examples_of(beats, architecture) for beats in (splits.train, splits.validation, splits.test)
    )
    given = recipe.distill.teacher
    report = distil(
        lambda: SegmentStudent(architecture, seed=seed),
        recipe.distill,
        recipe.training,
        recipe.decision,
        parts_of(recipe, training, architecture),
        training=training,
        validation=validation,
        test=test,
        test_name=splits.protocol.test_name,
        classes=architecture.classes,
        strength=recipe.strategies.strength,
        seed=seed,
        teacher=None if given == "auto" else load_teacher(Path(given)),
        progress=progress,
    )
    write_distillation(folder, report)
    chosen = report.contestants[-1]  # the baseline, where the teacher was refused
    run = finish(
        recipe, splits, folder, chosen.fitted, architecture, seed=seed, began=began,
        gates=() if recipe.distill.gate_on == "validation" else (splits.protocol.test_name,),
    )  # fmt: skip
    compared = {"verdict": str(report.verdict), "models": report.summary()}
    return replace(run, distillation=compared)

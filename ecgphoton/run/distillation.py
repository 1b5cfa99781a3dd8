"""Train a student from a teacher: a run of three models."""

import time
from dataclasses import replace
from pathlib import Path

from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.ecg.splits import Splits
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.legacy.distill_run import distil
from ecgphoton.legacy.teacher import Teacher, load_teacher
from ecgphoton.progress import Progress, silent
from ecgphoton.recipe import Recipe
from ecgphoton.report.distillation import write_distillation
from ecgphoton.run.beats import examples_of
from ecgphoton.run.finish import TrainedRun, finish
from ecgphoton.student.network import SegmentStudent


def teacher_of(recipe: Recipe) -> Teacher | None:
    """Return the teacher that a recipe names; None where one is to be trained.

    All that the recipe has and distillation from a teacher cannot do is refused in one error.

    Raises
    ------
    InputError
        If there is anything, or the teacher cannot be read.
    """
    data, fibrillation = recipe.data, recipe.augment.fibrillation
    once = "a teacher's outputs are of each recorded beat once"
    found = {
        f"protocol {data.protocol!r} has folds, and a teacher is judged on a validation set: give "
        "a protocol file with validation or validation_fraction": protocol_of(data.protocol).folds,
        f"data.views is {data.views}, and {once}: --set data.views=1": data.views > 1,
        f"augment.fibrillation is {fibrillation:g}, and {once}: --set augment.fibrillation=0":
            fibrillation > 0,
    }  # fmt: skip
    if any(found.values()):
        raise InputError(
            f"recipe {recipe.name!r} cannot learn from a teacher as it is: "
            f"{'; '.join(reason for reason, holds in found.items() if holds)}; or take a recipe "
            "that can (`ecgphoton distill --recipe reference-8`), or train without a teacher"
        )
    if recipe.distill.teacher == "auto":
        return None
    with expecting(f"teacher {recipe.distill.teacher}", "one"):
        return load_teacher(Path(recipe.distill.teacher))


def distil_run(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    *,
    teacher: Teacher | None,
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
    teacher
        From `teacher_of`.
    """
    began = time.perf_counter()
    architecture = replace(recipe.student, classes=len(splits.labels.classes))
    training, validation, test = (
        examples_of(beats, architecture) for beats in (splits.train, splits.validation, splits.test)
    )
    report = distil(
        lambda: SegmentStudent(architecture, seed=seed),
        recipe.distill,
        recipe.training,
        recipe.decision,
        recipe.parts(training, architecture.classes),
        training=training,
        validation=validation,
        test=test,
        test_name=splits.protocol.test_name,
        classes=architecture.classes,
        strength=recipe.strategies.strength,
        seed=seed,
        teacher=teacher,
        progress=progress,
    )
    write_distillation(folder, report, synthetic=splits.synthetic)
    chosen = report.contestants[-1]  # the baseline, where the teacher was refused
    run = finish(
        recipe, splits, folder, chosen.fitted, architecture, seed=seed, began=began,
        gates=() if recipe.distill.gate_on == "validation" else (splits.protocol.test_name,),
    )  # fmt: skip
    return replace(run, distillation={"verdict": str(report.verdict), "models": report.summary()})

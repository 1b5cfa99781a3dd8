"""Training of a teacher with `training.fit`, and its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from ecgphoton.artifacts import load_checkpoint, save_checkpoint
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.legacy.distill import Distillation
from ecgphoton.legacy.guards import GuardSettings
from ecgphoton.legacy.losses import LossSettings
from ecgphoton.legacy.strategies import Strategies, extended
from ecgphoton.legacy.teacher import Teacher, TeacherShape, teacher_from_arrays
from ecgphoton.progress import Progress, silent
from ecgphoton.student.architecture import WIDTH
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance
from ecgphoton.training.fit import Fitted, fit
from ecgphoton.training.parts import Examples, Schedule
from ecgphoton.training.state import telling, weights_of

TEACHER_BATCH = 128


def teacher_shape(examples: Examples, classes: int, settings: Distillation) -> TeacherShape:
    """Return the shape of a teacher that reads what the student reads."""
    given = examples.inputs.rhythm
    return TeacherShape(
        classes=classes,
        width=settings.teacher_width,
        embedding=settings.teacher_embedding,
        rhythm=given is not None,
        shape_tokens=0 if given is None else given.shape[1] // WIDTH - 1,
        template=examples.inputs.residual is not None,
    )


def train_teacher(
    training: Examples,
    monitors: Mapping[str, Examples],
    classes: int,
    settings: Distillation,
    policy: ThresholdPolicy,
    *,
    seed: int,
    progress: Progress = silent,
) -> Fitted:
    """Train a teacher on training records only, with weighted cross-entropy and `training.fit`."""
    model = Teacher(teacher_shape(training, classes, settings), seed=seed)
    schedule = Schedule(
        learning_rate=settings.teacher_learning_rate,
        weight_decay=1e-4,
        batch=TEACHER_BATCH,
        epochs=settings.teacher_epochs,
        patience=settings.teacher_epochs,
        selection="auc" if classes == 2 else "macro-f1",
    )
    balance = Balance(class_weights="fixed" if classes == 2 else "inverse", warm_up=0, ramp=1)
    parts = extended(
        assemble(balance, Augmentation(), examples=training, classes=classes),
        Strategies(),
        GuardSettings(),
        LossSettings(),
        balance=balance,
        examples=training,
        classes=classes,
    )
    return fit(
        model,
        training,
        monitors,
        schedule,
        policy,
        parts,
        seed=seed,
        on_epoch=telling(progress, "teacher", schedule.epochs),
    )


def save_teacher(path: Path, teacher: Teacher, metadata: Mapping[str, object]) -> None:
    """Write a teacher's weights and shape, and further metadata."""
    save_checkpoint(path, weights_of(teacher), {**metadata, "teacher": asdict(teacher.shape)})


def load_teacher(path: Path) -> Teacher:
    """Read what `save_teacher` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds no teacher.
    """
    arrays, metadata = load_checkpoint(path)
    try:
        shape = TeacherShape(**metadata["teacher"])
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path} holds no teacher ({error}); give a checkpoint written by "
            "`ecgphoton distill`, or --teacher auto to train one"
        ) from error
    return teacher_from_arrays(shape, arrays)

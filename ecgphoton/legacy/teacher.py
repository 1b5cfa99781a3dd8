"""The teacher, a one-dimensional ResNet18 of configurable width: training and checkpoint.

A teacher is not exported.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ecgphoton.artifacts import load_checkpoint, save_checkpoint
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.legacy.distill import Distillation
from ecgphoton.legacy.guards import GuardSettings
from ecgphoton.legacy.strategies import LossSettings, Strategies, extended
from ecgphoton.progress import Progress, silent
from ecgphoton.settings import Settings, setting
from ecgphoton.student.architecture import SAMPLES, WIDTH
from ecgphoton.student.network import filled
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance
from ecgphoton.training.fit import Fitted, fit
from ecgphoton.training.parts import Examples, Schedule
from ecgphoton.training.state import telling, weights_of

RESIDUAL_AT = (120, 120)  # samples of a window before and after its QRS part


@dataclass(frozen=True)
class TeacherShape(Settings, section="teacher"):
    """Shape of a `Teacher`.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    classes: int = setting(2, "Outputs of the classifier.", low=2, high=16)
    width: int = setting(
        16,
        "Channels of the first stage; later stages have 2, 4 and 8 times as many.",
        low=1,
        high=128,
    )
    embedding: int = setting(32, "Length of the feature vector.", low=1, high=1024)
    rhythm: bool = setting(False, "Whether four patient features join the pooled ones.")
    shape_tokens: int = setting(0, "How many times four further ones join them, too.", low=0)
    template: bool = setting(
        False, "Whether beat minus running template is a second input channel."
    )


class _Block(nn.Module):
    """Two convolutions around which the input is added (He et al. 2016)."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(inside, outside, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm1d(outside)
        self.second = nn.Conv1d(outside, outside, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(outside)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inside != outside:
            self.skip = nn.Sequential(
                nn.Conv1d(inside, outside, 1, stride, bias=False), nn.BatchNorm1d(outside)
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.norm1(self.first(x)))
        return torch.relu(self.norm2(self.second(inner)) + self.skip(x))


class Teacher(nn.Module):
    """ResNet18 on beats: ``teacher(window, rhythm, residual) -> (logits, feature)``.

    The stem and eight residual blocks of He et al. 2016 (doi:10.1109/CVPR.2016.90) in one
    dimension, then an embedding and a linear classifier.

    Parameters
    ----------
    shape
        Width, embedding, classes and inputs.
    seed
        Seed of the initial weights.
    """

    def __init__(self, shape: TeacherShape | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape or TeacherShape()
        width = self.shape.width
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.Sequential(
                nn.Conv1d(1 + self.shape.template, width, 7, 2, 3, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
                nn.MaxPool1d(3, 2, 1),
            )
            blocks, inside = [], width
            for outside, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)):
                blocks += [_Block(inside, outside, stride), _Block(outside, outside, 1)]
                inside = outside
            self.blocks = nn.Sequential(*blocks)
            self.embed = nn.Linear(inside + self._patient, self.shape.embedding)
            self.head = nn.Linear(self.shape.embedding, self.shape.classes)

    def forward(
        self, window: Tensor, rhythm: Tensor | None = None, residual: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Classify beats: (B, 360) or (B, 1, 360) -> logits (B, classes), feature (B, embedding).

        Raises
        ------
        InputError
            If an input this teacher was built for is missing, or beats have another length.
        """
        beat = window[:, None] if window.dim() == 2 else window
        if beat.shape[1:] != (1, SAMPLES):
            raise InputError(
                f"a teacher reads beats of shape (n, {SAMPLES}), got {tuple(window.shape)}"
            )
        if self.shape.template:
            beat = torch.cat(
                [beat, nn.functional.pad(_need(residual, "residual"), RESIDUAL_AT)[:, None]], 1
            )
        pooled = self.blocks(self.stem(beat)).mean(-1)
        if self._patient:
            given = _need(rhythm, "rhythm")
            if given.shape[1] != self._patient:
                raise InputError(
                    f"this teacher reads {self._patient} patient features, "
                    f"{given.shape[1]} were given; use a student with the same inputs"
                )
            pooled = torch.cat([pooled, given], 1)
        feature = torch.relu(self.embed(pooled))
        return self.head(feature), feature

    @property
    def _patient(self) -> int:
        """Number of patient features."""
        return WIDTH * (self.shape.rhythm + self.shape.shape_tokens)


def _need(part: Tensor | None, name: str) -> Tensor:
    if part is None:
        raise InputError(
            f"this teacher reads {name} features, but none were given; use beats prepared for a "
            f"student that reads {name} features too, or another teacher"
        )
    return part


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
    advice = "give a checkpoint written by `ecgphoton distill`, or --teacher auto to train one"
    with expecting(path, "a teacher", advice):
        shape = TeacherShape(**metadata["teacher"])
    return filled(Teacher(shape), arrays, "teacher")

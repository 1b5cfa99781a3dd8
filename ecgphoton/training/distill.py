"""Distillation as a loss on cached teacher outputs, and the gates that may refuse it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ecgphoton.training.checks import one_of, refuse_unless

GateSet = Literal["validation", "test"]


@dataclass(frozen=True)
class Distillation:
    """How a teacher teaches; off unless there is a teacher.

    The loss is ``alpha * CE + beta * T^2 * KL(teacher || student) + gamma * MSE(projections)
    + margin_weight * margin`` (Hinton et al. 2015, arXiv:1503.02531).
    """

    teacher: str = "none"
    """``none``, ``auto`` (train one first), or the path of a teacher checkpoint."""
    alpha: float = 1.0
    beta: float = 0.5
    gamma: float = 0.25
    temperature: float = 2.0
    d_kd: int = 8
    """Dimensions in which teacher and student features are compared."""
    margin_target: float = 0.6
    """The margin term is ``relu(target - p)`` of the true abnormal beats."""
    margin_weight: float = 0.0
    warm_up: int = 10
    """Epochs before the teacher takes part."""
    pause: float = 0.35
    """Validation miss rate above which the teacher pauses..."""
    resume: float = 0.20
    """...and below which it goes on."""
    confidence: float = 0.8
    """A beat is taught only if the teacher is right and at least this sure."""
    min_f1: float = 0.6
    """Smallest F1 (macro-F1 for several classes) of an acceptable teacher on the gate set."""
    min_sensitivity: float = 0.8
    """Smallest sensitivity (mean recall for several classes) of an acceptable teacher."""
    miss_margin: float = 0.0
    """How much the teacher's miss rate may exceed the baseline student's."""
    fpr_limit: float = 0.10
    """The teacher's FPR may not exceed this or the baseline's, whichever is larger."""
    max_gap: float = 0.05
    """Larger growth of the teacher's miss rate toward the gate set halves `beta`."""
    gate_on: GateSet = "validation"
    """Set the gates look at; with ``test`` that set takes part in selection."""
    teacher_width: int = 8
    """Channels of the teacher's first stage (64 is the full ResNet18)."""
    teacher_embedding: int = 32
    teacher_epochs: int = 15
    teacher_learning_rate: float = 0.003

    def __post_init__(self) -> None:
        refuse_unless(
            "distill",
            self,
            (
                (bool(self.teacher), "teacher", "'none', 'auto' or a path"),
                *(
                    (0 <= getattr(self, name) <= 1000, name, "from 0 to 1000")
                    for name in ("alpha", "beta", "gamma", "margin_weight")
                ),
                (0 < self.temperature <= 100, "temperature", "in (0, 100]"),
                (1 <= self.d_kd <= 512, "d_kd", "from 1 to 512"),
                (0 < self.margin_target <= 1, "margin_target", "in (0, 1]"),
                (self.warm_up >= 0, "warm_up", "at least 0"),
                (0 <= self.resume <= self.pause, "resume", "from 0 to distill.pause"),
                (self.pause <= 1, "pause", "at most 1"),
                *(
                    (0 <= getattr(self, name) <= 1, name, "from 0 to 1")
                    for name in ("confidence", "min_f1", "min_sensitivity", "fpr_limit", "max_gap")
                ),
                (-1 <= self.miss_margin <= 1, "miss_margin", "from -1 to 1"),
                (self.gate_on in get_args(GateSet), "gate_on", one_of(*get_args(GateSet))),
                (1 <= self.teacher_width <= 128, "teacher_width", "from 1 to 128"),
                (1 <= self.teacher_embedding <= 1024, "teacher_embedding", "from 1 to 1024"),
                (1 <= self.teacher_epochs <= 1000, "teacher_epochs", "from 1 to 1000"),
                (
                    0 < self.teacher_learning_rate <= 1,
                    "teacher_learning_rate",
                    "in (0, 1]",
                ),
            ),
        )

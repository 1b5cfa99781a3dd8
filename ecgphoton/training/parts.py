"""The values and the replaceable pieces of a training run.

`fit` knows none of the strategies: it calls the pieces of a `Parts`, each a small callable with a
null object as default. State that strategies share from epoch to epoch is a frozen `Control`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import one_of, refuse_unless
from ecgphoton.student.propagate import Inputs

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Examples:
    """Labelled beats as tensors."""

    inputs: Inputs
    label: Tensor
    """(n,) int64 class index."""
    record: np.ndarray
    """(n,) record name of each beat."""

    def __len__(self) -> int:
        """Return the number of beats."""
        return len(self.label)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn."""

    kind: Literal["one-cycle", "plateau", "constant"] = "one-cycle"
    learning_rate: float = 0.03
    """Peak rate of one-cycle, initial rate of plateau."""
    weight_decay: float = 0.0
    batch: int = 512
    epochs: int = 60
    """Upper bound; early stopping may end sooner."""
    clip: float = 1.0
    """Largest gradient norm."""
    plateau_patience: int = 3
    plateau_factor: float = 0.5
    patience: int = 25
    """Epochs without a better score before stopping."""
    min_epochs: int = 25
    ema: float = 0.0
    """Decay of the running average of the weights per step; 0 uses the weights themselves."""
    selection: str = "auc"
    """Score that picks the epoch: ``auc`` or a name of `decision.SELECTION`; for more than two
    classes ``mean-recall``, and macro-F1 otherwise."""

    def __post_init__(self) -> None:
        refuse_unless(
            "training",
            self,
            (
                (
                    self.kind in ("one-cycle", "plateau", "constant"),
                    "kind",
                    one_of("one-cycle", "plateau", "constant"),
                ),
                (0 < self.learning_rate <= 10, "learning_rate", "in (0, 10]"),
                (0 <= self.weight_decay < 1, "weight_decay", "in [0, 1)"),
                (1 <= self.batch <= 65536, "batch", "from 1 to 65536"),
                (1 <= self.epochs <= 10000, "epochs", "from 1 to 10000"),
                (self.clip > 0, "clip", "positive"),
                (self.plateau_patience >= 0, "plateau_patience", "at least 0"),
                (0 < self.plateau_factor < 1, "plateau_factor", "in (0, 1)"),
                (self.patience >= 1, "patience", "at least 1"),
                (self.min_epochs >= 0, "min_epochs", "at least 0"),
                (0 <= self.ema < 1, "ema", "in [0, 1)"),
            ),
        )


@dataclass(frozen=True)
class Control:
    """What strategies remember from one epoch to the next (JSON-serialisable)."""

    weight_scale: float = 1.0
    """Extra factor on the abnormal class weight, raised by rescues."""
    boost_scale: float = 1.0
    """Extra factor on the sampler's abnormal boost, raised by rescues."""
    ramp_start: int | None = None
    """Epoch (from 0) at which the ramp of rebalancing starts; None is the end of warm-up."""
    collapses: int = 0
    locked: bool = False
    """Whether a guard has switched rebalancing off for good."""
    distil: bool = True
    """Whether the distillation terms act."""
    rescues: int = 0
    miss_ema: float | None = None
    """Exponential moving average of the validation miss rate."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class EpochRecord:
    """One line of the history."""

    epoch: int
    loss: float
    """Mean training loss."""
    score: float
    """Selection score, higher is better."""
    learning_rate: float
    point: OperatingPoint | None
    """Operating point fitted after this epoch (None for more than two classes)."""
    sets: Mapping[str, Mapping[str, Any]]
    """Per monitored set: auc, miss, fpr, f1 (binary) or per-class table and macro_f1."""
    class_weights: tuple[float, ...] | None = None
    events: tuple[str, ...] = ()
    """What guards and rescues did, with their reason."""
    loss_terms: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EpochRecord:
        """Inverse of `to_dict`."""
        point = data["point"]
        weights = data["class_weights"]
        return cls(
            **{
                **data,
                "point": None if point is None else OperatingPoint.from_dict(point),
                "class_weights": None if weights is None else tuple(weights),
                "events": tuple(data["events"]),
            }
        )


@dataclass(frozen=True)
class Batch:
    """What a loss sees."""

    logits: Tensor
    """(B, classes)."""
    feature: Tensor
    """(B, 4) h_pool of the student, or a teacher's embedding."""
    label: Tensor
    index: Tensor
    """(B,) rows of the training set, for cached teacher outputs."""
    class_weight: Tensor | None
    epoch: int
    control: Control


Forward = Callable[[nn.Module, Inputs, torch.Generator], tuple[Tensor, Tensor]]
Loss = Callable[[Batch], tuple[Tensor, Mapping[str, Tensor]]]
Sampler = Callable[[int, Control, torch.Generator], Tensor]
ClassWeights = Callable[[int, Control], Tensor | None]
Augment = Callable[[Inputs, torch.Generator], Inputs]
Guard = Callable[[Control, EpochRecord], tuple[Control, tuple[str, ...]]]
AfterStep = Callable[[nn.Module, Inputs], None]


def plain_forward(
    model: nn.Module, inputs: Inputs, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Run a model on inputs: no noise, no quantization."""
    del generator
    logits, feature = model(inputs.window, inputs.rhythm, inputs.residual)
    return logits, feature


def cross_entropy(batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
    """Cross-entropy with the epoch's class weights."""
    loss = nn.functional.cross_entropy(batch.logits, batch.label, weight=batch.class_weight)
    return loss, {}


def uniform_weights(epoch: int, control: Control) -> Tensor | None:
    """Every class counts the same."""
    del epoch, control
    return None


@dataclass(frozen=True)
class Shuffled:
    """Every training beat once an epoch, in random order."""

    size: int

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the order of an epoch."""
        del epoch, control
        return torch.randperm(self.size, generator=generator)


def unchanged(inputs: Inputs, generator: torch.Generator) -> Inputs:
    """No augmentation."""
    del generator
    return inputs


def nothing(model: nn.Module, inputs: Inputs) -> None:
    """Do nothing after a step."""
    del model, inputs


@dataclass(frozen=True)
class Parts:
    """The replaceable pieces of a training run; the defaults are null objects."""

    sampler: Sampler
    forward: Forward = plain_forward
    loss: Loss = cross_entropy
    class_weights: ClassWeights = uniform_weights
    augment: Augment = unchanged
    guards: tuple[Guard, ...] = ()
    after_step: AfterStep = nothing
    extra: tuple[nn.Parameter, ...] = ()
    """Parameters the loss owns (projections of a distillation), trained along."""

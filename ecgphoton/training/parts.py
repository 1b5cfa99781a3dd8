"""The values and the replaceable pieces of a training run.

`fit` calls the pieces of a `Parts`, each a small callable with a null object as default. What is
remembered from epoch to epoch is a frozen `Control`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ecgphoton.decision import OperatingPoint
from ecgphoton.metrics import Confusion
from ecgphoton.settings import Settings, setting
from ecgphoton.student.propagate import Inputs

SELECTION: dict[str, Callable[[Confusion], float]] = {
    "f1-miss-fpr": lambda c: c.f1 - c.miss_rate - c.fpr,
    "f1+tpr-fpr/2": lambda c: c.f1 + (1 - c.miss_rate) - 0.5 * c.fpr,
    "-(miss+0.35fpr)": lambda c: -(c.miss_rate + 0.35 * c.fpr),
}
"""Scores of two classes for early stopping, from counts alone; higher is better."""
SEVERAL = {"macro-f1": "macro_f1", "mean-recall": "mean_recall"}
"""Scores of more than two classes for early stopping, and their keys in `judge.summarise`."""


@dataclass(frozen=True)
class Examples:
    """Labelled beats as tensors."""

    inputs: Inputs
    label: Tensor
    """(n,) int64 class index."""
    record: np.ndarray
    """(n,) record name of each beat."""
    weight: np.ndarray | None = None
    """(n,) weight of each beat where the set is judged; None judges all alike."""

    def __len__(self) -> int:
        """Return the number of beats."""
        return len(self.label)

    def take(self, rows: np.ndarray) -> "Examples":
        """Return the beats of a mask or of row numbers."""
        index = torch.as_tensor(rows)
        weight = None if self.weight is None else self.weight[rows]
        return Examples(self.inputs.rows(index), self.label[index], self.record[rows], weight)

    def join(self, other: "Examples") -> "Examples":
        """Return these beats and then the others, without weights."""
        return Examples(
            self.inputs.join(other.inputs),
            torch.cat([self.label, other.label]),
            np.concatenate([self.record, other.record]),
        )


@dataclass(frozen=True)
class Schedule(Settings, section="training"):
    """How long and how fast to learn, and which epoch is kept.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    kind: Literal["one-cycle", "plateau", "constant"] = setting(
        "one-cycle", "Course of the learning rate."
    )
    learning_rate: float = setting(
        0.03, "Peak rate of one-cycle, first rate of plateau.", above=0, high=10
    )
    weight_decay: float = setting(0.0, "Weight decay of Adam.", low=0, below=1)
    batch: int = setting(512, "Size of a batch.", low=1, high=65536, unit="beats")
    epochs: int = setting(
        60, "Largest number of epochs; early stopping may end sooner.", low=1, high=10000
    )
    clip: float = setting(1.0, "Largest gradient norm.", above=0)
    plateau_patience: int = setting(
        3, "Epochs without a better score after which plateau reduces the rate.", low=0
    )
    plateau_factor: float = setting(
        0.5, "Factor by which plateau reduces the rate.", above=0, below=1
    )
    patience: int = setting(25, "Epochs without a better score before stopping.", low=1)
    min_epochs: int = setting(25, "Epochs before early stopping may act.", low=0)
    ema: float = setting(
        0.0,
        "Decay of the running average of the weights, per step; 0 uses the weights themselves.",
        low=0,
        below=1,
    )
    selection: str = setting(
        "auc",
        "Score that picks the epoch. With more than two classes `mean-recall`, and macro-F1 "
        "whatever else is named.",
        names=lambda: ("auc", *SELECTION, *SEVERAL),
    )


@dataclass(frozen=True)
class Control:
    """What is remembered from one epoch to the next (JSON-serialisable)."""

    miss_ema: float | None = None
    """Exponential moving average of the validation miss rate."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """Plain values of strategies that the loop carries along and does not read."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"miss_ema": self.miss_ema, **self.state}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Control":
        """Inverse of `to_dict`."""
        return cls(data["miss_ema"], {key: data[key] for key in data if key != "miss_ema"})


@dataclass(frozen=True)
class EpochRecord:
    """One line of the history."""

    epoch: int
    loss: float
    """Mean training loss."""
    score: float
    """Selection score, higher is better."""
    learning_rate: float
    point: OperatingPoint
    """Operating point fitted after this epoch."""
    sets: Mapping[str, Mapping[str, Any]]
    """Per monitored set: auc, miss, fpr, f1 (binary) or per-class table and macro_f1."""
    class_weights: tuple[float, ...] | None = None
    events: tuple[str, ...] = ()
    """What the hooks after the epoch did, with their reason."""
    loss_terms: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"point": self.point.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "EpochRecord":
        """Inverse of `to_dict`."""
        weights = data["class_weights"]
        return cls(
            **{
                **data,
                "point": OperatingPoint.from_dict(data["point"]),
                "class_weights": None if weights is None else tuple(weights),
                "events": tuple(data["events"]),
            }
        )


@dataclass(frozen=True)
class Batch:
    """What a loss is computed from."""

    logits: Tensor
    """(B, classes)."""
    feature: Tensor
    """(B, features) feature vector of the model; (B, 4) h_pool of a student."""
    label: Tensor
    index: Tensor
    """(B,) rows of the training set."""
    class_weight: Tensor | None
    epoch: int
    control: Control


Forward = Callable[[nn.Module, Inputs, torch.Generator], tuple[Tensor, Tensor]]
Loss = Callable[[Batch], tuple[Tensor, Mapping[str, Tensor]]]
Sampler = Callable[[int, Control, torch.Generator], Tensor]
ClassWeights = Callable[[int, Control], Tensor | None]
Augment = Callable[[Inputs, torch.Generator], Inputs]
AfterEpoch = Callable[[Control, EpochRecord], tuple[Control, tuple[str, ...]]]
"""Returns the control of the next epoch and a sentence for everything it changed."""
AfterStep = Callable[[nn.Module, Inputs], None]


def plain_forward(
    model: nn.Module, inputs: Inputs, _generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Run a model on inputs: no noise, no quantization."""
    logits, feature = model(inputs.window, inputs.rhythm, inputs.residual)
    return logits, feature


def cross_entropy(batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
    """Cross-entropy with the epoch's class weights."""
    return nn.functional.cross_entropy(batch.logits, batch.label, weight=batch.class_weight), {}


def uniform_weights(_epoch: int, _control: Control) -> Tensor | None:
    """Every class counts the same."""
    return None


@dataclass(frozen=True)
class Shuffled:
    """Draws every training beat once an epoch, in random order."""

    size: int

    def __call__(self, _epoch: int, _control: Control, generator: torch.Generator) -> Tensor:
        """Return the order of an epoch."""
        return torch.randperm(self.size, generator=generator)


def unchanged(inputs: Inputs, _generator: torch.Generator) -> Inputs:
    """No augmentation."""
    return inputs


def nothing(_model: nn.Module, _inputs: Inputs) -> None:
    """Do nothing after a step."""


@dataclass(frozen=True)
class Parts:
    """The replaceable pieces of a training run; the defaults are null objects."""

    sampler: Sampler
    forward: Forward = plain_forward
    loss: Loss = cross_entropy
    class_weights: ClassWeights = uniform_weights
    augment: Augment = unchanged
    after_step: AfterStep = nothing
    after_epoch: tuple[AfterEpoch, ...] = ()
    extra: tuple[nn.Parameter, ...] = ()
    """Parameters that the loss owns, trained along."""

"""Distillation as a loss on cached teacher outputs; the loop does not know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ecgphoton.errors import one_of, refuse_unless
from ecgphoton.legacy.guards import TeacherPause
from ecgphoton.training.parts import Batch, Examples, Loss, Parts

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
    """Dimensions in which teacher and student features are compared: the leading principal
    components of the teacher's (at most its embedding), and a learnt projection of h_pool."""
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
    teacher_width: int = 16
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


@dataclass(frozen=True)
class TeacherOutputs:
    """What a frozen teacher says about every training beat, computed once."""

    logits: Tensor
    """(n, classes)."""
    feature: Tensor
    """(n, embedding)."""

    def __len__(self) -> int:
        """Return the number of beats."""
        return len(self.logits)


@torch.no_grad()
def outputs_of(teacher: nn.Module, examples: Examples, *, block: int = 1024) -> TeacherOutputs:
    """Run a teacher once over all beats, in evaluation mode."""
    teacher.eval()
    logits, features = [], []
    for at in range(0, len(examples), block):
        rows = examples.inputs.rows(slice(at, at + block))
        said, felt = teacher(rows.window, rows.rhythm, rows.residual)
        logits.append(said)
        features.append(felt)
    return TeacherOutputs(torch.cat(logits), torch.cat(features))


def trusted(outputs: TeacherOutputs, label: Tensor, confidence: float) -> Tensor:
    """(n,) 1 where the teacher is right and at least so sure, 0 elsewhere."""
    probability = torch.softmax(outputs.logits, -1)
    right = probability.argmax(1) == label
    sure = probability.gather(1, label[:, None])[:, 0] >= confidence
    return (right & sure).float()


def principal(feature: Tensor, dimensions: int) -> Tensor:
    """(n, d) leading principal components, each row of length 1 (or 0)."""
    centred = (feature - feature.mean(0)).double()
    _, basis = torch.linalg.eigh(centred.T @ centred)
    leading = basis.flip(1)[:, : min(dimensions, feature.shape[1])]
    return nn.functional.normalize((centred @ leading).float(), dim=1)


@dataclass(frozen=True, eq=False)
class DistillationLoss:
    """A loss on labels, plus what a teacher adds while it may."""

    labels: Loss
    settings: Distillation
    soft: Tensor
    """(n, classes) teacher log-probabilities at the temperature."""
    target: Tensor
    """(n, d) normalised teacher features."""
    mask: Tensor
    """(n,) see `trusted`."""
    projection: nn.Parameter
    """(d, h_pool) from the student's feature to the teacher's."""
    beta: float
    gamma: float

    def __call__(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch and its terms."""
        label_loss, terms = self.labels(batch)
        if batch.epoch < self.settings.warm_up or not batch.control.distil:
            return label_loss, {**terms, "labels": label_loss.detach()}
        settings, mask = self.settings, self.mask[batch.index]
        share = mask / mask.sum().clamp_min(1)
        soft = self.soft[batch.index]
        said = torch.log_softmax(batch.logits / settings.temperature, -1)
        divergence = (soft.exp() * (soft - said)).sum(1)
        logit = settings.temperature**2 * (share * divergence).sum()
        own = nn.functional.normalize(batch.feature @ self.projection.T, dim=1)
        feature = (share * (own - self.target[batch.index]).square().mean(1)).sum()
        loss = settings.alpha * label_loss + self.beta * logit + self.gamma * feature
        terms = {
            **terms,
            "labels": label_loss.detach(),
            "logits": logit.detach(),
            "features": feature.detach(),
        }
        if settings.margin_weight:
            abnormal = 1 - torch.softmax(batch.logits, -1)[:, 0]
            short = torch.relu(settings.margin_target - abnormal) * (batch.label > 0)
            margin = short.sum() / (batch.label > 0).sum().clamp_min(1)
            loss = loss + settings.margin_weight * margin
            terms["margin"] = margin.detach()
        return loss, terms


def distilled(
    parts: Parts,
    outputs: TeacherOutputs,
    label: Tensor,
    settings: Distillation,
    *,
    weight: float = 1.0,
    strength: float = 1.0,
    feature: int = 4,
    seed: int = 0,
) -> Parts:
    """Return the same pieces with a teacher in the loss, or unchanged when it is refused.

    Parameters
    ----------
    parts
        Pieces of the undistilled run; sampler and class weights stay as they are.
    outputs, label
        The teacher's outputs on the training beats, and their labels (n,).
    settings
        How it teaches.
    weight
        What the gates decided, see `gates.Verdict`.
    strength
        Multiplies `beta` and `gamma` (`Balance.strength`).
    feature
        Length of the student's feature vector.
    seed
        Seed of the projection's initial values.
    """
    if weight == 0:
        return parts
    target = principal(outputs.feature, settings.d_kd)
    draw = torch.Generator().manual_seed(seed)
    projection = nn.Parameter(torch.randn(target.shape[1], feature, generator=draw) / feature**0.5)
    loss = DistillationLoss(
        parts.loss,
        settings,
        torch.log_softmax(outputs.logits / settings.temperature, -1),
        target,
        trusted(outputs, label, settings.confidence),
        projection,
        beta=settings.beta * strength * weight,
        gamma=settings.gamma * strength,
    )
    return replace(
        parts,
        loss=loss,
        extra=(*parts.extra, projection),
        guards=(*parts.guards, TeacherPause(settings.pause, settings.resume)),
    )

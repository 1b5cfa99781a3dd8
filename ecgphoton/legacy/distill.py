"""Distillation as a loss on cached teacher outputs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from ecgphoton.legacy.guards import Memory, TeacherPause
from ecgphoton.settings import Settings, setting
from ecgphoton.training.judge import Outputs
from ecgphoton.training.parts import Batch, Loss, Parts


@dataclass(frozen=True)
class Distillation(Settings, section="distill"):
    """Settings of distillation; it is off without a teacher.

    The loss is ``alpha * CE + beta * T^2 * KL(teacher || student) + gamma * MSE(projections)
    + margin_weight * margin`` (Hinton et al. 2015, arXiv:1503.02531), T being `temperature`.

    Raises
    ------
    InputError
        When a value is outside what its declaration or a rule allows.
    """

    teacher: str = setting(
        "none", "`none`, `auto` (train one first), or the path of a teacher checkpoint."
    )
    alpha: float = setting(1.0, "Weight of the loss on labels.", low=0, high=1000)
    beta: float = setting(0.5, "Weight of the logit term.", low=0, high=1000)
    gamma: float = setting(0.25, "Weight of the feature term.", low=0, high=1000)
    temperature: float = setting(
        2.0, "Temperature at which logits are compared.", above=0, high=100
    )
    d_kd: int = setting(
        8,
        "Dimensions in which teacher and student features are compared: the leading principal "
        "components of the teacher's (at most its embedding), and a learnt projection of h_pool.",
        low=1,
        high=512,
    )
    margin_target: float = setting(
        0.6,
        "The margin term is `relu(margin_target - p)` of the true abnormal beats.",
        above=0,
        high=1,
    )
    margin_weight: float = setting(0.0, "Weight of the margin term.", low=0, high=1000)
    warm_up: int = setting(10, "Epochs before the teacher takes part.", low=0)
    pause: float = setting(
        0.35, "Validation miss rate above which the teacher pauses.", low=0, high=1
    )
    resume: float = setting(
        0.20, "Validation miss rate below which it takes part again.", low=0, high=1
    )
    confidence: float = setting(
        0.8,
        "A beat is taught only if the teacher is right and gives its class at least this "
        "probability.",
        low=0,
        high=1,
    )
    min_f1: float = setting(
        0.6,
        "Smallest F1 (macro-F1 for several classes) of an acceptable teacher on the gate set.",
        low=0,
        high=1,
    )
    min_sensitivity: float = setting(
        0.8,
        "Smallest sensitivity (mean recall for several classes) of an acceptable teacher.",
        low=0,
        high=1,
    )
    miss_margin: float = setting(
        0.0,
        "How much the teacher's miss rate may exceed the baseline student's.",
        low=-1,
        high=1,
    )
    fpr_limit: float = setting(
        0.10,
        "The teacher's FPR may not exceed this or the baseline's, whichever is larger.",
        low=0,
        high=1,
    )
    max_gap: float = setting(
        0.05,
        "Larger growth of the teacher's miss rate toward the gate set halves `beta`.",
        low=0,
        high=1,
    )
    gate_on: Literal["validation", "test"] = setting(
        "validation", "Set the gates look at; with `test` that set takes part in selection."
    )
    teacher_width: int = setting(
        16, "Channels of the teacher's first stage (64 is the full ResNet18).", low=1, high=128
    )
    teacher_embedding: int = setting(
        32, "Length of the teacher's feature vector.", low=1, high=1024
    )
    teacher_epochs: int = setting(15, "Epochs the teacher is trained for.", low=1, high=1000)
    teacher_learning_rate: float = setting(
        0.003, "Peak learning rate of the teacher.", above=0, high=1
    )

    def rules(self) -> Iterable[tuple[bool, str, str]]:
        """Require a teacher, and that the conditions of pausing and resuming do not overlap."""
        yield bool(self.teacher), "teacher", "'none', 'auto' or a path"
        yield self.resume <= self.pause, "resume", "at most distill.pause"


def trusted(outputs: Outputs, label: Tensor, confidence: float) -> Tensor:
    """(n,) 1 where the teacher is right with at least this probability, 0 elsewhere."""
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
    """A loss on labels, plus the terms of a teacher while it takes part."""

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
        if batch.epoch < self.settings.warm_up or not Memory.of(batch.control).distil:
            return label_loss, {**terms, "labels": label_loss.detach()}
        settings, mask = self.settings, self.mask[batch.index]
        share = mask / mask.sum().clamp_min(1)
        soft = self.soft[batch.index]
        student = torch.log_softmax(batch.logits / settings.temperature, -1)
        divergence = (soft.exp() * (soft - student)).sum(1)
        logit = settings.temperature**2 * (share * divergence).sum()
        projected = nn.functional.normalize(batch.feature @ self.projection.T, dim=1)
        feature = (share * (projected - self.target[batch.index]).square().mean(1)).sum()
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
    outputs: Outputs,
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
        Multiplies `beta` and `gamma` (`Strategies.strength`).
    feature
        Length of the student's feature vector.
    seed
        Seed of the projection's initial values.
    """
    if weight == 0:
        return parts
    target = principal(outputs.feature, settings.d_kd)
    draw = torch.Generator().manual_seed(seed)
    projection = nn.Parameter(
        torch.randn(target.shape[1], feature, generator=draw, dtype=target.dtype) / feature**0.5
    )
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
        after_epoch=(*parts.after_epoch, TeacherPause(settings.pause, settings.resume)),
    )

"""Losses on labels: cross-entropy, focal, logit adjustment, with optional weights per beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgphoton.errors import refuse_unless
from ecgphoton.training.parts import Batch, Loss, cross_entropy


@dataclass(frozen=True)
class LossSettings:
    """What is minimised; the defaults are plain cross-entropy."""

    focal_gamma: float = 0.0
    """Focal loss ``(1 - p)^gamma`` (Lin et al. 2017, doi:10.1109/ICCV.2017.324); 0 is none."""
    adjustment: float = 0.0
    """tau of logit adjustment (Menon et al. 2021, arXiv:2007.07314): adds ``tau ln prior`` to the
    logits during training; 0 is none, 1 aims at balanced error."""
    smoothing: float = 0.0
    """Label smoothing."""

    def __post_init__(self) -> None:
        refuse_unless(
            "loss",
            self,
            (
                (0 <= self.focal_gamma <= 10, "focal_gamma", "from 0 to 10"),
                (0 <= self.adjustment <= 4, "adjustment", "from 0 to 4"),
                (0 <= self.smoothing < 1, "smoothing", "in [0, 1)"),
            ),
        )


@dataclass(frozen=True, eq=False)
class LabelLoss:
    """Weighted mean of a loss per beat."""

    settings: LossSettings
    prior: Tensor
    """(classes,) share of each class in training."""
    beat_weight: Tensor | None = None
    """(n,) weight of every training beat."""

    def __call__(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch."""
        settings = self.settings
        logits = batch.logits + settings.adjustment * self.prior.log()
        each = nn.functional.cross_entropy(
            logits, batch.label, reduction="none", label_smoothing=settings.smoothing
        )
        if settings.focal_gamma:
            wrong = -torch.expm1(-each.clamp_min(1e-8))
            each = wrong**settings.focal_gamma * each
        weight = torch.ones_like(each)
        if batch.class_weight is not None:
            weight = batch.class_weight[batch.label]
        if self.beat_weight is not None:
            weight = weight * self.beat_weight[batch.index]
        return (weight * each).sum() / weight.sum(), {}


def label_loss(
    settings: LossSettings, label: Tensor, classes: int, beat_weight: Tensor | None = None
) -> Loss:
    """Return the loss the settings ask for; plain cross-entropy when they ask for nothing."""
    if settings == LossSettings() and beat_weight is None:
        return cross_entropy
    counts = torch.bincount(label, minlength=classes).clamp_min(1).float()
    return LabelLoss(settings, counts / counts.sum(), beat_weight)

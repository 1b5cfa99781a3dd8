"""Losses per beat besides cross-entropy: focal loss, logit adjustment, label smoothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgphoton.settings import Settings, setting
from ecgphoton.training.parts import Batch


@dataclass(frozen=True)
class LossSettings(Settings, section="loss"):
    """What the loss of a beat is; the defaults are plain cross-entropy.

    Focal loss is that of Lin et al. 2017 (doi:10.1109/ICCV.2017.324), logit adjustment that of
    Menon et al. 2021 (arXiv:2007.07314).

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    focal_gamma: float = setting(
        0.0, "gamma of the focal loss `(1 - p)^gamma * CE`; 0 is cross-entropy.", low=0, high=10
    )
    adjustment: float = setting(
        0.0,
        "tau of logit adjustment: `tau ln prior` is added to the logits during training; 0 is "
        "none, 1 aims at balanced error.",
        low=0,
        high=4,
    )
    smoothing: float = setting(0.0, "Label smoothing.", low=0, below=1)


@dataclass(frozen=True, eq=False)
class AdjustedLoss:
    """Loss of every beat as the settings say."""

    settings: LossSettings
    prior: Tensor
    """(classes,) share of each class in training."""

    def __call__(self, batch: Batch) -> Tensor:
        """Return the (B,) losses of a batch."""
        settings = self.settings
        each = nn.functional.cross_entropy(
            batch.logits + settings.adjustment * self.prior.log(),
            batch.label,
            reduction="none",
            label_smoothing=settings.smoothing,
        )
        if settings.focal_gamma:
            wrong = -torch.expm1(-each.clamp_min(1e-8))
            each = wrong**settings.focal_gamma * each
        return each


def class_shares(label: Tensor, classes: int) -> Tensor:
    """Return the (classes,) share of each class; a class without beats counts as one beat."""
    counts = torch.bincount(label, minlength=classes).clamp_min(1).float()
    return counts / counts.sum()

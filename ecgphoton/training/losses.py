"""Losses on labels: cross-entropy, focal, logit adjustment, with optional weights per beat."""

from __future__ import annotations

from dataclasses import dataclass

from ecgphoton.training.checks import refuse_unless


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

"""Imbalance: class weights, samplers and patient weights, and how they ramp up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ecgphoton.training.checks import one_of, refuse_unless

Preset = Literal["stable", "balanced", "full"]
WeightMode = Literal["auto", "none", "fixed", "inverse"]
SamplerMode = Literal["auto", "none", "weighted", "balanced", "patient"]
AdaptiveMode = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class Balance:
    """Which imbalance strategies act, and how strongly; by default none does.

    ``auto`` means what the preset says. For two classes `stable` is plain cross-entropy,
    `balanced` a fixed abnormal weight and a weighted sampler, `full` adds the adaptive weight and
    the recall rescue. For more classes every preset is inverse-frequency weights.
    """

    preset: Preset = "stable"
    strength: float = 1.0
    """Multiplies what class weight, sampler boost and distillation add; 0 is none of them."""
    class_weights: WeightMode = "auto"
    """`fixed`: `abnormal` against 1; `inverse`: inverse class frequency."""
    abnormal: float = 1.30
    """Weight of the abnormal class (two classes only)."""
    power: float = 1.0
    """Exponent of the inverse frequency, 0 to 1."""
    clip: float = 2.0
    """Inverse-frequency weights are kept in [mean / clip, mean * clip]; 0 leaves them."""
    ratio_cap: float = 0.0
    """Largest ratio between two class weights; 0 means 2 for two classes and 5 for more."""
    sampler: SamplerMode = "auto"
    """`weighted`: abnormal beats drawn more often; `balanced`: every batch half abnormal;
    `patient`: every (record, class) alike."""
    boost: float = 1.1
    """How much more often the weighted sampler draws an abnormal beat."""
    auto_ratio: float = 0.35
    """The weighted sampler acts when the abnormal share is below this."""
    balanced_below: float = 0.45
    """Balanced batches act when the abnormal share is below this."""
    patient_weight: bool = False
    """Whether each beat's loss counts 1 / (beats of its record and class)."""
    patient_cap: float = 10.0
    """Patient weights are kept in [1 / cap, cap] around their mean of 1."""
    warm_up: int = -1
    """Epochs without rebalancing; -1 means 5 for two classes and 0 for more."""
    ramp: int = -1
    """Epochs of the linear ramp after warm-up; -1 means 5 for two classes and 8 for more."""
    adaptive: AdaptiveMode = "auto"
    """Whether the running validation miss rate raises the abnormal weight."""
    adaptive_gain: float = 1.8
    """The abnormal weight is multiplied by ``min(adaptive_cap, 1 + gain * miss)``."""
    adaptive_cap: float = 2.0

    def __post_init__(self) -> None:
        refuse_unless(
            "balance",
            self,
            (
                *(
                    (getattr(self, name) in get_args(kind), name, one_of(*get_args(kind)))
                    for name, kind in (
                        ("preset", Preset),
                        ("class_weights", WeightMode),
                        ("sampler", SamplerMode),
                        ("adaptive", AdaptiveMode),
                    )
                ),
                (0 <= self.strength <= 10, "strength", "from 0 to 10"),
                (0 < self.abnormal <= 100, "abnormal", "in (0, 100]"),
                (0 <= self.power <= 1, "power", "from 0 to 1"),
                (self.clip == 0 or 1 <= self.clip <= 100, "clip", "0 or from 1 to 100"),
                (
                    self.ratio_cap == 0 or 1 <= self.ratio_cap <= 1000,
                    "ratio_cap",
                    "0 or from 1 to 1000",
                ),
                (1 <= self.boost <= 100, "boost", "from 1 to 100"),
                (0 <= self.auto_ratio <= 1, "auto_ratio", "from 0 to 1"),
                (0 <= self.balanced_below <= 0.5, "balanced_below", "from 0 to 0.5"),
                (1 <= self.patient_cap <= 1e6, "patient_cap", "from 1 to 1000000"),
                (self.warm_up >= -1, "warm_up", "-1 or a number of epochs"),
                (self.ramp >= -1, "ramp", "-1 or a number of epochs"),
                (0 <= self.adaptive_gain <= 100, "adaptive_gain", "from 0 to 100"),
                (1 <= self.adaptive_cap <= 100, "adaptive_cap", "from 1 to 100"),
            ),
        )

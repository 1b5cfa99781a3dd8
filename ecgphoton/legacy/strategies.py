"""Presets of the original system: samplers, adaptive class weights, guards, rescues, losses."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from ecgphoton.errors import InputError
from ecgphoton.legacy.guards import CollapseGuard, GuardSettings, Memory, RecallRescue, share_of
from ecgphoton.legacy.samplers import BalancedBatches, PatientSampler, WeightedSampler
from ecgphoton.settings import Settings, setting
from ecgphoton.training.assemble import WeightedLoss
from ecgphoton.training.balance import (
    Balance,
    RampedWeights,
    WeightMode,
    beat_weights,
    class_weights,
    inverse_frequency,
    patient_weights,
    ramped,
)
from ecgphoton.training.parts import (
    AfterEpoch,
    Batch,
    ClassWeights,
    Control,
    Examples,
    Parts,
    Sampler,
    Shuffled,
    uniform_weights,
)

SamplerMode = Literal["auto", "none", "weighted", "balanced", "patient"]


@dataclass(frozen=True)
class Strategies(Settings, section="strategies"):
    """Which strategies against imbalance act, and how strongly; by default none does.

    ``auto`` means what the preset says. For two classes `stable` is none, `balanced` a fixed
    abnormal weight and a weighted sampler, `full` adds the adaptive weight and the recall rescue.
    For more classes every preset is inverse-frequency class weights. Warm-up, ramp and ratio cap
    are those of the section `balance`.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    preset: Literal["stable", "balanced", "full"] = setting(
        "stable", "What `auto` means here and for `balance.class_weights` of two classes."
    )
    strength: float = setting(
        1.0,
        "Exponent of class weights and sampler boost, factor on what distillation adds; 0 is none "
        "of them.",
        low=0,
        high=10,
    )
    sampler: SamplerMode = setting(
        "auto",
        "`weighted`: abnormal beats are drawn more often; `balanced`: every batch is half "
        "abnormal; `patient`: every (record, class) is drawn alike.",
    )
    boost: float = setting(
        1.1, "How much more often the weighted sampler draws an abnormal beat.", low=1, high=100
    )
    auto_ratio: float = setting(
        0.35, "The weighted sampler acts below this share of abnormal beats.", low=0, high=1
    )
    balanced_below: float = setting(
        0.45, "Balanced batches act below this share of abnormal beats.", low=0, high=0.5
    )
    adaptive: Literal["auto", "on", "off"] = setting(
        "auto", "Whether the running validation miss rate raises the abnormal weight (two classes)."
    )
    adaptive_gain: float = setting(
        1.8,
        "The abnormal weight is multiplied by `min(adaptive_cap, 1 + adaptive_gain * miss)`.",
        low=0,
        high=100,
    )
    adaptive_cap: float = setting(2.0, "Largest factor of the adaptive weight.", low=1, high=100)


PRESETS: dict[str, tuple[WeightMode, SamplerMode, bool]] = {
    "stable": ("none", "none", False),
    "balanced": ("fixed", "weighted", False),
    "full": ("fixed", "weighted", True),
}
"""Class weights, sampler, and whether adaptive weight and recall rescue act, for two classes."""


@dataclass(frozen=True)
class AdaptiveWeights(RampedWeights):
    """Class weights whose abnormal part grows with the running miss rate."""

    gain: float = 0.0
    """How much the running miss rate raises the abnormal weight; 0 is not adaptive."""
    gain_cap: float = 1.0
    """Largest factor of the running miss rate."""

    def __call__(self, epoch: int, control: Control) -> Tensor | None:
        """Return the (classes,) weights of an epoch, None while they are all 1."""
        adaptive = min(self.gain_cap, 1 + self.gain * (control.miss_ema or 0.0))
        target = torch.tensor(self.target, dtype=torch.float64)
        target[1:] *= Memory.of(control).weight_scale * adaptive
        return ramped(target, share_of(self.ramp, epoch, control), self.ratio_cap)


def extended(
    parts: Parts,
    strategies: Strategies,
    guards: GuardSettings,
    loss: "LossSettings",
    *,
    balance: Balance,
    examples: Examples,
    classes: int,
) -> Parts:
    """Return the pieces of a run with the strategies that the settings ask for.

    Parameters
    ----------
    parts
        Pieces that `training.assemble.assemble` made with the same balance and examples.
    strategies, guards, loss
        Settings of the strategies.
    balance
        Class weights and patient weights.
    examples
        Training beats: their labels and records decide weights and samplers.
    classes
        Outputs of the model. With more than two there are no guards and no adaptive weights, and
        a sampler makes the class weights uniform.
    """
    two, label, ramp = classes == 2, examples.label, balance.ramp_for(classes)
    weights, sampler, full = PRESETS[strategies.preset] if two else ("auto", "none", False)
    if balance.class_weights == "auto":
        balance = replace(balance, class_weights=weights)
    if strategies.sampler == "auto":
        strategies = replace(strategies, sampler=sampler)
    adaptive = two and strategies.strength > 0 and _on(strategies.adaptive, full)
    rescue = two and strategies.strength > 0 and _on(guards.rescue, full)
    draw = sampler_of(strategies, balance, examples, classes)
    sampled = not isinstance(draw, Shuffled)
    weigh: ClassWeights = uniform_weights
    if (two or not sampled) and (adaptive or rescue or balance.mode(classes) != "none"):
        weigh = AdaptiveWeights(
            tuple((class_weights(balance, label, classes) ** strategies.strength).tolist()),
            balance.cap(classes),
            ramp,
            strategies.adaptive_gain * strategies.strength if adaptive else 0.0,
            strategies.adaptive_cap,
        )
    hooks: tuple[AfterEpoch, ...] = ()
    if two and (sampled or weigh is not uniform_weights):
        collapse = (CollapseGuard(guards, ramp),) if guards.collapse != "off" else ()
        hooks = (*collapse, *((RecallRescue(guards, ramp),) if rescue else ()))
    labels = parts.loss
    if loss != LossSettings():
        each = AdjustedLoss(loss, class_shares(label, classes))
        labels = WeightedLoss(beat_weights(balance, examples), each)
    return replace(
        parts,
        sampler=draw,
        class_weights=weigh,
        loss=labels,
        after_epoch=(*parts.after_epoch, *hooks),
    )


def check_strength(
    strategies: Strategies, guards: GuardSettings, balance: Balance, classes: int
) -> None:
    """Refuse a strength of strategies where none is on; for more than two classes one always is.

    Raises
    ------
    InputError
        If the strength is not 1 and would change nothing.
    """
    named = (balance.class_weights, strategies.sampler, strategies.adaptive, guards.rescue)
    none = classes == 2 and strategies.preset == "stable" and {*named} <= {"auto", "none", "off"}
    if none and strategies.strength != 1:
        raise InputError(
            f"strategies.strength is {strategies.strength:g}, but no strategy is on that it would "
            "change; name one as well (--preset balanced), or leave it out"
        )


def _on(mode: str, preset: bool) -> bool:
    return preset if mode == "auto" else mode == "on"


def sampler_of(
    strategies: Strategies, balance: Balance, examples: Examples, classes: int
) -> Sampler:
    """Return the sampler that is named, or the plain shuffle where classes are balanced enough."""
    label, ramp = examples.label, balance.ramp_for(classes)
    abnormal = float((label > 0).float().mean())
    if strategies.sampler == "patient":
        weight = patient_weights(label, examples.record, cap=balance.patient_cap)
        return PatientSampler(weight**strategies.strength, ramp)
    if strategies.sampler == "balanced" and abnormal < strategies.balanced_below:
        return BalancedBatches(label, classes, ramp)
    if strategies.sampler == "weighted" and abnormal < strategies.auto_ratio:
        if classes == 2:
            return WeightedSampler(label, (1.0, strategies.boost**strategies.strength), ramp)
        often = inverse_frequency(label, classes, power=0.5 * strategies.strength)
        rate = often / often.min()
        return WeightedSampler(label, tuple(rate.tolist()), ramp, share_cap=0.75)
    return Shuffled(len(label))


@dataclass(frozen=True)
class LossSettings(Settings, section="loss"):
    """Loss of a beat; the defaults are plain cross-entropy.

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

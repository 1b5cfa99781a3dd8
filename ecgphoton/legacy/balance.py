"""Imbalance: class weights, samplers and patient weights, and how they ramp up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import one_of, refuse_unless
from ecgphoton.training.parts import Control, Shuffled

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
    """`fixed`: `abnormal` against 1 (two classes; `inverse` for more); `inverse`: inverse class
    frequency."""
    abnormal: float = 1.30
    """Weight of the abnormal class (two classes only)."""
    power: float = 1.0
    """Exponent of the inverse frequency, 0 to 1."""
    clip: float = 2.0
    """Two classes: inverse-frequency weights are kept in [mean / clip, mean * clip]; 0 leaves
    them. More classes have the ratio cap alone."""
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
    """Whether each beat's loss counts 1 / (beats of its record and class), which balances the
    classes as well."""
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


@dataclass(frozen=True)
class Ramp:
    """Share of rebalancing that acts: 0 in warm-up, then linearly to 1; 0 once locked."""

    warm_up: int
    length: int

    def __call__(self, epoch: int, control: Control) -> float:
        """Share in an epoch (counted from 0)."""
        if control.locked:
            return 0.0
        start = self.warm_up if control.ramp_start is None else control.ramp_start
        return min(1.0, max(0.0, (epoch - start + 1) / max(self.length, 1)))


@dataclass(frozen=True)
class RampedWeights:
    """Class weights that grow from 1 to their target, stronger while too much is missed.

    The smallest weight is always 1: only ratios matter to a weighted mean.
    """

    target: tuple[float, ...]
    ratio_cap: float
    ramp: Ramp
    gain: float = 0.0
    """How much the running miss rate raises the abnormal weight; 0 is not adaptive."""
    gain_cap: float = 1.0

    def __call__(self, epoch: int, control: Control) -> Tensor | None:
        """Return the (classes,) weights of an epoch, None while they are all 1."""
        share = self.ramp(epoch, control)
        if share == 0:
            return None
        adaptive = min(self.gain_cap, 1 + self.gain * (control.miss_ema or 0.0))
        full = torch.tensor(self.target, dtype=torch.float64)
        full[1:] *= control.weight_scale * adaptive
        full = (full / full.min()).clamp(max=self.ratio_cap)
        return (1 + share * (full - 1)).float()


def inverse_frequency(label: Tensor, classes: int, *, power: float = 1.0) -> Tensor:
    """Return ``(1 / frequency) ** power``, mean 1; a class without beats counts as one beat."""
    counts = torch.bincount(label, minlength=classes).clamp_min(1).double()
    weight = counts.reciprocal() ** power
    return (weight / weight.mean()).float()


def class_weights(balance: Balance, mode: WeightMode, label: Tensor, classes: int) -> Tensor:
    """Return (classes,) base weights ** strength, float64, before ramp and cap."""
    if mode == "inverse":
        weight = inverse_frequency(label, classes, power=balance.power)
        if classes == 2 and balance.clip:
            weight = weight.clamp(1 / balance.clip, balance.clip)
    elif mode == "fixed":
        weight = torch.ones(classes)
        weight[1:] = balance.abnormal
    else:
        weight = torch.ones(classes)
    return weight.double() ** balance.strength


def patient_weights(label: Tensor, record: np.ndarray, *, cap: float) -> Tensor:
    """Weights 1 / (beats of the same record and class), mean 1, kept in [1 / cap, cap].

    Returns
    -------
    Tensor
        (n,) float32.
    """
    names, at = np.unique(record, return_inverse=True)
    group = torch.as_tensor(at, dtype=torch.int64) + len(names) * label
    weight = torch.bincount(group)[group].double().reciprocal()
    return (weight / weight.mean()).clamp(1 / cap, cap).float()


@dataclass(frozen=True, eq=False)
class WeightedSampler:
    """Draws beats with replacement, those of some classes more often."""

    label: Tensor
    rate: tuple[float, ...]
    """How often a beat of each class is drawn at full ramp, relative to class 0."""
    ramp: Ramp
    share_cap: float = 0.5
    """Largest expected share of abnormal beats."""

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the beats of an epoch."""
        share = self.ramp(epoch, control)
        if share == 0:
            return Shuffled(len(self.label))(epoch, control, generator)
        rate = torch.tensor(self.rate)
        rate[1:] *= control.boost_scale
        rate = 1 + share * (rate - 1)
        drawn = rate * torch.bincount(self.label, minlength=len(rate))
        room = self.share_cap / (1 - self.share_cap) * drawn[0] / drawn[1:].sum().clamp_min(1e-9)
        rate[1:] *= room.clamp(max=1.0)
        return _draw(rate[self.label], generator)


@dataclass(frozen=True, eq=False)
class PatientSampler:
    """Draws beats with replacement, each (record, class) about as often as any other."""

    weight: Tensor
    """(n,), see `patient_weights`."""
    ramp: Ramp

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the beats of an epoch."""
        share = self.ramp(epoch, control)
        if share == 0:
            return Shuffled(len(self.weight))(epoch, control, generator)
        return _draw(1 + share * (self.weight - 1), generator)


def _draw(weight: Tensor, generator: torch.Generator) -> Tensor:
    return torch.multinomial(weight, len(weight), replacement=True, generator=generator)


@dataclass(frozen=True, eq=False)
class BalancedBatches:
    """Every batch, of any size, holds the classes in equal shares (at full ramp).

    Rare beats come several times an epoch, each before any comes again; common ones are left
    out, other ones every epoch. The classes are spread evenly over the order.
    """

    label: Tensor
    classes: int
    ramp: Ramp

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the beats of an epoch."""
        size, share = len(self.label), self.ramp(epoch, control)
        if share == 0:
            return Shuffled(size)(epoch, control, generator)
        chosen, place = [], []
        groups = [torch.nonzero(self.label == index)[:, 0] for index in range(self.classes)]
        groups = [group for group in groups if len(group)]
        for group in groups:
            count = round((1 - share) * len(group) + share * size / len(groups))
            rounds = -(-count // len(group))
            order = [torch.randperm(len(group), generator=generator) for _ in range(rounds)]
            chosen.append(group[torch.cat(order)[:count]])
            place.append((torch.arange(count) + torch.rand(1, generator=generator)) / count)
        return torch.cat(chosen)[torch.cat(place).argsort(stable=True)]

"""Imbalance: class weights and their ramp, and patient weights."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ecgphoton.settings import Settings, setting
from ecgphoton.training.parts import Control, Examples

WeightMode = Literal["auto", "none", "fixed", "inverse"]


@dataclass(frozen=True)
class Balance(Settings, section="balance"):
    """How much the loss of a beat counts by its class and its patient.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    class_weights: WeightMode = setting(
        "auto",
        "`none`; `fixed`: `abnormal` against 1 (with more than two classes the same as `inverse`); "
        "`inverse`: inverse class frequency; `auto`: `none` for two classes, `inverse` for more.",
    )
    abnormal: float = setting(
        1.30, "Weight of the abnormal class with `fixed` class weights.", above=0, high=100
    )
    power: float = setting(1.0, "Exponent of the inverse class frequency.", low=0, high=1)
    clip: float = setting(
        2.0,
        "With two classes inverse-frequency weights are kept in [mean / clip, mean * clip]; 0 "
        "leaves them. With more classes only `ratio_cap` limits them.",
        low=1,
        high=100,
        also=0,
    )
    ratio_cap: float = setting(
        0.0,
        "Largest ratio between two class weights; 0 means 2 for two classes and 5 for more.",
        low=1,
        high=1000,
        also=0,
    )
    patient_weight: bool = setting(
        False,
        "Whether the loss of each beat counts 1 / (beats of its record and class), which balances "
        "the classes as well.",
    )
    patient_cap: float = setting(
        10.0,
        "Patient weights are kept in [1 / cap, cap] around their mean of 1.",
        low=1,
        high=1e6,
    )
    warm_up: int = setting(
        -1,
        "Epochs before class weights act; -1 means 5 for two classes and 0 for more.",
        low=0,
        also=-1,
    )
    ramp: int = setting(
        -1,
        "Epochs over which class weights grow from 1 to their value; -1 means 5 for two classes "
        "and 8 for more.",
        low=0,
        also=-1,
    )

    def mode(self, classes: int) -> WeightMode:
        """Return the class weights for a number of classes, never ``auto``."""
        if self.class_weights == "none" or (classes == 2 and self.class_weights == "auto"):
            return "none"
        return self.class_weights if classes == 2 else "inverse"

    def cap(self, classes: int) -> float:
        """Return the largest ratio between two class weights for a number of classes."""
        return self.ratio_cap or (2.0 if classes == 2 else 5.0)

    def ramp_for(self, classes: int) -> "Ramp":
        """Return the ramp of the class weights for a number of classes."""
        warm_up, length = (5, 5) if classes == 2 else (0, 8)
        return Ramp(
            warm_up if self.warm_up < 0 else self.warm_up, length if self.ramp < 0 else self.ramp
        )


@dataclass(frozen=True)
class Ramp:
    """Share of rebalancing that acts: 0 in warm-up, then linearly to 1."""

    warm_up: int
    length: int

    def __call__(self, epoch: int, start: int | None = None) -> float:
        """Share in an epoch (counted from 0); `start` takes the place of the end of warm-up."""
        start = self.warm_up if start is None else start
        return min(1.0, max(0.0, (epoch - start + 1) / max(self.length, 1)))


@dataclass(frozen=True)
class RampedWeights:
    """Class weights that grow from 1 to their target."""

    target: tuple[float, ...]
    ratio_cap: float
    ramp: Ramp

    def __call__(self, epoch: int, _control: Control) -> Tensor | None:
        """Return the (classes,) weights of an epoch, None while they are all 1."""
        target = torch.tensor(self.target, dtype=torch.float64)
        return ramped(target, self.ramp(epoch), self.ratio_cap)


def ramped(target: Tensor, share: float, ratio_cap: float) -> Tensor | None:
    """Weights between 1 and their target, scaled so that the smallest is 1.

    A weighted mean depends on the ratios of its weights only.

    Parameters
    ----------
    target
        (classes,) float64.
    share
        0 for all 1 (None is returned), 1 for the target.
    ratio_cap
        Largest ratio between two weights.

    Returns
    -------
    Tensor
        (classes,) float32.
    """
    grown = 1 + share * ((target / target.min()).clamp(max=ratio_cap) - 1)
    return grown.float() if share else None


def inverse_frequency(label: Tensor, classes: int, *, power: float = 1.0) -> Tensor:
    """Return ``(1 / frequency) ** power``, mean 1; a class without beats counts as one beat."""
    weight = torch.bincount(label, minlength=classes).clamp_min(1).double().reciprocal() ** power
    return (weight / weight.mean()).float()


def class_weights(balance: Balance, label: Tensor, classes: int) -> Tensor:
    """Return (classes,) float64 class weights, before ramp and ratio cap."""
    mode = balance.mode(classes)
    weight = torch.ones(classes, dtype=torch.float32)
    if mode == "inverse":
        weight = inverse_frequency(label, classes, power=balance.power)
        if classes == 2 and balance.clip:
            weight = weight.clamp(1 / balance.clip, balance.clip)
    elif mode == "fixed":
        weight[1:] = balance.abnormal
    return weight.double()


def beat_weights(balance: Balance, examples: Examples) -> Tensor | None:
    """Return the (n,) patient weights the settings ask for, or None."""
    if not balance.patient_weight:
        return None
    return patient_weights(examples.label, examples.record, cap=balance.patient_cap)


def patient_weights(label: Tensor, record: np.ndarray, *, cap: float) -> Tensor:
    """Weights 1 / (beats of the same record and class), mean 1, kept in [1 / cap, cap].

    Parameters
    ----------
    label
        (n,) class index of each beat.
    record
        (n,) record name of each beat.
    cap
        Largest weight, and the inverse of the smallest.

    Returns
    -------
    Tensor
        (n,) float32.
    """
    names, at = np.unique(record, return_inverse=True)
    group = torch.as_tensor(at, dtype=torch.int64) + len(names) * label
    weight = torch.bincount(group)[group].double().reciprocal()
    return (weight / weight.mean()).clamp(1 / cap, cap).float()

"""From settings to the objects `fit` runs with."""

from __future__ import annotations

from dataclasses import dataclass

from ecgphoton.legacy.balance import (
    Balance,
    BalancedBatches,
    PatientSampler,
    Preset,
    Ramp,
    RampedWeights,
    SamplerMode,
    WeightedSampler,
    WeightMode,
    class_weights,
    inverse_frequency,
    patient_weights,
)
from ecgphoton.legacy.guards import CollapseGuard, GuardSettings, RecallRescue
from ecgphoton.training.augment import Augmentation, augmenter
from ecgphoton.training.losses import LossSettings, label_loss
from ecgphoton.training.parts import (
    AfterStep,
    ClassWeights,
    Examples,
    Forward,
    Guard,
    Parts,
    Sampler,
    Shuffled,
    nothing,
    plain_forward,
    uniform_weights,
)


@dataclass(frozen=True)
class Plan:
    """What a preset means once nothing is ``auto`` any more."""

    class_weights: WeightMode
    sampler: SamplerMode
    adaptive: bool
    rescue: bool
    ratio_cap: float
    ramp: Ramp


PRESETS: dict[Preset, tuple[WeightMode, SamplerMode, bool, bool]] = {
    "stable": ("none", "none", False, False),
    "balanced": ("fixed", "weighted", False, False),
    "full": ("fixed", "weighted", True, True),
}
"""Class weights, sampler, adaptive weight and recall rescue of two classes."""


def resolve(balance: Balance, guards: GuardSettings, classes: int) -> Plan:
    """Replace every ``auto`` by what the preset says for this number of classes."""
    two = classes == 2
    weights, sampler, adaptive, rescue = PRESETS[balance.preset]
    if not two:
        weights, sampler, adaptive, rescue = "inverse", "none", False, False
    if balance.class_weights != "auto":
        weights = balance.class_weights if two or balance.class_weights == "none" else "inverse"
    if balance.sampler != "auto":
        sampler = balance.sampler
    if balance.adaptive != "auto":
        adaptive = two and balance.adaptive == "on"
    if guards.rescue != "auto":
        rescue = two and guards.rescue == "on"
    default_warm_up, default_ramp, default_cap = (5, 5, 2.0) if two else (0, 8, 5.0)
    return Plan(
        weights,
        sampler,
        adaptive and balance.strength > 0,
        rescue and balance.strength > 0,
        balance.ratio_cap or default_cap,
        Ramp(
            default_warm_up if balance.warm_up < 0 else balance.warm_up,
            default_ramp if balance.ramp < 0 else balance.ramp,
        ),
    )


def assemble(
    balance: Balance,
    guards: GuardSettings,
    augmentation: Augmentation,
    loss: LossSettings,
    *,
    examples: Examples,
    classes: int,
    forward: Forward = plain_forward,
    after_step: AfterStep = nothing,
) -> Parts:
    """Return the pieces of a training run that the settings ask for.

    Parameters
    ----------
    balance, guards, augmentation, loss
        Strategies; with the defaults there is none, and nothing for guards to do.
    examples
        Training beats: their labels and records decide weights and samplers.
    classes
        Outputs of the model. With more than two there are no guards and no adaptive weights, and
        a sampler makes the class weights uniform.
    forward
        How beats run through the model, for instance on a noisy chip.
    after_step
        What happens after every step, for instance tracking gains.
    """
    plan = resolve(balance, guards, classes)
    sampler = _sampler(plan, balance, examples, classes)
    sampled = not isinstance(sampler, Shuffled)
    weigh = _class_weights(plan, balance, examples, classes)
    if classes > 2 and sampled:
        weigh = uniform_weights  # no double balancing
    weight = None
    if balance.patient_weight:
        weight = patient_weights(examples.label, examples.record, cap=balance.patient_cap)
    return Parts(
        sampler,
        forward=forward,
        loss=label_loss(loss, examples.label, classes, weight),
        class_weights=weigh,
        augment=augmenter(augmentation),
        guards=_guards(plan, guards)
        if classes == 2 and (sampled or weigh is not uniform_weights)
        else (),
        after_step=after_step,
    )


def _class_weights(plan: Plan, balance: Balance, examples: Examples, classes: int) -> ClassWeights:
    if plan.class_weights == "none" and not (plan.adaptive or plan.rescue):
        return uniform_weights
    target = class_weights(balance, plan.class_weights, examples.label, classes)
    gain = balance.adaptive_gain * balance.strength if plan.adaptive else 0.0
    return RampedWeights(
        tuple(target.tolist()), plan.ratio_cap, plan.ramp, gain, balance.adaptive_cap
    )


def _sampler(plan: Plan, balance: Balance, examples: Examples, classes: int) -> Sampler:
    label = examples.label
    abnormal = float((label > 0).float().mean())
    if plan.sampler == "patient":
        weight = patient_weights(label, examples.record, cap=balance.patient_cap)
        return PatientSampler(weight**balance.strength, plan.ramp)
    if plan.sampler == "balanced" and abnormal < balance.balanced_below:
        return BalancedBatches(label, classes, plan.ramp)
    if plan.sampler == "weighted" and abnormal < balance.auto_ratio:
        if classes == 2:
            return WeightedSampler(label, (1.0, balance.boost**balance.strength), plan.ramp)
        often = inverse_frequency(label, classes, power=0.5 * balance.strength)
        rate = often / often.min()
        return WeightedSampler(label, tuple(rate.tolist()), plan.ramp, share_cap=0.75)
    return Shuffled(len(label))


def _guards(plan: Plan, guards: GuardSettings) -> tuple[Guard, ...]:
    collapse = (CollapseGuard(guards, plan.ramp),) if guards.collapse else ()
    rescue = (RecallRescue(guards, plan.ramp),) if plan.rescue else ()
    return (*collapse, *rescue)

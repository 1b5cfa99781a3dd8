"""Presets: what each means, that the default means nothing, and that strength scales them all."""

import numpy as np
import pytest
import torch

from ecgphoton.legacy.balance import (
    Balance,
    BalancedBatches,
    PatientSampler,
    Ramp,
    RampedWeights,
    WeightedSampler,
)
from ecgphoton.legacy.guards import CollapseGuard, GuardSettings, RecallRescue
from ecgphoton.training.assemble import assemble, resolve
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.losses import LossSettings
from ecgphoton.training.parts import (
    Control,
    Parts,
    Shuffled,
    cross_entropy,
    uniform_weights,
)

LATE = 50  # an epoch at full ramp


def parts_of(examples, balance, guards=None, classes=2):
    """Assemble without augmentation and special losses."""
    return assemble(
        balance,
        guards or GuardSettings(),
        Augmentation(),
        LossSettings(),
        examples=examples,
        classes=classes,
    )


def test_the_defaults_are_the_null_objects(toy):
    """Stable is plain cross-entropy on shuffled beats, without guards."""
    examples = toy(100)
    assert parts_of(examples, Balance()) == Parts(Shuffled(100))


def test_presets_compose_what_they_say(toy):
    """Balanced has weight, sampler and collapse guard; full adapts and rescues as well."""
    examples = toy(200)
    balanced, full = (parts_of(examples, Balance(name)) for name in ("balanced", "full"))
    for parts in (balanced, full):
        assert isinstance(parts.sampler, WeightedSampler)
        assert parts.class_weights(LATE, Control()).tolist() == pytest.approx([1, 1.3])
        assert parts.class_weights(4, Control()) is None
    missing = Control(miss_ema=0.5)
    assert balanced.class_weights(LATE, missing).tolist() == pytest.approx([1, 1.3])
    assert full.class_weights(LATE, missing).tolist() == pytest.approx([1, 2.0])  # ratio cap
    assert [type(guard) for guard in balanced.guards] == [CollapseGuard]
    assert [type(guard) for guard in full.guards] == [CollapseGuard, RecallRescue]


@pytest.mark.parametrize("preset", ["balanced", "full"])
def test_strength_zero_is_no_strategy_in_effect(toy, preset):
    """At strength 0 weights are 1 and the abnormal share is the natural one, whatever is missed."""
    parts = parts_of(toy(200), Balance(preset, strength=0.0))
    weight = parts.class_weights(LATE, Control(miss_ema=1.0))
    assert weight.tolist() == [1, 1]
    assert parts.sampler.rate == (1.0, 1.0)
    assert not any(isinstance(guard, RecallRescue) for guard in parts.guards)


def test_strength_scales_weight_and_boost_together(toy):
    """Stronger means more of both, weaker less of both."""
    weights, boosts = [], []
    for strength in (0.5, 1.0, 2.0):
        parts = parts_of(toy(200), Balance("balanced", strength=strength, ratio_cap=10.0))
        weights.append(float(parts.class_weights(LATE, Control())[1]))
        boosts.append(parts.sampler.rate[1])
    assert weights == pytest.approx([1.3**0.5, 1.3, 1.3**2])
    assert boosts == pytest.approx([1.1**0.5, 1.1, 1.1**2])


def test_single_settings_win_over_the_preset(toy):
    """Each strategy can be chosen by name whatever the preset."""
    examples = toy(200)
    for sampler, kind in (
        ("none", Shuffled),
        ("weighted", WeightedSampler),
        ("balanced", BalancedBatches),
        ("patient", PatientSampler),
    ):
        assert isinstance(parts_of(examples, Balance("full", sampler=sampler)).sampler, kind)
    off = parts_of(examples, Balance("full", class_weights="none", adaptive="off", sampler="none"))
    assert isinstance(off.class_weights, RampedWeights)  # the rescue needs something to raise
    assert off.class_weights(LATE, Control()).tolist() == [1, 1]
    assert off.class_weights(LATE, Control(weight_scale=1.2)).tolist() == pytest.approx([1, 1.2])
    quiet = GuardSettings(rescue="off", collapse=False)
    bare = Balance("full", class_weights="none", adaptive="off", sampler="none")
    assert parts_of(examples, bare, quiet).class_weights is uniform_weights


def test_samplers_rest_where_classes_are_balanced(toy):
    """With enough abnormal beats neither the weighted nor the balanced sampler acts."""
    even = toy(400, abnormal=0.5)
    for sampler in ("weighted", "balanced"):
        assert isinstance(parts_of(even, Balance(sampler=sampler)).sampler, Shuffled)


def test_four_classes_have_ramped_inverse_weights_and_no_guards(toy):
    """Every preset is inverse frequency, capped at 5, reached over 8 epochs, without guards."""
    examples = toy(400, classes=4, abnormal=0.3)
    for preset in ("stable", "balanced", "full"):
        parts = parts_of(examples, Balance(preset), classes=4)
        assert parts.guards == ()
        assert isinstance(parts.sampler, Shuffled)
        assert parts.loss is cross_entropy
        first, last = (parts.class_weights(epoch, Control()) for epoch in (0, 7))
        counts = torch.bincount(examples.label).float()
        assert last.tolist() == pytest.approx((counts.max() / counts).clamp(max=5).tolist())
        assert first.tolist() == pytest.approx((1 + (last - 1) / 8).tolist())


def test_four_classes_are_not_balanced_twice(toy):
    """A sampler makes the class weights uniform."""
    examples = toy(400, classes=4, abnormal=0.3)
    for sampler in ("weighted", "balanced", "patient"):
        parts = parts_of(examples, Balance(sampler=sampler), classes=4)
        assert not isinstance(parts.sampler, Shuffled)
        assert parts.class_weights is uniform_weights


def test_warm_up_and_ramp_follow_the_number_of_classes_unless_given():
    """5 and 5 for two classes, 0 and 8 for more; explicit numbers win."""
    assert resolve(Balance(), GuardSettings(), 2).ramp == Ramp(5, 5)
    assert resolve(Balance(), GuardSettings(), 4).ramp == Ramp(0, 8)
    assert resolve(Balance(warm_up=0, ramp=1), GuardSettings(), 4).ramp == Ramp(0, 1)


def test_patient_weight_is_part_of_the_loss(toy):
    """A record with few beats weighs more, in the loss and without a sampler."""
    examples = toy(300)
    record = np.where(np.arange(300) < 20, "small", "large")
    examples = type(examples)(examples.inputs, examples.label, record)
    parts = parts_of(examples, Balance(patient_weight=True))
    assert isinstance(parts.sampler, Shuffled)
    weight = parts.loss.beat_weight
    assert weight[:20].mean() > 2 * weight[20:].mean()

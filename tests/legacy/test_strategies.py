"""Presets: what each means, that the default means nothing, and that strength scales them all."""

import math

import pytest
import torch
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.legacy.guards import CollapseGuard, GuardSettings, Memory, RecallRescue
from ecgphoton.legacy.samplers import BalancedBatches, PatientSampler, WeightedSampler
from ecgphoton.legacy.strategies import AdaptiveWeights, LossSettings, Strategies, extended
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance, Ramp
from ecgphoton.training.parts import Control, Parts, Shuffled, cross_entropy, uniform_weights

LATE = 50  # an epoch at full ramp


def parts_of(examples, strategies, guards=None, classes=2, balance=None):
    """Assemble without augmentation and special losses."""
    balance = balance or Balance()
    return extended(
        assemble(balance, Augmentation(), examples=examples, classes=classes),
        strategies,
        guards or GuardSettings(),
        LossSettings(),
        balance=balance,
        examples=examples,
        classes=classes,
    )


def raised(**memory):
    """Control that carries a memory of the strategies."""
    return Memory(**memory).kept_in(Control())


def test_the_defaults_are_the_null_objects(toy):
    """Stable is plain cross-entropy on shuffled beats, without guards."""
    examples = toy(100)
    assert parts_of(examples, Strategies()) == Parts(Shuffled(100))


def test_presets_compose_what_they_say(toy):
    """Balanced has weight, sampler and collapse guard; full adapts and rescues as well."""
    examples = toy(200)
    balanced, full = (parts_of(examples, Strategies(name)) for name in ("balanced", "full"))
    for parts in (balanced, full):
        assert isinstance(parts.sampler, WeightedSampler)
        assert parts.class_weights(LATE, Control()).tolist() == pytest.approx([1, 1.3])
        assert parts.class_weights(4, Control()) is None
    missing = Control(miss_ema=0.5)
    assert balanced.class_weights(LATE, missing).tolist() == pytest.approx([1, 1.3])
    assert full.class_weights(LATE, missing).tolist() == pytest.approx([1, 2.0])  # ratio cap
    assert [type(guard) for guard in balanced.after_epoch] == [CollapseGuard]
    assert [type(guard) for guard in full.after_epoch] == [CollapseGuard, RecallRescue]


@pytest.mark.parametrize("preset", ["balanced", "full"])
def test_strength_zero_is_no_strategy_in_effect(toy, preset):
    """At strength 0 weights are 1 and the abnormal share is the natural one, whatever is missed."""
    parts = parts_of(toy(200), Strategies(preset, strength=0.0))
    weight = parts.class_weights(LATE, Control(miss_ema=1.0))
    assert weight.tolist() == [1, 1]
    assert parts.sampler.rate == (1.0, 1.0)
    assert not any(isinstance(guard, RecallRescue) for guard in parts.after_epoch)


def test_strength_scales_weight_and_boost_together(toy):
    """Stronger means more of both, weaker less of both."""
    weights, boosts = [], []
    for strength in (0.5, 1.0, 2.0):
        parts = parts_of(
            toy(200), Strategies("balanced", strength=strength), balance=Balance(ratio_cap=10.0)
        )
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
        assert isinstance(parts_of(examples, Strategies("full", sampler=sampler)).sampler, kind)
    bare, none = Strategies("full", adaptive="off", sampler="none"), Balance(class_weights="none")
    off = parts_of(examples, bare, balance=none)
    assert isinstance(off.class_weights, AdaptiveWeights)  # the rescue needs something to raise
    assert off.class_weights(LATE, Control()).tolist() == [1, 1]
    assert off.class_weights(LATE, raised(weight_scale=1.2)).tolist() == pytest.approx([1, 1.2])
    quiet = GuardSettings(rescue="off", collapse="off")
    assert parts_of(examples, bare, quiet, balance=none).class_weights is uniform_weights


def test_samplers_rest_where_classes_are_balanced(toy):
    """With enough abnormal beats neither the weighted nor the balanced sampler acts."""
    even = toy(400, abnormal=0.5)
    for sampler in ("weighted", "balanced"):
        assert isinstance(parts_of(even, Strategies(sampler=sampler)).sampler, Shuffled)


def test_four_classes_have_ramped_inverse_weights_and_no_guards(toy):
    """Every preset is inverse frequency, capped at 5, reached over 8 epochs, without guards."""
    examples = toy(400, classes=4, abnormal=0.3)
    for preset in ("stable", "balanced", "full"):
        parts = parts_of(examples, Strategies(preset), classes=4)
        assert parts.after_epoch == ()
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
        parts = parts_of(examples, Strategies(sampler=sampler), classes=4)
        assert not isinstance(parts.sampler, Shuffled)
        assert parts.class_weights is uniform_weights


def test_without_switches_the_wing_changes_no_class_weight(toy):
    """With the default strategies the weights of an epoch are those of the plain run, bit for bit.

    Only the collapse guard comes with them.
    """
    examples, balance = toy(200), Balance(class_weights="fixed", abnormal=4, ratio_cap=4)
    plain = assemble(balance, Augmentation(), examples=examples, classes=2)
    parts = parts_of(examples, Strategies(), balance=balance)
    for epoch in range(12):
        mine, theirs = (one.class_weights(epoch, Control()) for one in (parts, plain))
        assert (mine is None) == (theirs is None)
        assert mine is None or torch.equal(mine, theirs)
    assert [type(hook) for hook in parts.after_epoch] == [CollapseGuard]


@given(st.floats(0, 1), st.floats(0.1, 5), st.floats(1, 20))
def test_adaptive_weights_never_exceed_the_ratio_cap(miss, strength, cap):
    """Whatever is missed, weights are positive and their ratio is capped."""
    weigh = AdaptiveWeights((1.0, 1.3**strength), cap, Ramp(0, 0), gain=1.8, gain_cap=2.0)
    weight = weigh(0, Memory(weight_scale=1.7).kept_in(Control(miss_ema=miss)))
    assert (weight > 0).all()
    assert weight.max() / weight.min() <= cap * (1 + 1e-5)


def test_adaptive_weight_grows_with_the_miss_rate_up_to_twice():
    """More missed, more weight, never more than twice the base; nothing missed, nothing added."""
    weigh = AdaptiveWeights((1.0, 1.3), 10.0, Ramp(0, 0), gain=1.8, gain_cap=2.0)
    values = [float(weigh(0, Control(miss_ema=m))[1]) for m in (0.0, 0.1, 0.3, 0.6, 1.0)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(1.3)
    assert values[-1] == pytest.approx(2.6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("preset", "fierce"),
        ("strength", -1.0),
        ("strength", math.nan),
        ("sampler", "random"),
        ("boost", 0.9),
        ("auto_ratio", 2.0),
        ("balanced_below", 0.9),
        ("adaptive", "yes"),
        ("adaptive_gain", math.inf),
        ("adaptive_cap", 0.5),
    ],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"strategies\.{name} is {value!r}"):
        Strategies(**{name: value})

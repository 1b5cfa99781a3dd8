"""Imbalance strategies: how much, from when, and never more than the cap."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgphoton.errors import InputError
from ecgphoton.legacy.balance import (
    Balance,
    BalancedBatches,
    PatientSampler,
    Ramp,
    RampedWeights,
    WeightedSampler,
    class_weights,
    inverse_frequency,
    patient_weights,
)
from ecgphoton.training.parts import Control

NOW = Ramp(0, 0)


def generator(seed=0):
    """Fresh generator."""
    return torch.Generator().manual_seed(seed)


def labels(*counts):
    """Labels with so many beats of each class."""
    return torch.cat([torch.full((count,), index) for index, count in enumerate(counts)])


def test_ramp_is_zero_in_warm_up_then_linear_then_one():
    """Five epochs of nothing, five of growing, and full strength from the tenth on."""
    shares = [Ramp(5, 5)(epoch, Control()) for epoch in range(12)]
    assert shares == pytest.approx([0] * 5 + [0.2, 0.4, 0.6, 0.8, 1, 1, 1])
    assert [Ramp(2, 0)(epoch, Control()) for epoch in range(4)] == [0, 0, 1, 1]


def test_ramp_obeys_control():
    """A guard moves the start of the ramp; a lock stops it for good."""
    assert Ramp(5, 5)(3, Control(ramp_start=3)) == pytest.approx(0.2)
    assert Ramp(0, 1)(9, Control(ramp_start=12)) == 0
    assert Ramp(0, 0)(100, Control(locked=True)) == 0


@given(
    st.lists(st.integers(0, 5000), min_size=2, max_size=5),
    st.floats(0, 1),
    st.floats(1, 20),
    st.floats(0, 1),
    st.floats(0.1, 5),
)
def test_weights_never_exceed_the_ratio_cap(counts, power, cap, miss, strength):
    """Whatever is counted, asked for and missed, weights are positive and their ratio capped."""
    balance = Balance(power=power, strength=strength)
    target = class_weights(balance, "inverse", labels(1, *counts[1:]), len(counts))
    weigh = RampedWeights(tuple(target.tolist()), cap, NOW, gain=1.8, gain_cap=2.0)
    weight = weigh(0, Control(miss_ema=miss, weight_scale=1.7))
    assert (weight > 0).all()
    assert weight.max() / weight.min() <= cap * (1 + 1e-5)


def test_weights_ramp_from_one_to_the_target():
    """Nothing acts in warm-up; half-way the weight is half-way; then it is the target."""
    weigh = RampedWeights((1.0, 1.3), 2.0, Ramp(2, 2))
    assert weigh(1, Control()) is None
    assert weigh(2, Control()).tolist() == pytest.approx([1, 1.15])
    assert weigh(9, Control()).tolist() == pytest.approx([1, 1.3])


def test_adaptive_weight_grows_with_the_miss_rate_up_to_twice():
    """More missed, more weight, never more than twice the base; nothing missed, nothing added."""
    weigh = RampedWeights((1.0, 1.3), 10.0, NOW, gain=1.8, gain_cap=2.0)
    values = [float(weigh(0, Control(miss_ema=m))[1]) for m in (0.0, 0.1, 0.3, 0.6, 1.0)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(1.3)
    assert values[-1] == pytest.approx(2.6)


def test_inverse_frequency_gives_classes_the_same_total():
    """Power 1 balances exactly, power 0 not at all; the mean weight is 1."""
    label = labels(900, 90, 10)
    weight = inverse_frequency(label, 3)
    assert (weight * torch.bincount(label)).tolist() == pytest.approx([float(weight[0]) * 900] * 3)
    assert inverse_frequency(label, 3, power=0).tolist() == [1, 1, 1]
    assert float(weight.mean()) == pytest.approx(1)


def test_strength_scales_in_the_exponent():
    """Strength 0 is no weight, 1 the weight, 2 its square; weights stay positive."""
    label = labels(90, 10)
    for strength, expected in ((0, 1.0), (1, 1.3), (2, 1.69)):
        weight = class_weights(Balance(strength=strength), "fixed", label, 2)
        assert weight.tolist() == pytest.approx([1, expected])


def test_patient_weights_give_every_record_and_class_the_same_total():
    """Without a cap each (record, class) weighs as much as any other; the mean is 1."""
    record = np.array(["a"] * 50 + ["b"] * 10)
    label = torch.tensor([0] * 40 + [1] * 10 + [0] * 9 + [1])
    weight = patient_weights(label, record, cap=1e6)
    groups = [weight[:40], weight[40:50], weight[50:59], weight[59:]]
    assert [float(group.sum()) for group in groups] == pytest.approx([15] * 4, rel=1e-5)
    assert float(weight.mean()) == pytest.approx(1)


@given(st.integers(0, 1000), st.floats(1, 50))
def test_patient_weights_stay_within_their_cap(seed, cap):
    """No beat counts more than `cap` times, or less than 1 / cap of, the mean."""
    draw = np.random.default_rng(seed)
    record = draw.choice(["a", "b", "c"], 200, p=[0.9, 0.09, 0.01])
    label = torch.as_tensor(draw.integers(0, 4, 200))
    weight = patient_weights(label, record, cap=cap)
    assert weight.min() >= 1 / cap - 1e-6
    assert weight.max() <= cap + 1e-6


def test_samplers_are_plain_shuffles_in_warm_up():
    """Before the ramp every beat comes exactly once, in the order the plain shuffle gives."""
    label = labels(90, 10)
    later = Ramp(5, 5)
    plain = torch.randperm(100, generator=generator())
    for sampler in (
        WeightedSampler(label, (1.0, 5.0), later),
        PatientSampler(torch.ones(100), later),
        BalancedBatches(label, 2, later),
    ):
        assert torch.equal(sampler(0, Control(), generator()), plain)


def test_weighted_sampler_draws_the_share_its_boost_says():
    """The abnormal share follows boost / (boost + odds), within five standard errors."""
    label = labels(18_000, 2_000)
    order = WeightedSampler(label, (1.0, 3.0), NOW)(0, Control(), generator())
    assert len(order) == len(label)
    expected = 6000 / 24000
    error = math.sqrt(expected * (1 - expected) / len(label))
    assert float(label[order].float().mean()) == pytest.approx(expected, abs=5 * error)


def test_weighted_sampler_never_passes_half():
    """However often rescues raise the boost, abnormal beats are at most half, on average."""
    label = labels(18_000, 2_000)
    control = Control(boost_scale=1000.0)
    order = WeightedSampler(label, (1.0, 3.0), NOW)(0, control, generator())
    assert float(label[order].float().mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("size", [8, 32, 100])
@pytest.mark.parametrize("counts", [(950, 50), (500, 300, 150, 50)])
def test_every_balanced_batch_is_balanced(size, counts):
    """In a batch of any size each class has its share, give or take one beat."""
    label = labels(*counts)
    order = BalancedBatches(label, len(counts), NOW)(0, Control(), generator())
    assert len(order) == len(label)
    for batch in torch.split(order, size):
        share = torch.bincount(label[batch], minlength=len(counts))
        assert (share - len(batch) / len(counts)).abs().max() <= 1


def test_balanced_batches_use_every_rare_beat_before_repeating_one():
    """Over an epoch rare beats come equally often, and common ones at most once."""
    label = labels(950, 50)
    order = BalancedBatches(label, 2, NOW)(0, Control(), generator())
    times = torch.bincount(order, minlength=1000)
    assert times[:950].max() == 1
    assert (times[950:] == 10).all()


def test_balanced_batches_ramp_from_the_natural_share():
    """Half-way up the ramp the abnormal share is half-way between natural and one half."""
    label = labels(900, 100)
    order = BalancedBatches(label, 2, Ramp(0, 2))(0, Control(), generator())
    assert float(label[order].float().mean()) == pytest.approx(0.3, abs=0.002)


def test_patient_sampler_draws_records_alike():
    """A patient with a tenth of the beats is drawn as often as the others."""
    record = np.array(["a"] * 9000 + ["b"] * 1000)
    label = torch.zeros(10_000, dtype=torch.int64)
    sampler = PatientSampler(patient_weights(label, record, cap=100), NOW)
    drawn = record[sampler(0, Control(), generator()).numpy()]
    assert (drawn == "b").mean() == pytest.approx(0.5, abs=5 * 0.5 / 100)


def test_samplers_depend_on_their_generator_alone():
    """The same generator state gives the same epoch."""
    label = labels(90, 10)
    for sampler in (
        WeightedSampler(label, (1.0, 5.0), NOW),
        PatientSampler(torch.ones(100), NOW),
        BalancedBatches(label, 2, NOW),
    ):
        first, again, other = (sampler(3, Control(), generator(seed)) for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("preset", "fierce"),
        ("strength", -1.0),
        ("strength", math.nan),
        ("class_weights", "heavy"),
        ("abnormal", 0.0),
        ("power", 1.5),
        ("clip", 0.5),
        ("ratio_cap", 0.5),
        ("sampler", "random"),
        ("boost", 0.9),
        ("auto_ratio", 2.0),
        ("balanced_below", 0.9),
        ("patient_cap", 0.0),
        ("warm_up", -2),
        ("ramp", -2),
        ("adaptive", "yes"),
        ("adaptive_gain", math.inf),
        ("adaptive_cap", 0.5),
    ],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"balance\.{name} is {value!r}"):
        Balance(**{name: value})

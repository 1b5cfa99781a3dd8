"""Class and patient weights: how much, from when, and never more than the cap."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.training.balance import (
    Balance,
    Ramp,
    RampedWeights,
    class_weights,
    inverse_frequency,
    patient_weights,
)
from ecgphoton.training.parts import Control


def labels(*counts):
    """Labels with so many beats of each class."""
    return torch.cat([torch.full((count,), index) for index, count in enumerate(counts)])


def test_ramp_is_zero_in_warm_up_then_linear_then_one():
    """Five epochs of nothing, five of growing, and full strength from the tenth on."""
    shares = [Ramp(5, 5)(epoch) for epoch in range(12)]
    assert shares == pytest.approx([0] * 5 + [0.2, 0.4, 0.6, 0.8, 1, 1, 1])
    assert [Ramp(2, 0)(epoch) for epoch in range(4)] == [0, 0, 1, 1]


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=5), st.floats(0, 1), st.floats(1, 20))
def test_weights_never_exceed_the_ratio_cap(counts, power, cap):
    """Whatever is counted and asked for, weights are positive and their ratio is capped."""
    balance = Balance(class_weights="inverse", power=power)
    target = class_weights(balance, labels(1, *counts[1:]), len(counts))
    weight = RampedWeights(tuple(target.tolist()), cap, Ramp(0, 0))(0, Control())
    assert (weight > 0).all()
    assert weight.max() / weight.min() <= cap * (1 + 1e-5)


def test_weights_ramp_from_one_to_the_target():
    """Nothing acts in warm-up; half-way the weight is half-way; then it is the target."""
    weigh = RampedWeights((1.0, 1.3), 2.0, Ramp(2, 2))
    assert weigh(1, Control()) is None
    assert weigh(2, Control()).tolist() == pytest.approx([1, 1.15])
    assert weigh(9, Control()).tolist() == pytest.approx([1, 1.3])


def test_inverse_frequency_gives_classes_the_same_total():
    """Power 1 balances exactly, power 0 not at all; the mean weight is 1."""
    label = labels(900, 90, 10)
    weight = inverse_frequency(label, 3)
    assert (weight * torch.bincount(label)).tolist() == pytest.approx([float(weight[0]) * 900] * 3)
    assert inverse_frequency(label, 3, power=0).tolist() == [1, 1, 1]
    assert float(weight.mean()) == pytest.approx(1)


def test_warm_up_ramp_and_cap_follow_the_number_of_classes_unless_given():
    """5, 5 and 2 for two classes, 0, 8 and 5 for more; explicit numbers win."""
    assert (Balance().ramp_for(2), Balance().cap(2)) == (Ramp(5, 5), 2)
    assert (Balance().ramp_for(4), Balance().cap(4)) == (Ramp(0, 8), 5)
    given = Balance(warm_up=0, ramp=1, ratio_cap=30)
    assert (given.ramp_for(4), given.cap(4)) == (Ramp(0, 1), 30)


@pytest.mark.parametrize(
    ("named", "two", "four"),
    [
        ("auto", "none", "inverse"),
        ("none", "none", "none"),
        ("fixed", "fixed", "inverse"),
        ("inverse", "inverse", "inverse"),
    ],
)
def test_class_weights_by_number_of_classes(named, two, four):
    """Without a name two classes have none and more have inverse frequency."""
    balance = Balance(class_weights=named)
    assert (balance.mode(2), balance.mode(4)) == (two, four)


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("class_weights", "heavy"),
        ("abnormal", 0.0),
        ("abnormal", math.nan),
        ("power", 1.5),
        ("clip", 0.5),
        ("ratio_cap", 0.5),
        ("patient_cap", 0.0),
        ("warm_up", -2),
        ("ramp", -2),
    ],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"balance\.{name} is {value!r}"):
        Balance(**{name: value})

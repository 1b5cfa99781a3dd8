"""Samplers: which beats they draw, from when, and never more than their cap."""

import math

import numpy as np
import pytest
import torch

from ecgphoton.legacy.guards import Memory, share_of
from ecgphoton.legacy.samplers import BalancedBatches, PatientSampler, WeightedSampler
from ecgphoton.training.balance import Ramp, patient_weights
from ecgphoton.training.parts import Control

NOW = Ramp(0, 0)


def generator(seed=0):
    """Fresh generator."""
    return torch.Generator().manual_seed(seed)


def state(**memory):
    """Control that carries a memory of the strategies."""
    return Memory(**memory).kept_in(Control())


def labels(*counts):
    """Labels with so many beats of each class."""
    return torch.cat([torch.full((count,), index) for index, count in enumerate(counts)])


def test_ramp_obeys_control():
    """A guard moves the start of the ramp; a lock stops it for good."""
    assert share_of(Ramp(5, 5), 3, state(ramp_start=3)) == pytest.approx(0.2)
    assert share_of(Ramp(0, 1), 9, state(ramp_start=12)) == 0
    assert share_of(Ramp(0, 0), 100, state(locked=True)) == 0


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
    control = state(boost_scale=1000.0)
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

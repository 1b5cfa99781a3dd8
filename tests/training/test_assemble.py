"""Assembling: the defaults are null objects, and each setting brings its piece."""

import numpy as np
import pytest
import torch

from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation, Augmented
from ecgphoton.training.balance import Balance
from ecgphoton.training.parts import Control, Parts, Shuffled, cross_entropy


def test_the_defaults_are_the_null_objects(toy):
    """Two classes: plain cross-entropy on shuffled beats."""
    parts = assemble(Balance(), Augmentation(), examples=toy(100), classes=2)
    assert parts == Parts(Shuffled(100))


def test_augmentation_and_fixed_weights_come_when_asked_for(toy):
    """The abnormal weight is reached after warm-up and ramp."""
    balance = Balance(class_weights="fixed", abnormal=4, ratio_cap=4, warm_up=0, ramp=2)
    parts = assemble(balance, Augmentation(noise=0.1), examples=toy(100), classes=2)
    assert isinstance(parts.augment, Augmented)
    weights = [parts.class_weights(epoch, Control()).tolist() for epoch in (0, 1, 9)]
    assert weights == [pytest.approx([1, x]) for x in (2.5, 4, 4)]


def test_four_classes_have_ramped_inverse_weights(toy):
    """Inverse frequency, capped at 5, reached over 8 epochs, with plain cross-entropy."""
    examples = toy(400, classes=4, abnormal=0.3)
    parts = assemble(Balance(), Augmentation(), examples=examples, classes=4)
    assert parts.loss is cross_entropy
    first, last = (parts.class_weights(epoch, Control()) for epoch in (0, 7))
    counts = torch.bincount(examples.label).float()
    assert last.tolist() == pytest.approx((counts.max() / counts).clamp(max=5).tolist())
    assert first.tolist() == pytest.approx((1 + (last - 1) / 8).tolist())


def test_patient_weight_is_part_of_the_loss(toy):
    """A record with few beats weighs more, in the loss and without a sampler."""
    examples = toy(300)
    record = np.where(np.arange(300) < 20, "small", "large")
    examples = type(examples)(examples.inputs, examples.label, record)
    parts = assemble(Balance(patient_weight=True), Augmentation(), examples=examples, classes=2)
    assert isinstance(parts.sampler, Shuffled)
    weight = parts.loss.beat_weight
    assert weight[:20].mean() > 2 * weight[20:].mean()

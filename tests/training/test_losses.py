"""The weighted loss, with torch's own cross-entropy as oracle."""

import pytest
import torch
from batches import batch, value
from torch import nn

from ecgphoton.training.assemble import WeightedLoss
from ecgphoton.training.parts import Batch, Control


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 3.0])])
def test_without_beat_weights_it_is_torch_cross_entropy(weight):
    """With or without class weights the loss is torch's."""
    given = batch(weight=weight)
    oracle = nn.functional.cross_entropy(given.logits, given.label, weight=weight).detach()
    assert float(value(WeightedLoss(), given)) == pytest.approx(float(oracle), rel=1e-6)


def test_a_beat_of_weight_two_counts_like_two_beats():
    """Integer beat weights are repetition."""
    given = batch(8)
    weight = torch.tensor([1.0, 2, 1, 3, 1, 1, 2, 1])
    mine = value(WeightedLoss(weight), given)
    rows = torch.arange(8).repeat_interleave(weight.long())
    oracle = nn.functional.cross_entropy(given.logits[rows], given.label[rows])
    assert float(mine) == pytest.approx(float(oracle.detach()), rel=1e-6)


def test_beat_weights_follow_the_index_of_the_batch():
    """Weights belong to rows of the training set, not to places in the batch."""
    given = batch(4)
    weight = torch.zeros(10)
    weight[7] = 1.0
    moved = Batch(
        given.logits, given.feature, given.label, torch.tensor([2, 7, 5, 0]), None, 0, Control()
    )
    mine = value(WeightedLoss(weight), moved)
    oracle = nn.functional.cross_entropy(given.logits[1:2], given.label[1:2])
    assert float(mine) == pytest.approx(float(oracle.detach()), rel=1e-6)

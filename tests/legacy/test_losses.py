"""Losses: what each reduces to, and torch's own cross-entropy as oracle."""

import math

import pytest
import torch
from batches import batch, value
from torch import nn

from ecgphoton.errors import InputError
from ecgphoton.legacy.strategies import AdjustedLoss, LossSettings, class_shares
from ecgphoton.training.assemble import WeightedLoss
from ecgphoton.training.parts import Batch, Control

PRIOR = torch.tensor([0.9, 0.1])


def loss_of(**settings):
    """Loss of a batch, with every beat weighing the same."""
    return WeightedLoss(None, AdjustedLoss(LossSettings(**settings), PRIOR))


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 3.0])])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_focus_it_is_torch_cross_entropy(weight, smoothing):
    """With or without class weights and smoothing the loss is torch's."""
    given = batch(weight=weight)
    oracle = nn.functional.cross_entropy(given.logits, given.label, weight=weight).detach()
    if smoothing:
        each = nn.functional.cross_entropy(
            given.logits, given.label, reduction="none", label_smoothing=smoothing
        )
        share = torch.ones(64) if weight is None else weight[given.label]
        oracle = (share * each).sum() / share.sum()
    mine = value(loss_of(smoothing=smoothing), given)
    assert float(mine) == pytest.approx(float(oracle.detach()), rel=1e-6)


def test_focal_loss_is_its_formula():
    """The loss of a beat is -(1 - p)^gamma ln p, p being the probability of the true class."""
    given = batch()
    p = torch.softmax(given.logits, 1).gather(1, given.label[:, None])[:, 0]
    oracle = (-((1 - p) ** 2) * p.log()).mean()
    mine = value(loss_of(focal_gamma=2.0), given)
    assert float(mine) == pytest.approx(float(oracle.detach()), rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_gradients_are_finite_even_where_the_network_is_certain(gamma):
    """A beat classified with probability 1 gives no NaN."""
    logits = torch.tensor([[80.0, -80.0], [-80.0, 80.0]], requires_grad=True)
    given = Batch(logits, logits, torch.tensor([0, 0]), torch.arange(2), None, 0, Control())
    loss_of(focal_gamma=gamma)(given)[0].backward()
    assert logits.grad.isfinite().all()


def test_logit_adjustment_asks_more_of_the_rare_class():
    """The loss is cross-entropy of logits plus tau ln prior; rare beats are pushed further up."""
    given = batch()
    oracle = nn.functional.cross_entropy(given.logits + PRIOR.log(), given.label)
    mine = value(loss_of(adjustment=1.0), given)
    assert float(mine) == pytest.approx(float(oracle.detach()), rel=1e-6)
    level = torch.zeros(2, 2, requires_grad=True)
    pair = Batch(level, level, torch.tensor([0, 1]), torch.arange(2), None, 0, Control())
    loss_of(adjustment=1.0)(pair)[0].backward()
    assert -level.grad[1, 1] > -level.grad[0, 0]


def test_prior_is_that_of_the_training_labels():
    """Logit adjustment uses the class shares of the training set; absent classes are finite."""
    shares = class_shares(torch.tensor([0] * 9 + [1]), 3)
    assert shares.tolist() == pytest.approx([9 / 11, 1 / 11, 1 / 11])


@pytest.mark.parametrize(
    ("name", "value"), [("focal_gamma", -1.0), ("adjustment", math.nan), ("smoothing", 1.0)]
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"loss\.{name} is {value!r}"):
        LossSettings(**{name: value})

"""Learning rates and weight averages follow their formulas."""

import numpy as np
import pytest
import torch
from torch import nn

from ecgphoton.training.fit import END, START, WARM_UP, _average, one_cycle


def test_one_cycle_rises_and_falls_once():
    """The rate climbs from START to the peak in WARM_UP of the steps, and ends near END."""
    rates = [one_cycle(step, 1000, 0.03) for step in range(1001)]
    top = int(WARM_UP * 1000)
    assert rates[0] == pytest.approx(START * 0.03)
    assert rates[top] == pytest.approx(0.03)
    assert rates[1000] == pytest.approx(END * 0.03)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert np.abs(np.diff(rates)).max() < 0.03 / 100


def test_weight_average_follows_its_recursion():
    """After k steps the average is decay * average + (1 - decay) * weights, k times."""
    average, model = nn.Linear(3, 2), nn.Linear(3, 2)
    expected = average.weight.detach().clone()
    for step in range(5):
        with torch.no_grad():
            model.weight.fill_(float(step))
        _average(average, model, 0.8)
        expected = 0.8 * expected + 0.2 * step
    assert torch.allclose(average.weight, expected)

"""Adam moves parameters by its published law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ecgphoton.training.adam import Adam


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_every_step_is_that_of_the_law(decay: float) -> None:
    """Moments, their corrections and the decay are those of the paper, at a changing rate.

    A parameter without a gradient stays, and has no moments.
    """
    moved, other = nn.Parameter(torch.tensor([0.5, -2.0, 0.0])), nn.Parameter(torch.ones(2))
    optimiser = Adam([other, moved], decay)
    value, first, second = moved.detach().double().numpy().copy(), np.zeros(3), np.zeros(3)
    gradients = np.random.default_rng(0).normal(size=(5, 3))
    for step, (gradient, rate) in enumerate(
        zip(gradients, (0.1, 0.2, 0.05, 0.1, 1.0), strict=True)
    ):
        moved.grad = torch.tensor(gradient, dtype=torch.float32)
        optimiser.step(rate)
        gradient = gradient + decay * value
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        mean, spread = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.999 ** (step + 1))
        value = value - rate * mean / (np.sqrt(spread) + 1e-8)
        np.testing.assert_allclose(moved.detach().numpy(), value, rtol=1e-5, atol=1e-6)
    assert torch.equal(other, torch.ones(2))
    assert list(optimiser.state) == [1]

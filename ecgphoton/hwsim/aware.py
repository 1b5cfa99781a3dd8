"""Noise-aware training: every batch runs on a fresh chip, through the Monte Carlo's own code."""

from typing import cast

import torch
from torch import Tensor, nn

from ecgphoton.hwsim.propagate import ChipDetector, plan_powers
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.weights import Chips
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs, Stack
from ecgphoton.training.parts import Forward


def noisy_stack(
    stack: Stack, sigma: float, generator: torch.Generator, *, scale: float = 1.0, chips: int = 1
) -> Stack:
    """Return fresh chips for noise-aware training: weights and biases plus N(0, sigma), clamped.

    Parameters
    ----------
    stack
        The student's own, one chip.
    sigma
        Static noise of every programmed weight and bias.
    scale
        Largest magnitude a weight can have: chips are clamped to [-scale, scale], and so is the
        gradient.

    Returns
    -------
    Stack
        `chips` chips, differentiable in `stack`.
    """

    def drawn(part: Tensor) -> Tensor:
        many = part.expand(chips, *part.shape[1:])
        if sigma == 0:
            return many
        return many + sigma * torch.randn(many.shape, generator=generator, dtype=torch.float32)

    return Stack(drawn(stack.matrices), drawn(stack.biases), stack.gains).clamped(scale)


def noisy_forward(weight: float, detector: float) -> Forward:
    """Return a forward pass on a chip drawn anew for each batch.

    Parameters
    ----------
    weight
        Standard deviation of the static error of every weight and bias; the sum is clamped.
    detector
        Standard deviation of the noise of every detector reading, fraction of full scale.
    """

    def forward(
        model: nn.Module, inputs: Inputs, generator: torch.Generator, /
    ) -> tuple[Tensor, Tensor]:
        student = cast("SegmentStudent", model)
        stack = noisy_stack(student.stack(), weight, generator, scale=student.architecture.scale)
        reader = None
        if detector > 0:
            additive = torch.full(stack.biases.shape, detector, dtype=torch.float32)
            reader = ChipDetector(
                Readout(student.architecture.response),
                Chips(stack, additive),
                plan_powers(stack, additive),
                len(inputs),
                (generator,),
                beats=len(inputs),
            )
        logits, h_pool = student.run(inputs, stack=stack, detector=reader)
        return logits[0], h_pool[0]

    return forward

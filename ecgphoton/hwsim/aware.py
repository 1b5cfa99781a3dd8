"""Noise-aware training: every batch runs on a fresh chip, through the Monte Carlo's own code."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ecgphoton.hwsim.propagate import ChipDetector, noisy_stack, plan_powers
from ecgphoton.hwsim.readout import Readout
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.parts import Forward


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
            additive = torch.full(stack.biases.shape, detector)
            reader = ChipDetector(
                Readout(student.architecture.response),
                additive,
                plan_powers(stack, additive),
                len(inputs),
                (generator,),
                beats=len(inputs),
            )
        logits, h_pool = student.run(inputs, stack=stack, detector=reader)
        return logits[0], h_pool[0]

    return forward

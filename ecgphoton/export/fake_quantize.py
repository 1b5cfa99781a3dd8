"""Rounding inside the shared propagation, with straight-through gradients.

`QuantDetector` is a `Detector` like the ideal and the noisy ones, so a student is fine-tuned for
its code widths by the one training loop::

    stack = fake_quantised(student.stack(), architecture, quantisation)
    logits, h_pool = student.run(inputs, stack=stack, detector=QuantDetector(...))

Forward values are those of `QuantizedStudent`, which also rounds the middle of a converter to a
unit of its accumulator: a detector code differs by one where it lies within half a unit of a tie.
Gradients treat rounding as the identity and stop where a converter saturates (Bengio, Leonard,
Courville 2013, arXiv:1308.3432).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ecgphoton.export.quantize import Quantisation
from ecgphoton.program.blocks import TABLE_BITS, largest_code
from ecgphoton.student.architecture import WIDTH, Architecture, Branch
from ecgphoton.student.propagate import Activation, Stack, activate, unfold

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def round_through(values: Tensor, step: Tensor | float) -> Tensor:
    """Round to multiples of `step`; the gradient passes unchanged."""
    return values + (torch.round(values / step) * step - values).detach()


def fake_quantised(stack: Stack, architecture: Architecture, quantisation: Quantisation) -> Stack:
    """Return a stack whose weights and biases lie on their code grids, gradients unchanged.

    The full scale of a code is the student's bound, or each block's largest magnitude when the
    student is unbounded, as in `ecgphoton.export.quantize.quantize`.
    """
    full = torch.full_like(stack.biases[..., :1], architecture.scale)
    if not architecture.bounded:
        largest = torch.maximum(stack.matrices.abs().amax((-1, -2)), stack.biases.abs().amax(-1))
        full = largest.detach().clamp_min(1e-6)[..., None]
    weight = round_through(stack.matrices, full[..., None] / largest_code(quantisation.weight_bits))
    bias = round_through(stack.biases, full / largest_code(quantisation.bias_bits))
    return Stack(weight, bias, stack.gains)


class _PooledCodes(torch.autograd.Function):
    """mean over windows of activation(ADC(w . x + b)): `_PooledActivation` with a converter."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch gives it no public type
        weight: Tensor,
        bias: Tensor,
        segment: Tensor,
        branch: Branch,
        activation: Activation,
        converter: tuple[float, float, int],
    ) -> Tensor:
        shifted = unfold(segment, branch.positions)
        z = torch.addmm(bias[:, None], weight, shifted.view(WIDTH, -1))
        value, inside = convert(z, converter)
        value = tabulated(activate(value, activation))
        ctx.save_for_backward(shifted, value, inside)
        ctx.activation, ctx.kernel = activation, branch.kernel
        return value.view(weight.shape[0], segment.shape[0], branch.tokens, branch.kernel).mean(-1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        shifted, value, inside = ctx.saved_tensors
        slope = (1 - value * value) if ctx.activation == "tanh" else (value > 0) & (value < 1)
        slope = (slope * inside).view(*grads[0].shape, ctx.kernel)
        slope = (slope * (grads[0].unsqueeze(-1) / ctx.kernel)).view(value.shape[0], -1)
        return slope @ shifted.view(WIDTH, -1).t(), slope.sum(1), None, None, None, None


def tabulated(values: Tensor) -> Tensor:
    """Round activations to the grid of the table that holds them on the device."""
    return torch.round(values * largest_code(TABLE_BITS)) / largest_code(TABLE_BITS)


def convert(z: Tensor, converter: tuple[float, float, int]) -> tuple[Tensor, Tensor]:
    """Return what an ADC (low, high, bits) reads, and where it does not saturate."""
    low, high, bits = converter
    codes = largest_code(bits)
    middle, step = (low + high) / 2, (high - low) / (2 * codes)
    raw = torch.round((z - middle) / step)
    return middle + step * raw.clamp(-codes, codes), raw.abs() <= codes


class QuantDetector:
    """A `Detector` with the DACs and ADCs of a `Quantisation`.

    Parameters
    ----------
    ranges
        (blocks, 2) converter ranges after the gain, from `calibrate_ranges`.
    """

    def __init__(
        self, activation: Activation, quantisation: Quantisation, ranges: ArrayLike
    ) -> None:
        self.activation = activation
        self.input_step = 1 / largest_code(quantisation.input_bits)
        pairs = torch.as_tensor(ranges, dtype=torch.float64).tolist()
        self.converters = [(low, high, quantisation.adc_bits) for low, high in pairs]

    def pooled(
        self,
        block: int,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        segment: Tensor,
        branch: Branch,
    ) -> Tensor:
        """See `Detector.pooled`."""
        chips = weight.shape[0]
        samples = round_through(segment.clamp(-1, 1), self.input_step)
        tokens: Tensor = _PooledCodes.apply(  # type: ignore[no-untyped-call]
            (gain[..., None] * weight).reshape(chips * WIDTH, WIDTH),
            (gain * bias).reshape(chips * WIDTH),
            samples,
            branch,
            self.activation,
            self.converters[block],
        )
        return tokens.view(chips, WIDTH, segment.shape[0], branch.tokens)

    def layer(self, block: int, weight: Tensor, bias: Tensor, gain: Tensor, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        chips = weight.shape[0]
        codes = round_through(x.clamp(-1, 1), self.input_step)
        z = torch.baddbmm(
            (gain * bias)[..., None], gain[..., None] * weight, codes.expand(chips, -1, -1)
        )
        value, inside = convert(z.detach(), self.converters[block])
        through = torch.where(inside, z, z.detach())
        seen = activate(through + (value - z).detach(), self.activation)
        return seen + (tabulated(seen) - seen).detach()

"""The arithmetic of a chip for `ecgphoton.student.propagate.walk`: noise and converters.

The optics of a chip are collapsed to its effective real 4x4 matrices (a `Stack`); what the
detectors, converters and the activation device do is a `ChipDetector`::

    x --[DAC]--> W x --> + remainder --> + b --> + noise --> gain --[ADC]--> f( ) --> y

Both serve Monte Carlo (many chips, no gradient) and noise-aware training (a fresh chip for every
batch, with gradient).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ecgphoton.hwsim.moments import fit, power_sums, powers_needed
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.streams import BEATS
from ecgphoton.hwsim.weights import Chips
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import Block, IdealDetector, Stack, unfold


def plan_powers(stack: Stack, additive: Tensor, *, margin: float = 1.0) -> tuple[int | None, ...]:
    """Degree of the noise polynomials of each block, None where samples must be drawn.

    Fixed from the program, never from the chips of one batch, so that a chip is treated alike in
    every batch.
    """
    sigma = (stack.gains.detach()[..., None] * additive.detach()).amax((0, 2)) * margin
    # A coarse grid: gains move a little in every training step, degrees need not.
    return tuple(1 if s == 0 else powers_needed(math.ceil(float(s) * 200) / 200) for s in sigma)


@dataclass
class ChipDetector:
    """A `Detector` with noise, converters and saturation, for C chips and one block of beats.

    With analog pooling and tanh, the noise of a token is drawn once from its exact mean and
    variance (see `ecgphoton.hwsim.moments`); otherwise every sample gets its own draw.
    """

    readout: Readout
    chips: Chips
    """Their remainder and noise; what they perform is the `Stack` that is walked through."""
    powers: Sequence[int | None]
    """From `plan_powers`."""
    present: int
    """Number of beats in this block."""
    generators: Sequence[torch.Generator]
    """One for all chips, or one each; empty for no noise."""
    beats: int = BEATS
    """Beats drawn for at a time; the draws of a shorter block are cut from them."""
    sampled: bool = False
    """Draw every sample even where the moments would do (the slow reference)."""
    coefficients: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    """Noise polynomials of each block, shared by detectors of the same chips."""

    @property
    def silent(self) -> bool:
        """Whether nothing is drawn."""
        return not (self.generators and self.chips.noisy)

    def _draw(self, chips: int, beats: int, *shape: int, rows: int = WIDTH) -> Tensor:
        """(C, rows, beats, *shape) standard normals, each chip from its own stream."""
        size, kind = (rows, max(self.beats, beats), *shape), torch.float32
        if len(self.generators) == 1:
            drawn = torch.randn((chips, *size), generator=self.generators[0], dtype=kind)
        else:
            drawn = torch.empty((chips, *size), dtype=kind)
            for chip, generator in zip(drawn, self.generators, strict=True):
                torch.randn(size, generator=generator, out=chip)
        return drawn[:, :, :beats]

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """See `Detector.pooled`."""
        segment, activation = self.readout.drive(segment), self.readout.activation
        powers = 1 if self.silent else self.powers[block.index]
        linear = self.chips.remainder is None and self.chips.common is None
        exact = linear and not self.readout.digital
        if exact and activation.moments and powers and (self.silent or not self.sampled):
            sums = power_sums(*block.rows(), segment, branch, powers)
            sums = sums.view(powers, -1, WIDTH, len(segment), branch.tokens)
            tokens = 2 * sums[0] if self.silent else self._by_moments(block, sums, branch)
        elif exact and self.silent:
            tokens = IdealDetector(activation).pooled(block, segment, branch)
        else:
            tokens = self._every_sample(block, segment, branch)
        return self.readout.collect(tokens)

    def _by_moments(self, block: Block, sums: Tensor, branch: Branch) -> Tensor:
        """Noisy tokens (C, 4, B, tokens) from power sums (powers, C, 4, B, tokens)."""
        if block.index not in self.coefficients:
            self.coefficients[block.index] = self._fit(block, len(sums))
        shift, variance = self.coefficients[block.index]
        if block.gain.requires_grad:  # the noise after the amplifier grows with its gain
            growth = (block.gain / block.gain.detach())[..., None] ** 2
            shift, variance = shift * growth, variance * growth
        moved = _polynomial(shift, sums)
        spread = _polynomial(variance, sums).div(branch.kernel).clamp_min(1e-20).sqrt()
        drawn = self._draw(sums.shape[1], sums.shape[3], branch.tokens)
        return torch.addcmul(2 * sums[0] + moved, spread, drawn).clamp(-1, 1)

    def _fit(self, block: Block, powers: int) -> tuple[Tensor, Tensor]:
        bias = block.bias
        rows = [
            np.broadcast_to(part.detach().double().numpy(), bias.shape).ravel()
            for part in (block.gain, bias, self.chips.additive[:, block.index])
        ]
        return tuple(  # type: ignore[return-value]
            torch.as_tensor(part.T.reshape(powers + 1, *bias.shape, 1, 1).copy(), dtype=bias.dtype)
            for part in fit(rows[0], rows[1], rows[2], self.chips.relative, powers)
        )

    def _every_sample(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        beats, positions = len(segment), branch.positions
        shifted = unfold(segment, positions).view(WIDTH, -1)
        weight, bias, gain = block.weight, block.bias[..., None], block.gain[..., None]
        if self.readout.digital:  # a code must not depend on single-precision rounding
            shifted, weight, bias, gain = (part.double() for part in (shifted, weight, bias, gain))
        answers = []
        # One chip at a time: a chip's draws are the same whatever else is in the batch.
        for chip in range(len(weight)):
            b, g = bias[chip], gain[chip]
            z = g * (weight[chip] @ shifted + b)
            draw = partial(self._samples, chip, beats, positions)
            value = self._answer(block.index, chip, shifted, z, b, g, draw)
            answers.append(value.view(WIDTH, beats, branch.tokens, branch.kernel).mean(-1))
        return torch.stack(answers).to(segment.dtype)

    def _samples(self, chip: int, beats: int, positions: int, rows: int) -> Tensor:
        """(rows, beats x positions) standard normals of one chip."""
        generator = self.generators[chip if len(self.generators) > 1 else 0]
        size = (rows, max(self.beats, beats), positions)
        drawn = torch.randn(size, generator=generator, dtype=torch.float32)
        return drawn[:, :beats].reshape(rows, -1)

    def _answer(
        self,
        index: int,
        chip: int | None,
        x: Tensor,
        z: Tensor,
        bias: Tensor,
        gain: Tensor,
        draw: Callable[[int], Tensor],
    ) -> Tensor:
        """Activation of every sample, of one chip (4, N) or of all (C, 4, N).

        `x` are the inputs, and `z` is what would leave the amplifier without remainder and noise.
        ``draw(rows)`` returns standard normals of so many rows.
        """
        chips = self.chips
        if chips.remainder is not None:
            z = z + gain * chips.remainder.of(index, x, chip)
        if not self.silent:
            additive = _of(chips.additive, chip)[..., index, :, None]
            noisy = torch.addcmul(z, self._spread(additive, z, bias, gain), draw(WIDTH))
            if chips.common is not None and chips.pedestal is not None:
                constant = _of(chips.pedestal, chip)[..., index, :, None] - bias
                # the amplified photocurrent
                noisy.addcmul_(z.add(gain * constant).mul_(chips.common[index]), draw(1))
            z = noisy
        return self.readout.respond(index, z)

    def _spread(self, additive: Tensor, z: Tensor, bias: Tensor, gain: Tensor) -> Tensor:
        """Return the deviation of the noise after the gain."""
        if self.chips.relative == 0:
            return gain * additive
        value = z / gain - bias
        return gain * torch.hypot(additive.expand_as(value), self.chips.relative * value)

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        kind, tokens = x.dtype, x.shape[-1] // self.present
        if self.readout.digital:
            x = x.double()
            block = block.double()
        bias, gain = block.bias[..., None], block.gain[..., None]
        x = self.readout.drive(x)
        z = block.amplified(x)

        def draw(rows: int) -> Tensor:
            return self._draw(len(z), self.present, tokens, rows=rows).reshape(len(z), rows, -1)

        value = self._answer(block.index, None, x, z, bias, gain, draw)
        return self.readout.collect(value).to(kind)


def _of(part: Tensor, chip: int | None) -> Tensor:
    """Return one chip of (C or 1, ...), or all for None."""
    return part if chip is None else part[chip if len(part) > 1 else 0]


def _polynomial(coefficients: Tensor, sums: Tensor) -> Tensor:
    """c_0 + sum_k c_k S_k."""
    value = torch.addcmul(coefficients[0], coefficients[1], sums[0])
    for factor, power in zip(coefficients[2:], sums[1:], strict=True):
        value = torch.addcmul(value, factor, power)
    return value

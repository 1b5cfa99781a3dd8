"""Noisy and quantised detectors for the one propagation, `ecgphoton.student.propagate`.

The optics of a chip are collapsed to its effective real 4x4 matrices (a `Stack`); what the
detectors, converters and the activation device do is a `ChipDetector`. The same two serve Monte
Carlo (many chips, no gradient) and noise-aware training (a fresh chip a batch, with gradient).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ecgphoton.hwsim.moments import fit, power_sums, powers_needed
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.streams import BEATS
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import IdealDetector, Stack, unfold

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    weights = stack.matrices.expand(chips, -1, -1, -1)
    biases = stack.biases.expand(chips, -1, -1)
    if sigma > 0:
        weights = weights + sigma * torch.randn(weights.shape, generator=generator)
        biases = biases + sigma * torch.randn(biases.shape, generator=generator)
    return Stack(weights.clamp(-scale, scale), biases.clamp(-scale, scale), stack.gains)


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
    additive: Tensor
    """(C or 1, K, 4) detector noise in units of ``W x``."""
    powers: Sequence[int | None]
    """From `plan_powers`."""
    present: int
    """Number of beats in this block."""
    generators: Sequence[torch.Generator]
    """One for all chips, or one each; empty for silence."""
    relative: float = 0.0
    """Noise proportional to the detected value (RIN)."""
    square: Tensor | None = None
    """(K, 1): detectors read ``v + square v^2`` (intensity readout)."""
    beats: int = BEATS
    """Beats drawn for at a time; the draws of a shorter block are cut from them."""
    sampled: bool = False
    """Draw every sample even where the moments would do (the slow reference)."""
    coefficients: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    """Noise polynomials of each block, shared by detectors of the same chips."""

    @property
    def silent(self) -> bool:
        """Whether nothing is drawn."""
        return not self.generators or not (bool(self.additive.any()) or self.relative > 0)

    def _draw(self, chips: int, beats: int, *shape: int) -> Tensor:
        """(C, 4, beats, *shape) standard normals, each chip from its own stream."""
        size = (WIDTH, max(self.beats, beats), *shape)
        if len(self.generators) == 1:
            drawn = torch.randn((chips, *size), generator=self.generators[0])
        else:
            drawn = torch.empty((chips, *size))
            for chip, generator in zip(drawn, self.generators, strict=True):
                torch.randn(size, generator=generator, out=chip)
        return drawn[:, :, :beats]

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
        segment = self.readout.drive(segment)
        powers = 1 if self.silent else self.powers[block]
        plain = not self.readout.digital and self.square is None
        if self.silent and plain and self.readout.activation == "relu":
            ideal = IdealDetector("relu")
            tokens = ideal.pooled(block, weight, bias, gain, segment, branch)
        elif (
            self.readout.explicit
            or self.square is not None
            or powers is None
            or (self.sampled and not self.silent)
        ):
            tokens = self._every_sample(block, weight, bias, gain, segment, branch)
        else:
            tokens = self._by_moments(block, weight, bias, gain, segment, branch, powers)
        return self.readout.collect(tokens)

    def _by_moments(
        self,
        block: int,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        segment: Tensor,
        branch: Branch,
        powers: int,
    ) -> Tensor:
        chips, beats = weight.shape[0], segment.shape[0]
        rows = chips * WIDTH
        sums = power_sums(
            (gain[..., None] * weight).reshape(rows, WIDTH),
            (gain * bias).reshape(rows),
            segment,
            branch,
            powers,
        ).view(powers, chips, WIDTH, beats, branch.tokens)
        mean = 2 * sums[0]
        if self.silent:
            return mean
        if block not in self.coefficients:
            self.coefficients[block] = self._fit(block, bias, gain, powers)
        shift, variance = self.coefficients[block]
        if gain.requires_grad:  # the noise after the amplifier grows with its gain
            growth = (gain / gain.detach())[..., None] ** 2
            shift, variance = shift * growth, variance * growth
        moved = _polynomial(shift, sums)
        spread = _polynomial(variance, sums).div(branch.kernel).clamp_min(1e-20).sqrt()
        drawn = self._draw(chips, beats, branch.tokens)
        return torch.addcmul(mean + moved, spread, drawn).clamp(-1, 1)

    def _fit(self, block: int, bias: Tensor, gain: Tensor, powers: int) -> tuple[Tensor, Tensor]:
        shape = (bias.shape[0], WIDTH)
        rows = [
            np.broadcast_to(part.detach().double().numpy(), shape).ravel()
            for part in (gain, bias, self.additive[:, block])
        ]
        return tuple(  # type: ignore[return-value]
            torch.as_tensor(part.T.reshape(powers + 1, *shape, 1, 1).copy(), dtype=bias.dtype)
            for part in fit(rows[0], rows[1], rows[2], self.relative, powers)
        )

    def _every_sample(
        self,
        block: int,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        segment: Tensor,
        branch: Branch,
    ) -> Tensor:
        chips, beats = weight.shape[0], segment.shape[0]
        shifted = unfold(segment, branch.positions).view(WIDTH, -1)
        if self.readout.digital:  # a code must not depend on single-precision rounding
            shifted, weight, bias, gain = (part.double() for part in (shifted, weight, bias, gain))
        answers = []
        # One chip at a time: a chip's draws are the same whatever else is in the batch.
        for chip in range(chips):
            z = gain[chip, :, None] * (weight[chip] @ shifted + bias[chip, :, None])
            if self.square is not None:
                value = z / gain[chip, :, None] - bias[chip, :, None]
                z = z + gain[chip, :, None] * self.square[block] * value * value
            if not self.silent:
                generator = self.generators[chip if len(self.generators) > 1 else 0]
                size = (WIDTH, max(self.beats, beats), branch.positions)
                drawn = torch.randn(size, generator=generator)[:, :beats].reshape(WIDTH, -1)
                spread = self._spread(block, chip, z, bias[chip, :, None], gain[chip, :, None])
                z = torch.addcmul(z, spread, drawn)
            value = self.readout.respond(block, z)
            answers.append(value.view(WIDTH, beats, branch.tokens, branch.kernel).mean(-1))
        return torch.stack(answers).to(segment.dtype)

    def _spread(self, block: int, chip: int, z: Tensor, bias: Tensor, gain: Tensor) -> Tensor:
        """Return the deviation after the gain of every sample of one chip: (4, ...)."""
        additive = self.additive[chip if len(self.additive) > 1 else 0, block][:, None]
        if self.relative == 0:
            return gain * additive
        return gain * torch.hypot(additive, self.relative * (z / gain - bias))

    def layer(self, block: int, weight: Tensor, bias: Tensor, gain: Tensor, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        chips = weight.shape[0]
        kind = x.dtype
        if self.readout.digital:
            x, weight, bias, gain = (part.double() for part in (x, weight, bias, gain))
        x = self.readout.drive(x)
        z = torch.baddbmm(
            (gain * bias)[..., None], gain[..., None] * weight, x.expand(chips, -1, -1)
        )
        if self.square is not None:
            value = z / gain[..., None] - bias[..., None]
            z = z + gain[..., None] * self.square[block] * value * value
        if not self.silent:
            tokens = x.shape[-1] // self.present
            drawn = self._draw(chips, self.present, tokens).reshape(z.shape)
            spread = (gain * self.additive[:, block])[..., None]
            if self.relative:
                value = z / gain[..., None] - bias[..., None]
                spread = gain[..., None] * torch.hypot(
                    self.additive[:, block, :, None].expand_as(value), self.relative * value
                )
            z = torch.addcmul(z, spread, drawn)
        return self.readout.collect(self.readout.respond(block, z)).to(kind)


def _polynomial(coefficients: Tensor, sums: Tensor) -> Tensor:
    """c_0 + sum_k c_k S_k."""
    value = torch.addcmul(coefficients[0], coefficients[1], sums[0])
    for factor, power in zip(coefficients[2:], sums[1:], strict=True):
        value = torch.addcmul(value, factor, power)
    return value

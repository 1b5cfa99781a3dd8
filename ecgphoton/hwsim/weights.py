"""Chips as the propagation sees them, and those of the weights level.

`Remainder` is what readings have besides their part linear in the inputs: squares of fields, leaked
light. At weights level a chip is a program with an independent error in every number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from ecgphoton.hwsim.effects import Modulators
from ecgphoton.hwsim.streams import chip_rng
from ecgphoton.mesh.arrays import Floats
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.shipped import carried
from ecgphoton.settings import Settings, setting
from ecgphoton.student.architecture import WIDTH, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Head, Stack


class Remainder(NamedTuple):
    """Part of the readings of C chips that is not linear in the inputs x, in units of ``W x``.

    With the field ``(R + i S)(x + i q)`` at the detectors, where q is what the modulators leak, it
    is ``N q + a u^2 + b v^2 + c u v`` for ``u = R x - S q`` and ``v = S x + R q``.
    """

    real: Tensor
    """(C, K, 4, 4) R."""
    imaginary: Tensor
    """(C, K, 4, 4) S."""
    factors: Tensor
    """(3, C, K, 4, 1) a, b and c."""
    turned: Tensor
    """(C, K, 4, 4) N, the linear reading of fields in quadrature to the inputs."""
    leak: Tensor
    """(C, K, 4, 1) of `Modulators`."""
    top: float
    """Of `Modulators`."""

    def of(self, block: int, x: Tensor, chip: int | None = None) -> Tensor:
        """(C, 4, N) of one block for inputs (C or 1, 4, N); of one chip (4, N) for (4, N)."""
        one = slice(None) if chip is None else chip if len(self.real) > 1 else 0
        real, imaginary = (part[one, block].to(x) for part in self[:2])
        first, second, value = real @ x, imaginary @ x, torch.zeros((), dtype=x.dtype)
        if bool(self.leak.any()):
            q = Modulators(self.leak[one, block], self.top).quadrature(x)
            first, second = first - imaginary @ q, second + real @ q
            value = self.turned[one, block].to(x) @ q
        if not bool(self.factors.any()):
            return value
        a, b, c = self.factors[:, one, block].to(x)
        mixed = c * first * second if bool(self.factors[2].any()) else 0.0
        squares: Tensor = first.square_().mul_(a).addcmul_(second.square_(), b)
        return value + squares + mixed

    def scaled(self, gain: Tensor) -> Remainder:
        """Return what is left of readings that are multiplied by gains (C, K, 4)."""
        gain = gain[..., None].to(self.factors)
        return self._replace(factors=self.factors * gain, turned=self.turned * gain)

    def kept(self, blocks: Tensor) -> Remainder:
        """Return the remainder of the blocks (K, 1, 1) that are true alone."""
        return self._replace(factors=self.factors * blocks, leak=self.leak * blocks)


def mixed(blocks: Tensor, one: Remainder | None, other: Remainder | None) -> Remainder | None:
    """Return the first remainder in the blocks (K,) that are true, the second elsewhere."""
    first = blocks[:, None, None]
    if other is None:
        return None if one is None else one.kept(first)
    if one is None:
        return other.kept(~first)
    parts = {
        name: torch.where(first, getattr(one, name), getattr(other, name))
        for name in ("real", "imaginary", "factors", "turned", "leak")
    }
    return Remainder(**parts, top=max(one.top, other.top))  # 1 where nothing leaks


class Chips(NamedTuple):
    """C fabricated chips, collapsed to what the student's propagation needs."""

    stack: Stack
    """Effective real matrices (C, K, 4, 4), biases, gains."""
    additive: Tensor
    """(C or 1, K, 4) per-shot detector noise in units of ``W x``, before the gain."""
    remainder: Remainder | None = None
    """What readings have besides their part linear in the inputs; None for nothing."""
    relative: float = 0.0
    """Per-shot noise of a reading in proportion to it, independent in every detector."""
    common: Tensor | None = None
    """(K,) per-shot noise of the photocurrents in proportion to them, common to the detectors."""
    pedestal: Tensor | None = None
    """(C or 1, K, 4) photocurrent besides the reading, in units of ``W x``."""

    @property
    def noisy(self) -> bool:
        """Whether two readings differ."""
        return bool(self.additive.any()) or self.relative > 0 or self.common is not None

    def quiet(self) -> Chips:
        """Return the chips without noise."""
        return self._replace(additive=torch.zeros_like(self.additive), relative=0.0, common=None)

    def where(self, numbers: Tensor, ideal: Chips) -> Chips:
        """Return chips with the errors of some weights and biases alone.

        `numbers` is true for these, (K, 4, 5) with biases last. What readings have besides their
        linear part goes with the blocks.
        """
        matrices = torch.where(numbers[..., :WIDTH], self.stack.matrices, ideal.stack.matrices)
        biases = torch.where(numbers[..., WIDTH], self.stack.biases, ideal.stack.biases)
        stack = Stack(matrices, biases, ideal.stack.gains)
        remainder = mixed(numbers.amax((1, 2)), self.remainder, ideal.remainder)
        return self._replace(stack=stack, remainder=remainder)

    def heard(self, blocks: Tensor) -> Chips:
        """Return the chips with the noise of some blocks (K,) alone."""
        common = None if self.common is None else self.common * blocks
        return self._replace(additive=self.additive * blocks[:, None], common=common)


class ChipSource(Protocol):
    """Where chips come from: chip k of a seed does not depend on the batch it is drawn in."""

    def nominal(self) -> Chips:
        """Return the perfect chip."""

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips `first` ... `first + count - 1`."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """What a chip is asked to carry: a student or a mesh program, as plain tensors (one chip)."""

    architecture: Architecture
    stack: Stack
    head: Head
    scale: float
    """Largest magnitude a weight or bias can have on a chip."""

    @classmethod
    def of(cls, source: SegmentStudent | MeshProgram) -> Carrier:
        """Return the matrices, biases, gains and head of a student or a program.

        A program is asked for its quantized weights; see `shipped` for what its codes perform.
        """
        if isinstance(source, MeshProgram):
            exact, read = carried(source)
            stack, head = Stack(*(p.float() for p in exact)), Head(*(p.float() for p in read))
            scale = max(block.full_scale for block in source.blocks)
            return cls(source.architecture, stack, head, scale)
        architecture = source.architecture
        stack = Stack(*(part.detach() for part in source.stack()))
        scale = architecture.scale if architecture.bounded else float(stack.matrices.abs().max())
        head = Head(*(part.detach() for part in source.head()))
        return cls(architecture, stack, head, scale)

    @classmethod
    def shipped(cls, source: SegmentStudent | MeshProgram) -> Carrier:
        """Return `of`, for a program with the matrices that its DAC codes perform."""
        asked = cls.of(source)
        if not isinstance(source, MeshProgram):
            return asked
        performed = torch.as_tensor(source.performed, dtype=torch.float32)[None]
        largest = max(asked.scale, float(performed.abs().max()))
        return replace(asked, stack=asked.stack._replace(matrices=performed), scale=largest)


FULL_SCALE = 1.0
"""Largest weight; errors and noise are shares of it."""


def normals(seed: int, chip: int, blocks: int) -> Floats:
    """(blocks, 4, 5) standard normals of one chip: four weight columns and the bias."""
    return chip_rng(seed, chip).standard_normal((blocks, WIDTH, WIDTH + 1))


@dataclass(frozen=True, eq=False)
class WeightChips(Settings, section="noise"):
    """Chips whose programmed weights and biases are each off by N(0, sigma), then clamped.

    Raises
    ------
    InputError
        If one is not from 0 to 1.
    """

    carrier: Carrier
    sigma: float = setting(
        0.0,
        "Static error of every weight and bias, fraction of full scale.",
        low=0,
        high=FULL_SCALE,
    )
    detector: float = setting(
        0.0,
        "Per-shot detector noise, fraction of full scale (1 in units of ``W x``).",
        low=0,
        high=FULL_SCALE,
    )

    def nominal(self) -> Chips:
        """Return the perfect chip."""
        stack = self.carrier.stack
        return Chips(stack, torch.full_like(stack.biases, self.detector))

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips `first` ... `first + count - 1`."""
        stack, additive, *_ = self.nominal()
        blocks = stack.matrices.shape[1]
        errors = np.stack([normals(seed, first + k, blocks) for k in range(count)])
        moved = stack.moved(torch.as_tensor(errors) * self.sigma)
        return Chips(moved.clamped(self.carrier.scale), additive)

"""Mesh level as a source of chips: fabricated meshes collapsed to effective 4x4 matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Chip, Foundry
from ecgphoton.hwsim.weights import Carrier, Chips, WeightChips
from ecgphoton.hwsim.wiring import Wiring
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.inputs import evenly
from ecgphoton.student.propagate import Block, IdealDetector, Inputs, Stack, walk

if TYPE_CHECKING:
    from ecgphoton.student.architecture import Branch
    from ecgphoton.student.network import SegmentStudent

REFERENCE = 4.0
"""Reference field of the intensity readout, in units of the largest input field."""
PROBE_BEATS = 512  # beats on which the mean square of every block's input is taken


@dataclass(frozen=True, eq=False)
class MeshChips:
    """Chips of a foundry that carry a mesh program.

    Parameters
    ----------
    codes
        (1 or chips, K, drivers) DAC codes as fractions of the largest: the program's own, or a
        table of every chip after calibration.
    """

    wiring: Wiring
    foundry: Foundry
    codes: Tensor
    carrier: Carrier
    input_power: Tensor
    """(K,) mean square of one input of each block, for the noise that phase jitter makes."""
    sigma: float = 0.0
    """Further static error of every weight and bias, and per-shot noise, of the weights level."""
    row_gain: Tensor | None = None
    """(1 or chips, K, 4) digital factor on every reading, from calibration."""
    row_offset: Tensor | None = None
    """(1 or chips, K, 4) added to every bias, from calibration."""

    @cached_property
    def sensitivity(self) -> Tensor:
        """(drivers, K, 4, 4) derivative of the perfect matrices by every phase, per rad."""
        chip = self.foundry.perfect(self.wiring)
        phases = torch.as_tensor(self.wiring.phases)[None]
        step = 1e-5
        moves = step * torch.eye(phases.shape[-1], dtype=phases.dtype)[:, None]

        def real(at: Tensor) -> Tensor:
            count = len(at)
            parts = (part.expand(count, *part.shape[1:]) for part in chip.luck)
            many = Chip(chip.wiring, chip.profile, type(chip.luck)(*parts), chip.detection)
            return many.field(at).real

        slope = (real(phases + moves) - real(phases - moves)) / (2 * step)
        return slope * (chip.scale / chip.boost)[..., None]

    @cached_property
    def additive(self) -> Tensor:
        """(1, K, 4) per-shot noise in units of ``W x``: detector, jitter and `sigma`."""
        noise, chip = self.foundry.profile.noise, self.foundry.perfect(self.wiring)
        square = (chip.scale * noise.detector) ** 2 + self.sigma**2
        if noise.jitter > 0:
            gain = self.sensitivity.square().sum((0, -1)) * self.input_power[:, None]
            square = square + noise.jitter**2 * gain
        return square.sqrt().expand(-1, 4)[None].float()

    @cached_property
    def square(self) -> Tensor | None:
        """(K, 1) curvature of the intensity readout, None for the linear ones."""
        if self.foundry.detection != "intensity":
            return None
        scale = self.foundry.perfect(self.wiring).scale
        return (1 / (2 * REFERENCE * scale.clamp_min(1e-9))).float()

    def nominal(self) -> Chips:
        """Return the program itself, as the perfect chip performs it."""
        chip = self.foundry.perfect(self.wiring)
        matrices = chip.matrices(self.wiring.codes(0)[None])
        stack = Stack(matrices.float(), self.carrier.stack.biases, self.carrier.stack.gains)
        return Chips(stack, self.additive, self.square)

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips `first` ... `first + count - 1`."""
        chip = self.foundry.chips(seed, first, count, self.wiring)
        numbers = torch.arange(first, first + count)
        matrices = chip.matrices(_of(self.codes, numbers))
        biases = self.carrier.stack.biases + chip.bias_errors()
        if self.row_gain is not None:
            gain = _of(self.row_gain, numbers)
            # A digital factor acts on readings, offsets included, not on the electronic bias.
            matrices, biases = (
                matrices * gain[..., None],
                self.carrier.stack.biases + chip.bias_errors() * gain,
            )
        if self.row_offset is not None:
            biases = biases + _of(self.row_offset, numbers)
        stack = Stack(matrices.float(), biases.float(), self.carrier.stack.gains)
        if self.sigma > 0:
            extra = WeightChips(self.carrier, self.sigma).draw(seed ^ 1, first, count).stack
            moved = WeightChips(self.carrier).nominal().stack
            stack = Stack(
                stack.matrices + extra.matrices - moved.matrices,
                stack.biases + extra.biases - moved.biases,
                stack.gains,
            )
        return Chips(stack, self.additive, self.square)


def _of(table: Tensor, numbers: Tensor) -> Tensor:
    """Rows of chips from a table of one row or one a chip (chips beyond it repeat its last)."""
    return table if len(table) == 1 else table[numbers.clamp_max(len(table) - 1)]


@torch.no_grad()
def input_power(carrier: Carrier, inputs: Inputs) -> Tensor:
    """(K,) mean square of every block's inputs on beats spread evenly over `inputs`."""
    squares: list[Tensor] = []

    def note(block: Block, x: Tensor, branch: Branch | None) -> None:
        del block, branch
        squares.append(x.square().mean())

    part, architecture = inputs.rows(evenly(len(inputs), PROBE_BEATS)), carrier.architecture
    walk(carrier.stack, part, architecture, IdealDetector(architecture.response), note)
    return torch.stack(squares).double()


def program_of(carried: SegmentStudent | MeshProgram) -> MeshProgram:
    """Return a program as it is, or a student lowered with 16-bit codes (error 1.5e-5)."""
    if isinstance(carried, MeshProgram):
        return carried
    from ecgphoton.export.lower import lower
    from ecgphoton.export.quantize import Quantisation, quantize

    architecture = carried.architecture
    ranges = np.tile([-4.0, 4.0], (len(architecture.blocks), 1))
    fine = quantize(carried, ranges, Quantisation(16, 16, 16, 16))
    classes = [f"class {index}" for index in range(architecture.classes)]
    return lower(fine, operating_point=None, classes=classes)[0]


def mesh_source(
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    foundry: Foundry,
    *,
    sigma: float = 0.0,
    codes: Tensor | None = None,
) -> MeshChips:
    """Return the chips a foundry makes for a student (lowered first) or a mesh program.

    Raises
    ------
    InputError
        If `sigma` is negative or there are no beats.
    """
    if len(inputs) == 0:
        raise InputError("a simulation needs at least one beat")
    carrier = Carrier.of(carried)
    WeightChips(carrier, sigma)  # refuses a negative one
    wiring = Wiring(program_of(carried))
    bits = int(foundry.profile.dac_bits)
    if codes is None:
        codes = torch.as_tensor(wiring.codes(bits))[None]
    return MeshChips(wiring, foundry, codes, carrier, input_power(carrier, inputs), sigma)

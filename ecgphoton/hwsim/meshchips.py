"""Mesh level as a source of chips: fabricated meshes collapsed to effective 4x4 matrices."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ecgphoton.decision import LargestProbability
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Chip, Foundry
from ecgphoton.hwsim.effects import Effect
from ecgphoton.hwsim.effects.drivers import CROSSTALK
from ecgphoton.hwsim.effects.modulator import DEPTH
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.weights import Carrier, Chips, WeightChips
from ecgphoton.mesh.crosstalk import NO_CROSSTALK
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import (
    Block,
    IdealDetector,
    Inputs,
    Stack,
    Tapped,
    evenly,
    unfold,
    walk,
)

PROBE_BEATS = 512
"""Beats on which the mean products of every block's inputs are taken."""
STEP = 1e-3
"""Of differences by unit normals: errors are of second order in it."""


@dataclass(frozen=True, eq=False)
class MeshChips:
    """Chips of a foundry that carry a mesh program."""

    program: MeshProgram
    foundry: Foundry
    carrier: Carrier
    input_moments: Tensor
    """(K, 4, 4) mean of ``x x^T`` of each block's inputs: what turns phase jitter into noise."""
    sigma: float = 0.0
    """Further static error of every weight and bias, and per-shot noise, of the weights level."""
    volts: Tensor | None = None
    """(1 or chips, K, drivers) voltages after calibration; None drives the program's own codes."""
    row_gain: Tensor | None = None
    """(1 or chips, K, 4) digital factor on every reading, from calibration."""
    row_offset: Tensor | None = None
    """(1 or chips, K, 4) added to every bias, from calibration."""

    @cached_property
    def perfect(self) -> Chip:
        """The chip without lasting errors."""
        return self.foundry.perfect(self.program)

    @cached_property
    def wanted(self) -> Tensor:
        """(1, K, drivers) voltages of the program's phases on ideal heaters, without rounding."""
        return torch.as_tensor(self.program.device.dac.volts_for(self.program.phases))[None]

    @cached_property
    def started(self) -> Tensor:
        """(1, K, drivers) voltages of chips before calibration: crosstalk of the layout undone."""
        return torch.as_tensor(self.program.device.dac.volts_for(self.program.shifts))[None]

    def only(self, *effects: Effect) -> "MeshChips":
        """Return the chips with these errors alone."""
        foundry = replace(self.foundry, profile=self.foundry.profile.only(*effects))
        return replace(self, program=coded_for(self.program, *effects), foundry=foundry, sigma=0.0)

    def slopes(self, effect: Effect) -> Tensor:
        """(n, K, 4, 4) derivative of the perfect matrices by the unit normals of an effect.

        n counts the normals of one block; those of another block do not touch its matrix.
        """
        blocks = len(self.program.blocks)
        _, *shape = effect.shape(self.program.device, blocks)
        count = math.prod(shape)
        moves = STEP * torch.eye(count, dtype=torch.float64).reshape(count, 1, *shape)
        profile = self.foundry.profile.only(effect)

        def moved(side: int) -> Tensor:
            drawn = {effect.name: (side * moves).expand(-1, blocks, *shape)}
            chip = replace(self.perfect, profile=profile, normals=drawn, count=count)
            return chip.matrices(self.wanted)

        return (moved(1) - moved(-1)) / (2 * STEP)

    @cached_property
    def additive(self) -> Tensor:
        """(1, K, 4) per-shot noise in units of ``W x``: readings, changing optics and `sigma`."""
        chip = self.perfect
        square = (chip.scale * chip.reading.white[..., 0]) ** 2 + self.sigma**2
        if chip.reading.light:
            field = chip.field(chip.phases(self.wanted))
            bright = chip.receiver.mean_light(self._mean_square(field)[..., None], chip.reading)
            square = square + chip.scale**2 * chip.reading.light * bright[..., 0]
        for effect in chip.profile.active:
            if effect.place != "none":  # of the effects left, those that change from shot to shot
                square = square + self._mean_square(self.slopes(effect)).sum(0)
        return square.sqrt().float()

    def _mean_square(self, rows: Tensor) -> Tensor:
        """(..., K, 4) mean square of what rows (..., K, 4, 4) of matrices make of the inputs."""
        made: Tensor = (rows @ self.input_moments.to(rows)) * rows.conj()
        return made.sum(-1).real.clamp_min(0)

    @cached_property
    def noise(self) -> tuple[float, Tensor | None]:
        """Per-shot noise in proportion: to every reading, and (K,) common to all detectors."""
        reading = self.perfect.reading
        common = torch.full((len(self.program.blocks),), reading.common, dtype=torch.float32)
        return reading.relative, common if reading.common else None

    def nominal(self) -> Chips:
        """Return the program itself, as the perfect chip performs it."""
        chip = self.perfect
        matrices = chip.matrices(self.wanted)
        stack = Stack(matrices.float(), self.carrier.stack.biases, self.carrier.stack.gains)
        remainder, pedestal = chip.remainder(self.wanted), chip.photocurrent().float()
        return Chips(stack, self.additive, remainder, *self.noise, pedestal)

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips `first` ... `first + count - 1`."""
        chip = self.foundry.chips(seed, first, count, self.program)
        numbers = torch.arange(first, first + count)
        volts = chip.driven(self.started) if self.volts is None else _of(self.volts, numbers)
        matrices, constants = chip.matrices(volts), chip.bias_errors()
        remainder, pedestal = chip.remainder(volts), chip.photocurrent()
        additive = self.additive
        if self.row_gain is not None:
            gain = _of(self.row_gain, numbers)
            # A digital factor acts on readings, their offsets and noise, not on the bias.
            additive = (additive * gain).float()
            matrices, constants = matrices * gain[..., None], constants * gain
            remainder, pedestal = remainder and remainder.scaled(gain), pedestal * gain
        if self.row_offset is not None:
            constants = constants + _of(self.row_offset, numbers)
        stack = Stack(
            matrices.float(),
            (self.carrier.stack.biases + constants).float(),
            self.carrier.stack.gains,
        )
        if self.sigma > 0:
            extra = WeightChips(self.carrier, self.sigma).draw(seed, first, count).stack
            stack = stack.moved(extra.minus(self.carrier.stack))
        return Chips(stack, additive, remainder, *self.noise, pedestal.float())


def _of(table: Tensor, numbers: Tensor) -> Tensor:
    """Rows of chips from a table of one row or one a chip (chips beyond it repeat its last)."""
    return table if len(table) == 1 else table[numbers.clamp_max(len(table) - 1)]


@dataclass(frozen=True, eq=False)
class _Sent:
    """A `Detector` behind modulators, which may send other fields than their inputs."""

    modulators: Readout
    detector: Tapped

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """See `Detector.pooled`."""
        return self.detector.pooled(block, self.modulators.drive(segment), branch)

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        return self.detector.layer(block, self.modulators.drive(x))


@torch.no_grad()
def input_moments(carrier: Carrier, inputs: Inputs, depth: float = 0.0) -> Tensor:
    """(K, 4, 4) mean of ``x x^T`` of every block's fields x on beats spread evenly over `inputs`.

    The four inputs of a branch are neighbouring samples, hence much alike. Modulators that are
    driven in proportion, with a phase `depth` (rad) at 1, send other fields than their inputs.
    """
    moments: list[Tensor] = []

    def note(_block: Block, x: Tensor, branch: Branch | None) -> None:
        columns = x.transpose(0, 1) if branch is None else unfold(x, branch.positions)
        columns = columns.reshape(WIDTH, -1).double()
        moments.append(columns @ columns.T / columns.shape[1])

    part, architecture = inputs.rows(evenly(len(inputs), PROBE_BEATS)), carrier.architecture
    detector = Tapped(IdealDetector(architecture.response), note)
    walk(carrier.stack, part, architecture, _Sent(Readout(depth=depth), detector))
    return torch.stack(moments)


def program_of(carried: SegmentStudent | MeshProgram) -> MeshProgram:
    """Return a program as it is, or a student lowered with 16-bit codes (error 1.5e-5)."""
    if isinstance(carried, MeshProgram):
        return carried
    from ecgphoton.export.lower import lower
    from ecgphoton.export.quantize import Quantization, quantize

    architecture = carried.architecture
    ranges = np.tile([-4.0, 4.0], (len(architecture.blocks), 1))
    fine = quantize(carried, ranges, Quantization(16, 16, 16, 16))
    classes = [f"class {index}" for index in range(architecture.classes)]
    return lower(fine, operating_point=LargestProbability(), classes=classes)[0]


def coded_for(program: MeshProgram, *effects: Effect) -> MeshProgram:
    """Return the program for chips with these errors alone: codes undo crosstalk if it is one."""
    undone = any(CROSSTALK in effect.numbers for effect in effects)
    return program if undone else replace(program, crosstalk=NO_CROSSTALK)


def mesh_source(
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    foundry: Foundry,
    *,
    sigma: float = 0.0,
) -> MeshChips:
    """Return the chips a foundry makes for a student (lowered first) or a mesh program.

    Raises
    ------
    InputError
        If `sigma` is not from 0 to 1 or there are no beats.
    """
    if len(inputs) == 0:
        raise InputError("a simulation needs at least one beat")
    carrier, program = Carrier.of(carried), foundry.profile.driving(program_of(carried))
    WeightChips(carrier, sigma)  # refuses one out of range
    foundry = replace(foundry, profile=foundry.profile.on(program))
    moments = input_moments(carrier, inputs, foundry.profile[DEPTH])
    return MeshChips(program, foundry, carrier, moments, sigma)

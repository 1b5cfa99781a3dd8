"""The mesh program: everything a photonic chip and its electronics need, as one frozen value.

*Program* means the intended phases, attenuations, gains and codes, never what a fabricated chip
does. `ecgphoton.program.program_file` writes it as the published file format
``ecgphoton-mesh/2`` (``program.schema.json`` beside this module, ``docs/formats.md``).
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, replace
from functools import cached_property

import numpy as np

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.detect import Centring
from ecgphoton.errors import InputError, require
from ecgphoton.mesh.arrays import ArrayLike, Floats, Integers
from ecgphoton.mesh.crosstalk import NO_CROSSTALK, Crosstalk
from ecgphoton.mesh.device import Device, MeshKind
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.layout import COLUMN_PITCH, MODE_PITCH, WIDTH
from ecgphoton.program.blocks import MatrixBlock, frozen
from ecgphoton.settings import Settings, setting
from ecgphoton.student.architecture import Architecture

FORMAT = "ecgphoton-mesh/2"
SHORT = 1e-6
"""Error of a phase by crosstalk that is stated, rad."""


@dataclass(frozen=True, eq=False)
class MeshProgram(Settings):
    """A whole student as a program for photonic meshes and the electronics around them."""

    architecture: Architecture
    blocks: tuple[MatrixBlock, ...] = field(repr=False)
    """One for every name of `Architecture.blocks`, in that order."""
    head_weight: Floats
    """(classes, 4), digital, multiples of 2^-20."""
    head_bias: Floats
    """(classes,), digital, multiples of 2^-20."""
    operating_point: OperatingPoint
    """Threshold on the probability of class 1 of two; None where the largest logit decides."""
    classes: tuple[str, ...]
    mesh: MeshKind = setting(MISSING, "How a matrix becomes a mesh.")
    dac: HeaterDac = field(default_factory=HeaterDac)
    """Heater law and DAC, the same for all drivers."""
    column_pitch: float = COLUMN_PITCH
    """Distance between MZI columns, um."""
    mode_pitch: float = MODE_PITCH
    """Distance between waveguides, um."""
    crosstalk: Crosstalk = NO_CROSSTALK
    """Crosstalk of the layout that the codes undo."""
    centring: Centring = setting("annotation", "Where the student's windows are centred.")
    lead: str = ""
    """Lead that the student was trained on, empty where it is not known."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of what this program was made from: ``checkpoint``, ``onnx``, ``onnx_integer``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = tuple(block.name for block in self.blocks)
        wanted = self.architecture.blocks
        require(names == wanted, "blocks", names, f"the architecture's blocks {wanted}, each once")
        for block in self.blocks:
            good = (block.v is None) == (self.mesh == "real-part")
            require(good, f"{block.name}.v", block.v, "absent for 'real-part', given otherwise")
        bits = {block.input_bits for block in self.blocks}
        require(len(bits) == 1, "blocks[*].input_bits", sorted(bits), "the same in all blocks")
        count = self.architecture.classes
        for name, shape in (("head_weight", (count, WIDTH)), ("head_bias", (count,))):
            object.__setattr__(self, name, frozen(getattr(self, name), shape, float, name))
        good = len(self.classes) == count == len(set(self.classes))
        require(good, "classes", self.classes, f"{count} different names")
        self.device  # noqa: B018 - refuses pitches that cannot be

    @cached_property
    def device(self) -> Device:
        """The hardware of every block."""
        return Device(self.mesh, self.dac, self.column_pitch, self.mode_pitch, self.crosstalk)

    def with_bits(self, bits: int) -> "MeshProgram":
        """Return the program for heater DACs of another width."""
        return replace(self, dac=replace(self.dac, bits=bits))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the K blocks."""
        return self.architecture.blocks

    @cached_property
    def phases(self) -> Floats:
        """(K, drivers) intended phases, rad, in the order of `Device`."""
        pack = self.device.pack
        parts = [(b.u,) if b.attenuators is None else (b.u, b.v, b.attenuators)
                 for b in self.blocks]  # fmt: skip
        return np.stack([pack(*part) for part in parts])

    @cached_property
    def shifts(self) -> Floats:
        """(K, drivers) what every shifter gives itself, rad: with crosstalk the intended phases."""
        return self.device.shifts_for(self.phases)

    @cached_property
    def codes(self) -> Integers:
        """(K, drivers) DAC codes of `shifts`."""
        return np.asarray(self.device.codes_for(self.shifts))

    @cached_property
    def coded_phases(self) -> Floats:
        """(K, drivers) phases that the codes give on an ideal chip, rad."""
        return self.device.phases_at(self.device.dac.phase_of(self.codes))

    @property
    def undone(self) -> str:
        """Which crosstalk the codes undo, and where they cannot, in words; empty without any."""
        if not self.crosstalk.share:
            return ""
        short = self.device.phases_at(self.shifts) - self.phases
        short = np.abs(np.remainder(short + np.pi, 2 * np.pi) - np.pi)
        left = (
            f" but for {(short > SHORT).sum()} of {short.size} phases, which are off by up to "
            f"{short.max():.3f} rad because a heater cannot cool"
        )
        return f"crosstalk of {self.crosstalk.words}, undone{left if short.max() > SHORT else ''}"

    @cached_property
    def targets(self) -> Floats:
        """(K, 4, 4) matrices the blocks have to perform: the quantized weights."""
        return np.stack([block.matrix for block in self.blocks])

    @cached_property
    def scales(self) -> Floats:
        """(K,) amplifier factor of every block, from the optical field to units of the matrix."""
        return np.array([block.scale for block in self.blocks])

    @cached_property
    def performed(self) -> Floats:
        """(K, 4, 4) matrices that an ideal chip performs at the DAC codes."""
        return self.matrices(self.coded_phases)

    def matrices(self, phases: ArrayLike | None = None) -> Floats:
        """(..., K, 4, 4) matrices that an ideal chip performs: ``scale Re(U A V)``.

        Parameters
        ----------
        phases
            (..., K, drivers) actual phases, rad; the intended ones by default.
        """
        actual = self.phases if phases is None else np.asarray(phases, float)
        return np.asarray(self.scales[:, None, None] * self.device.field(actual).real)

    def block(self, name: str) -> MatrixBlock:
        """Return the block of that name, or InputError."""
        if name not in self.names:
            raise InputError(f"there is no block {name!r}; there are {self.names}")
        return self.blocks[self.names.index(name)]

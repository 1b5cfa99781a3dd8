"""What a laboratory knows of a chip before it measures: its design and its program.

Drivers of one block are numbered as light meets their groups: mesh V (theta 6, phi 6, output 4),
attenuators 4, mesh U (as V); a ``real-part`` block has mesh U alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.program.program import MZIS
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.mesh.layout import MeshLayout
    from ecgphoton.program.program import MatrixBlock, MeshKind, MeshProgram

    Floats = NDArray[np.float64]

MESH = 2 * MZIS + WIDTH
"""Heaters of one mesh."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """Design of the K blocks of a chip, and what each of them shall perform."""

    kind: MeshKind
    layout: MeshLayout
    names: tuple[str, ...]
    """Names of the blocks."""
    targets: Floats
    """(K, 4, 4) real matrices."""
    scale: Floats
    """(K,) amplifier factor from readings to units of the matrices."""
    phases: Floats
    """(K, drivers) phases of the program, rad."""
    dac: HeaterDac
    positions: Floats
    """(drivers, 2) places of the drivers of one block, um."""

    @classmethod
    def of(cls, program: MeshProgram, bits: int | None = None) -> Circuit:
        """Return the circuit of a program, driven by DACs of `bits` (default: the program's)."""
        two = program.mesh != "real-part"
        mesh = program.layout.positions(program.column_pitch, program.mode_pitch)
        places = mesh
        if two:
            shift = program.origin(program.architecture.blocks[0], "U")[0]
            rows = np.arange(WIDTH) * program.mode_pitch
            middle = np.stack([np.full(WIDTH, shift - program.column_pitch / 4), rows], -1)
            places = np.concatenate([mesh, middle, np.add(mesh, [shift, 0.0])])
        return cls(
            kind=program.mesh,
            layout=program.layout,
            names=tuple(block.name for block in program.blocks),
            targets=np.stack([block.matrix for block in program.blocks]),
            scale=np.array([block.scale for block in program.blocks]),
            phases=np.stack([_phases(block) for block in program.blocks]),
            dac=HeaterDac(program.v_pi, program.v_max, program.dac_bits if bits is None else bits),
            positions=places,
        )

    @property
    def two(self) -> bool:
        """Whether a block has two meshes with attenuators between."""
        return self.kind != "real-part"

    @property
    def meshes(self) -> int:
        """Meshes of a block."""
        return 2 if self.two else 1

    @property
    def drivers(self) -> int:
        """Drivers of a block."""
        return len(self.positions)

    def start(self, mesh: int) -> int:
        """First driver of a mesh: 0 is the one light meets first."""
        return mesh * (MESH + WIDTH)

    @property
    def attenuators(self) -> slice:
        """Drivers of the attenuators; empty for ``real-part``."""
        return slice(MESH, MESH + WIDTH) if self.two else slice(0, 0)

    @cached_property
    def is_attenuator(self) -> NDArray[np.bool_]:
        """(drivers,)."""
        answer = np.zeros(self.drivers, bool)
        answer[self.attenuators] = True
        return answer

    @cached_property
    def driver_names(self) -> tuple[str, ...]:
        """Name of every driver of a block, such as ``V.theta[2]``."""
        parts: list[str] = []
        for mesh in ("V", "U") if self.two else ("U",):
            if mesh == "U" and self.two:
                parts += [f"attenuator[{k}]" for k in range(WIDTH)]
            for name, count in (("theta", MZIS), ("phi", MZIS), ("output", WIDTH)):
                parts += [f"{mesh}.{name}[{k}]" for k in range(count)]
        return tuple(parts)


def _phases(block: MatrixBlock) -> Floats:
    parts = []
    if block.v is not None:
        attenuator = 2 * np.arcsin(block.attenuation)
        parts = [block.v.theta, block.v.phi, block.v.output, attenuator]
    return np.concatenate([*parts, block.u.theta, block.u.phi, block.u.output])

"""A mesh program seen from its drivers: phases, DAC codes, places and the heat between them.

Drivers of one block, in order: mesh V (theta 6, phi 6, output 4), attenuators 4, mesh U (as V);
a ``real-part`` block has mesh U alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.mesh.heater import voltage_of_phase
from ecgphoton.program.program import MZIS, MatrixBlock, MeshProgram
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ecgphoton.hwsim.profile import Profile

    Floats = NDArray[np.float64]

MESH = 2 * MZIS + WIDTH
"""Heaters of one mesh."""
PITCH = 120.0
"""Distance at which `Profile.heater_crosstalk` is given, um."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """A program seen from its drivers."""

    program: MeshProgram

    @cached_property
    def meshes(self) -> int:
        """Meshes of a block: 2, or 1 for ``real-part``."""
        return 1 if self.program.mesh == "real-part" else 2

    @property
    def drivers(self) -> int:
        """Drivers of one block."""
        return MESH * self.meshes + (WIDTH if self.meshes == 2 else 0)

    @cached_property
    def phases(self) -> Floats:
        """(K, drivers) intended phases, rad."""
        return np.array([self._block(block) for block in self.program.blocks])

    def _block(self, block: MatrixBlock) -> Floats:
        parts = []
        if block.v is not None:
            attenuator = 2 * np.arcsin(block.attenuation)
            parts = [block.v.theta, block.v.phi, block.v.output, attenuator]
        return np.concatenate([*parts, block.u.theta, block.u.phi, block.u.output])

    def codes(self, bits: int | None = None, phases: ArrayLike | None = None) -> Floats:
        """DAC codes (..., drivers) as fractions of the largest code.

        `bits` 0 does not round; None uses the program's width; `phases` default to the program's.
        """
        wanted = self.phases if phases is None else np.asarray(phases, float)
        ratio: Floats = voltage_of_phase(wanted, self.program.v_pi) / self.program.v_max
        bits = self.program.dac_bits if bits is None else bits
        return ratio if bits == 0 else np.rint(ratio * (2**bits - 1)) / (2**bits - 1)

    @cached_property
    def positions(self) -> Floats:
        """(drivers, 2) x and y of every driver in its block, um."""
        program = self.program
        mesh = program.layout.positions(program.column_pitch, program.mode_pitch)
        if self.meshes == 1:
            return mesh
        name = program.architecture.blocks[0]
        shift = program.origin(name, "U")[0]
        modes = np.arange(WIDTH) * program.mode_pitch
        x = np.full(WIDTH, shift - 0.25 * program.column_pitch)
        return np.concatenate([mesh, np.stack([x, modes], -1), np.add(mesh, [shift, 0.0])])

    def crosstalk(self, profile: Profile) -> Floats:
        """(drivers, drivers) share of one heater's phase arriving at another, 0 on the diagonal.

        ``c exp(-(d - 120 um) / length)`` within a block; blocks are too far apart to matter.
        """
        gap = self.positions[:, None] - self.positions[None]
        distance = np.hypot(gap[..., 0], gap[..., 1])
        if profile.heater_crosstalk == 0:
            return np.zeros_like(distance)
        length = max(profile.heater_crosstalk_length, 1e-9)
        share = profile.heater_crosstalk * np.exp(-np.maximum(distance - PITCH, 0) / length)
        np.fill_diagonal(share, 0.0)
        return np.asarray(share)

"""The device that carries one 4x4 block: its drivers, their positions and their codes.

What comes in: the kind of mesh, the heater law with its DAC, and the distances of the layout.
What goes out: the order of the drivers, DAC codes from phases and back, thermal coupling, and the
complex field matrix of the optics. The simulation of chips, the calibration, the export and the
files all read this one description.

One block of two meshes, light from left to right::

    inputs   mesh V                attenuators       mesh U             outputs
     0 ──┌───┐───────┌───┐───────ψ0── sin(a0/2) ──┌───┐───────┌───┐───────ψ0── 0
     1 ──└───┘─┌───┐─└───┘─┌───┐─ψ1── sin(a1/2) ──└───┘─┌───┐─└───┘─┌───┐─ψ1── 1
     2 ──┌───┐─└───┘─┌───┐─└───┘─ψ2── sin(a2/2) ──┌───┐─└───┘─┌───┐─└───┘─ψ2── 2
     3 ──└───┘───────└───┘───────ψ3── sin(a3/2) ──└───┘───────└───┘───────ψ3── 3

Every box is an MZI. The picture shows ``svd-clements``; the meshes of ``svd-reck`` are triangles
(see `ecgphoton.mesh.clements`).

Drivers of one block, in order: mesh V (theta 6, phi 6, output 4), attenuators 4, mesh U (as V).
A ``real-part`` block has mesh U alone. DAC codes are integers everywhere; a chip receives volts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Array, Bools, Floats, Integers
from ecgphoton.mesh.clements import AnyPhases, Phases, recompose
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.layout import COLUMN_PITCH, MODE_PITCH, WIDTH, MeshLayout
from ecgphoton.mesh.mzi import namespace

MeshKind = Literal["svd-clements", "svd-reck", "real-part"]
MZIS = WIDTH * (WIDTH - 1) // 2
"""MZIs of one mesh."""
MESH = 2 * MZIS + WIDTH
"""Drivers of one mesh: theta and phi of every MZI, then one at every output."""


@dataclass(frozen=True)
class Device:
    """Hardware of one block; every block of a program has the same.

    Raises
    ------
    InputError
        If a pitch is not above 0 and finite.
    """

    kind: MeshKind = "svd-clements"
    dac: HeaterDac = field(default_factory=HeaterDac)
    """Heater law and DAC, the same for all drivers."""
    column_pitch: float = COLUMN_PITCH
    """Distance between MZI columns, um."""
    mode_pitch: float = MODE_PITCH
    """Distance between waveguides, um."""

    def __post_init__(self) -> None:
        for pitch in (self.column_pitch, self.mode_pitch):
            if not 0 < pitch < np.inf:
                raise InputError(
                    f"column_pitch, mode_pitch is {pitch!r} um; it must be finite, above 0"
                )

    @cached_property
    def layout(self) -> MeshLayout:
        """Columns and modes of the MZIs of every mesh, in light order."""
        return MeshLayout("reck" if self.kind == "svd-reck" else "clements", WIDTH)

    @property
    def two(self) -> bool:
        """Whether a block has two meshes with attenuators between them."""
        return self.kind != "real-part"

    @property
    def meshes(self) -> int:
        """Meshes of a block: 2, or 1 for ``real-part``."""
        return 2 if self.two else 1

    @property
    def mesh_names(self) -> tuple[str, ...]:
        """Names of the meshes as light meets them."""
        return ("V", "U") if self.two else ("U",)

    @property
    def drivers(self) -> int:
        """Drivers of a block."""
        return MESH * self.meshes + (WIDTH if self.two else 0)

    def start(self, mesh: int) -> int:
        """Return the first driver of a mesh; mesh 0 is the one light meets first."""
        return mesh * (MESH + WIDTH)

    @property
    def attenuators(self) -> slice:
        """Drivers of the attenuators; empty for ``real-part``."""
        return slice(MESH, MESH + WIDTH) if self.two else slice(0, 0)

    @cached_property
    def is_attenuator(self) -> Bools:
        """(drivers,)."""
        answer = np.zeros(self.drivers, bool)
        answer[self.attenuators] = True
        return answer

    @cached_property
    def driver_names(self) -> tuple[str, ...]:
        """Name of every driver of a block, such as ``V.theta[2]``."""
        parts: list[str] = []
        for mesh in self.mesh_names:
            if mesh == "U" and self.two:
                parts += [f"attenuator[{k}]" for k in range(WIDTH)]
            for name, count in (("theta", MZIS), ("phi", MZIS), ("output", WIDTH)):
                parts += [f"{mesh}.{name}[{k}]" for k in range(count)]
        return tuple(parts)

    def heaters_of(self, mesh: int, mzi: int) -> tuple[int, int]:
        """Return the drivers of theta and phi of one MZI of a mesh."""
        return self.start(mesh) + mzi, self.start(mesh) + MZIS + mzi

    @property
    def shift(self) -> float:
        """Distance along the light from mesh V to mesh U, um; 0 for ``real-part``.

        One cell for the output heaters of V and one for the attenuators lie between them.
        """
        return (self.layout.depth + 2) * self.column_pitch if self.two else 0.0

    @cached_property
    def positions(self) -> Floats:
        """(drivers, 2) x along the light and y across of every driver in its block, um."""
        mesh = self.layout.positions(self.column_pitch, self.mode_pitch)
        if not self.two:
            return mesh
        rows = np.arange(WIDTH) * self.mode_pitch
        middle = np.stack([np.full(WIDTH, self.shift - self.column_pitch / 4), rows], -1)
        return np.concatenate([mesh, middle, np.add(mesh, [self.shift, 0.0])])

    def die(self, blocks: int) -> Floats:
        """(blocks, drivers, 2) places of all drivers on the die, um; blocks lie one below another.

        A free waveguide lies between two blocks.
        """
        below = np.arange(blocks)[:, None, None] * [0.0, (WIDTH + 1) * self.mode_pitch]
        return self.positions + below

    @cached_property
    def distances(self) -> Floats:
        """(drivers, drivers) distances between the heaters of one block, um."""
        gap = self.positions[:, None] - self.positions[None]
        return np.asarray(np.hypot(gap[..., 0], gap[..., 1]))

    def crosstalk(self, share: float, length: float) -> Floats:
        """(drivers, drivers) share of one heater's phase arriving at another, 0 on the diagonal.

        ``share exp(-(d - MODE_PITCH) / length)`` within a block; blocks are too far apart to
        matter.

        Parameters
        ----------
        share
            Share that arrives at a heater one mode pitch (120 um) away.
        length
            Distance over which it falls by e beyond that, um.
        """
        beyond = np.maximum(self.distances - MODE_PITCH, 0)
        coupled: Floats = share * np.exp(-beyond / max(length, 1e-9))
        np.fill_diagonal(coupled, 0.0)
        return coupled

    def pack(self, v: AnyPhases | None, attenuation: ArrayLike, u: AnyPhases) -> Floats:
        """(..., drivers) phases of meshes and field attenuations, in the order of the drivers."""
        parts = [u.theta, u.phi, u.output]
        if v is not None:
            parts = [
                v.theta,
                v.phi,
                v.output,
                2 * np.arcsin(np.asarray(attenuation, float)),
                *parts,
            ]
        return np.concatenate(parts, -1)

    def mesh_phases(self, phases: Array, mesh: int) -> Phases:
        """Return theta, phi and output of one mesh from phases (..., drivers)."""
        at = self.start(mesh)
        return Phases(
            phases[..., at : at + MZIS],
            phases[..., at + MZIS : at + 2 * MZIS],
            phases[..., at + 2 * MZIS : at + MESH],
        )

    def passed(self, phases: Array) -> Array:
        """(..., 4) field that the attenuators pass: ``sin(phase / 2)``."""
        chosen = phases[..., self.attenuators]
        return namespace(chosen).sin(chosen / 2)

    def field(
        self,
        phases: Array,
        alpha: Array = None,
        beta: Array = None,
        transmission: Array = None,
        passed: Array = None,
    ) -> Array:
        """Complex field matrices (..., 4, 4) of the optics at actual phases (..., drivers).

        Parameters
        ----------
        phases
            Rad; numpy or torch.
        alpha, beta
            (..., meshes, 6) splitter angle errors, rad; None for perfect splitters.
        transmission
            (..., meshes, 6) field transmission of every MZI; None for lossless ones.
        passed
            (..., 4) field that the attenuators pass, where they are not perfect.
        """

        def mesh(index: int) -> Array:
            errors = (part if part is None else part[..., index, :]
                      for part in (alpha, beta, transmission))  # fmt: skip
            return recompose(self.layout, self.mesh_phases(phases, index), *errors)

        if not self.two:
            return mesh(0)
        kept = self.passed(phases) if passed is None else passed
        return mesh(1) @ (kept[..., None] * mesh(0))

    def volts(self, codes: Array) -> Array:
        """Voltages (V) of integer DAC codes."""
        return self.dac.voltage_of(codes)

    def exact_volts(self, phases: ArrayLike) -> Floats:
        """Voltages (V) that give phases (rad) on an ideal heater, without any DAC's rounding."""
        return self.dac.volts_for(phases)

    def codes(self, phases: ArrayLike) -> Integers:
        """Integer DAC codes nearest to phases (rad, at least 0)."""
        return self.dac.codes_for(np.asarray(phases, float))

    def phases(self, codes: Array) -> Array:
        """Phases (rad) that an ideal heater gives at integer DAC codes."""
        return self.dac.phase_of(codes)

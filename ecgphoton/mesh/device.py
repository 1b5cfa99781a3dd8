"""The device that carries one 4x4 block: its drivers, their positions and their codes.

What comes in: the kind of mesh, the heater law with its DAC, and the distances of the layout.
What goes out: the order of the drivers, DAC codes from phases and back, thermal coupling, and the
complex field matrix of the optics. The simulation of chips, the calibration, the export and the
files all read this one description.

One block of two meshes, light from left to right::

    inputs   mesh V             attenuators   mesh U             outputs
     0 ──┌───┐───────┌───┐─────────[att0]──┌───┐───────┌───┐─────────ψ0── 0
     1 ──└───┘─┌───┐─└───┘─┌───┐───[att1]──└───┘─┌───┐─└───┘─┌───┐───ψ1── 1
     2 ──┌───┐─└───┘─┌───┐─└───┘───[att2]──┌───┐─└───┘─┌───┐─└───┘───ψ2── 2
     3 ──└───┘───────└───┘─────────[att3]──└───┘───────└───┘─────────ψ3── 3

Every box is an MZI. The picture shows ``svd-clements``; the meshes of ``svd-reck`` are triangles
(see `ecgphoton.mesh.clements`). An attenuator is an MZI with one heater, theta on its upper arm::

    from V ──┐       ┌──[theta]──┐      ┌── to U        T11 = i exp(i theta/2) sin(theta/2)
             │ alpha │           │ beta │
      dark ──┘       └───────────┘      └── dump

Its lower input is dark and its lower output ends in an absorber or a monitor photodiode.

Drivers of one block, in order: mesh V (theta 6, phi 6), attenuators (theta 4), mesh U (theta 6,
phi 6, output 4): 32. A ``real-part`` block has mesh U alone: 16. MZIs in order: mesh V (6),
attenuators (4), mesh U (6). DAC codes are integers everywhere; a chip receives volts.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from ecgphoton.mesh.arrays import Array, ArrayLike, Floats
from ecgphoton.mesh.clements import Phases, recompose
from ecgphoton.mesh.crosstalk import COOL, NO_CROSSTALK, ROUNDING, Crosstalk, undo
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.layout import COLUMN_PITCH, MODE_PITCH, WIDTH as WIDTH, MeshLayout
from ecgphoton.mesh.mzi import elements
from ecgphoton.settings import Settings, setting

MeshKind = Literal["svd-clements", "svd-reck", "real-part"]
MZIS = WIDTH * (WIDTH - 1) // 2
"""MZIs of one mesh."""
BETWEEN = 2 * MZIS + WIDTH
"""Drivers of a block before those of mesh U: theta and phi of mesh V, then the attenuators."""
FAR = 600.0
"""Lengths of crosstalk behind which nothing arrives, before exp has no number for it."""


class Mzi(NamedTuple):
    """One MZI of a block."""

    name: str
    """``V.mzi0``, ``att0``, ``U.mzi0``."""
    column: int
    """Counted from the inputs of the block; the attenuators are a column of their own."""
    mode: int
    """Upper mode; the only one that an attenuator passes."""
    drivers: tuple[int, ...]
    """Theta and phi, or theta alone."""


@dataclass(frozen=True)
class Device(Settings):
    """Hardware of one block; every block of a program has the same.

    Raises
    ------
    InputError
        If the kind is unknown, or a pitch is not above 0 and finite.
    """

    kind: MeshKind = setting("svd-clements", "How a matrix becomes a mesh.")
    dac: HeaterDac = field(default_factory=HeaterDac)
    """Heater law and DAC, the same for all drivers."""
    column_pitch: float = setting(COLUMN_PITCH, "Distance between MZI columns.", above=0, unit="um")
    mode_pitch: float = setting(MODE_PITCH, "Distance between waveguides.", above=0, unit="um")
    undoes: Crosstalk = NO_CROSSTALK
    """Crosstalk of the layout that codes undo."""

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
        return len(self.driver_names)

    @property
    def columns(self) -> int:
        """Columns of MZIs from the inputs to the outputs, that of the attenuators counted in."""
        return self.layout.depth * self.meshes + (1 if self.two else 0)

    @property
    def attenuators(self) -> slice:
        """Drivers of the attenuators; empty for ``real-part``."""
        return slice(2 * MZIS, BETWEEN) if self.two else slice(0, 0)

    @cached_property
    def driver_names(self) -> tuple[str, ...]:
        """Name of every driver of a block, such as ``V.mzi2.theta``, ``att0.theta``, ``U.out3``.

        This is the list of drivers: files, drawings, netlists and calibration follow it.
        """
        mzis = [f"mzi{k}.{name}" for name in ("theta", "phi") for k in range(MZIS)]
        attenuators = [f"att{k}.theta" for k in range(WIDTH)]
        first = [*(f"V.{name}" for name in mzis), *attenuators] if self.two else []
        return (*first, *(f"U.{name}" for name in mzis), *(f"U.out{k}" for k in range(WIDTH)))

    @cached_property
    def mzis(self) -> tuple[Mzi, ...]:
        """All MZIs of a block in light order, attenuators among them."""
        found: list[Mzi] = []
        for mesh, name in enumerate(self.mesh_names):
            at, column = mesh * BETWEEN, mesh * (self.layout.depth + 1)
            found += [
                Mzi(f"{name}.mzi{k}", column + own, mode, (at + k, at + MZIS + k))
                for k, (own, mode) in enumerate(self.layout.mzis)
            ]
            if mesh < self.meshes - 1:
                first = self.attenuators.start
                found += [Mzi(f"att{k}", self.layout.depth, k, (first + k,)) for k in range(WIDTH)]
        return tuple(found)

    def mzis_of(self, mesh: int) -> slice:
        """Return where the MZIs of a mesh are among all MZIs of a block."""
        return slice(mesh * (MZIS + WIDTH), mesh * (MZIS + WIDTH) + MZIS)

    @property
    def attenuating(self) -> slice:
        """Where the attenuators are among all MZIs of a block; empty for ``real-part``."""
        return slice(MZIS, MZIS + WIDTH) if self.two else slice(0, 0)

    @property
    def shift(self) -> float:
        """Distance along the light from mesh V to mesh U, um; 0 for ``real-part``.

        The column of the attenuators lies between them.
        """
        return (self.layout.depth + 1) * self.column_pitch if self.two else 0.0

    @cached_property
    def positions(self) -> Floats:
        """(drivers, 2) x along the light and y across of every driver in its block, um."""
        mesh = self.layout.positions(self.column_pitch, self.mode_pitch)
        if not self.two:
            return mesh
        rows = np.arange(WIDTH) * self.mode_pitch
        middle = np.stack([np.full(WIDTH, self.shift - self.column_pitch / 4), rows], -1)
        return np.concatenate([mesh[: 2 * MZIS], middle, np.add(mesh, [self.shift, 0.0])])

    def origin(self, block: int, mesh: str | None = None) -> tuple[float, float]:
        """Return x and y (um) of mode 0 in the first column of a mesh; without one, of a block.

        Blocks lie one below another, with a free waveguide between two. Mesh V comes first; the
        column of the attenuators lies between it and mesh U.
        """
        return (self.shift if mesh == "U" else 0.0), block * (WIDTH + 1) * self.mode_pitch

    def die(self, blocks: int) -> Floats:
        """(blocks, drivers, 2) places of all drivers on the die, um."""
        origins = [self.origin(block) for block in range(blocks)]
        return np.asarray(self.positions + np.array(origins)[:, None])

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
        coupled: Floats = share * np.exp(-np.minimum(beyond / max(length, 1e-9), FAR))
        np.fill_diagonal(coupled, 0.0)
        return coupled

    @cached_property
    def coupling(self) -> Floats:
        """(drivers, drivers) crosstalk that codes undo."""
        return self.crosstalk(self.undoes.share, self.undoes.length)

    @cached_property
    def mixing(self) -> Floats:
        """(drivers, drivers) I + X of the crosstalk that codes undo: from shifts to phases."""
        return np.eye(self.drivers) + self.coupling

    def shifts_for(self, phases: ArrayLike) -> Floats:
        """Return what every shifter gives itself for phases (..., drivers), rad, within its reach.

        Crosstalk of the layout is undone. Where a heater would have to cool by up to `COOL` it
        stays off, and `phases_at` is larger. A driver of both signs can always be a turn further.
        """
        wanted, (low, high) = np.asarray(phases, float), self.dac.reach
        if not self.undoes.share:
            return np.asarray(self.dac.wrapped(wanted))
        cool = ROUNDING if low < 0 else COOL
        return np.minimum(undo(self.mixing, wanted, low=self.dac.lowest, cool=cool), high)

    def codes_for(self, shifts: Array) -> Array:
        """Return the DAC codes nearest to what shifters give themselves (rad); numpy or torch.

        Where codes undo crosstalk, a turn more or less is not the same: neighbours feel it.
        """
        return self.dac.codes_for(shifts, turns=not self.undoes.share)

    def phases_at(self, shifts: ArrayLike) -> Floats:
        """Phases (..., drivers) of the layout's chips at what shifters give themselves, rad."""
        own = np.asarray(shifts, float)
        return own + own @ self.coupling.T

    def pack(self, u: Phases, v: Phases | None = None, attenuators: ArrayLike = ()) -> Floats:
        """(..., drivers) phases of the meshes and of the attenuators, in the order of `drivers`."""
        before = [] if v is None else [v.theta, v.phi, np.asarray(attenuators, float)]
        return np.concatenate([*before, u.theta, u.phi, u.output], -1)

    def mesh_phases(self, phases: Array, mesh: int) -> Phases:
        """Return theta, phi and output of one mesh from phases (..., drivers)."""
        at = mesh * BETWEEN
        return Phases(
            phases[..., at : at + MZIS],
            phases[..., at + MZIS : at + 2 * MZIS],
            phases[..., at + 2 * MZIS :] if mesh == self.meshes - 1 else None,
        )

    def field(
        self,
        phases: Array,
        alpha: Array = 0.0,
        beta: Array = 0.0,
        transmission: Array = 1.0,
    ) -> Array:
        """Complex field matrices (..., 4, 4) of the optics at actual phases (..., drivers).

        Parameters
        ----------
        phases
            Rad; numpy or torch.
        alpha, beta
            (..., MZIs) splitter angle errors, rad, or one number for all.
        transmission
            (..., MZIs) field transmission of every MZI, or one number for all.
        """

        def of(place: slice) -> list[Array]:
            parts = (alpha, beta, transmission)
            return [part if np.ndim(part) == 0 else part[..., place] for part in parts]

        def mesh(index: int) -> Array:
            errors = of(self.mzis_of(index))
            return recompose(self.layout, self.mesh_phases(phases, index), *errors)

        if not self.two:
            return mesh(0)
        first, second, kept = of(self.attenuating)
        passed = elements(phases[..., self.attenuators], 0.0, first, second)[0] * kept
        return mesh(1) @ (passed[..., None] * mesh(0))

"""Self-configuration by interference of two ports, with nothing but photodiodes.

All interferometers are set to bar and all attenuators to full light, so that light in port m leaves
at port m. One interferometer after the other, in light order, is then swept: theta with light in
its upper port alone (bar and cross are the extremes of its fringe), phi with light in both ports
and theta at half way. What interferometers on the same pair of modes leak interferes with the
fringe; it is averaged away by swinging the phases around by half turns. Output phases leave no
trace in power and stay as they are.

Self-configuration by nulling is covered by US patent 12,174,018: a commercial user should check.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ecgphoton.calibration.crosstalk import matrix, undo
from ecgphoton.calibration.model import Model, Rows
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.heater import voltage_of_phase
from ecgphoton.mesh.program import MZIS
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.bench import Bench
    from ecgphoton.calibration.circuit import Circuit

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class NullMeshes:
    """Find the phase offsets of every interferometer from output powers alone."""

    steps: int = 12
    """Phases of a sweep, over one turn."""
    passes: int = 2
    """The second sees less stray light, because the first has set everything better."""

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with `Beliefs.offset` of every theta and phi."""
        order = [
            (mesh, k, name)
            for mesh in range(table.circuit.meshes)
            for k in range(MZIS)
            for name in ("theta", "phi")
        ]
        for _ in range(self.passes):
            for mesh, k, name in order:
                table = self._one(bench, table, mesh, k, inner=name == "theta")
        return table

    def _one(
        self, bench: Bench, table: DriveTable, mesh: int, k: int, *, inner: bool
    ) -> DriveTable:
        circuit = table.circuit
        mode = circuit.layout.mzis[k][1]
        start = circuit.start(mesh)
        driver = start + k if inner else start + MZIS + k
        light = np.zeros(WIDTH)
        light[mode : mode + 1 if inner else mode + 2] = 1.0 if inner else np.sqrt(0.5)
        sweep = np.linspace(0, 2 * np.pi, self.steps, endpoint=False)
        wanted = _straight(circuit)
        if not inner:
            wanted[start + k] = np.pi / 2
        rest = np.stack([wanted + swing for swing in _swings(circuit, driver, mode)])
        phases = np.repeat(rest, self.steps, 0)
        phases[:, driver] = np.tile(sweep, len(rest))
        codes = _codes(table, phases)
        powers = bench.read(codes, light[None], "power")[..., 0, mode : mode + 2]
        # What the beliefs expect at the codes set, rounding included.
        model, rows = Model(circuit), Rows.of(table.beliefs)
        reaching = np.moveaxis(table.reaching(codes), 0, 2).reshape(len(rows.alpha), len(codes), -1)
        heat = model.heat(rows, model.power(torch.as_tensor(reaching)))
        actual = model.phases(rows, heat)
        fields = model.matrices(rows, actual) @ torch.as_tensor(light, dtype=torch.complex128)
        expected = fields.abs().square().numpy()[..., mode : mode + 2]
        expected = np.moveaxis(expected.reshape(*table.codes.shape[:2], len(codes), 2), 2, 0)
        angle = np.moveaxis(actual[..., driver].numpy().reshape(*table.codes.shape[:2], -1), 2, 0)
        turn = _fringe(angle, powers) / _fringe(angle, expected)
        visible = np.abs(turn) > 0.1
        # The wave A cos(x + d) has the factor A exp(i d).
        shift = np.where(visible & ~table.broken[..., driver], np.angle(turn), 0.0)
        offset = table.beliefs.offset.copy()
        offset[..., driver] += shift
        return replace(table, beliefs=replace(table.beliefs, offset=offset))


def _straight(circuit: Circuit) -> Floats:
    """(drivers,) every interferometer at bar, every attenuator open."""
    phases = np.zeros(circuit.drivers)
    for mesh in range(circuit.meshes):
        phases[circuit.start(mesh) : circuit.start(mesh) + MZIS] = np.pi
    phases[circuit.attenuators] = np.pi
    return phases


def _swings(circuit: Circuit, driver: int, mode: int) -> list[Floats]:
    """Half turns of the phases between interferometers on the same modes, all combinations.

    What leaks in one of them changes sign against what passes the others, and cancels in the mean.
    """
    same = [
        circuit.start(mesh) + MZIS + j
        for mesh in range(circuit.meshes)
        for j, (_, m) in enumerate(circuit.layout.mzis)
        if m == mode
    ]
    # One phase too many: the swept one, or the first, which turns the light that comes in.
    others = [phi for phi in same if phi != driver] if driver in same else same[1:]
    swings = []
    for pattern in itertools.product((0.0, np.pi), repeat=len(others)):
        swing = np.zeros(circuit.drivers)
        swing[others] = pattern
        swings.append(swing)
    return swings


def _codes(table: DriveTable, phases: Floats) -> Integers:
    """(S, C, K, drivers) codes that should give actual phases (S, drivers)."""
    circuit, beliefs = table.circuit, table.beliefs
    k = matrix(circuit, beliefs.coupling)
    heat = undo(circuit, k, phases[:, None, None], beliefs.offset)
    dac = circuit.dac
    volts = voltage_of_phase(heat, dac.v_pi, beliefs.law + np.eye(3)[0], largest=dac.v_max)
    codes: Integers = np.rint(volts / dac.v_max * dac.top).astype(np.int64)
    return codes


def _fringe(angle: Floats, powers: Floats) -> NDArray[np.complex128]:
    """Complex amplitude (C, K) of the wave in the difference of two ports (S, C, K, 2)."""
    value = powers[..., 0] - powers[..., 1]
    basis = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)], -1)
    gram = np.einsum("sckp,sckq->ckpq", basis, basis)
    right = np.einsum("sckp,sck->ckp", basis, value)
    wave = np.linalg.solve(gram + 1e-12 * np.eye(3), right[..., None])[..., 0]
    return np.asarray(wave[..., 1] - 1j * wave[..., 2])

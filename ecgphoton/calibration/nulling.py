"""Self-configuration by interference of two ports, with nothing but photodiodes.

All interferometers are set to bar and all attenuators to full light, so that light in port m leaves
at port m. First every attenuator is swept, then one interferometer after the other in light order:
theta with light in its upper port alone (bar and cross are the extremes of its fringe), phi with
light in both ports and theta at half way. What interferometers on the same pair of modes leak
interferes with the fringe; it is averaged away by swinging the phases around by half turns. Output
phases leave no trace in power and stay as they are.

Self-configuration by nulling is covered by US patent 12,174,018: a commercial user should check.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Complexes, Floats
from ecgphoton.mesh.device import WIDTH, Device, Mzi


@dataclass(frozen=True)
class NullMeshes:
    """Find the phase offsets of attenuators and interferometers from output powers alone."""

    steps: int = 12
    """Phases of a sweep, over one turn."""
    passes: int = 2
    """The second has less stray light, because the first has improved all settings."""
    kind: ClassVar[Kind] = "power"
    drives: ClassVar[bool] = False

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with `Beliefs.offset` of every attenuator, theta and phi."""
        for _ in range(self.passes):
            for sweep in _order(table.device):
                table = self._one(bench, table, sweep)
        return table

    def _one(self, bench: Bench, table: DriveTable, sweep: "_Sweep") -> DriveTable:
        driver = sweep.driver
        turns = np.linspace(0, 2 * np.pi, self.steps, endpoint=False)
        rest = sweep.rest + _swings(table.device, driver, sweep.mode)
        phases = np.repeat(rest, self.steps, 0)
        phases[:, driver] = np.tile(turns, len(rest))
        codes = table.device.dac.code_of(table.volts_for(phases[:, None, None]))
        powers = bench.read(codes, sweep.light[None], "power")[..., 0, :] @ sweep.ports
        # What the estimates predict at the codes set, rounding included.
        shape = (*table.codes.shape[:2], len(codes))
        actual = table.model.phases(table.rows, table.power(codes))
        fields = table.model.fields(table.rows, actual) @ torch.as_tensor(sweep.light + 0j)
        expected = (fields.abs().square().numpy() @ sweep.ports).reshape(shape)
        angle = actual[..., driver].numpy().reshape(shape)
        # One wave a swing. Where a swing turns the wave itself it turns what is expected, too;
        # stray light does not follow, and drops out of the sum.
        waves = [
            _wave(*(part.reshape(*shape[:2], -1, self.steps) for part in (angle, value)))
            for value in (np.moveaxis(powers, 0, 2), expected)
        ]
        turn = (waves[0] * waves[1].conj()).sum(-1)
        hoped = (np.abs(waves[1]) ** 2).sum(-1)
        # The wave A cos(x + d) has the factor A exp(i d).
        visible = (np.abs(turn) > 0.1 * hoped) & ~table.broken[..., driver]
        offset = table.beliefs.offset.copy()
        offset[..., driver] += np.where(visible, np.angle(turn), 0.0)
        return replace(table, beliefs=table.beliefs._replace(offset=offset))


@dataclass(frozen=True, eq=False)
class _Sweep:
    """One driver to sweep, where the others rest, and which light and detectors show it."""

    driver: int
    mode: int
    """Upper mode of its interferometer; -1 for an attenuator."""
    rest: Floats
    """(drivers,) phases."""
    light: Floats
    """(4,) input field."""
    ports: Floats
    """(4,) weights of the detectors."""


def _order(device: Device) -> Iterator[_Sweep]:
    """Attenuators first, then theta and phi of every interferometer in light order."""
    ports = np.eye(WIDTH)
    for mzi in device.mzis[device.attenuating]:
        port = ports[mzi.mode]
        yield _Sweep(mzi.drivers[0], -1, _straight(device), port, port)
    for mzi in _interferometers(device):
        theta, phi = mzi.drivers
        upper, lower = ports[mzi.mode], ports[mzi.mode + 1]
        yield _Sweep(theta, mzi.mode, _straight(device), upper, upper - lower)
        half = _straight(device)
        half[theta] = np.pi / 2
        yield _Sweep(phi, mzi.mode, half, np.sqrt(0.5) * (upper + lower), upper - lower)


def _interferometers(device: Device) -> list[Mzi]:
    """MZIs of the meshes, in light order."""
    return [mzi for mzi in device.mzis if len(mzi.drivers) > 1]


def _straight(device: Device) -> Floats:
    """(drivers,) every interferometer at bar, which opens the attenuators."""
    phases = np.zeros(device.drivers)
    phases[[mzi.drivers[0] for mzi in device.mzis]] = np.pi
    return phases


def _swings(device: Device, driver: int, mode: int) -> Floats:
    """(n, drivers) half turns of phases between interferometers on the same modes, combined.

    What leaks in one of them changes sign against what passes the others, and cancels in the mean.
    """
    same = [mzi.drivers[1] for mzi in _interferometers(device) if mzi.mode == mode]
    # One phase too many: the swept one, or the first, which turns the light that comes in.
    others = [phi for phi in same if phi != driver] if driver in same else same[1:]
    patterns = np.array(list(itertools.product((0.0, np.pi), repeat=len(others))))
    swings = np.zeros((len(patterns), device.drivers))
    swings[:, others] = patterns
    return swings


def _wave(angle: Floats, value: Floats) -> Complexes:
    """Complex amplitude (...) of the wave in sweeps (..., steps)."""
    basis = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)], -1)
    gram = basis.swapaxes(-1, -2) @ basis + 1e-12 * np.eye(3)
    wave = np.linalg.solve(gram, basis.swapaxes(-1, -2) @ value[..., None])[..., 0]
    return np.asarray(wave[..., 1] - 1j * wave[..., 2])

"""Settings that a laboratory probes a chip with, and what its detectors read.

The settings are the same for every chip, fixed by a seed. Detectors have a reading without light, a
noise and a gain, and what is wrong with them is found here.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from ecgphoton.calibration.beliefs import Beliefs, Finding
from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Complexes, Floats, Integers
from ecgphoton.mesh.layout import WIDTH

HOMES = 32
BASIS = np.eye(4)
"""Input fields: one port after the other."""


def random_codes(table: DriveTable, settings: int, seed: int) -> Integers:
    """(S, 1, 1, drivers) codes of phases spread evenly over a turn."""
    drivers = table.device.drivers
    phases = np.random.default_rng([seed, 1]).uniform(0, 2 * np.pi, (settings, drivers))
    return literal(table, phases)[:, None, None]


def literal(table: DriveTable, phases: Floats) -> Integers:
    """Return the codes nearest in voltage to phases, which a sweep takes as they are.

    `HeaterDac.codes_for` may take one from another turn.
    """
    dac = table.device.dac
    return np.asarray(dac.code_of(dac.volts_for(phases)))


def sweep_codes(table: DriveTable, voltages: int, seed: int) -> Integers:
    """(drivers, voltages, drivers) one heater at a time, from cold to a little more than a turn.

    The others rest where the swept one shows best on a chip as designed. Steps are uneven, so that
    every bit of the DAC takes part.
    """
    device, draw = table.device, np.random.default_rng([seed, 2])
    homes = draw.uniform(0.3, 2 * np.pi - 0.3, (HOMES, device.drivers))
    slope = table.model.slopes(Beliefs.designed(table.program), torch.as_tensor(homes)[None])[
        "phase"
    ]
    best = slope.abs().square().sum((1, 3, 4)).argmax(1).numpy()
    codes = np.repeat(literal(table, homes[best])[:, None], voltages, 1)
    steps = (np.arange(voltages) + draw.uniform(-0.3, 0.3, (device.drivers, voltages))).clip(0)
    low, high = (np.pi * limit for limit in table.model.span)
    phases = low + np.sort(steps, 1) / (voltages - 0.7) * (high - low)
    index = np.arange(device.drivers)
    codes[index, :, index] = literal(table, phases)
    return codes


DETECTORS = tuple(f"detector[{port}]" for port in range(WIDTH))
WRONG_GAIN = 0.2
"""Relative error of a detector's gain that is reported."""


@dataclass(frozen=True)
class ReadDark:
    """Measure what detectors read without light, and how much they scatter with it.

    Light is off for the first half of the readings; in the second half every port is lit in turn
    with the program's codes, and only the scatter counts.
    """

    shots: int = 64
    kind: ClassVar[Kind] = "field"
    drives: ClassVar[bool] = False

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with `Beliefs.zero`, `noise` and `row_offset`."""
        codes = np.repeat(table.settings, self.shots, 0)
        dark = bench.read(codes, np.zeros((1, WIDTH)))[..., 0, :]
        lit = bench.read(codes[: max(self.shots // 2, 2)], BASIS)
        scatter = (lit.real.var(0, ddof=1) + lit.imag.var(0, ddof=1)).mean((-2, -1)) / 2
        beliefs = table.beliefs._replace(zero=dark.real.mean(0))
        return replace(table, beliefs=beliefs, noise=np.sqrt(scatter)).with_offsets()


def without_zero(table: DriveTable, readings: Complexes) -> Complexes:
    """Return readings (S, C, K, N, 4) less what both quadratures read in the dark."""
    return np.asarray(readings - (1 + 1j) * table.beliefs.zero[None, :, :, None])


def saturated(table: DriveTable, readings: Complexes) -> list[Finding]:
    """Name detectors whose largest reading repeats exactly at many different settings.

    `readings` (S, C, K, N, 4) come from settings that differ in every heater, so that nothing but
    a clipped detector can repeat itself.
    """
    size = np.abs(np.stack([readings.real, readings.imag]))
    top = size.max((0, 1, 4))
    share = (size >= top[:, :, None] * (1 - 1e-9)).sum((0, 1, 4))
    return table.found(
        "saturated detector",
        (share >= 8) & (top > 0),
        DETECTORS,
        lambda at: f"{int(share[at])} readings at {top[at]:.4g}, none above",
    )


def wrong_gains(table: DriveTable) -> list[Finding]:
    """Name detectors whose gain is far off."""
    gain = table.beliefs.gain
    return table.found(
        "wrong gain",
        np.abs(gain) > WRONG_GAIN,
        DETECTORS,
        lambda at: f"{1 + gain[at]:.3f} of nominal",
    )

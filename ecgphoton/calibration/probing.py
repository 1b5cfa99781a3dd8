"""Settings that a laboratory probes a chip with: the same for every chip, fixed by a seed."""

from __future__ import annotations

import numpy as np
import torch

from ecgphoton.calibration.beliefs import Beliefs
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Integers

REACH = 2.25 * np.pi
"""Largest phase a sweep asks of a heater, rad: a little more than a turn."""
HOMES = 32
BASIS = np.eye(4)
"""Input fields: one port after the other."""


def random_codes(table: DriveTable, settings: int, seed: int) -> Integers:
    """(S, 1, 1, drivers) codes of phases spread evenly over a turn."""
    drivers = table.device.drivers
    phases = np.random.default_rng([seed, 1]).uniform(0, 2 * np.pi, (settings, drivers))
    return table.device.codes(phases)[:, None, None]


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
    codes = np.repeat(device.codes(homes[best])[:, None], voltages, 1)
    steps = (np.arange(voltages) + draw.uniform(-0.3, 0.3, (device.drivers, voltages))).clip(0)
    phases = np.sort(steps, 1) / (voltages - 0.7) * REACH
    index = np.arange(device.drivers)
    codes[index, :, index] = device.codes(phases)
    return codes

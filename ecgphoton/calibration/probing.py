"""Settings that a laboratory probes a chip with: the same for every chip, fixed by a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ecgphoton.calibration.beliefs import Beliefs
from ecgphoton.calibration.model import Model, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.circuit import Circuit

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

REACH = 2.25 * np.pi
"""Largest phase a sweep asks of a heater, rad: a little more than a turn."""
HOMES = 32
BASIS = np.eye(4)
"""Input fields: one port after the other."""


def random_codes(circuit: Circuit, settings: int, seed: int) -> Integers:
    """(S, 1, 1, drivers) codes of phases spread evenly over a turn."""
    phases = np.random.default_rng([seed, 1]).uniform(0, 2 * np.pi, (settings, circuit.drivers))
    return circuit.dac.codes_for(phases)[:, None, None]


def sweep_codes(circuit: Circuit, voltages: int, seed: int) -> Integers:
    """(drivers, voltages, drivers) one heater at a time, from cold to a little more than a turn.

    The others rest where the swept one shows best on a chip as designed. Steps are uneven, so that
    every bit of the DAC takes part.
    """
    draw = np.random.default_rng([seed, 2])
    homes = draw.uniform(0.3, 2 * np.pi - 0.3, (HOMES, circuit.drivers))
    model = Model(circuit)
    rows = Rows.of(Beliefs.none(circuit, 1)).at(slice(0, 1))
    slope = model.slopes(rows, torch.as_tensor(homes)[None])["phase"].abs().square()
    best = slope.sum((1, 3, 4)).argmax(1).numpy()
    codes = np.repeat(circuit.dac.codes_for(homes[best])[:, None], voltages, 1)
    steps = (np.arange(voltages) + draw.uniform(-0.3, 0.3, (circuit.drivers, voltages))).clip(0)
    phases = np.sort(steps, 1) / (voltages - 0.7) * REACH
    index = np.arange(circuit.drivers)
    codes[index, :, index] = circuit.dac.codes_for(phases)
    return codes

"""Close the loop: measure the matrices a chip really performs, and move codes until they fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ecgphoton.calibration.model import Model, Rows
from ecgphoton.calibration.phases import GOOD, goals, mixed
from ecgphoton.calibration.placement import place, polish, response
from ecgphoton.calibration.probing import BASIS
from ecgphoton.calibration.readout import lightened, with_offsets
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.bench import Bench
    from ecgphoton.calibration.table import DriveTable

    Floats = NDArray[np.float64]

REGAIN = 0.1
"""Largest relative change of a row gain in one round."""


@dataclass(frozen=True)
class Trim:
    """Measure, correct by the model's slopes, measure again; keep what is better.

    What the model does not know is taken from the measurement, so errors of the table that no
    fit could find are trimmed away as well, down to the scatter of `shots` readings.
    """

    shots: int = 128
    rounds: int = 2

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with the codes that measured best."""
        circuit = table.circuit
        model, rows = Model(circuit), Rows.of(table.beliefs)
        scale = np.maximum(circuit.scale, 1e-12)[:, None, None]
        goal = goals(table)
        free = torch.as_tensor(~table.broken).reshape(-1, circuit.drivers)
        before = table
        measured = measure(bench, table, self.shots)
        wrong = table.error(measured) > GOOD
        table, measured = _regained(table, measured)
        for _ in range(self.rounds):
            gain = torch.as_tensor(table.row_gain).reshape(-1, WIDTH)
            reaching = table.reaching(table.settings)[0].reshape(-1, circuit.drivers)
            power = model.power(torch.as_tensor(reaching))
            value, _ = response(model, rows, power, gain, slopes=False)
            bias = torch.as_tensor(measured / scale).reshape(-1, WIDTH * WIDTH) - value
            at = polish(model, rows, power, goal - bias, gain, free, kicks=0)
            codes = place(model, rows, at, goal, gain, free, bias=bias)
            codes = torch.where(free, codes, torch.as_tensor(table.codes).reshape(codes.shape))
            trial = replace(table, codes=codes.numpy().reshape(table.codes.shape))
            trial, again = _regained(trial, measure(bench, trial, self.shots))
            better = table.error(again) < table.error(measured)
            table = mixed(table, trial, better)
            measured = np.where(better[..., None, None], again, measured)
        return with_offsets(mixed(before, table, wrong))


def _regained(table: DriveTable, measured: Floats) -> tuple[DriveTable, Floats]:
    """Fit the digital gain of every row to what was measured: it has no rounding."""
    overlap = (measured * table.circuit.targets).sum(-1)
    factor = overlap / np.maximum((measured**2).sum(-1), 1e-12)
    factor = np.where(overlap > 0, factor, 1.0).clip(1 - REGAIN, 1 + REGAIN)
    return replace(table, row_gain=table.row_gain * factor), measured * factor[..., None]


def measure(bench: Bench, table: DriveTable, shots: int) -> Floats:
    """(C, K, 4, 4) matrices performed at the table's codes, in units of W, mean of `shots`."""
    readings = lightened(table, bench.read(np.repeat(table.settings, shots, 0), BASIS))
    fields = readings.real.mean(0).swapaxes(-1, -2)
    return np.asarray((table.circuit.scale[:, None] * table.row_gain)[..., None] * fields)

"""Measure the matrices that a chip performs, and move codes until they fit."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.phases import GOOD
from ecgphoton.calibration.placement import Task, place, polish
from ecgphoton.calibration.probing import BASIS, without_zero
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Bools, Floats

CHANCE = 8.0
"""Improvement of the squared error, in variances of a measured element, that may be chance."""
GAINS = 0.02
"""Standard deviation expected of what row gains are still off by."""
REGAIN = 0.1
"""Largest relative change of a row gain in one round."""


@dataclass(frozen=True)
class Trim:
    """Measure, correct by the model's slopes, measure again; keep what is better.

    The measurement includes what the model does not, so errors that were not fitted are corrected
    as well, down to the scatter of `shots` readings.
    """

    shots: int = 128
    rounds: int = 2
    kind: ClassVar[Kind] = "field"
    drives: ClassVar[bool] = True

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with the codes that measured best."""
        before, program = table, table.program
        scale = np.maximum(program.scales, 1e-12)[:, None, None]
        scatter = table.noise / np.sqrt(self.shots)  # (C, K), of one element in units of readings
        size = np.maximum(np.linalg.norm(program.targets / scale, axis=(-2, -1)), 1e-12)
        chance = CHANCE * (scatter / size) ** 2
        measured = measure(bench, table, self.shots)
        wrong = table.error(measured) > GOOD
        table, measured = self._or_program(bench, table, measured, wrong)
        table, measured = _regained(table, measured, scatter * program.scales)
        for _ in range(self.rounds):
            task, power = Task.of(table), table.power(table.settings)[:, 0]
            # What was measured beyond the model's prediction is asked for less.
            bias = torch.as_tensor(measured / scale).reshape(-1, 16) - (
                task.wanted - task.left(power)
            )
            bias = _shrunk(bias, torch.as_tensor(scatter).reshape(-1, 1))
            task = replace(task, wanted=task.wanted - bias)
            codes = place(task, polish(task, power, kicks=0))
            codes = torch.where(task.free, codes, torch.as_tensor(table.codes).flatten(0, 1))
            trial = replace(table, codes=codes.numpy().reshape(table.codes.shape))
            again = measure(bench, trial, self.shots)
            trial, again = _regained(trial, again, scatter * program.scales)
            better = table.error(again) ** 2 < table.error(measured) ** 2 - chance
            table = table.mixed(trial, better)
            measured = np.where(better[..., None, None], again, measured)
        return before.mixed(table, wrong).with_offsets()

    def _or_program(
        self, bench: Bench, table: DriveTable, measured: Floats, wrong: Bools
    ) -> tuple[DriveTable, Floats]:
        """Go back to the program's own codes where they measure better."""
        start = DriveTable.start(table.program, len(table))
        if not wrong.any() or np.array_equal(start.codes, table.codes):
            return table, measured
        plain = replace(table, codes=start.codes, row_gain=start.row_gain)
        own = measure(bench, plain, self.shots)
        better = table.error(own) < table.error(measured)
        return table.mixed(plain, better), np.where(better[..., None, None], own, measured)


def _shrunk(bias: torch.Tensor, scatter: torch.Tensor) -> torch.Tensor:
    """Shrink (R, 16) measured biases by how much of them is scatter (James and Stein 1961)."""
    seen = bias.square().mean(1, keepdim=True)
    return bias * (1 - scatter.square() / seen.clamp_min(1e-30)).clamp(0, 1)


def _regained(table: DriveTable, measured: Floats, scatter: Floats) -> tuple[DriveTable, Floats]:
    """Fit the digital gain of every row to what was measured: it has no rounding.

    A gain is weighted by how far it exceeds the scatter (C, K) of an element.
    """
    noise = np.broadcast_to(scatter[..., None] ** 2, measured.shape[:-1])
    overlap = (measured * table.program.targets).sum(-1)
    power = np.maximum((measured**2).sum(-1) - measured.shape[-1] * noise, 1e-12)
    trust = GAINS**2 / (GAINS**2 + noise / power)
    change = np.where(overlap > 0, overlap / power - 1, 0.0).clip(-REGAIN, REGAIN)
    factor = 1 + trust * change
    return replace(table, row_gain=table.row_gain * factor), measured * factor[..., None]


def measure(bench: Bench, table: DriveTable, shots: int) -> Floats:
    """(C, K, 4, 4) matrices performed at the table's codes, in units of W, mean of `shots`."""
    readings = without_zero(table, bench.read(np.repeat(table.settings, shots, 0), BASIS))
    return table.in_units(readings.real.mean(0).swapaxes(-1, -2))

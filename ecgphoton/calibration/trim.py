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
from ecgphoton.calibration.table import DriveTable
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.bench import Bench

    Floats = NDArray[np.float64]

LUCK = 8.0
"""Improvement of the squared error, in variances of a measured element, that may be luck."""
GAINS = 0.02
"""Size expected of what row gains are still off by."""
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
        scatter = table.noise / np.sqrt(self.shots)  # (C, K), of one element in units of readings
        size = np.maximum(np.linalg.norm(circuit.targets / scale, axis=(-2, -1)), 1e-12)
        luck = LUCK * (scatter / size) ** 2
        measured = measure(bench, table, self.shots)
        wrong = table.error(measured) > GOOD
        table, measured = self._or_program(bench, table, measured, wrong)
        table, measured = _regained(table, measured, scatter * circuit.scale)
        for _ in range(self.rounds):
            gain = torch.as_tensor(table.row_gain).reshape(-1, WIDTH)
            reaching = table.reaching(table.settings)[0].reshape(-1, circuit.drivers)
            power = model.power(torch.as_tensor(reaching))
            value, _ = response(model, rows, power, gain, slopes=False)
            bias = torch.as_tensor(measured / scale).reshape(-1, WIDTH * WIDTH) - value
            bias = _believed(bias, torch.as_tensor(scatter).reshape(-1, 1))
            at = polish(model, rows, power, goal - bias, gain, free, kicks=0)
            codes = place(model, rows, at, goal, gain, free, bias=bias)
            codes = torch.where(free, codes, torch.as_tensor(table.codes).reshape(codes.shape))
            trial = replace(table, codes=codes.numpy().reshape(table.codes.shape))
            again = measure(bench, trial, self.shots)
            trial, again = _regained(trial, again, scatter * circuit.scale)
            better = table.error(again) ** 2 < table.error(measured) ** 2 - luck
            table = mixed(table, trial, better)
            measured = np.where(better[..., None, None], again, measured)
        return with_offsets(mixed(before, table, wrong))

    def _or_program(
        self, bench: Bench, table: DriveTable, measured: Floats, wrong: NDArray[np.bool_]
    ) -> tuple[DriveTable, Floats]:
        """Go back to the program's own codes where they measure better: no trust without proof."""
        start = DriveTable.start(table.circuit, len(table))
        if not wrong.any() or np.array_equal(start.codes, table.codes):
            return table, measured
        plain = replace(table, codes=start.codes, row_gain=start.row_gain)
        own = measure(bench, plain, self.shots)
        better = table.error(own) < table.error(measured)
        return mixed(table, plain, better), np.where(better[..., None, None], own, measured)


def _believed(bias: torch.Tensor, scatter: torch.Tensor) -> torch.Tensor:
    """Shrink (R, 16) measured biases by how much of them is scatter (James and Stein 1961)."""
    seen = bias.square().mean(1, keepdim=True)
    return bias * (1 - scatter.square() / seen.clamp_min(1e-30)).clamp(0, 1)


def _regained(table: DriveTable, measured: Floats, scatter: Floats) -> tuple[DriveTable, Floats]:
    """Fit the digital gain of every row to what was measured: it has no rounding.

    A gain is believed as far as it exceeds the scatter (C, K) of an element.
    """
    noise = np.broadcast_to(scatter[..., None] ** 2, measured.shape[:-1])
    overlap = (measured * table.circuit.targets).sum(-1)
    power = np.maximum((measured**2).sum(-1) - measured.shape[-1] * noise, 1e-12)
    trust = GAINS**2 / (GAINS**2 + noise / power)
    change = np.where(overlap > 0, overlap / power - 1, 0.0).clip(-REGAIN, REGAIN)
    factor = 1 + trust * change
    return replace(table, row_gain=table.row_gain * factor), measured * factor[..., None]


def measure(bench: Bench, table: DriveTable, shots: int) -> Floats:
    """(C, K, 4, 4) matrices performed at the table's codes, in units of W, mean of `shots`."""
    readings = lightened(table, bench.read(np.repeat(table.settings, shots, 0), BASIS))
    fields = readings.real.mean(0).swapaxes(-1, -2)
    return np.asarray((table.circuit.scale[:, None] * table.row_gain)[..., None] * fields)

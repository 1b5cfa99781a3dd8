"""Choose codes: from the estimated errors of chips, and by the matrices measured afterwards.

`Correct` searches the order of singular values, and corrects locally, for crosstalk and rounding.
Local hardware error correction (Bandyopadhyay, Hamerly, Englund 2021, doi:10.1364/OPTICA.432787)
absorbs a splitter error in the phases of the same interferometer where it can. Whether it can
depends on the order of the singular values, so the order is chosen for every chip. The method is
covered by US patent 12,175,335: a commercial user should check. `Trim` measures the matrices that a
chip performs, and moves codes until they fit.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch

from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.placement import Task, place, polish
from ecgphoton.calibration.probing import BASIS, without_zero
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Bools, Floats
from ecgphoton.mesh.correction import attenuators, correct
from ecgphoton.mesh.svd import LoweredMatrix, Search, search_orders, search_real_part

GOOD = 1e-5
"""Relative error below which the codes a table has are left alone."""
TIGHT = 1e-6
"""Relative error before rounding from which more room for the attenuators is tried."""
DIM, DIMMER = 1.01, 5
"""Factor of the first and number of these trials; each goes twice as far (in dB) as the last."""
CHANCE = 8.0
"""Improvement of the squared error, in variances of a measured element, that may be chance."""
GAINS = 0.02
"""Standard deviation expected of what row gains are still off by."""
REGAIN = 0.1
"""Largest relative change of a row gain in one round."""


@dataclass(frozen=True)
class Correct:
    """Choose codes from the estimates, without any measurement.

    Parameters
    ----------
    order
        ``best``: of the 24 orders of the singular values, for every chip, one whose every
        interferometer can be corrected; ``default``: descending.
    polish
        Move all heaters together after the local correction until the modelled matrix is right:
        takes care of losses and of interferometers out of reach.
    place
        Let rounding errors cancel instead of rounding every code by itself.
    """

    order: Literal["best", "default"] = "best"
    polish: bool = True
    place: bool = True
    kind: ClassVar[Kind | None] = None
    drives: ClassVar[bool] = True

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with new codes and row gains where they are better."""
        del bench
        chosen = _search(table)
        lowered = chosen.best if self.order == "best" else chosen.default
        stretch = _stretch(table, lowered)
        power, left = self._solve(table, lowered, stretch, np.ones(stretch.shape, bool))
        for trial in range(DIMMER if self.polish else 0):
            tight = left > TIGHT
            if not tight.any():
                break
            # A lossy path would need an attenuator that amplifies: attenuate the others instead.
            dimmed = np.where(tight, stretch * DIM**2**trial, stretch)
            new_power, new_left = self._solve(table, lowered, dimmed, tight)
            better = tight & (new_left < left)
            power = np.where(better[..., None], new_power, power)
            stretch, left = np.where(better, dimmed, stretch), np.where(better, new_left, left)
        new = self._coded(_dimmed(table, stretch), torch.as_tensor(power).flatten(0, 1))
        before, after = table.error(table.predicted()), new.error(new.predicted())
        # Blocks that are right to `GOOD` already keep what they have.
        return table.mixed(new, (after < before) & (before > GOOD)).with_offsets()

    def _solve(
        self, table: DriveTable, lowered: LoweredMatrix, stretch: Floats, which: Bools
    ) -> tuple[Floats, Floats]:
        """Powers (C, K, drivers) for digital gains `stretch`, and relative error left (C, K).

        Only blocks `which` are polished.
        """
        volts = table.volts_for(_wanted_phases(table, lowered, stretch))
        power = torch.as_tensor(table.device.dac.drive_of(volts)).flatten(0, 1)
        power, _ = _settle_broken(table, power)
        task = Task.of(_dimmed(table, stretch))
        if self.polish:
            at = torch.as_tensor(np.flatnonzero(which))
            power = power.index_copy(0, at, polish(task.at(at), power[at]))
        left = task.left(power).norm(dim=1) / task.wanted.norm(dim=1).clamp_min(1e-12)
        return power.numpy().reshape(table.codes.shape), left.numpy().reshape(stretch.shape)

    def _coded(self, table: DriveTable, power: torch.Tensor) -> DriveTable:
        """Return the table with codes for powers (C K, drivers)."""
        task = Task.of(table)
        codes = place(task, power) if self.place else table.model.codes(power)
        codes = torch.where(task.free, codes, _settle_broken(table, power)[1])
        return replace(table, codes=codes.numpy().reshape(table.codes.shape))


def _dimmed(table: DriveTable, stretch: Floats) -> DriveTable:
    """Return the table with row gains that undo the detectors' gains and the dimming (C, K)."""
    return replace(table, row_gain=stretch[..., None] / (1 + table.beliefs.gain).clip(0.1))


def _splitters(table: DriveTable) -> list[tuple[Floats, Floats]]:
    """Return alpha and beta (C, K, MZIs) of every mesh as light meets them, then of attenuators."""
    device, alpha, beta = table.device, table.beliefs.alpha, table.beliefs.beta
    places = (*map(device.mzis_of, range(device.meshes)), device.attenuating)
    return [(alpha[..., at], beta[..., at]) for at in places]


def _search(table: DriveTable) -> Search:
    targets, errors = table.program.targets, _splitters(table)
    if not table.device.two:
        return search_real_part(targets, errors=errors[0])
    layout = table.device.layout
    return search_orders(targets, layout.architecture, v_errors=errors[0], u_errors=errors[1])


def _asked(table: DriveTable, lowered: LoweredMatrix) -> Floats:
    """(C, K, 4) field the attenuators have to pass, mean losses of the paths made up for."""
    device, loss = table.device, table.beliefs.loss
    meshes = [loss[..., device.mzis_of(mesh)] for mesh in range(device.meshes)]
    path = device.layout.depth * sum(part.mean(-1, keepdims=True) for part in meshes)
    return np.asarray(lowered.attenuation / np.exp(path + loss[..., device.attenuating]))


def _stretch(table: DriveTable, lowered: LoweredMatrix) -> Floats:
    """(C, K) digital gain that lets the attenuators pass the path that needs most light."""
    if not table.device.two:
        return np.ones(lowered.scale.shape)
    errors = table.beliefs.alpha - table.beliefs.beta
    most = np.cos(errors[..., table.device.attenuating])  # what imperfect splitters let pass
    return np.asarray(np.maximum((_asked(table, lowered) / most).max(-1), 1.0))


def _wanted_phases(table: DriveTable, lowered: LoweredMatrix, stretch: Floats) -> Floats:
    """Actual phases (C, K, drivers) after local correction, all paths dimmed by `stretch`."""
    device, errors = table.device, _splitters(table)
    if lowered.v is None:
        return device.pack(correct(device.layout, lowered.u, *errors[0]))
    v = correct(device.layout, lowered.v, *errors[0])
    wanted = np.clip(_asked(table, lowered) / stretch[..., None], 0, 1)
    theta, turn = attenuators(wanted, *errors[2])
    # What V lacks at its outputs and what attenuators turn otherwise than planned, U makes up for.
    carried = v.output + attenuators(lowered.attenuation, 0.0, 0.0)[1] - turn
    return device.pack(correct(device.layout, lowered.u, *errors[1], carried), v, theta)


def _settle_broken(table: DriveTable, power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Powers (R, drivers) as near as broken drivers can get, and the codes for that."""
    keep, force, broken = (
        part.reshape(power.shape) for part in (table.keep, table.force, table.broken)
    )
    codes, power = torch.zeros(power.shape, dtype=torch.int64), power.clone()
    everything = np.arange(table.device.dac.top + 1)
    for at in map(tuple, np.argwhere(broken)):
        reaching = table.model.power(torch.as_tensor(everything & keep[at] | force[at]))
        best = int((reaching - power[at]).abs().argmin())
        codes[at], power[at] = best, reaching[best]
    return power, codes


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

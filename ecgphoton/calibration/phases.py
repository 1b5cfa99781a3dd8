"""Drive chips by what is believed of them: order, local correction, pre-compensation, codes.

Local hardware error correction (Bandyopadhyay, Hamerly, Englund 2021, doi:10.1364/OPTICA.432787)
absorbs a splitter error in the phases of the same interferometer where it can. Whether it can
depends on the order of the singular values, so the order is chosen for every chip. The method is
covered by US patent 12,175,335: a commercial user should check.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from ecgphoton.calibration.crosstalk import matrix, undo
from ecgphoton.calibration.model import Model, Rows
from ecgphoton.calibration.placement import place, polish, response
from ecgphoton.calibration.readout import with_offsets
from ecgphoton.mesh.correction import correct
from ecgphoton.mesh.heater import voltage_of_phase
from ecgphoton.mesh.svd import LoweredMatrix, Search, search_orders, search_real_part
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.bench import Bench
    from ecgphoton.calibration.circuit import Circuit
    from ecgphoton.calibration.table import DriveTable
    from ecgphoton.mesh.clements import Phases

    Floats = NDArray[np.float64]

GOOD = 1e-5
"""Relative error below which the codes a table has are left alone."""
TIGHT = 1e-6
"""Relative error before rounding from which more room for the attenuators is tried."""
DIM, DIMMER = 1.01, 4
"""Factor and number of these trials."""


@dataclass(frozen=True)
class Correct:
    """Choose codes from beliefs; measures nothing.

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

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with new codes and row gains where they are better."""
        del bench
        chosen = _search(table.circuit, table)
        lowered = chosen.best if self.order == "best" else chosen.default
        stretch = _stretch(table, lowered)
        power, left = self._solve(table, lowered, stretch)
        for _ in range(DIMMER if self.polish else 0):
            tight = left > TIGHT
            if not tight.any():
                break
            # A lossy path asks its attenuator for more than all the light: dim the others.
            dimmed = np.where(tight, stretch * DIM, stretch)
            trial, trial_left = self._solve(table, lowered, dimmed, tight)
            better = tight & (trial_left < left)
            power = np.where(better[..., None], trial, power)
            stretch, left = np.where(better, dimmed, stretch), np.minimum(left, trial_left)
        return with_offsets(better_of(table, self._coded(table, power, stretch)))

    def _solve(
        self,
        table: DriveTable,
        lowered: LoweredMatrix,
        stretch: Floats,
        which: NDArray[np.bool_] | None = None,
    ) -> tuple[Floats, Floats]:
        """Powers (C, K, drivers) for digital gains `stretch`, and relative error left (C, K).

        Only blocks `which` are polished.
        """
        circuit, beliefs = table.circuit, table.beliefs
        wanted = _wanted_phases(table, lowered, stretch)
        heat = undo(circuit, matrix(circuit, beliefs.coupling), wanted, beliefs.offset)
        power = torch.as_tensor(_power(circuit, heat, beliefs.law))
        power = _settle_broken(table, power.reshape(-1, circuit.drivers))[0]
        model, rows, goal = Model(circuit), Rows.of(beliefs), goals(table)
        gain = torch.as_tensor(_row_gain(table, stretch)).reshape(-1, WIDTH)
        if self.polish:
            free = torch.as_tensor(~table.broken.reshape(power.shape))
            every = np.ones(stretch.shape, bool) if which is None else which
            at = torch.as_tensor(np.flatnonzero(every))
            part = polish(model, rows.at(at), power[at], goal[at], gain[at], free[at])
            power = power.index_copy(0, at, part)
        value, _ = response(model, rows, power, gain, slopes=False)
        left = (goal - value).norm(dim=1) / goal.norm(dim=1).clamp_min(1e-12)
        return power.numpy().reshape(table.codes.shape), left.numpy().reshape(stretch.shape)

    def _coded(self, table: DriveTable, power: Floats, stretch: Floats) -> DriveTable:
        """Return the table with codes for powers."""
        dac, at = table.circuit.dac, torch.as_tensor(power.reshape(-1, table.circuit.drivers))
        row_gain = _row_gain(table, stretch)
        free = torch.as_tensor(~table.broken.reshape(at.shape))
        if self.place:
            model, rows = Model(table.circuit), Rows.of(table.beliefs)
            gain = torch.as_tensor(row_gain).reshape(-1, WIDTH)
            codes = place(model, rows, at, goals(table), gain, free)
        else:
            codes = (dac.v_pi / dac.v_max * dac.top * at.sqrt()).round().clamp(0, dac.top).long()
        codes = torch.where(free, codes, _settle_broken(table, at)[1])
        return replace(table, codes=codes.numpy().reshape(power.shape), row_gain=row_gain)


def _row_gain(table: DriveTable, stretch: Floats) -> Floats:
    """(C, K, 4) digital factors that undo the detectors' gains and the dimming."""
    return np.asarray(stretch[..., None] / (1 + table.beliefs.gain).clip(0.1))


def goals(table: DriveTable) -> torch.Tensor:
    """(C K, 16) matrices wanted, in units of readings."""
    circuit = table.circuit
    wanted = circuit.targets / np.maximum(circuit.scale, 1e-12)[:, None, None]
    return torch.as_tensor(wanted).repeat(len(table), 1, 1).flatten(1)


def mixed(old: DriveTable, new: DriveTable, take: NDArray[np.bool_]) -> DriveTable:
    """Return codes and row gains of `new` for the blocks `take` (C, K), else of `old`."""
    return replace(
        new,
        codes=np.where(take[..., None], new.codes, old.codes),
        row_gain=np.where(take[..., None], new.row_gain, old.row_gain),
    )


def better_of(old: DriveTable, new: DriveTable) -> DriveTable:
    """Take new codes and gains for the blocks whose modelled error they lower.

    Blocks that are right to `GOOD` already keep what they have.
    """
    before, after = old.error(old.predicted()), new.error(new.predicted())
    return mixed(old, new, (after < before) & (before > GOOD))


def _search(circuit: Circuit, table: DriveTable) -> Search:
    alpha, beta = table.beliefs.alpha, table.beliefs.beta
    last = circuit.meshes - 1
    if not circuit.two:
        return search_real_part(circuit.targets, errors=(alpha[:, :, 0], beta[:, :, 0]))
    return search_orders(
        circuit.targets,
        circuit.layout.architecture,
        u_errors=(alpha[:, :, last], beta[:, :, last]),
        v_errors=(alpha[:, :, 0], beta[:, :, 0]),
    )


def _asked(table: DriveTable, lowered: LoweredMatrix) -> Floats:
    """(C, K, 4) field the attenuators have to pass, their errors and mean losses made up for."""
    beliefs = table.beliefs
    kept = np.exp(beliefs.loss.mean(-1) * table.circuit.layout.depth).prod(-1)
    return np.asarray(lowered.attenuation / (1 + beliefs.attenuator) / kept[..., None])


def _stretch(table: DriveTable, lowered: LoweredMatrix) -> Floats:
    """(C, K) digital gain that lets the most wanted path be passed at all."""
    if not table.circuit.two:
        return np.ones(lowered.scale.shape)
    return np.asarray(np.maximum(_asked(table, lowered).max(-1), 1.0))


def _wanted_phases(table: DriveTable, lowered: LoweredMatrix, stretch: Floats) -> Floats:
    """Actual phases (C, K, drivers) after local correction, all paths dimmed by `stretch`."""
    beliefs = table.beliefs

    def corrected(phases: Phases, mesh: int) -> Floats:
        alpha, beta = beliefs.alpha[:, :, mesh], beliefs.beta[:, :, mesh]
        fixed, _ = correct(table.circuit.layout, phases, alpha, beta)
        return np.concatenate(fixed, -1)

    if lowered.v is None:
        return corrected(lowered.u, 0)
    passed = 2 * np.arcsin(np.clip(_asked(table, lowered) / stretch[..., None], 0, 1))
    return np.concatenate([corrected(lowered.v, 0), passed, corrected(lowered.u, 1)], -1)


def _power(circuit: Circuit, heat: Floats, law: Floats) -> Floats:
    """Powers ``(V / V_pi)^2`` at which heaters of a law give themselves these phases."""
    curve = law + np.array([1.0, 0.0, 0.0])
    volts = voltage_of_phase(heat, circuit.dac.v_pi, curve, largest=circuit.dac.v_max)
    return np.asarray((volts / circuit.dac.v_pi) ** 2)


def _settle_broken(table: DriveTable, power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Powers (R, drivers) as near as broken drivers can get, and the codes for that."""
    broken = table.broken.reshape(power.shape)
    codes = torch.zeros(power.shape, dtype=torch.int64)
    power = power.clone()
    model, everything = Model(table.circuit), np.arange(table.circuit.dac.top + 1)
    for row, driver in np.argwhere(broken):
        keep = table.keep.reshape(power.shape)[row, driver]
        force = table.force.reshape(power.shape)[row, driver]
        reaching = model.power(torch.as_tensor(everything & keep | force))
        best = int((reaching - power[row, driver]).abs().argmin())
        codes[row, driver], power[row, driver] = best, reaching[best]
    return power, codes

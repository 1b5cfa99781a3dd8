"""Heater laws from voltage sweeps, and heaters or DACs that do not do what they are told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import PRIOR, Beliefs
from ecgphoton.calibration.fringe import Fringes, fit
from ecgphoton.calibration.model import Model, Rows
from ecgphoton.calibration.probing import BASIS, sweep_codes
from ecgphoton.calibration.table import DriveTable, Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.bench import Bench, Kind

    Integers = NDArray[np.int64]

DEAD = 0.1
"""Share of the fringe expected below which a heater does nothing."""
ODD = 1.4
"""Residual, against the same heater of the other blocks, from which a stuck bit is looked for."""
POOR = 3.0
"""Residual, against the same, that is reported even if no stuck bit explains it."""
VISIBLE = 0.005
"""Residual, in units of readings, that is worth a report at all."""
USUAL = 1.2
"""Residual, against the same, that an explained sweep may keep."""


@dataclass(frozen=True)
class SweepHeaters:
    """Sweep one heater after the other and fit its law, a cubic in V^2.

    Works with plain photodiodes (``kind="power"``) as well as with homodyne readings, and needs to
    know nothing of the other elements. Crosstalk to other heaters is left to `Fit`.
    """

    voltages: int = 16
    kind: Kind = "field"
    seed: int = 0

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with `Beliefs.law`, and dead heaters and stuck bits found."""
        circuit = table.circuit
        codes = sweep_codes(circuit, self.voltages, self.seed)
        drivers = circuit.drivers
        readings = bench.read(codes.reshape(-1, 1, 1, drivers), BASIS, self.kind)
        parts = [readings.real, readings.imag] if self.kind == "field" else [readings]
        # (drivers, voltages, C, K, N, 4, parts) -> (C K drivers, voltages, n)
        data = np.stack(parts, -1).reshape(drivers, self.voltages, *readings.shape[1:], len(parts))
        data = np.moveaxis(data, (0, 1), (2, 3))
        sweeps = torch.as_tensor(data.copy()).flatten(4)
        swept = codes[np.arange(drivers), :, np.arange(drivers)]  # (drivers, voltages)
        fringes = self._fit(table, np.broadcast_to(swept, sweeps.shape[:4]), sweeps)
        law = np.where(table.broken[..., None], 0.0, fringes.law.numpy())
        updated = replace(table, beliefs=replace(table.beliefs, law=law))
        updated = self._dead(updated, fringes, codes)
        return self._stuck(updated, fringes, swept, sweeps)

    def _fit(self, table: DriveTable, codes: Integers, sweeps: Tensor) -> Fringes:
        """Fit sweeps (..., voltages, n) driven with codes (..., voltages)."""
        circuit, shape = table.circuit, sweeps.shape[:-2]
        power = Model(circuit).power(torch.as_tensor(codes.copy())).reshape(-1, codes.shape[-1])
        rate = torch.as_tensor(np.where(circuit.is_attenuator, 0.5, 1.0)).expand(shape)
        noise = torch.as_tensor(table.noise)[:, :, None].expand(shape)
        fringes = self._fringes(power, sweeps.flatten(0, -3), rate.flatten(), noise.flatten())
        return Fringes(*(part.reshape(*shape, *part.shape[1:]) for part in fringes))

    def _fringes(self, power: Tensor, sweeps: Tensor, rate: Tensor, noise: Tensor) -> Fringes:
        harmonics = 1 if self.kind == "field" else 2
        return fit(power, sweeps, rate, noise, PRIOR["law"], harmonics=harmonics)

    def _expected(self, table: DriveTable, codes: Integers, block: tuple[int, int]) -> Tensor:
        """(drivers,) size of the fringes expected of one block, its dead attenuators counted in."""
        circuit = table.circuit
        model, rows = Model(circuit), Rows.of(Beliefs.none(circuit, 1)).at(slice(0, 1))
        dark = circuit.is_attenuator & (table.keep[block] == 0)
        reaching = np.where(dark, 0, codes).reshape(1, -1, circuit.drivers)
        heat = model.heat(rows, model.power(torch.as_tensor(reaching)))
        fields = model.matrices(rows, heat)[0].reshape(*codes.shape[:2], -1)
        value = torch.view_as_real(fields).flatten(2)
        if self.kind == "power":
            value = fields.abs().square()
        return (value - value.mean(1, keepdim=True)).square().sum((1, 2)).sqrt()

    def _dead(self, table: DriveTable, fringes: Fringes, codes: Integers) -> DriveTable:
        size = (fringes.amplitude * (codes.shape[1] / 2) ** 0.5).numpy()
        expected = self._expected(table, codes, (0, 0)).numpy()
        dead = (size < DEAD * expected) & ~table.broken
        # A dead attenuator hides the heaters on its path: they may be well.
        first = dead & table.circuit.is_attenuator
        if first.any():
            dark = replace(table, keep=np.where(first, 0, table.keep))
            for chip, block in np.argwhere(first.any(-1)):
                place = (int(chip), int(block))
                seen = self._expected(dark, codes, place).numpy()
                dead[place] &= first[place] | (seen > DEAD * expected)
        keep = np.where(dead, 0, table.keep)
        law = np.where(dead[..., None], 0.0, table.beliefs.law)
        found = _name(table, dead, "dead heater", "its fringe is missing")
        table = replace(table, keep=keep, beliefs=replace(table.beliefs, law=law))
        return table.with_findings(found)

    def _stuck(
        self, table: DriveTable, fringes: Fringes, swept: Integers, sweeps: Tensor
    ) -> DriveTable:
        """Try every bit at both levels on the sweeps that fit badly, and believe the best."""
        residual = fringes.residual.numpy()
        usual = np.median(residual, (0, 1))
        usual = np.maximum(usual, np.maximum(table.noise[:, :, None], 1e-6))
        odd = (residual > ODD * usual) & ~table.broken
        if not odd.any():
            return table
        places = np.argwhere(odd)
        top = table.circuit.dac.top
        choices = [(1 << bit, level) for bit in range(table.circuit.dac.bits) for level in (0, 1)]
        codes = np.stack(
            [
                swept[places[:, 2]] | mask if level else swept[places[:, 2]] & ~mask
                for mask, level in choices
            ],
            1,
        )  # (places, choices, voltages)
        data = sweeps[odd][:, None].expand(-1, len(choices), -1, -1)
        power = Model(table.circuit).power(torch.as_tensor(codes)).flatten(0, 1)
        rate = np.where(table.circuit.is_attenuator, 0.5, 1.0)[places[:, 2]].repeat(len(choices))
        noise = table.noise[places[:, 0], places[:, 1]].repeat(len(choices))
        tried = self._fringes(
            power, data.flatten(0, 1), torch.as_tensor(rate), torch.as_tensor(noise)
        )
        left = tried.residual.reshape(len(places), -1).numpy()
        best = left.argmin(1)
        keep, force, law = table.keep.copy(), table.force.copy(), table.beliefs.law.copy()
        found = []
        for row, place in enumerate(map(tuple, places)):
            chip, block, driver = (int(part) for part in place)
            names = (chip, table.circuit.names[block], table.circuit.driver_names[driver])
            if left[row, best[row]] > USUAL * usual[place]:
                if residual[place] > max(POOR * usual[place], VISIBLE):
                    detail = f"residual {residual[place]:.3g}, usually {usual[place]:.3g}"
                    found.append(Finding("poor fit", *names, detail))
                continue
            mask, level = choices[best[row]]
            keep[place], force[place] = top & ~mask, mask * level
            law[place] = tried.law.reshape(len(places), -1, 3)[row, best[row]].numpy()
            detail = f"bit {mask.bit_length() - 1} stays {'on' if level else 'off'}"
            found.append(Finding("stuck bit", *names, detail))
        table = replace(table, keep=keep, force=force, beliefs=replace(table.beliefs, law=law))
        return table.with_findings(found)


def _name(table: DriveTable, mask: NDArray[np.bool_], kind: str, detail: str) -> list[Finding]:
    circuit = table.circuit
    return [
        Finding(kind, int(chip), circuit.names[block], circuit.driver_names[driver], detail)
        for chip, block, driver in np.argwhere(mask)
    ]

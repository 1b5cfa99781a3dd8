"""Heater laws from voltage sweeps, and heaters or DAC bits that do not follow their codes."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import PRIOR, Beliefs, Finding
from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.fringe import Fringes, fit
from ecgphoton.calibration.probing import BASIS, sweep_codes
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Bools, Floats, Integers

DEAD = 0.1
"""Share of the fringe expected below which a heater counts as dead."""
ODD = 1.5
"""Residual, against the usual one, that is reported. Of 70,400 sweeps of healthy heaters, 20 chips
of every shipped profile and state, none left more than 1.25 by fields, of 12,800 by powers 1.30."""
STRANGE = 7.0
"""Distance of a law from the ideal one, in standard deviations of its prior, that is looked into: a
bit that is stuck at few of the codes of a sweep can look like a law of that kind."""
VISIBLE = 5.0
"""Size of a fringe, against that of noise alone, from which its law means something."""
SURE = 20.0
"""Twice the logarithm of how much likelier a stuck bit has to be than a law that fits as well."""
EXPLAINED = 1.3
"""Residual, against the usual one, that a sweep explained by a stuck bit may leave."""
FAINT = 1e-3
"""Residual, in units of readings, below which nothing is reported."""
FEWEST = 5
"""Sweeps of a heater, one of each chip and block, whose median is usual; else of all heaters."""


@dataclass(frozen=True)
class SweepHeaters:
    """Sweep one heater after the other and fit its law, a cubic in V^2.

    Works with plain photodiodes (``kind="power"``) as well as with homodyne readings, and needs
    nothing of the other elements. Crosstalk to other heaters is left to `Fit`.
    """

    voltages: int = 16
    kind: Kind = "field"
    seed: int = 0
    drives: ClassVar[bool] = False

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with `Beliefs.law`, and dead heaters and stuck bits found."""
        drivers, codes = table.device.drivers, sweep_codes(table, self.voltages, self.seed)
        readings = bench.read(codes.reshape(-1, 1, 1, drivers), BASIS, self.kind)
        parts = [readings.real, readings.imag] if self.kind == "field" else [readings]
        # (drivers, voltages, C, K, N, 4, parts) -> (C, K, drivers, voltages, n)
        data = np.stack(parts, -1).reshape(drivers, self.voltages, *readings.shape[1:], len(parts))
        data = np.moveaxis(data, (0, 1), (2, 3))
        sweeps = torch.as_tensor(data.copy()).flatten(4)
        swept = codes[np.arange(drivers), :, np.arange(drivers)]  # (drivers, voltages)
        fringes = self._fringes(table, swept, sweeps, table.noise[..., None])
        return self._stuck(self._dead(table, fringes, codes), fringes, swept, sweeps)

    def _fringes(
        self,
        table: DriveTable,
        codes: Integers,
        sweeps: Tensor,
        noise: Floats,
        start: Tensor | None = None,
    ) -> Fringes:
        """Fit sweeps (..., voltages, n); codes (..., voltages) and noise (...) broadcast."""
        shape = sweeps.shape[:-2]
        power = table.model.power(torch.as_tensor(codes)).expand(*sweeps.shape[:-1])
        sd = torch.as_tensor(noise).expand(shape).flatten()
        fringes = fit(power.flatten(0, -2), sweeps.flatten(0, -3), sd, PRIOR["law"], start)
        return Fringes(*(part.reshape(*shape, *part.shape[1:]) for part in fringes))

    def _expected(self, table: DriveTable, codes: Integers, block: tuple[int, int]) -> Tensor:
        """(drivers,) size of the fringes expected of one block, its dead attenuators counted in."""
        model, rows = table.model, Beliefs.designed(table.program)
        dark = _attenuators(table) & (table.keep[block] == 0)
        reaching = np.where(dark, 0, codes).reshape(1, -1, table.device.drivers)
        fields = model.at(rows, model.power(torch.as_tensor(reaching)))[0]
        fields = fields.reshape(*codes.shape[:2], -1)
        field = self.kind == "field"
        value = torch.view_as_real(fields).flatten(2) if field else fields.abs().square()
        return (value - value.mean(1, keepdim=True)).square().sum((1, 2)).sqrt()

    def _dead(self, table: DriveTable, fringes: Fringes, codes: Integers) -> DriveTable:
        size = (fringes.amplitude * (codes.shape[1] / 2) ** 0.5).numpy()
        expected = self._expected(table, codes, (0, 0)).numpy()
        dead = (size < DEAD * expected) & ~table.broken
        # A dead attenuator hides the heaters on its path, which may work.
        first = dead & _attenuators(table)
        if first.any():
            dark = replace(table, keep=np.where(first, 0, table.keep))
            for chip, block in np.argwhere(first.any(-1)):
                place = (int(chip), int(block))
                seen = self._expected(dark, codes, place).numpy()
                dead[place] &= first[place] | (seen > DEAD * expected)
        found = table.found(
            "dead heater", dead, table.device.driver_names, lambda _: "its fringe is missing"
        )
        table = replace(table, keep=np.where(dead, 0, table.keep)).with_findings(found)
        law = np.where(table.broken[..., None], 0.0, fringes.law.numpy())
        return replace(table, beliefs=table.beliefs._replace(law=law))

    def _stuck(
        self, table: DriveTable, fringes: Fringes, swept: Integers, sweeps: Tensor
    ) -> DriveTable:
        """Explain odd sweeps by a bit stuck at 0 or 1, or by a heater that follows its codes.

        Odd is what fits badly, or well with a law that no heater has.


        The best explanation is the likeliest, its law's prior counted in: a bit stuck at 0 and one
        stuck at 1 differ by little else than the law. A heater that follows its codes is fitted
        from that law as well, so a fit that ended in the wrong minimum accuses nobody.
        """
        residual = fringes.residual.numpy()
        alike = (0, 1) if residual[..., 0].size >= FEWEST else None
        least = np.maximum(table.noise[..., None], FAINT)
        usual = np.maximum(np.median(residual, alike), least)
        voltages, count = sweeps.shape[-2:]
        unseen = residual * (4 * count / voltages) ** 0.5  # size of a fringe that is noise alone
        strange = _unlikely(fringes.law.numpy()) > STRANGE**2
        strange &= fringes.amplitude.numpy() > VISIBLE * unseen
        odd = ((residual > ODD * usual) | strange) & ~table.broken
        if not odd.any():
            return table
        places, dac, device = np.argwhere(odd), table.device.dac, table.device
        chips, blocks, drivers = places.T
        noise, limit, data = table.noise[chips, blocks], usual[odd], sweeps[odd]
        choices = [(1 << bit, level) for bit in range(dac.bits) for level in (0, 1)]
        own = swept[drivers]
        codes = np.stack([own | mask if level else own & ~mask for mask, level in choices], 1)
        each = data[:, None].expand(-1, len(choices), -1, -1)
        tried = self._fringes(table, codes, each, noise[:, None])
        left, laws = tried.residual.numpy(), tried.law.numpy()
        cost = data[0].numel() * (left / limit[:, None]) ** 2 + _unlikely(laws)
        best, row = cost.argmin(1), np.arange(len(places))
        again = self._fringes(table, own, data, noise, tried.law[row, best])
        whole, healthy = again.residual.numpy(), again.law.numpy()
        whole_cost = data[0].numel() * (whole / limit) ** 2 + _unlikely(healthy)
        named = (left <= EXPLAINED * limit[:, None])[row, best]
        follows = (whole <= ODD * limit) & ~(named & (whole_cost > cost[row, best] + SURE))
        keep, force, law = table.keep.copy(), table.force.copy(), table.beliefs.law.copy()
        found = []
        for at, (chip, block, driver) in enumerate(places.tolist()):
            place, choice = (chip, block, driver), int(best[at])
            names = (chip, table.program.names[block], device.driver_names[driver])
            if follows[at]:
                law[place] = healthy[at]
            elif named[at]:
                mask, level = choices[choice]
                keep[place], force[place] = dac.top & ~mask, mask * level
                law[place] = laws[at, choice]
                detail = f"bit {mask.bit_length() - 1} stays {'on' if level else 'off'}"
                found.append(Finding("stuck bit", *names, detail))
            else:
                detail = f"residual {residual[place]:.3g}, usually {limit[at]:.3g}"
                found.append(Finding("poor fit", *names, detail))
        table = replace(table, keep=keep, force=force, beliefs=table.beliefs._replace(law=law))
        return table.with_findings(found)


def _unlikely(law: Floats) -> Floats:
    """(...) squared distance of laws (..., 3) from the ideal one, in units of their prior."""
    return np.asarray((law**2).sum(-1) / PRIOR["law"] ** 2)


def _attenuators(table: DriveTable) -> Bools:
    """(drivers,) which drivers are those of attenuators."""
    every = np.arange(table.device.drivers)
    return np.isin(every, every[table.device.attenuators])

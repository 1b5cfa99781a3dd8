"""Heater laws from voltage sweeps, and heaters or DAC bits that do not follow their codes."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import PRIOR, Beliefs, Finding
from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.estimate import STRONG, fitted
from ecgphoton.calibration.fringe import Fringes, fit
from ecgphoton.calibration.model import Model, matrix, patterns
from ecgphoton.calibration.probing import BASIS, sweep_codes
from ecgphoton.calibration.stuck import ODD, Sweeps, causes, unlikely
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Bools, Complexes, Floats, Integers

DEAD = 0.1
"""Share of the fringe expected below which a heater counts as dead."""
STRANGE = 7.0
"""Distance of a law from the ideal one, in standard deviations of its prior, that is looked into: a
bit that is stuck at few of the codes of a sweep can look like a law of that kind."""
UNIT = 10.0
"""Factor of all fringes of a block, or one over it, from which its readings are in another unit."""
VISIBLE = 5.0
"""Size of a fringe, against that of noise alone, from which its law means something."""
FAINT = 1e-3
"""Residual, in units of readings, below which nothing is reported."""
FREE = 6
"""Numbers of a reading that a sweep is fitted with: A, B and C, and their change by heat."""
HOT: dict[Kind, float] = {"field": STRONG, "power": 0.015}
"""Crosstalk of the layout from which what a sweep warms elsewhere is taken off before its fit."""
FEW = 4
"""Voltages of a sweep to which all errors of a block are fitted for that."""
FAILED = 3.0
"""Residual of that fit, in units of noise, from which a block does without it."""
SHARES = np.linspace(0.0, 2.5, 126)
"""Crosstalk of a block that sweeps are compared with, over that of the layout."""
FEWEST = 5
"""Sweeps of a heater, one of each chip and block, whose median is usual; else of all heaters."""


@dataclass(frozen=True)
class SweepHeaters:
    """Sweep one heater after the other and fit its law, a cubic in V^2.

    Works with plain photodiodes (``kind="power"``) as well as with homodyne readings, and needs
    nothing of the other elements. Crosstalk to other heaters is left to `Fit`, up to `HOT`: beyond
    it the size of that of the layout is found first, and what it does to the readings of a sweep is
    taken off, as all errors of a block fitted to a part of the sweeps (of powers the chip as
    designed) predict it. A block in which that fit fails does without.
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
        found = self._fitted(table, swept, sweeps)
        table = self._dead(table, found[0], codes, found[2])
        if table.device.undoes.share > HOT[self.kind]:
            table, sweeps = self._apart(table, codes, readings, sweeps, found)
            found = self._fitted(table, swept, sweeps)
        return self._stuck(table, swept, sweeps, *found)

    def _fitted(
        self, table: DriveTable, swept: Integers, sweeps: Tensor
    ) -> tuple[Fringes, Floats, Bools]:
        """Fringes of sweeps, the noise (C, K) of a reading, and whether they exceed it."""
        field, noise = self.kind == "field", table.noise
        fringes = self._fringes(table, swept, sweeps, noise[..., None])
        if not (field and noise.all()):  # noise that was measured is that of fields
            freedom = max(self.voltages - FREE, 1) / self.voltages
            left = np.median(fringes.residual.numpy(), -1) / freedom**0.5
            noise = np.where(field & (noise > 0), noise, left)
            fringes = self._fringes(table, swept, sweeps, noise[..., None])
        unseen = fringes.residual * (4 * sweeps.shape[-1] / self.voltages) ** 0.5  # noise alone
        return fringes, noise, (fringes.amplitude > VISIBLE * unseen).numpy()

    def _apart(
        self,
        table: DriveTable,
        codes: Integers,
        readings: Complexes,
        sweeps: Tensor,
        found: tuple[Fringes, Floats, Bools],
    ) -> tuple[DriveTable, Tensor]:
        """Take off sweeps what a swept heater does to others; return what is believed, and them."""
        known, (drivers, voltages, _) = self._coupled(table, codes, sweeps), codes.shape
        if self.kind == "power":
            return known, sweeps - self._arriving(known, codes).reshape(sweeps.shape)
        swept = codes[np.arange(drivers), :, np.arange(drivers)]
        guess = self._stuck(known, swept, sweeps, *found)  # which would spoil the fit
        some = np.arange(len(readings)).reshape(drivers, -1)[:, :: voltages // FEW].ravel()
        known, left = fitted(
            replace(known, keep=guess.keep, force=guess.force),
            codes.reshape(-1, 1, 1, drivers)[some],
            readings[some],
        )
        good = left.reshape(table.noise.shape) < FAILED * np.maximum(table.noise, FAINT)
        alone = sweeps - self._arriving(known, codes).reshape(sweeps.shape)
        mixed = (np.where(good.reshape(*good.shape, *(1,) * (one.ndim - 2)), one, other)
                 for one, other in zip(known.beliefs, table.beliefs, strict=True))  # fmt: skip
        sweeps = torch.where(torch.as_tensor(good)[..., None, None, None], alone, sweeps)
        return replace(table, beliefs=Beliefs(*mixed)), sweeps

    def _coupled(self, table: DriveTable, codes: Integers, sweeps: Tensor) -> DriveTable:
        """Believe that multiple of the layout's crosstalk whose readings are most like a chip's."""
        terms, coupling = patterns(table.device), table.device.coupling
        unit = np.linalg.lstsq(terms.reshape(len(terms), -1).T, coupling.ravel(), rcond=None)[0]
        tried, model = (SHARES - 1)[:, None] * unit, table.model
        rows, power = Beliefs.designed(table.program), model.power(torch.as_tensor(codes))
        expected = []
        for row in tried:
            rows = rows._replace(coupling=torch.as_tensor(row)[None])
            phases = model.phases(rows, power.flatten(0, 1)[None])
            expected.append(self._read(model, rows, phases).flatten())
        known = torch.stack(expected)  # (tried, n); a sweep differs by |s|^2 - 2 s k + |k|^2
        unlike = known.square().sum(1) - 2 * sweeps.flatten(2) @ known.T
        best = unlike.sum(1, keepdim=True).argmin(-1).expand(unlike.shape[:2]).numpy()
        return replace(table, beliefs=table.beliefs._replace(coupling=tried[best]))

    def _arriving(self, table: DriveTable, codes: Integers) -> Tensor:
        """(C K, drivers voltages, n) change of readings because a swept heater warms others."""
        model, rows, (drivers, voltages, _) = table.model, table.rows, codes.shape
        power = table.power(codes.reshape(-1, 1, 1, drivers))
        phases = model.phases(rows, power)
        swept = model.heat(rows, power).unflatten(1, (drivers, voltages))
        swept = swept.diagonal(dim1=1, dim2=3).mT  # (R, drivers, voltages)
        swept = swept - swept.mean(2, keepdim=True)
        mixing = matrix(model.device, rows.coupling).mT
        others = mixing - torch.diag_embed(mixing.diagonal(dim1=1, dim2=2))
        alone = phases - (swept[..., None] * others[:, :, None]).flatten(1, 2)
        return self._read(model, rows, phases) - self._read(model, rows, alone)

    def _read(self, model: Model, rows: Beliefs, phases: Tensor) -> Tensor:
        """(R, S, n) readings of blocks at actual phases (R, S, drivers), as those of sweeps."""
        fields: Tensor = model.fields(rows, phases).mT
        field = self.kind == "field"
        return (torch.view_as_real(fields) if field else fields.abs().square()).flatten(2)

    def _fringes(
        self,
        table: DriveTable,
        codes: Integers,
        sweeps: Tensor,
        noise: Floats,
    ) -> Fringes:
        """Fit sweeps (..., voltages, n); codes (..., voltages) and noise (...) broadcast."""
        shape = sweeps.shape[:-2]
        power = table.model.power(torch.as_tensor(codes)).expand(*sweeps.shape[:-1])
        sd = torch.as_tensor(noise).expand(shape).flatten()
        fringes = fit(power.flatten(0, -2), sweeps.flatten(0, -3), sd, PRIOR["law"])
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

    def _dead(
        self, table: DriveTable, fringes: Fringes, codes: Integers, seen: Bools
    ) -> DriveTable:
        """Name blocks whose readings are in another unit, and heaters without a fringe."""
        size = (fringes.amplitude * (codes.shape[1] / 2) ** 0.5).numpy()
        expected = self._expected(table, codes, (0, 0)).numpy()
        level = np.median(size / expected, -1, keepdims=True)
        other = (seen.mean(-1, keepdims=True) > 0.5) & ~((level > 1 / UNIT) & (level < UNIT))
        scaled = table.found(
            "wrong gain",
            other,
            ("all readings",),
            lambda at: (
                f"in another unit: fringes are {level[at]:.3g} times those expected; 1 has to be "
                "the reading of a unit field through a path of mean loss"
            ),
        )
        level = np.where(other, level, 1.0)
        table, expected = table.with_findings(scaled), level * expected
        dead = (size < DEAD * expected) & ~table.broken
        # A dead attenuator hides the heaters on its path, which may work.
        first = dead & _attenuators(table)
        if first.any():
            dark = replace(table, keep=np.where(first, 0, table.keep))
            for chip, block in np.argwhere(first.any(-1)):
                place = (int(chip), int(block))
                lit = level[place] * self._expected(dark, codes, place).numpy()
                dead[place] &= first[place] | (lit > DEAD * expected[place])
        found = table.found(
            "dead heater", dead, table.device.driver_names, lambda _: "its fringe is missing"
        )
        return replace(table, keep=np.where(dead, 0, table.keep)).with_findings(found)

    def _stuck(
        self,
        table: DriveTable,
        swept: Integers,
        sweeps: Tensor,
        fringes: Fringes,
        noise: Floats,
        seen: Bools,
    ) -> DriveTable:
        """Believe the laws of sweeps; explain odd ones by a bit stuck at 0 or 1, or as poor.

        Odd is what fits badly, or well with a law that no heater has.
        """
        shown = (seen | (self.kind == "field")) & ~table.broken  # powers do not show every heater
        law = np.where(shown[..., None], fringes.law.numpy(), 0.0)
        table = replace(table, beliefs=table.beliefs._replace(law=law))
        residual = fringes.residual.numpy()
        alike = (0, 1) if residual[..., 0].size >= FEWEST else None
        least = np.maximum(noise[..., None], FAINT)
        usual = np.maximum(np.median(residual, alike), least)
        strange = (unlikely(fringes.law.numpy()) > STRANGE**2) & seen
        odd = ((residual > ODD * usual) | strange) & ~table.broken
        if table.device.undoes.share > HOT[self.kind]:  # an odd one spoils what is known of others
            odd &= residual == np.max(residual, -1, where=odd, initial=0, keepdims=True)
        if not odd.any():
            return table
        places, dac, device = np.argwhere(odd), table.device.dac, table.device
        chips, blocks, drivers = places.T
        found, least = [], usual[odd]
        task = Sweeps(swept[drivers], sweeps[odd], noise[chips, blocks], least)
        keep, force, law = table.keep.copy(), table.force.copy(), table.beliefs.law.copy()
        explained = causes(lambda codes: table.model.power(torch.as_tensor(codes)), task, dac.bits)
        for at, (cause, (chip, block, driver)) in enumerate(
            zip(explained, places.tolist(), strict=True)
        ):
            place = (chip, block, driver)
            names = (chip, table.program.names[block], device.driver_names[driver])
            if cause.kind == "poor fit":
                detail = f"residual {residual[place]:.3g}, usually {least[at]:.3g}"
                found.append(Finding("poor fit", *names, detail))
                continue
            law[place] = cause.law
            if cause.kind == "stuck bit":
                keep[place], force[place] = dac.top & ~cause.mask, cause.mask * cause.level
                level = "on" if cause.level else "off"
                detail = f"bit {cause.mask.bit_length() - 1} stays {level}"
                found.append(Finding("stuck bit", *names, detail))
        table = replace(table, keep=keep, force=force, beliefs=table.beliefs._replace(law=law))
        return table.with_findings(found)


def _attenuators(table: DriveTable) -> Bools:
    """(drivers,) which drivers are those of attenuators."""
    mask = np.zeros(table.device.drivers, bool)
    mask[table.device.attenuators] = True
    return mask

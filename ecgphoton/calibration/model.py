"""The model of a chip that its readings are compared with, and its derivatives.

Nothing here depends on how a simulated chip is made: it is the ideal circuit of
`ecgphoton.mesh.device.Device` with the errors of `Beliefs`. Torch, float64; everything runs over
rows, and one row is one block of one chip.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import LENGTHS, Beliefs
from ecgphoton.mesh.arrays import Array, Floats
from ecgphoton.mesh.device import WIDTH, Device
from ecgphoton.mesh.heater import bent_phase
from ecgphoton.mesh.mzi import namespace

RANGE = 2.25
"""Range of drives asked of a shifter, in units of pi: a little more than a turn."""


@cache
def patterns(device: Device) -> Floats:
    """(terms, drivers, drivers) coupling that one unit of every coefficient brings."""
    return np.stack([device.crosstalk(1.0, length) for length in LENGTHS])


def matrix(device: Device, coupling: Array) -> Array:
    """K (..., drivers, drivers), ones on the diagonal, of (..., terms); numpy or torch."""
    xp = namespace(coupling)
    terms, designed = xp.asarray(patterns(device)), xp.asarray(device.mixing)
    return xp.tensordot(coupling, terms, 1) + designed


def improved(better: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield the new values (R, ...) of the rows that are better (R,), else the old ones."""
    for one, other in zip(new, old, strict=True):
        yield torch.where(better.view(-1, *(1,) * (one.dim() - 1)), one, other)


class Model:
    """Complex field matrices of blocks, as functions of beliefs and heater voltages."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.patterns = torch.as_tensor(patterns(device))

    def power(self, codes: Tensor) -> Array:
        """Drives of integer DAC codes; of a heater its power ``p = (V / V_pi)^2``."""
        dac = self.device.dac
        return dac.drive_of(dac.voltage_of(codes))

    def codes(self, power: Tensor) -> Array:
        """Integer DAC codes nearest in voltage to drives."""
        dac = self.device.dac
        return dac.code_of(dac.volts_of(power.clamp_min(dac.limits[0])))

    @property
    def span(self) -> tuple[float, float]:
        """Smallest and largest drive asked of a shifter."""
        low, high = self.device.dac.limits
        return low, min(low + RANGE, high)

    def heat(self, rows: Beliefs, power: Tensor) -> Array:
        """Phase (R, S, drivers) every heater gives itself at powers (R or 1, S, drivers)."""
        return bent_phase(power, rows.law[:, None])

    def phases(self, rows: Beliefs, power: Tensor) -> Array:
        """Actual phases (R, S, drivers) at powers (R or 1, S, drivers), crosstalk included."""
        heat = self.heat(rows, power)
        if self.device.undoes.share or bool(rows.coupling.any()):
            heat = heat @ matrix(self.device, rows.coupling).transpose(1, 2)
        return heat + rows.offset[:, None]

    def fields(self, rows: Beliefs, phases: Tensor) -> Array:
        """Complex field matrices (R, S, 4, 4), detectors' gains included, of actual phases."""
        errors = rows.alpha[:, None], rows.beta[:, None], rows.loss[:, None].exp()
        return self.device.field(phases, *errors) * (1 + rows.gain)[:, None, :, None]

    def at(self, rows: Beliefs, power: Tensor) -> Array:
        """Complex field matrices (R, S, 4, 4) at powers (R or 1, S, drivers)."""
        return self.fields(rows, self.phases(rows, power))

    def _passed(self, errors: list[Tensor], phases: Tensor) -> dict[str, Array]:
        """Return derivatives (., 4) of the fields that attenuators pass.

        That by the logarithm of the transmission, ``loss``, is the field itself.
        """
        device = self.device
        alpha, beta, loss = (part[:, device.attenuating] for part in errors)
        theta = phases[:, device.attenuators]
        kept = torch.polar(loss.exp(), theta / 2)
        cos, sin = (theta / 2).cos(), (theta / 2).sin()
        bar, leak = (alpha - beta).cos(), (alpha + beta).sin()
        skew, spill = sin * (alpha - beta).sin(), cos * (alpha + beta).cos()
        field = kept * (1j * sin * bar - cos * leak)
        return {
            "loss": field,
            "phase": 0.5 * (1j * field + kept * (1j * cos * bar + sin * leak)),
            "alpha": kept * (-1j * skew - spill),
            "beta": kept * (1j * skew - spill),
        }

    def slopes(self, rows: Beliefs, phases: Tensor) -> dict[str, Tensor]:
        """Return derivatives of `fields`, each (n, R, S, 4, 4) complex.

        Keys: ``phase`` (n = drivers, actual phases), ``alpha``, ``beta``, ``loss`` (n = MZIs) and
        ``gain`` (n = 4). Light is followed once forwards and once
        backwards: an element between fields ``Q`` (from the inputs) and ``P`` (to the outputs)
        adds outer products of columns of ``P`` and rows of ``Q``.
        """
        device, shape = self.device, phases.shape[:-1]
        flat = phases.reshape(-1, device.drivers)

        def spread(part: Tensor) -> Array:
            return part.flatten(1).repeat_interleave(shape[1], 0)

        errors = [spread(part) for part in (rows.alpha, rows.beta, rows.loss)]
        turn, kept = torch.polar(torch.ones_like(flat), flat), errors[2].exp()
        mixing = {
            name: ((angle + math.pi / 4).cos(), 1j * (angle + math.pi / 4).sin())
            for name, angle in zip(("alpha", "beta"), errors[:2], strict=True)
        }
        passed = self._passed(errors, flat)

        def through(fields: list[Tensor], kind: str, m: int, index: int) -> None:
            """Follow fields through one element; its matrix is symmetric, so in both ways alike."""
            if kind in mixing:
                cos, sin = (part[:, index, None] for part in mixing[kind])
                upper, lower = fields[m], fields[m + 1]
                fields[m], fields[m + 1] = cos * upper + sin * lower, sin * upper + cos * lower
            elif kind == "loss":
                fields[m : m + 2] = [kept[:, index, None] * each for each in fields[m : m + 2]]
            else:
                factor = turn if kind == "phase" else passed["loss"]
                fields[m] = factor[:, index, None] * fields[m]

        unit = torch.eye(WIDTH, dtype=torch.complex128).expand(len(flat), -1, -1)
        q, history = [unit[:, m] for m in range(WIDTH)], []
        for element in _elements(device):
            before = list(q)
            through(q, *element)
            history.append((element, before, list(q)))
        sizes = {"phase": device.drivers, "gain": WIDTH}
        sizes |= dict.fromkeys(("alpha", "beta", "loss"), len(device.mzis))
        answer = {
            name: torch.zeros((n, len(flat), WIDTH, WIDTH), dtype=torch.complex128)
            for name, n in sizes.items()
        }
        gains = spread(1 + rows.gain)
        p = [unit[:, m] * gains for m in range(WIDTH)]  # p[m]: column m of P
        for m in range(WIDTH):
            answer["gain"][m, :, m] = q[m]

        def outer(column: Tensor, row: Tensor) -> Array:
            return column[:, :, None] * row[:, None]

        for (kind, m, index), before, after in reversed(history):
            if kind == "phase":
                answer[kind][index] = outer(1j * p[m], after[m])
            elif kind == "loss":
                answer[kind][index] = outer(p[m], after[m]) + outer(p[m + 1], after[m + 1])
            elif kind in mixing:
                crossed = outer(1j * p[m], after[m + 1]) + outer(1j * p[m + 1], after[m])
                answer[kind][index] = crossed
            else:
                path = outer(p[m], before[m])
                for name, moved in passed.items():
                    place = device.attenuators if name == "phase" else device.attenuating
                    answer[name][place.start + m] = moved[:, m, None, None] * path
            through(p, kind, m, index)
        return {name: part.reshape(-1, *shape, WIDTH, WIDTH) for name, part in answer.items()}


def _elements(device: Device) -> Iterator[tuple[str, int, int]]:
    """Yield what light meets: the unknown of an element, its upper mode, and the unknown's number.

    An ``attenuator`` has the unknowns of an MZI, and is numbered by its mode.
    """
    for number, mzi in enumerate(device.mzis):
        if len(mzi.drivers) == 1:
            yield "attenuator", mzi.mode, mzi.mode
            continue
        theta, phi = mzi.drivers
        yield from (("phase", mzi.mode, phi), ("alpha", mzi.mode, number))
        yield from (("phase", mzi.mode, theta), ("beta", mzi.mode, number))
        yield "loss", mzi.mode, number
    for mode in range(WIDTH):
        yield "phase", mode, device.drivers - WIDTH + mode

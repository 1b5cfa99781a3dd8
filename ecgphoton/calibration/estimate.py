"""Self-calibration: fit the errors of a chip to its readings at random settings, all together.

The unknowns of a block (splitters, phases, heater laws, crosstalk, losses, gains) are about two
hundred numbers; every setting gives thirty-two. They are fitted by weighted
Gauss-Newton with a prior, so that what readings do not determine stays near nominal. A step is
taken only where it lowers the cost, so noise makes estimates worse but does not let them diverge.
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import PRIOR, Beliefs
from ecgphoton.calibration.bench import Bench, Kind
from ecgphoton.calibration.model import Model, improved, matrix
from ecgphoton.calibration.probing import BASIS, random_codes, saturated, without_zero, wrong_gains
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Complexes, Floats, Integers
from ecgphoton.settings import Settings, setting

Part = Literal["alpha", "beta", "offset", "law", "coupling", "loss", "gain"]
EVERYTHING: tuple[Part, ...] = get_args(Part)
ROWS = 16
"""Blocks fitted at a time: keeps the Jacobians in a few hundred megabytes."""
QUIET = 1e-6
"""Noise assumed at least, so that the prior keeps the equations regular."""
REUSES = 3
"""Steps taken with one Jacobian."""
SETTLED = 1e-3
"""Relative gain of a round below which no further round is computed."""
STRONG = 0.03
"""Crosstalk of the layout from which a fit needs a first value of it, and slopes with it."""
POOR = 5.0
"""Residual, in standard deviations of a reading, from which a fit is reported."""


@dataclass(frozen=True)
class Fit(Settings, section="fit"):
    """Fit some kinds of errors, or all of them, to homodyne readings at random settings."""

    parts: tuple[Part, ...] = setting(EVERYTHING, "Kinds of errors.")
    settings: int = setting(96, "Settings of all heaters that are read.", low=1)
    rounds: int = setting(8, "Jacobians computed at most.", low=1)
    seed: int = 0
    kind: ClassVar[Kind] = "field"
    drives: ClassVar[bool] = False

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with these beliefs, and detectors found saturated."""
        codes = random_codes(table, self.settings, self.seed)
        readings = bench.read(codes, BASIS)
        found = saturated(table, readings)
        weights = np.ones((*table.noise.shape, 4))
        for finding in found:  # readings of a clipped detector are left out
            block = table.program.names.index(finding.block)
            weights[finding.chip, block, int(finding.part[-2])] = 0.0
        table, residual = fitted(table, codes, readings, weights, self.parts, self.rounds)
        if "gain" in self.parts:
            table = replace(table, row_gain=1 / (1 + table.beliefs.gain).clip(0.1))
        scatter = np.maximum(table.noise, 1e-3)[..., None]
        residual = residual.reshape(scatter.shape)
        poor = table.found(
            "poor fit",
            residual > POOR * scatter,
            ("all readings",),
            lambda at: f"residual {residual[at]:.3g}, noise {scatter[at]:.3g}",
        )
        whole = (one for one in (*poor, *table.findings) if one.part == "all readings")
        unexplained = {(one.chip, one.block) for one in whole}  # whose gains are no estimates
        gains = [one for one in wrong_gains(table) if (one.chip, one.block) not in unexplained]
        found += gains + poor
        return table.with_offsets().with_findings(found)


def fitted(
    table: DriveTable,
    codes: Integers,
    readings: Complexes,
    weights: Floats | None = None,
    parts: tuple[Part, ...] = EVERYTHING,
    rounds: int = 8,
) -> tuple[DriveTable, Floats]:
    """Return the table with beliefs fitted to homodyne readings, and what they leave.

    Parameters
    ----------
    codes
        (S, 1, 1, drivers) settings.
    readings
        (S, C, K, N, 4) of `BASIS` at these settings.
    weights
        (C, K, 4) of detectors; default 1.
    parts, rounds
        See `Fit`.

    Returns
    -------
    Table, and the root mean square (C K,) of data minus model.
    """
    data = torch.as_tensor(without_zero(table, readings))  # (S, C, K, N, 4)
    data = data.permute(1, 2, 0, 4, 3).flatten(0, 1)  # (R, S, 4, N)
    weights = np.ones((*table.noise.shape, 4)) if weights is None else weights
    power, weight = table.power(codes), torch.as_tensor(weights).flatten(0, 1)
    solver = _Solver(table.model, parts, rounds)
    noise = torch.as_tensor(table.noise).flatten()
    spans = [slice(at, at + ROWS) for at in range(0, len(data), ROWS)]
    solved = [
        solver.solve(table.rows.at(at), power[at], data[at], noise[at], weight[at]) for at in spans
    ]
    answers, left = zip(*solved, strict=True)
    merged = Beliefs(*(torch.cat(part).numpy() for part in zip(*answers, strict=True)))
    fits = {
        name: getattr(merged, name).reshape(getattr(table.beliefs, name).shape) for name in parts
    }
    return replace(table, beliefs=table.beliefs._replace(**fits)), torch.cat(left).numpy()


class _Solver:
    """Gauss-Newton over many blocks at once."""

    def __init__(self, model: Model, parts: tuple[Part, ...], rounds: int) -> None:
        self.model, self.parts, self.rounds = model, parts, rounds

    def solve(
        self, rows: Beliefs, power: Tensor, data: Tensor, noise: Tensor, weight: Tensor
    ) -> tuple[Beliefs, Tensor]:
        """Return fitted rows and the root mean square (R,) of what they leave."""
        size = torch.cat(
            [torch.full_like(getattr(rows, part)[0].flatten(), PRIOR[part]) for part in self.parts]
        )
        ridge = (noise.clamp_min(QUIET)[:, None] / size) ** 2  # (R, P)
        damping = torch.zeros(len(noise), dtype=torch.float64)
        busy = torch.arange(len(noise))
        for _ in range(self.rounds):
            value, damping[busy], converged = self._round(
                rows.at(busy), (power[busy], data[busy], weight[busy]), ridge[busy], damping[busy]
            )
            whole = self._pack(rows)
            whole[busy] = value
            rows, busy = self._unpack(rows, whole), busy[~converged]
            if not len(busy):
                break
        left = self._left(rows, power, data, weight)
        seen = weight.sum(1).clamp_min(1) * left.shape[1] / weight.shape[1]
        return rows, (left.square().sum(1) / seen).sqrt()

    def _round(
        self, rows: Beliefs, task: tuple[Tensor, Tensor, Tensor], ridge: Tensor, damping: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take steps with one Jacobian; return unknowns, damping and which rows have converged."""
        power, data, weight = task
        value = self._pack(rows)
        left = self._left(rows, power, data, weight)
        start = cost = self._cost(left, value, ridge)
        j = self._jacobian(rows, power, weight)  # (R, P, n)
        gram = j @ j.transpose(1, 2)
        diagonal = gram.diagonal(dim1=1, dim2=2)
        extra = ridge + damping[:, None] * diagonal + 1e-14 * diagonal.amax(1, keepdim=True)
        factor = torch.linalg.cholesky_ex(gram + torch.diag_embed(extra))[0]
        going = torch.ones_like(damping, dtype=torch.bool)  # a row ends whatever others do
        for _ in range(REUSES):
            right = (j @ left[..., None])[..., 0] - ridge * value
            step = torch.cholesky_solve(right[..., None], factor)[..., 0]
            trial_value = value + step.nan_to_num(0.0).clamp(-0.5, 0.5)
            trial_left = self._left(self._unpack(rows, trial_value), power, data, weight)
            trial_cost = self._cost(trial_left, trial_value, ridge)
            better = going & (trial_cost < cost)
            moved = torch.where(better, damping / 10, damping.clamp_min(1e-4) * 10)
            damping = torch.where(going, moved, damping)
            going = better & (cost - trial_cost > SETTLED * trial_cost)
            new, old = (trial_value, trial_left, trial_cost), (value, left, cost)
            value, left, cost = improved(better, new, old)
            if not bool(going.any()):
                break
        return value, damping, start - cost <= SETTLED * cost

    def _pack(self, rows: Beliefs) -> Tensor:
        return torch.cat([getattr(rows, part).flatten(1) for part in self.parts], 1)

    def _unpack(self, rows: Beliefs, value: Tensor) -> Beliefs:
        old = [getattr(rows, part) for part in self.parts]
        new = torch.split(value, [part[0].numel() for part in old], 1)
        changed = (after.reshape(before.shape) for after, before in zip(new, old, strict=True))
        return rows._replace(**dict(zip(self.parts, changed, strict=True)))

    def _left(self, rows: Beliefs, power: Tensor, data: Tensor, weight: Tensor) -> Tensor:
        """(R, n) data minus model."""
        left = (data - self.model.at(rows, power)) * weight[:, None, :, None]
        return torch.view_as_real(left.resolve_conj()).flatten(1)

    @staticmethod
    def _cost(left: Tensor, value: Tensor, ridge: Tensor) -> Tensor:
        return left.square().sum(1) + (ridge * value.square()).sum(1)

    def _jacobian(self, rows: Beliefs, power: Tensor, weight: Tensor) -> Tensor:
        """(R, P, n) derivatives of the model by the unknowns.

        The effect of a law on other elements through crosstalk is of second order, and left out up
        to `STRONG`.
        """
        model = self.model
        heat = model.heat(rows, power)
        slopes = model.slopes(rows, model.phases(rows, power))
        count, settings, drivers = heat.shape
        sizes = {part: getattr(rows, part)[0].numel() for part in self.parts}
        whole = torch.empty((count, sum(sizes.values()), settings, 32), dtype=torch.float64)
        columns = dict(zip(self.parts, torch.split(whole, list(sizes.values()), 1), strict=True))
        phase = _real(slopes["phase"])  # (R, drivers, S, 32)
        for name, out in columns.items():
            if name == "offset":
                out.copy_(phase)
            elif name == "law":
                p = math.pi * power.transpose(1, 2)  # (R, drivers, S)
                u = p / math.pi
                moves = torch.stack([p, p * u, p * u * u], 2).expand(count, -1, -1, -1)
                each = out.view(count, drivers, 3, settings, 32)
                moved = phase  # by a driver alone, or with all that it warms
                if model.device.undoes.share > STRONG:
                    moved = matrix(model.device, rows.coupling).mT @ phase.flatten(2)
                torch.mul(moved.view_as(phase)[:, :, None], moves[..., None], out=each)
            elif name == "coupling":
                moved = torch.einsum("bij,rsj->rsbi", model.patterns, heat)
                out.copy_((moved @ phase.transpose(1, 2)).transpose(1, 2))
            else:
                out.copy_(_real(slopes[name]))
        if not bool(weight.all()):
            whole *= weight.repeat_interleave(8, 1)[:, None, None]
        return whole.flatten(2)


def _real(slope: Tensor) -> Tensor:
    """(n, R, S, 4, 4) complex -> (R, n, S, 32) real view."""
    return torch.view_as_real(slope).flatten(3).transpose(0, 1)

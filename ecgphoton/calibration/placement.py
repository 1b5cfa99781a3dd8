"""From matrices to DAC codes, through the model of a chip.

Two searches. `polish` moves heaters continuously until the modelled chip performs the wanted
matrix (least movement first). `place` rounds to codes so that the rounding errors of a block's
three dozen heaters cancel in its sixteen matrix elements: codes are moved singly and in pairs as
long as the matrix gets better.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import Beliefs
from ecgphoton.calibration.model import Model, improved, matrix
from ecgphoton.calibration.table import DriveTable
from ecgphoton.mesh.arrays import Array

ROUNDS = 12
KICKS, KICK = 4, 0.05
"""Times a stuck block is tried again, and how far its powers are moved."""
STUCK = 1e-4
"""Relative error from which a block counts as stuck."""
MOVES = 40
"""Moves of one or two codes tried at most between two linearisations."""
FAR = 0.15
"""Phase a heater may move from where its slope was taken, rad; one code in any case."""
ROWS = 256
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Task:
    """What R blocks have to perform, by the model of each."""

    model: Model
    rows: Beliefs
    wanted: Tensor
    """(R, 16) matrices, in units of readings."""
    gain: Tensor
    """(R, 4) digital factors of the rows."""
    free: Tensor
    """(R, drivers) heaters that may move."""

    @classmethod
    def of(cls, table: DriveTable) -> "Task":
        """Return the task of a table: its program's matrices at its row gains."""
        wanted = table.program.targets / np.maximum(table.program.scales, 1e-12)[:, None, None]
        return cls(
            table.model,
            table.rows,
            torch.as_tensor(wanted).repeat(len(table), 1, 1).flatten(1),
            torch.as_tensor(table.row_gain).flatten(0, 1),
            torch.as_tensor(~table.broken).flatten(0, 1),
        )

    def at(self, which: slice | Tensor) -> "Task":
        """Return the task of some of the blocks."""
        wanted, gain, free = (part[which] for part in (self.wanted, self.gain, self.free))
        return Task(self.model, self.rows.at(which), wanted, gain, free)

    def left(self, power: Tensor) -> Array:
        """(R, 16) wanted matrices minus those performed at powers (R, drivers)."""
        return self._left(self.model.phases(self.rows, power[:, None]))

    def slope(self, power: Tensor) -> tuple[Tensor, Tensor]:
        """Return `left`, and slopes (R, 16, drivers) of the matrices by power."""
        model, rows = self.model, self.rows
        phases = model.phases(rows, power[:, None])
        slope = model.slopes(rows, phases)["phase"][:, :, 0].real * self.gain[..., None]
        by_heat = slope.flatten(2).permute(1, 2, 0) @ matrix(model.device, rows.coupling)
        bend = 2 * rows.law[..., 1] + 3 * rows.law[..., 2] * power
        rate = torch.pi * (1 + rows.law[..., 0] + power * bend)
        return self._left(phases), by_heat * rate[:, None]

    def _left(self, phases: Tensor) -> Array:
        fields = self.model.fields(self.rows, phases)[:, 0].real
        return self.wanted - (fields * self.gain[..., None]).flatten(1)


def polish(task: Task, power: Tensor, *, kicks: int = KICKS) -> Tensor:
    """Powers near `power` with which the modelled blocks perform what is wanted.

    Levenberg-Marquardt of least movement; only free heaters move, between no power and a little
    more than a turn. Blocks that get stuck are moved at random by a little and tried again.
    """
    draw = torch.Generator().manual_seed(0)
    power, cost = _descend(task, power)
    start = power
    for _ in range(kicks):
        stuck = torch.nonzero(cost > STUCK**2 * task.wanted.square().sum(1)).flatten()
        if not len(stuck):
            break
        kick = KICK * torch.randn(start[stuck].shape, generator=draw, dtype=start.dtype)
        kicked = (start[stuck] + kick).clamp(*task.model.span)
        part = task.at(stuck)
        trial, trial_cost = _descend(part, torch.where(part.free, kicked, start[stuck]))
        better = trial_cost < cost[stuck]
        power = power.index_copy(0, stuck, torch.where(better[:, None], trial, power[stuck]))
        cost = cost.index_copy(0, stuck, torch.minimum(trial_cost, cost[stuck]))
    return power


def _descend(task: Task, power: Tensor) -> tuple[Tensor, Tensor]:
    """Powers and squared error (R,) where the descent ends."""
    damping = torch.full((len(power),), 1e-6, dtype=power.dtype)
    left, slope = task.slope(power)
    cost = left.square().sum(1)
    lowest, largest = task.model.span
    for _ in range(ROUNDS):
        move = _step(slope * task.free[:, None], left, damping)
        # A heater that would have to cool, or is at the end of its range, does not take part.
        walled = ((power <= lowest) & (move < 0)) | ((power >= largest) & (move > 0))
        move = _step(slope * (task.free & ~walled)[:, None], left, damping)
        trial = torch.where(task.free, (power + move).clamp(lowest, largest), power)
        new_left, new_slope = task.slope(trial)
        new_cost = new_left.square().sum(1)
        better = new_cost < cost
        new, old = (trial, new_left, new_slope, new_cost), (power, left, slope, cost)
        power, left, slope, cost = improved(better, new, old)
        damping = torch.where(better, damping / 10, damping * 10).clamp_min(1e-9)
        if bool((cost < TINY**2).all()):
            break
    return power, cost


def _step(slope: Tensor, left: Tensor, damping: Tensor) -> Tensor:
    gram = slope @ slope.transpose(1, 2)
    extra = damping[:, None].expand(-1, gram.shape[1])
    solved = torch.linalg.solve(gram + torch.diag_embed(extra), left)
    move: Tensor = (slope.transpose(1, 2) @ solved[..., None])[..., 0]
    return move.clamp(-0.2, 0.2)


def improve(left: Tensor, slope: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Whole-number moves (R, D) that make ``left - slope @ moves`` small, greedily.

    Parameters
    ----------
    left
        (R, 16) error before moving.
    slope
        (R, 16, D) change by one code of each driver.
    low, high
        (R, D) bounds of the moves.
    """
    count, drivers = len(left), slope.shape[2]
    gram = slope.transpose(1, 2) @ slope
    moves = torch.zeros((count, drivers), dtype=left.dtype)
    norm = gram.diagonal(dim1=1, dim2=2)
    index = torch.arange(count)
    signs = torch.tensor([1.0, -1.0], dtype=left.dtype)
    active = torch.ones(count, dtype=torch.bool)
    for _ in range(MOVES):
        pull = (slope.transpose(1, 2) @ left[..., None])[..., 0]
        # What one code of driver d with sign s changes the squared error by; infinite if barred.
        single = norm[:, None] - 2 * signs[:, None] * pull[:, None]  # (R, 2, D)
        ahead = moves[:, None] + signs[:, None]
        barred = (ahead > high[:, None]) | (ahead < low[:, None])
        single = single.masked_fill(barred, torch.inf).flatten(1)  # (R, 2 D)
        cross = 2 * gram[:, None, :, None] * signs[:, None, None, None] * signs[:, None]
        pair = single[:, :, None] + single[:, None] + cross.reshape(count, 2 * drivers, -1)
        own = torch.arange(2 * drivers)
        pair[:, own, own] = single  # one code alone
        half = torch.arange(drivers)
        pair[:, half, half + drivers] = torch.inf
        pair[:, half + drivers, half] = torch.inf
        best = pair.flatten(1).argmin(1)
        gain = pair.flatten(1)[index, best]
        active = active & (gain < -1e-15)
        if not bool(active.any()):
            break
        first, second = best // (2 * drivers), best % (2 * drivers)
        step = torch.zeros_like(moves)
        for choice, on in ((first, active), (second, active & (first != second))):
            step[index, choice % drivers] += torch.where(on, signs[choice // drivers], 0.0)
        moves = moves + step
        left = left - (slope @ step[..., None])[..., 0]
    return moves


def place(task: Task, power: Tensor) -> Tensor:
    """Codes (R, drivers) near `power` whose rounding errors cancel in the matrix."""
    model = task.model
    codes = model.codes(power)
    top = int(model.codes(torch.tensor(model.span[1])))
    parts = []
    for at in range(0, len(codes), ROWS):
        part, now = task.at(slice(at, at + ROWS)), codes[at : at + ROWS]
        for _ in range(3):
            left, slope = part.slope(model.power(now))
            below = (now - 1).clamp_min(0)
            step = (model.power(now + 1) - model.power(below)) / (now + 1 - below)
            slope = slope * (step * part.free)[:, None]
            far = (FAR / torch.pi / step).floor().clamp(1, 6) * part.free
            low, high = torch.maximum(-now, -far), torch.minimum(top - now, far).clamp_min(0)
            trial = now + improve(left, slope, low, high).long()
            better = part.left(model.power(trial)).square().sum(1) < left.square().sum(1)
            now = torch.where(better[:, None], trial, now)
            if not bool(better.any()):
                break
        parts.append(now)
    return torch.cat(parts)

"""From wanted matrices to DAC codes, through the model of a chip.

Two searches. `polish` moves heaters continuously until the modelled chip performs the wanted
matrix (least movement first). `place` rounds to codes so that the rounding errors of a block's
three dozen heaters cancel in its sixteen matrix elements: codes are moved singly and in pairs as
long as the matrix gets better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ecgphoton.calibration.probing import REACH

if TYPE_CHECKING:
    from ecgphoton.calibration.model import Model, Rows

ROUNDS = 12
KICKS, KICK = 4, 0.05
"""Times a stuck block is tried again, and how far its powers are moved."""
STUCK = 1e-4
"""Relative error from which a block counts as stuck."""
LARGEST = REACH / torch.pi
"""Largest power, ``(V / V_pi)^2``: what heaters were swept to."""
MOVES = 40
"""Moves of one or two codes tried at most between two linearisations."""
FAR = 0.15
"""Phase a heater may move from where its slope was taken, rad; one code in any case."""
ROWS = 256
TINY = 1e-12


def response(
    model: Model, rows: Rows, power: Tensor, gain: Tensor, *, slopes: bool = True
) -> tuple[Tensor, Tensor]:
    """Real matrices (R, 16) performed at powers (R, drivers), and slopes by power (R, 16, drivers).

    `gain` (R, 4) are the digital factors of the rows.
    """
    heat = model.heat(rows, power[:, None])
    phases = model.phases(rows, heat)
    fields = model.matrices(rows, phases)[:, 0]
    value = (fields.real * gain[..., None]).flatten(1)
    if not slopes:
        return value, value.new_zeros(0)
    slope = model.slopes(rows, phases)["phase"][:, :, 0].real * gain[..., None]
    by_phase = slope.flatten(2).permute(1, 2, 0)  # (R, 16, drivers)
    by_heat = by_phase @ model.coupled(rows)
    law = rows.law.reshape(len(power), -1, 3)
    bend = 2 * law[..., 1] + 3 * law[..., 2] * power
    rate = torch.pi * (1 + law[..., 0] + power * bend)
    return value, by_heat * rate[:, None]


def polish(
    model: Model,
    rows: Rows,
    power: Tensor,
    wanted: Tensor,
    gain: Tensor,
    free: Tensor,
    *,
    kicks: int = KICKS,
) -> Tensor:
    """Powers near `power` with which the modelled blocks perform `wanted` (R, 16).

    Levenberg-Marquardt of least movement; only `free` (R, drivers) heaters move, between no power
    and a little more than a turn. Blocks that get stuck are kicked a little and tried again.
    """
    draw = torch.Generator().manual_seed(0)
    power, cost = _descend(model, rows, power, wanted, gain, free)
    start = power
    for _ in range(kicks):
        stuck = torch.nonzero(cost > STUCK**2 * wanted.square().sum(1)).flatten()
        if not len(stuck):
            break
        kick = KICK * torch.randn(start[stuck].shape, generator=draw, dtype=start.dtype)
        kicked = torch.where(free[stuck], (start[stuck] + kick).clamp(0, LARGEST), start[stuck])
        arguments = rows.at(stuck), kicked, wanted[stuck], gain[stuck], free[stuck]
        trial, trial_cost = _descend(model, *arguments)
        better = trial_cost < cost[stuck]
        power = power.index_copy(0, stuck, torch.where(better[:, None], trial, power[stuck]))
        cost = cost.index_copy(0, stuck, torch.minimum(trial_cost, cost[stuck]))
    return power


def _descend(
    model: Model, rows: Rows, power: Tensor, wanted: Tensor, gain: Tensor, free: Tensor
) -> tuple[Tensor, Tensor]:
    """Powers and squared error (R,) where the descent ends."""
    damping = torch.full((len(power),), 1e-6, dtype=power.dtype)
    value, slope = response(model, rows, power, gain)
    cost = (wanted - value).square().sum(1)
    for _ in range(ROUNDS):
        move = _step(slope * free[:, None], wanted - value, damping)
        # Who would have to cool, or is at the end of its range, does not take part.
        walled = ((power <= 0) & (move < 0)) | ((power >= LARGEST) & (move > 0))
        move = _step(slope * (free & ~walled)[:, None], wanted - value, damping)
        trial = torch.where(free, (power + move).clamp(0, LARGEST), power)
        new_value, new_slope = response(model, rows, trial, gain)
        new_cost = (wanted - new_value).square().sum(1)
        better = new_cost < cost
        power = torch.where(better[:, None], trial, power)
        value = torch.where(better[:, None], new_value, value)
        slope = torch.where(better[:, None, None], new_slope, slope)
        cost = torch.where(better, new_cost, cost)
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


def place(
    model: Model,
    rows: Rows,
    power: Tensor,
    wanted: Tensor,
    gain: Tensor,
    free: Tensor,
    *,
    bias: Tensor | None = None,
) -> Tensor:
    """Codes (R, drivers) near `power` whose rounding errors cancel in the matrix.

    `bias` (R, 16) is added to what the model says, for example what was measured beyond it.
    """
    dac = model.circuit.dac
    volt = dac.v_pi * power.clamp_min(0).sqrt()
    codes = (volt / dac.v_max * dac.top).round().clamp(0, dac.top)
    top = float(int(LARGEST**0.5 * dac.v_pi / dac.v_max * dac.top))
    bias = torch.zeros_like(wanted) if bias is None else bias

    def error(at: Tensor, part: Rows, which: slice) -> Tensor:
        value, _ = response(model, part, model.power(at), gain[which], slopes=False)
        return wanted[which] - bias[which] - value

    parts = []
    for at in range(0, len(codes), ROWS):
        which = slice(at, at + ROWS)
        part, now = rows.at(which), codes[which]
        left = error(now, part, which)
        for _ in range(3):
            slope = response(model, part, model.power(now), gain[which])[1]
            # dp / dcode = 2 p / code; at code 0 the first code counts.
            step = (dac.v_max / dac.top / dac.v_pi) ** 2 * (2 * now).clamp_min(1.0)
            slope = slope * (step * free[which])[:, None]
            far = (FAR / torch.pi / step).floor().clamp(1, 6) * free[which]
            low, high = torch.maximum(-now, -far), torch.minimum(top - now, far).clamp_min(0)
            trial = now + improve(left, slope, low, high)
            new = error(trial, part, which)
            better = new.square().sum(1) < left.square().sum(1)
            now = torch.where(better[:, None], trial, now)
            left = torch.where(better[:, None], new, left)
            if not bool(better.any()):
                break
        parts.append(now)
    return torch.cat(parts).round().long()

"""Fringes: how a reading changes when one heater is swept, and the heater law that follows.

With everything else at rest, a field is linear in ``exp(i phase)``, so every homodyne reading and
every power follows ``A + B cos(phase) + C sin(phase)`` exactly, whatever the other elements do. A,
B and C are eliminated by linear projection, and what remains is a fit of the law alone (variable
projection, Golub and Pereyra 1973, doi:10.1137/0710036).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ecgphoton.calibration.model import improved
from ecgphoton.mesh.arrays import Array
from ecgphoton.mesh.heater import bent_phase

ROUNDS = 12
SETTLED = 1e-3
"""Relative change of a round below which a fit has converged; without noise it is then exact."""
FARTHEST = 1.0
"""Largest change of a phase in one round, rad: beyond it a fringe is not nearly straight."""


class Fringes(NamedTuple):
    """Heater laws of R sweeps."""

    law: Tensor
    """(R, 3), see `ecgphoton.calibration.beliefs.Beliefs.law`."""
    amplitude: Tensor
    """(R,) root sum of squares of B and C over all readings."""
    residual: Tensor
    """(R,) root mean square of what the fit leaves, apart from crosstalk to other heaters."""


def fit(
    power: Tensor, readings: Tensor, noise: Tensor, prior: float, start: Tensor | None = None
) -> Fringes:
    """Fit heater laws to sweeps.

    Parameters
    ----------
    power
        (R, V) heater powers ``p = (V / V_pi)^2``.
    readings
        (R, V, n) real readings.
    noise
        (R,) standard deviation of a reading.
    prior
        Size expected of every coefficient.
    start
        (R, 3) laws to begin with; default the ideal one.
    """
    law = torch.zeros((len(power), 3), dtype=torch.float64) if start is None else start
    damping = torch.full((len(power),), 1e-9, dtype=torch.float64)
    # The prior is weighed against the noise, of which a minimum keeps the equations regular.
    ridge = (noise.clamp_min(1e-6) / prior) ** 2
    moves = math.pi * torch.stack([power, power**2, power**3], -1)  # (R, V, 3)
    best = list(_project(power, readings, law))
    cost = best[1].square().sum((1, 2)) + ridge * law.square().sum(1)
    going = torch.ones_like(cost, dtype=torch.bool)  # a row ends whatever others do
    for _ in range(ROUNDS):
        basis, left, slope = best
        j = _tangent(basis, slope, moves)  # (R, 3, V n)
        gram = j @ j.transpose(1, 2)
        scale = gram.diagonal(dim1=1, dim2=2).mean(1)
        gram = gram + torch.diag_embed((ridge + damping * scale)[:, None].expand(-1, 3))
        right = (j @ left.flatten(1)[..., None])[..., 0] - ridge[:, None] * law
        step = torch.linalg.solve(gram + 1e-300 * torch.eye(3, dtype=gram.dtype), right)
        turned = (moves @ step[..., None]).abs().amax((1, 2))
        trial_law = law + step * (FARTHEST / turned.clamp_min(FARTHEST))[:, None]
        trial = _project(power, readings, trial_law)
        trial_cost = trial[1].square().sum((1, 2)) + ridge * trial_law.square().sum(1)
        better = going & (trial_cost < cost)
        # A step that was refused says nothing yet: with more damping a shorter one may help.
        going &= (cost - trial_cost).abs() > SETTLED * cost
        new, old = (trial_law, trial_cost, *trial), (law, cost, *best)
        law, cost, *best = improved(better, new, old)
        damping = torch.where(better, damping / 10, damping.clamp_min(1e-6) * 30)
        if not bool(going.any()):
            break
    basis = best[0]
    wave = _coefficients(basis, readings)[:, 1:]
    # Heat that reaches other elements moves A, B and C in proportion to the power.
    wider = torch.cat([basis, power[..., None] * basis], -1)
    left = readings - wider @ _coefficients(wider, readings)
    return Fringes(law, wave.square().sum((1, 2)).sqrt(), left.square().mean((1, 2)).sqrt())


def _coefficients(basis: Tensor, readings: Tensor) -> Array:
    """(R, b, n) least-squares factors of a basis (R, V, b): A, B, C."""
    gram = basis.transpose(1, 2) @ basis
    gram = gram + 1e-12 * torch.eye(basis.shape[-1], dtype=gram.dtype)
    return torch.linalg.solve(gram, basis.transpose(1, 2) @ readings)


def _project(power: Tensor, readings: Tensor, law: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Basis (R, V, 3), what it cannot explain (R, V, n), and slope by phase (R, V, n)."""
    angle = bent_phase(power, law[:, None])
    cos, sin = angle.cos(), angle.sin()
    basis = torch.stack([torch.ones_like(angle), cos, sin], -1)
    wave = _coefficients(basis, readings)
    slope = torch.stack([torch.zeros_like(angle), -sin, cos], -1) @ wave
    return basis, readings - basis @ wave, slope


def _tangent(basis: Tensor, slope: Tensor, moves: Tensor) -> Array:
    """(R, 3, V n) derivatives by the law, without what A, B and C take up."""
    raw = moves[..., None, :] * slope[..., None]  # (R, V, n, 3)
    flat = raw.flatten(2)
    flat = flat - basis @ _coefficients(basis, flat)
    return flat.reshape(raw.shape).permute(0, 3, 1, 2).flatten(2)

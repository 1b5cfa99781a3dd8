"""Thermal crosstalk as a smooth function of distance, and heater settings that undo it.

The share of a heater's phase that arrives at another heater ``d`` um away is
``sum_b a_b exp(-(d - 120) / L_b)`` with fixed lengths ``L_b``: five numbers that follow any smooth
decay, instead of a thousand couplings that no measurement could tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.mesh.thermal import SETTLED, TURN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.circuit import Circuit

    Floats = NDArray[np.float64]

LENGTHS = (40.0, 80.0, 160.0, 320.0, 640.0)
"""L_b, um."""
NEAREST = 120.0


def patterns(circuit: Circuit) -> Floats:
    """(terms, drivers, drivers) coupling that one unit of every coefficient brings."""
    gap = circuit.positions[:, None] - circuit.positions
    distance = np.hypot(gap[..., 0], gap[..., 1])
    terms = np.exp(-np.maximum(distance - NEAREST, 0) / np.array(LENGTHS)[:, None, None])
    return np.asarray(terms * (1 - np.eye(circuit.drivers)))


def matrix(circuit: Circuit, coupling: Floats) -> Floats:
    """K (..., drivers, drivers) with ones on the diagonal, of coefficients (..., terms)."""
    return np.asarray(np.tensordot(coupling, patterns(circuit), 1) + np.eye(circuit.drivers))


def undo(circuit: Circuit, k: Floats, phases: Floats, offset: Floats) -> Floats:
    """Heat P >= 0 with ``K P + offset = phases``, all (..., drivers) in rad.

    Phase shifters may be driven a turn more or less. A turn would change the sign of an
    attenuator's field, so one that cannot be driven so low passes ``2 pi - phase``, which is as
    much light.
    """
    inverse, attenuator = np.linalg.inv(k), circuit.is_attenuator
    folded = np.remainder(phases, 2 * TURN)
    folded = np.minimum(folded, 2 * TURN - folded)
    folded = np.minimum(folded, TURN - folded)
    goal = np.where(attenuator, folded - offset, np.remainder(phases - offset, TURN))
    mirrored = TURN - folded - offset
    rounds = 4 * circuit.drivers
    for attempt in range(2 * rounds):
        heat = np.asarray((inverse @ goal[..., None])[..., 0], float)
        cold = heat < -SETTLED
        hot = (heat >= TURN) & ~attenuator & (attempt < rounds)  # reducing may go in circles
        if not (cold | hot).any():
            break
        goal = np.where(cold, np.where(attenuator, mirrored, goal + TURN), goal)
        goal = np.where(hot, goal - TURN, goal)
    settled: Floats = np.maximum(heat, 0.0)
    return settled

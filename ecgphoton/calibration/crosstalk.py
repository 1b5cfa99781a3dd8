"""Thermal crosstalk as a smooth function of distance, and heater settings that undo it.

The share of a heater's phase that arrives at another heater ``d`` um away is
``sum_b a_b exp(-(d - 120) / L_b)`` with fixed lengths ``L_b``: five numbers that follow any smooth
decay, instead of a thousand couplings that no measurement could tell apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.mesh.thermal import TURN, precompensate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.circuit import Circuit

    Floats = NDArray[np.float64]

LENGTHS = (40.0, 80.0, 160.0, 320.0, 640.0)
"""L_b, um."""
NEAREST = 120.0
FAINT = 0.35
"""Attenuator phases below it, rad, are driven as ``2 pi - phase``, which passes as much light."""


def patterns(circuit: Circuit) -> Floats:
    """(terms, drivers, drivers) coupling that one unit of every coefficient brings."""
    gap = circuit.positions[:, None] - circuit.positions
    distance = np.hypot(gap[..., 0], gap[..., 1])
    terms = np.exp(-np.maximum(distance - NEAREST, 0) / np.array(LENGTHS)[:, None, None])
    return np.asarray(terms * (1 - np.eye(circuit.drivers)))


def matrix(circuit: Circuit, coupling: Floats) -> Floats:
    """K (..., drivers, drivers) with ones on the diagonal, of coefficients (..., terms)."""
    return np.asarray(np.tensordot(coupling, patterns(circuit), 1) + np.eye(circuit.drivers))


def undo(circuit: Circuit, k: Floats, wanted: Floats) -> Floats:
    """Heat P >= 0 with ``K P = wanted`` (modulo a turn), all (..., drivers) in rad.

    A phase shifter may be driven a turn further; an attenuator may not, because a turn changes the
    sign of its field, but ``2 pi - phase`` serves instead.
    """
    folded = np.remainder(wanted, 2 * TURN)
    folded = np.where(folded > TURN, 2 * TURN - folded, folded)
    folded = np.where(folded < FAINT, TURN - folded, folded)
    return precompensate(k, np.where(circuit.is_attenuator, folded, wanted))

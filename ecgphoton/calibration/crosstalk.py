"""Thermal crosstalk as a smooth function of distance, and heater settings that undo it.

The share of a heater's phase that arrives at another heater at distance ``d`` is
``sum_b a_b exp(-(d - d0) / L_b)`` with one mode pitch ``d0`` and fixed lengths ``L_b``: five
numbers follow any smooth decay; a thousand separate couplings could not be measured.
"""

import numpy as np

from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.device import Device

LENGTHS = (40.0, 80.0, 160.0, 320.0, 640.0)
"""L_b, um."""
TURN = 2 * np.pi
ROUNDING = 1e-12
"""Negative heat that is taken for a rounding error, rad."""


def patterns(device: Device) -> Floats:
    """(terms, drivers, drivers) coupling that one unit of every coefficient brings."""
    return np.stack([device.crosstalk(1.0, length) for length in LENGTHS])


def matrix(device: Device, coupling: Floats) -> Floats:
    """K (..., drivers, drivers) with ones on the diagonal, of coefficients (..., terms)."""
    return np.asarray(np.tensordot(coupling, patterns(device), 1) + np.eye(device.drivers))


def undo(device: Device, k: Floats, phases: Floats, offset: Floats) -> Floats:
    """Heat P >= 0 with ``K P + offset = phases``, all (..., drivers) in rad.

    Heaters may be driven a turn more or less.
    """
    inverse, goal = np.linalg.inv(k), np.remainder(phases - offset, TURN)
    rounds = 4 * device.drivers
    for attempt in range(2 * rounds):
        heat = np.asarray((inverse @ goal[..., None])[..., 0], float)
        cold = heat < -ROUNDING
        # Taking turns away may go in circles, so after some rounds turns are only added.
        hot = (heat >= TURN) & (attempt < rounds)
        if not (cold | hot).any():
            break
        goal = goal + TURN * cold - TURN * hot
    return np.asarray(np.maximum(heat, 0.0))

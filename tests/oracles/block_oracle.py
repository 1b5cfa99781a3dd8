"""One block of a chip with errors, from voltages to readings, in numpy only (docs/physics.md).

Nothing of the package is imported. A block of ``svd-clements`` has 32 drivers: theta and phi of the
six interferometers of mesh V, theta of four attenuators, theta and phi of mesh U, four outputs.
"""

from __future__ import annotations

import numpy as np
from link_oracle import RECTANGLE, split

COLUMN, ACROSS = 300.0, 120.0
"""Pitch of the columns of interferometers and of the waveguides, um."""
COLUMNS = 4
"""Columns of a mesh; the attenuators are a fifth, between the two meshes."""


def rounded(volts, bits, v_max):
    """Voltages of the nearest codes of a DAC."""
    step = v_max / (2**bits - 1)
    return step * np.rint(volts / step)


def places():
    """(32, 2) places of the drivers: phi a quarter, theta three quarters into its cell."""
    found = []
    for first in (0, COLUMNS + 1):
        found += [(first + column + 0.75, mode) for column, mode in RECTANGLE]
        found += [(first + column + 0.25, mode) for column, mode in RECTANGLE]
        last = 0.75 if first == 0 else 0.25  # attenuators behind mesh V, outputs behind mesh U
        found += [(first + COLUMNS + last, mode) for mode in range(4)]
    return np.array(found) * [COLUMN, ACROSS]


def heated(volts, *, v_pi, spread, curvature, share, length):
    """Phases (32,) of heaters at voltages: bent laws, then what neighbours add."""
    power = (volts / v_pi) ** 2
    own = np.pi * ((1 + spread) * power + curvature * power**2)
    where = places()
    phases = own.copy()
    for i in range(len(own)):
        for j in range(len(own)):
            if i != j:
                apart = np.linalg.norm(where[i] - where[j])
                phases[i] += share * np.exp(-(apart - ACROSS) / length) * own[j]
    return phases


def interferometer(theta, phi, alpha, beta, loss_db):
    """Matrix of an interferometer with errors of its splitters and a loss."""
    perfect = split(beta) @ np.diag([np.exp(1j * theta), 1])
    perfect = perfect @ split(alpha) @ np.diag([np.exp(1j * phi), 1])
    return 10 ** (-loss_db / 20) * perfect


def mesh(theta, phi, errors, losses):
    """Matrix of six interferometers; errors (6, 2) of splitters, losses (6,) beyond the mean."""
    whole = np.eye(4, dtype=complex)
    for number, (_, mode) in enumerate(RECTANGLE):
        one = np.eye(4, dtype=complex)
        both = slice(mode, mode + 2)
        one[both, both] = interferometer(theta[number], phi[number], *errors[number],
                                         losses[number])  # fmt: skip
        whole = one @ whole
    return whole


def field(phases, errors, losses, *, mzi_db, shifter_db):
    """Field matrix (4, 4) of a block; errors (16, 2), losses (16,) of V, attenuators and U."""
    v = mesh(phases[:6], phases[6:12], errors[:6], losses[:6])
    passed = [interferometer(phases[12 + k], 0.0, *errors[6 + k], losses[6 + k])[0, 0]
              for k in range(4)]  # fmt: skip
    u = mesh(phases[16:22], phases[22:28], errors[10:], losses[10:])
    mean = (2 * COLUMNS + 1) * mzi_db + shifter_db
    output = np.diag(np.exp(1j * phases[28:]))
    return 10 ** (-mean / 20) * output @ u @ np.diag(passed) @ v

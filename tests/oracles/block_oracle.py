"""One block of a chip with errors, from voltages to readings, in numpy only (docs/physics.md).

Nothing of the package is imported. A block of two meshes (``svd-clements``, ``svd-reck``) has 32
drivers: theta and phi of the six interferometers of mesh V, theta of four attenuators, theta and
phi of mesh U, four outputs. A single mesh (``real-part``) has the last 16 of them.
"""

from __future__ import annotations

import numpy as np
from link_oracle import RECTANGLE, split

COLUMN, ACROSS = 300.0, 120.0
"""Pitch of the columns of interferometers and of the waveguides, um."""
TRIANGLE = ((0, 2), (1, 1), (2, 0), (2, 2), (3, 1), (4, 2))
"""(column, upper mode) of the six interferometers of Reck's triangle, in light order."""
KINDS = {"svd-clements": (RECTANGLE, 2), "svd-reck": (TRIANGLE, 2), "real-part": (RECTANGLE, 1)}
"""Places of the interferometers of a mesh, and the number of meshes."""


def modulated(drive, *, decibels, sign, depth):
    """Field of a push-pull modulator driven with inputs (...), over that of a perfect one at 1.

    Its arms pass the fields p and q, p + q = 1, with the phases f and -f. The smallest field it
    sends, at f = 0, is q - p of the largest, at f = pi / 2.
    """
    unlike = sign * 10 ** (-decibels / 20)
    p, q = (1 - unlike) / 2, (1 + unlike) / 2
    f = depth * drive
    return (p * np.exp(1j * f) - q * np.exp(-1j * f)) / (1j * np.sin(depth))


def coded(phases, *, bits, v_pi, v_max):
    """Voltages of the codes of a heater nearest to phases (drivers,) on the circle.

    Those of one turn are looked at, and the first beyond.
    """
    volts = v_max / (2**bits - 1) * np.arange(2**bits)
    given = np.pi * (volts / v_pi) ** 2
    given = given[: np.searchsorted(given, 2 * np.pi) + 1]
    away = np.abs(np.exp(1j * given) - np.exp(1j * phases[:, None]))
    return volts[away.argmin(1)]


def places(kind):
    """Places (drivers, 2): phi a quarter, theta three quarters into its cell."""
    mesh, meshes = KINDS[kind]
    depth = mesh[-1][0] + 1
    found = []
    for number in range(meshes):
        first = number * (depth + 1)
        found += [(first + column + 0.75, mode) for column, mode in mesh]
        found += [(first + column + 0.25, mode) for column, mode in mesh]
        last = 0.25 if number == meshes - 1 else 0.75  # outputs behind U, attenuators behind V
        found += [(first + depth + last, mode) for mode in range(4)]
    return np.array(found) * [COLUMN, ACROSS]


def coupled(kind, *, share, length):
    """Share (drivers, drivers) of the phase of every heater that arrives at every other one."""
    where = places(kind)
    found = np.zeros((len(where), len(where)))
    for i in range(len(where)):
        for j in range(len(where)):
            if i != j:
                apart = np.linalg.norm(where[i] - where[j])
                found[i, j] = share * np.exp(-max(apart - ACROSS, 0) / length)
    return found


def undone(kind, phases, *, share, length, cool):
    """What heaters (drivers,) give themselves where phases with what arrives are those wanted.

    By turns, each gives what the others leave; below 0 it stays off, beyond `cool` a turn is added.
    """
    arriving, own, turns = coupled(kind, share=share, length=length), phases.copy(), 0 * phases
    for _ in range(500):
        for i in range(len(own)):
            lacks = phases[i] - arriving[i] @ own
            turns[i] += lacks + 2 * np.pi * turns[i] < -cool
            own[i] = max(lacks + 2 * np.pi * turns[i], 0)
    return own


def heated(kind, volts, *, v_pi, spread, curvature, share, length):
    """Phases (drivers,) of heaters at voltages: bent laws, then what neighbours add."""
    power = (volts / v_pi) ** 2
    own = np.pi * ((1 + spread) * power + curvature * power**2)
    return own + coupled(kind, share=share, length=length) @ own


def interferometer(theta, phi, alpha, beta, loss_db):
    """Matrix of an interferometer with errors of its splitters and a loss."""
    perfect = split(beta) @ np.diag([np.exp(1j * theta), 1])
    perfect = perfect @ split(alpha) @ np.diag([np.exp(1j * phi), 1])
    return 10 ** (-loss_db / 20) * perfect


def mesh(order, theta, phi, errors, losses):
    """Matrix of six interferometers; errors (6, 2) of splitters, losses (6,) beyond the mean."""
    whole = np.eye(4, dtype=complex)
    for number, (_, mode) in enumerate(order):
        one = np.eye(4, dtype=complex)
        both = slice(mode, mode + 2)
        one[both, both] = interferometer(theta[number], phi[number], *errors[number],
                                         losses[number])  # fmt: skip
        whole = one @ whole
    return whole


def field(kind, phases, errors, losses, *, mzi_db=0.0, shifter_db=0.0):
    """Field matrix (4, 4) of a block; errors (MZIs, 2), losses (MZIs,) of V, attenuators and U."""
    losses = np.maximum(losses, -mzi_db)  # no interferometer amplifies
    order, meshes = KINDS[kind]
    whole, columns = np.eye(4, dtype=complex), meshes * (order[-1][0] + 1)
    if meshes == 2:
        v = mesh(order, phases[:6], phases[6:12], errors[:6], losses[:6])
        passed = [interferometer(phases[12 + k], 0.0, *errors[6 + k], losses[6 + k])[0, 0]
                  for k in range(4)]  # fmt: skip
        whole, columns = np.diag(passed) @ v, columns + 1
    theta, phi, output = np.split(phases[-16:], [6, 12])
    whole = mesh(order, theta, phi, errors[-6:], losses[-6:]) @ whole
    mean = columns * mzi_db + shifter_db
    return 10 ** (-mean / 20) * np.diag(np.exp(1j * output)) @ whole


def slopes(kind, phases):
    """(drivers, 4, 4) derivatives of the real part of a perfect block by its phases, exactly.

    Every phase enters once, as exp(i phase), so half the difference between a quarter turn more and
    a quarter turn less is the derivative.
    """
    count = 16 if KINDS[kind][1] == 2 else 6
    perfect = np.zeros((count, 2)), np.zeros(count)
    found = []
    for driver in range(len(phases)):
        quarter = np.zeros(len(phases))
        quarter[driver] = np.pi / 2
        ends = [field(kind, phases + side * quarter, *perfect).real for side in (1, -1)]
        found.append((ends[0] - ends[1]) / 2)
    return np.array(found)

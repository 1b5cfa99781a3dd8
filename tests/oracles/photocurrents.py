"""Receivers computed with numpy alone, from the fields at two photodiodes (docs/physics.md).

Nothing of the package is imported. Fields are in units of an input of 1, currents in A.
"""

from __future__ import annotations

import numpy as np

CHARGE, BOLTZMANN = 1.602176634e-19, 1.380649e-23
TOP = 2.0
"""Largest reading of the converter."""
DIODES = {"balanced": 2, "hybrid": 2, "intensity": 1}


def behind_splitter(field, r, error):
    """Fields (2, ...) behind a splitter that mixes a field with an oscillator of amplitude r."""
    eta = np.pi / 4 + error
    matrix = np.array([[np.cos(eta), 1j * np.sin(eta)], [1j * np.sin(eta), np.cos(eta)]])
    inputs = np.stack([field, np.full_like(field, -1j * r)])
    return np.einsum("ij...,j...->i...", matrix, inputs)


def currents(kind, field, *, signal, oscillator, responsivity, error, phase, cmrr, skew, **_):
    """Photocurrents (pairs, diodes, ...), A, with mismatch and the division of a hybrid."""
    field = np.asarray(field) * np.exp(1j * phase)
    r = np.sqrt(oscillator / signal)
    if kind == "intensity":
        light = np.abs(behind_splitter(field, r, error)[:1]) ** 2
        return responsivity * signal * light[None]
    fields = [field]
    if kind == "hybrid":
        late = field * np.exp(-1j * (np.pi / 2 + skew))
        fields, r = [field / np.sqrt(2), late / np.sqrt(2)], r / np.sqrt(2)
    light = np.stack([np.abs(behind_splitter(one, r, error)) ** 2 for one in fields])
    mismatch = 10 ** (-cmrr / 20) if cmrr else 0.0
    ratio = np.array([1 + mismatch, 1 - mismatch]).reshape(1, 2, *[1] * np.ndim(field))
    return responsivity * signal * light * ratio


def full_scale(kind, *, signal, oscillator, responsivity, **_):
    """Current of a reading of 1, A."""
    whole = 2 * responsivity * np.sqrt(signal * oscillator)
    return whole if kind == "balanced" else whole / 2


def electronics(kind, seen, *, phase, gain, **_):
    """What the electronics makes of photocurrents (pairs, diodes, ...), A."""
    if kind == "intensity":
        return seen[0, 0]
    pairs = seen[:, 0] - seen[:, 1]
    if kind == "balanced":
        return pairs[0]
    return np.cos(phase) * pairs[0] + (1 + gain) * np.sin(phase) * pairs[1]


def reading(kind, field, *, zero=False, **state):
    """Readings of fields, fraction of full scale."""
    unit = full_scale(kind, **state)
    value = electronics(kind, currents(kind, field, **state), **state)
    if zero:
        return (value - electronics(kind, currents(kind, 0j * field, **state), **state)) / unit
    designed = state["responsivity"] * state["oscillator"] / 2 if kind == "intensity" else 0.0
    return (value - designed) / unit


def noise(kind, field, *, bandwidth, resistance, dark, temperature, bits, **state):
    """Standard deviation of readings without laser noise: shot, thermal and converter."""
    perfect = {**state, "cmrr": 0.0}
    seen = currents(kind, field, **perfect)[:1].sum((0, 1)) + DIODES[kind] * dark
    current = 2 * CHARGE * seen * bandwidth + 4 * BOLTZMANN * temperature * bandwidth / resistance
    unit = full_scale(kind, **state)
    converter = TOP**2 / (3 * 4**bits) if bits else 0.0
    return np.sqrt(current / unit**2 + converter)


def laser_noise(kind, field, *, decibels, bandwidth, **state):
    """Standard deviation of readings by laser noise, which has the same sign in all detectors."""
    unit = full_scale(kind, **state)
    raw = electronics(kind, currents(kind, field, **state), **state)
    return np.sqrt(10 ** (decibels / 10) * bandwidth) * raw / unit

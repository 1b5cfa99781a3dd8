"""One block from the laser to a code, in numpy only, written from docs/physics.md.

Nothing of the package is imported, so that a slip there is not repeated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

CHARGE, KELVIN = 1.602176634e-19, 1.380649e-23  # C, J/K
RECTANGLE = ((0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (3, 1))
"""(column, upper mode) of the six interferometers of a mesh of four modes, in light order."""


def split(error: float) -> NDArray[np.complex128]:
    """Matrix of a splitter whose angle is off by an error."""
    angle = math.pi / 4 + error
    cos, sin = math.cos(angle), 1j * math.sin(angle)
    return np.array([[cos, sin], [sin, cos]])


def interferometer(theta: float, phi: float) -> NDArray[np.complex128]:
    """Matrix of a perfect interferometer: phi, splitter, theta, splitter."""
    inside, outside = np.diag([np.exp(1j * theta), 1]), np.diag([np.exp(1j * phi), 1])
    return np.asarray(split(0.0) @ inside @ split(0.0) @ outside)


def through(
    light: NDArray[np.complex128], theta: Sequence[float], phi: Sequence[float], loss_db: float
) -> NDArray[np.complex128]:
    """Take fields (4,) through a mesh; every column loses as much on every waveguide."""
    for column in range(4):
        for number, (place, mode) in enumerate(RECTANGLE):
            if place == column:
                light = light.copy()
                both = slice(mode, mode + 2)
                light[both] = interferometer(theta[number], phi[number]) @ light[both]
        light = light * 10 ** (-loss_db / 20)
    return light


def powers(link: Mapping[str, float]) -> tuple[float, float]:
    """Power (W) of one path at an input of 1 behind its modulator, and of one local oscillator."""
    laser = 1e-3 * link["laser"] * 10 ** (-link["coupler_db"] / 10)
    tree = 10 ** (-2 * link["splitter_db"] / 10) / 4
    signal = laser * (1 - link["oscillator"]) * tree * 10 ** (-link["modulator_db"] / 10)
    return signal, laser * link["oscillator"] * tree


def read(
    link: Mapping[str, float], receiver: Mapping[str, float], phases: Mapping[str, Sequence[float]],
    inputs: Sequence[float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Readings (4,) of one block, fractions of full scale, and their noise.

    Parameters
    ----------
    link
        Numbers of the light path; losses in dB, the laser in mW.
    receiver
        ``splitter`` (rad, error of every receiver's coupler), ``responsivity``, ``resistance``,
        ``temperature``, ``dark`` (A), ``bandwidth`` (Hz).
    phases
        ``v_theta``, ``v_phi``, ``attenuator``, ``u_theta``, ``u_phi``, ``output``, rad.
    inputs
        (4,) in [-1, 1].
    """
    signal, oscillator = powers(link)
    left = 10 ** (-link["output_db"] / 10)
    light = math.sqrt(signal) * np.asarray(inputs, complex)
    light = through(light, phases["v_theta"], phases["v_phi"], link["mzi_db"])
    open_to = [interferometer(theta, 0.0)[0, 0] for theta in phases["attenuator"]]
    light = np.array(open_to) * 10 ** (-link["mzi_db"] / 20) * light
    light = through(light, phases["u_theta"], phases["u_phi"], link["mzi_db"])
    light = np.exp(1j * np.asarray(phases["output"])) * light * 10 ** (-link["shifter_db"] / 20)
    fields = math.sqrt(left) * light
    local = math.sqrt(left * oscillator)
    coupler = split(receiver["splitter"])
    upper, lower = coupler @ np.stack([fields, np.full(4, -1j * local)])
    responsivity, bandwidth = receiver["responsivity"], receiver["bandwidth"]
    current = responsivity * (np.abs(upper) ** 2 - np.abs(lower) ** 2)
    lit = responsivity * (np.abs(upper) ** 2 + np.abs(lower) ** 2) + 2 * receiver["dark"]
    shot = 2 * CHARGE * lit * bandwidth
    thermal = 4 * KELVIN * receiver["temperature"] * bandwidth / receiver["resistance"]
    full_scale = 2 * responsivity * math.sqrt(left * signal) * local
    return current / full_scale, np.sqrt(shot + thermal) / full_scale


def code(
    readings: NDArray[np.float64], *, factor: float, bias: Sequence[float], gain: float,
    low: float, high: float, bits: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Detector codes (4,) of readings: ``gain (factor reading + bias)``, rounded and clipped."""
    top = 2 ** (bits - 1) - 1
    value = gain * (factor * readings + np.asarray(bias))
    scaled = (value - (low + high) / 2) * 2 * top / (high - low)
    return np.clip(np.rint(scaled), -top, top).astype(np.int64)

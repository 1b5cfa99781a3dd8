"""Moments of effects and phase laws of drivers, in numpy alone, written from docs/physics.md.

Lengths in um, temperatures in mK, wavelengths in pm, widths in nm, as a profile states them.
"""

import numpy as np

LASER = 1.55
"""Wavelength, um."""
TURN = 2 * np.pi


def change_deviation(change, mismatch, thermo_optic):
    """Deviation of every phase (rad) under a change of temperature."""
    return TURN / LASER * thermo_optic * mismatch * change / 1000


def gradient_variance(gradient, y, pitch, mismatch, thermo_optic, arm):
    """Variance (rad^2) of the phases of shifters at heights y (any shape) under a gradient."""
    per_kelvin = TURN / LASER * thermo_optic
    kelvin_per_um = gradient / 1000 / 1000
    far = mismatch * (y - y.mean())
    return (per_kelvin * kelvin_per_um) ** 2 * (far**2 + (arm * pitch) ** 2)


def gradient_covariance(gradient, pitch, thermo_optic, arm):
    """Covariance (rad^2) of the phases of two different shifters under a gradient."""
    return (TURN / LASER * thermo_optic * gradient * 1e-6 * arm * pitch) ** 2


def offset_deviation(offset, mismatch, group_index):
    """Deviation of every phase (rad) under an offset of the wavelength."""
    return TURN * group_index / LASER**2 * mismatch * offset * 1e-6


def offset_angle(offset, dispersion):
    """Angle error (rad) of every splitter under an offset of the wavelength."""
    return dispersion * offset / 1000


def coupler_slope(length):
    """Change (rad/um) of the angle of SAX's model of a coupler with wavelength, at `LASER`."""
    return 1.2435 + TURN / 2 * length * (0.1169 / LASER - 0.02 / LASER**2)


def likeness(a, b, length):
    """Covariance of a process of variance 1 between places a (n, 2) and b (m, 2), um; l in mm."""
    gap = a[:, None] - b[None]
    return np.exp(-(gap**2).sum(-1) / (1000 * length) ** 2)


def die_phase_covariance(sigma, places, pitch, length, arm, per_nm):
    """(n, n) covariance (rad^2) of the phases of shifters at places (n, 2) under a width."""
    beside = places + np.array([0.0, pitch])
    apart = likeness(places, places, length) + likeness(beside, beside, length)
    apart -= likeness(places, beside, length) + likeness(beside, places, length)
    return (TURN / LASER * arm * per_nm * sigma) ** 2 * apart


def die_angle_covariance(sigma, places, pitch, length, per_nm):
    """(n, n) covariance (rad^2) of the splitters of MZIs with theta at places (n, 2)."""
    both = [places, places + np.array([0.0, pitch])]
    alike = sum(likeness(a, b, length) for a in both for b in both) / 4
    return (per_nm * sigma) ** 2 * alike


def crosstalk_deviation(size, crosstalk, fall, places, phases):
    """Deviation (rad) of phases (n,) of heaters at places (n, 2) by uneven pairs of heaters."""
    far = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1))
    shares = crosstalk * np.exp(-np.maximum(far - 120.0, 0.0) / fall)
    shares[np.diag_indices(len(shares))] = 0.0
    arrived = phases + shares @ phases  # what the crosstalk of the layout adds
    return size * np.sqrt((shares * arrived) ** 2 @ np.ones(len(arrived)))


def volts(codes, bits, low, high):
    """Voltages of integer codes."""
    return low + (high - low) * codes / (2**bits - 1)


def phase(law, voltage, v_pi=None, table=None):
    """Phase (rad) of an ideal shifter."""
    if law == "quadratic":
        return np.pi * voltage**2 / v_pi**2
    if law == "linear":
        return np.pi * voltage / v_pi
    return np.interp(voltage, *np.transpose(table))

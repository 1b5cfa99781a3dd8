"""The Mach-Zehnder interferometer: the convention of all optics here.

A splitter of angle error e is ``B(e) = [[cos h, i sin h], [i sin h, cos h]]`` with
``h = pi/4 + e``. Light meets the external phase ``phi`` first, then a splitter (error ``alpha``),
the internal phase ``theta`` on the upper arm, and a second splitter (error ``beta``)::

    0 ──[phi]──┐       ┌──[theta]──┐      ┌── 0
               │ alpha │           │ beta │
    1 ─────────┘       └───────────┘      └── 1

    T(theta, phi; alpha, beta) = B(beta) diag(exp(i theta), 1) B(alpha) diag(exp(i phi), 1)

Without errors ``T = i exp(i theta/2) [[exp(i phi) S, C], [exp(i phi) C, -S]]`` with
``S = sin(theta/2)``, ``C = cos(theta/2)``: theta = 0 is cross, theta = pi is bar.

Every function takes numpy arrays or torch tensors (float32 or float64) and returns the same kind.
"""

import math
import sys
from types import ModuleType

import numpy as np

from ecgphoton.mesh.arrays import Array


def namespace(*arrays: Array) -> ModuleType:
    """Return the module (numpy or torch) that works on these arrays; torch is never imported."""
    torch = sys.modules.get("torch")
    if torch is not None and any(isinstance(array, torch.Tensor) for array in arrays):
        return torch
    return np


def _array(value: Array, xp: ModuleType) -> Array:
    return value if hasattr(value, "dtype") else xp.asarray(value, dtype=xp.float64)


def _cos_sin(angle: Array, xp: ModuleType) -> tuple[Array, Array]:
    if isinstance(angle, float | int):  # a number takes the precision of the arrays it meets
        return math.cos(angle), math.sin(angle)
    return xp.cos(angle), xp.sin(angle)


def elements(
    theta: Array, phi: Array, alpha: Array = 0.0, beta: Array = 0.0
) -> tuple[Array, Array, Array, Array]:
    """Return T11, T12, T21, T22 of `transfer`, each of the broadcast shape it depends on."""
    xp = namespace(theta, phi, alpha, beta)
    theta, phi = _array(theta, xp), _array(phi, xp)
    half = xp.exp(0.5j * theta)
    upper = half * xp.exp(1j * phi)
    cos, sin = _cos_sin(theta / 2, xp)
    cos_sum, sin_sum = _cos_sin(alpha + beta, xp)
    cos_difference, sin_difference = _cos_sin(alpha - beta, xp)
    bar, leak = sin * cos_difference, cos * sin_sum
    cross, skew = cos * cos_sum, sin * sin_difference
    return (
        upper * (1j * bar - leak),
        half * (1j * cross - skew),
        upper * (1j * cross + skew),
        half * (-1j * bar - leak),
    )


def transfer(theta: Array, phi: Array, alpha: Array = 0.0, beta: Array = 0.0) -> Array:
    """Field transfer matrix of an MZI with splitter errors.

    Parameters
    ----------
    theta, phi
        Internal and external phase, rad, any shapes that broadcast.
    alpha, beta
        Angle errors of the first and the second splitter, rad.

    Returns
    -------
    (..., 2, 2) complex; multiply by a field transmission for a lossy MZI.

    References
    ----------
    Bandyopadhyay, Hamerly, Englund, Optica 8, 1247 (2021), doi:10.1364/OPTICA.432787.
    """
    xp = namespace(theta, phi, alpha, beta)
    parts = elements(theta, phi, alpha, beta)
    broadcast = np.broadcast_arrays if xp is np else xp.broadcast_tensors
    t11, t12, t21, t22 = broadcast(*parts)
    return xp.stack([xp.stack([t11, t12], -1), xp.stack([t21, t22], -1)], -2)


def wrap(phase: Array) -> Array:
    """Phases in [0, 2 pi); what rounding left just below a full turn becomes 0.

    Without that, a phase of -1e-16 would be driven with the heater power of 2 pi.
    """
    xp = namespace(phase)
    turned = xp.remainder(phase, 2 * math.pi)
    return xp.where(turned > 2 * math.pi - 1e-13, xp.zeros_like(turned), turned)

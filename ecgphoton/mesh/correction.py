"""Local hardware error correction: known splitter errors absorbed by the phases of the same MZI.

An MZI whose splitters are off by (alpha, beta) still performs every 2x2 rotation whose
``sin(theta/2)^2`` lies in ``[sin(alpha + beta)^2, cos(alpha - beta)^2]``, up to output phases that
the next MZI can take over. S. Bandyopadhyay, R. Hamerly, D. Englund, "Hardware error correction
for programmable photonics", Optica 8, 1247 (2021), doi:10.1364/OPTICA.432787.

The method is covered by US patent 12,175,335: a commercial user should check.
"""

import numpy as np

from ecgphoton.mesh.arrays import AnyArray, ArrayLike, Floats
from ecgphoton.mesh.clements import Phases
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.mzi import elements, transfer, wrap

EDGE = 1e-13
"""Rounding allowed at the edges of the range, rad."""


def margin(theta: ArrayLike, alpha: ArrayLike = 0.0, beta: ArrayLike = 0.0) -> Floats:
    """Distance of theta / 2 from the nearer edge of the correctable range, rad.

    The range is ``[|alpha + beta|, pi/2 - |alpha - beta|]``. Negative where an MZI cannot be
    corrected; pi/4 at best. All arguments in rad; they broadcast.
    """
    half = np.abs(np.remainder(np.asarray(theta) / 2 + np.pi / 2, np.pi) - np.pi / 2)
    low, high = np.abs(np.add(alpha, beta)), np.pi / 2 - np.abs(np.subtract(alpha, beta))
    return np.asarray(np.minimum(half - low, high - half))


def _reachable(theta: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Theta' in [0, pi] with which imperfect splitters give the power of theta, or the nearest."""
    # sin^2 and cos^2 of theta'/2 up to a common factor, each accurate near its own zero.
    sine = np.sin(theta / 2) ** 2 - np.sin(alpha + beta) ** 2
    cosine = np.cos(theta / 2) ** 2 - np.sin(alpha - beta) ** 2
    parts = (np.sqrt(np.maximum(part, 0)) for part in (sine, cosine))
    return np.asarray(2 * np.arctan2(*parts))


def correct(
    layout: MeshLayout,
    phases: Phases,
    alpha: ArrayLike,
    beta: ArrayLike,
    carried: ArrayLike = 0.0,
) -> Phases:
    """Phases that make a mesh with known splitter errors perform what `phases` do on an ideal one.

    Parameters
    ----------
    layout
        Where the MZIs are.
    phases
        Phases of the ideal mesh, rad: theta, phi (..., k), output (..., n) or None.
    alpha, beta
        Angle errors of first and second splitters, rad, (..., k); leading axes broadcast, so that
        chips may meet matrices.
    carried
        (..., n) phases, rad, that the light still lacks at the inputs and gets here.

    Returns
    -------
    Phases
        Theta in [0, pi], the others in [0, 2 pi); output is what the light needs behind the MZIs,
        also where the mesh has no phase shifters there. An MZI out of reach, whose `margin` is
        negative, gets the nearest reachable power; where none is, the corrected mesh is exact.

    References
    ----------
    Bandyopadhyay, Hamerly, Englund, Optica 8, 1247 (2021), doi:10.1364/OPTICA.432787.
    """
    theta, phi, a, b = np.broadcast_arrays(phases.theta, phases.phi, alpha, beta)
    new_theta = _reachable(theta, a, b)
    # What the corrected MZI does without phi; its phi is a phase of the upper input.
    actual = transfer(new_theta, 0.0, a, b)
    wanted = transfer(theta, phi)
    shape = (*theta.shape[:-1], layout.order)
    new_phi = np.empty(theta.shape)
    residue: AnyArray = np.broadcast_to(carried, shape).astype(float)
    for k, (_, m) in enumerate(layout.mzis):
        carried = np.exp(1j * residue[..., m : m + 2])
        target = wanted[..., k, :, :] * carried[..., None, :]
        # Overlap of every element with the target; phi turns the first column, row phases follow.
        overlap = target * actual[..., k, :, :].conj()
        turn = _column_turn(overlap)
        new_phi[..., k] = turn
        rows = overlap[..., 0] * np.exp(-1j * turn)[..., None] + overlap[..., 1]
        residue[..., m : m + 2] = np.angle(rows)
    output = residue if phases.output is None else phases.output + residue
    return Phases(new_theta, wrap(new_phi), wrap(output))


def attenuators(attenuation: ArrayLike, alpha: ArrayLike, beta: ArrayLike) -> tuple[Floats, Floats]:
    """Phases of attenuators with known splitter errors, and the phases of what they pass.

    An attenuator whose splitters let too much light through at its darkest passes it with a phase
    at which the real part of the field is the attenuation asked for: the imaginary part is not
    read where the matrices before and behind are real.

    Parameters
    ----------
    attenuation
        (..., n) field transmission wanted, in [0, 1].
    alpha, beta
        (..., n) angle errors of their splitters, rad.

    Returns
    -------
    theta, turn
        (..., n), rad: the internal phases, in [0, pi], and the phases the fields have behind them.
    """
    wanted, a, b = np.broadcast_arrays(np.asarray(attenuation, float), alpha, beta)
    theta = _reachable(2 * np.arcsin(wanted), a, b)
    passed = elements(theta, 0.0, a, b)[0]
    size = np.abs(passed)
    # theta = 0 with perfect splitters passes nothing, and then has no phase of its own.
    turn = np.where(size > EDGE, np.angle(passed), np.pi / 2 + theta / 2)
    bright = wanted < np.abs(np.sin(a + b))
    hidden = np.arccos(np.clip(wanted / np.where(bright, size, 1.0), -1, 1))
    return theta, turn - np.where(bright, hidden, 0.0)


def _column_turn(overlap: AnyArray) -> Floats:
    """Phase of the first column of (..., 2, 2) overlaps against the second, 0 if meaningless.

    The best phi maximises ``sum_r |o_r1 exp(-i phi) + o_r2|``, hence it aligns
    ``o_11 conj(o_12)`` and ``o_21 conj(o_22)``, which agree wherever correction is exact.
    """
    pointer = (overlap[..., 0] * overlap[..., 1].conj()).sum(-1)
    certain = np.abs(pointer) > 1e-20
    return np.where(certain, np.angle(np.where(certain, pointer, 1.0)), 0.0)

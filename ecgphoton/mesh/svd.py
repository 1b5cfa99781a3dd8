"""A real matrix as light can carry it, and the choice among equal ways of carrying it.

*SVD*: ``W = scale Re(U diag(attenuation) V)``, two meshes with attenuators between them. The order
of the singular values is free, and it decides how much splitter error can be corrected and how much
power the heaters take. So are the output phases of V: attenuators let them pass into U, where
phase shifters stand already, and the heaters behind V stay cold.

*Real part*: ``W = scale Re(Q)`` with one unitary ``Q = U diag(exp(+-i arccos(sigma/scale))) V^T``,
free in the signs: one mesh instead of two and no attenuators, but more sensitive to errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import Phases, decompose, recompose
from ecgphoton.mesh.correction import margin
from ecgphoton.mesh.layout import MeshArchitecture, MeshLayout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Complexes = NDArray[np.complex128]
    Integers = NDArray[np.int64]


class Factors(NamedTuple):
    """``W = scale u diag(attenuation) vt``."""

    u: Floats
    """(..., n, n), orthogonal."""
    attenuation: Floats
    """(..., n), sigma / sigma_max in [0, 1], in the order of the optical paths."""
    vt: Floats
    """(..., n, n), orthogonal."""
    scale: Floats
    """(...), sigma_max."""


@dataclass(frozen=True, eq=False)
class LoweredMatrix:
    """One or many matrices as settings of meshes and attenuators, and what the setting is worth."""

    layout: MeshLayout
    order: Integers
    """(..., n), which singular value (0 = largest) each optical path carries."""
    u: Phases
    v: Phases | None
    """None for the real-part form."""
    attenuation: Floats
    """(..., n), field transmission of the attenuators, 1 for the real-part form."""
    scale: Floats
    """(...), amplifier factor."""
    margin: Floats
    """(...), rad: least margin of its MZIs against splitter errors, see `correction.margin`."""
    power: Floats
    """(...), static power of the meshes' heaters in units of P_pi, attenuators not counted: their
    power is the same in every order."""

    def field(self) -> Complexes:
        """(..., n, n) complex matrix an ideal chip performs, amplifier included."""
        field = recompose(self.layout, self.u)
        if self.v is not None:
            field = field * self.attenuation[..., None, :] @ recompose(self.layout, self.v)
        scaled: Complexes = self.scale[..., None, None] * field
        return scaled


def real_square(matrix: ArrayLike) -> Floats:
    """Float64 (..., n, n), or InputError if it is not real, square and finite."""
    w = np.asarray(matrix)
    if w.ndim < 2 or w.shape[-1] != w.shape[-2] or w.dtype.kind not in "iuf":
        raise InputError(
            f"matrix has shape {w.shape} and type {w.dtype}; real numbers (..., n, n) are needed"
        )
    if not np.isfinite(w).all():
        raise InputError("matrix holds NaN or infinity; give finite numbers")
    return w.astype(float)


def _canonical_svd(w: Floats) -> tuple[Floats, Floats, Floats]:
    """Descending SVD; the first clearly non-zero entry of every left vector is positive."""
    u, sigma, vt = np.linalg.svd(w)
    first = (np.abs(u) > 1e-3).argmax(-2)[..., None, :]
    sign = np.sign(np.take_along_axis(u, first, -2))
    return u * sign, sigma, vt * sign.swapaxes(-1, -2)


def _relative(sigma: Floats) -> Floats:
    top = sigma[..., :1]
    return np.minimum(sigma / np.where(top > 0, top, 1.0), 1.0)


def factorise(matrix: ArrayLike, order: ArrayLike | None = None) -> Factors:
    """Singular value decomposition with canonical signs and the singular values in any order.

    Parameters
    ----------
    matrix
        (..., n, n), real.
    order
        (..., n), broadcasting with the matrices: which singular value (0 = largest) each optical
        path carries; descending by default.

    Raises
    ------
    InputError
        If the matrix is not real, square and finite, or `order` is not a permutation.
    """
    w = real_square(matrix)
    u, sigma, vt = _canonical_svd(w)
    attenuation = _relative(sigma)
    if order is None:
        return Factors(u, attenuation, vt, sigma[..., 0])
    n = w.shape[-1]
    chosen = np.asarray(order)
    if chosen.shape[-1:] != (n,) or not (np.sort(chosen, -1) == np.arange(n)).all():
        raise InputError(
            f"singular value order is {np.asarray(order).tolist()}; it must be a permutation of "
            f"0 to {n - 1}"
        )
    shape = np.broadcast_shapes(chosen.shape, sigma.shape)
    chosen = np.broadcast_to(chosen, shape)
    u, vt = (np.broadcast_to(side, (*shape, n)) for side in (u, vt))
    return Factors(
        np.take_along_axis(u, chosen[..., None, :], -1),
        np.take_along_axis(np.broadcast_to(attenuation, shape), chosen, -1),
        np.take_along_axis(vt, chosen[..., :, None], -2),
        np.broadcast_to(sigma[..., 0], shape[:-1]),
    )


def heater_power(phases: Phases) -> Floats:
    """Sum a mesh's phases / pi: the static power (...) of its heaters in units of P_pi."""
    total = phases.theta.sum(-1) + phases.phi.sum(-1) + phases.output.sum(-1)
    return np.asarray(total / np.pi)


def svd_phases(
    factors: Factors, architecture: MeshArchitecture = "clements"
) -> tuple[Phases, Phases]:
    """Phases of the meshes U and V; those behind V are passed on into U.

    V then performs ``diag(exp(-i g)) vt`` and U performs ``u diag(exp(i g))``: the product is the
    same, and the heaters behind V need no power.
    """
    v = decompose(factors.vt, architecture)
    u = decompose(factors.u * np.exp(1j * v.output)[..., None, :], architecture)
    return u, v._replace(output=np.zeros_like(v.output))


def svd_lowered(
    matrix: ArrayLike, order: ArrayLike | None = None, architecture: MeshArchitecture = "clements"
) -> LoweredMatrix:
    """Lower real matrices (..., n, n) to two meshes and attenuators, in a given order.

    Raises
    ------
    InputError
        See `factorise`.
    """
    w = real_square(matrix)
    factors = factorise(w, order)
    u, v = svd_phases(factors, architecture)
    shape = factors.attenuation.shape
    return LoweredMatrix(
        layout=MeshLayout(architecture, shape[-1]),
        order=np.broadcast_to(np.arange(shape[-1]) if order is None else np.asarray(order), shape),
        u=u,
        v=v,
        attenuation=factors.attenuation,
        scale=factors.scale,
        margin=np.minimum(margin(u.theta).min(-1), margin(v.theta).min(-1)),
        power=heater_power(u) + heater_power(v),
    )


def real_part_lowered(
    matrix: ArrayLike, signs: ArrayLike = 1, architecture: MeshArchitecture = "clements"
) -> LoweredMatrix:
    """Lower real matrices (..., n, n) to the real part of one mesh.

    Parameters
    ----------
    matrix
        (..., n, n).
    signs
        (..., n) or one number, 1 or -1, broadcasting: the sign of every arccos.
    architecture
        ``clements`` or ``reck``.

    References
    ----------
    Every real contraction is the real part of a unitary: ``Q = U diag(s +- i sqrt(1 - s^2)) V^T``.
    """
    u, attenuation, vt, scale = factorise(matrix)
    phasor = attenuation + 1j * np.asarray(signs) * np.sqrt(1 - attenuation**2)
    phases = decompose(u * phasor[..., None, :] @ vt, architecture)
    shape = phasor.shape
    return LoweredMatrix(
        layout=MeshLayout(architecture, shape[-1]),
        order=np.broadcast_to(np.arange(shape[-1]), shape),
        u=phases,
        v=None,
        attenuation=np.ones(shape),
        scale=np.broadcast_to(scale, shape[:-1]),
        margin=margin(phases.theta).min(-1),
        power=heater_power(phases),
    )

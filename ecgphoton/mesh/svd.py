"""A real matrix as optics: its singular value decomposition, and the choice of the order.

*SVD*: ``W = scale Re(U A V)``, two meshes with attenuators between them. The order of the singular
values is free, and it decides how much splitter error can be corrected and how much power the
heaters take. An attenuator is an MZI with one heater: at theta it passes ``i exp(i theta/2)
sin(theta/2)``. Its phase, and the phases that V would need at its outputs, are diagonal matrices
before U, and U times a diagonal matrix is a unitary matrix that the same mesh performs: there are
no phase shifters between V and the attenuators, nor between these and U.

*Real part*: ``W = scale Re(Q)`` with one unitary ``Q = U diag(exp(+-i arccos(sigma/scale))) V^T``,
free in the signs: one mesh instead of two and no attenuators, but more sensitive to errors.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Array, ArrayLike, Floats, Integers
from ecgphoton.mesh.clements import Phases, decompose
from ecgphoton.mesh.correction import attenuators, margin
from ecgphoton.mesh.factors import factorise, real_square
from ecgphoton.mesh.layout import MeshArchitecture, MeshLayout

Errors = tuple[ArrayLike, ArrayLike]
"""alpha and beta of one mesh, rad, (..., k)."""

LARGEST_SEARCH = 6
"""Largest order whose n! singular-value orders are all tried."""
NO_ERRORS = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class LoweredMatrix:
    """One or many matrices as settings of meshes and attenuators, with margin and power."""

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


class Search(NamedTuple):
    """The best lowering found, and the one without a search."""

    best: LoweredMatrix
    default: LoweredMatrix
    """Descending singular values (LAPACK's order), or all arccos positive."""


def heater_power(phases: Phases) -> Floats:
    """Sum a mesh's phases / pi: the static power (...) of its heaters in units of P_pi."""
    return np.asarray(sum(part.sum(-1) for part in phases if part is not None) / np.pi)


def svd_lowered(
    matrix: ArrayLike, order: ArrayLike | None = None, architecture: MeshArchitecture = "clements"
) -> LoweredMatrix:
    """Lower real matrices (..., n, n) to two meshes and attenuators, in a given order.

    V performs ``diag(exp(-i g)) vt``, attenuator k passes ``i exp(i theta_k/2) attenuation_k``, and
    U performs ``u diag(exp(i g_k) / (i exp(i theta_k/2)))``: the product is ``u diag(attenuation)
    vt``. V has no phases at its outputs.

    Raises
    ------
    InputError
        See `factorise`.
    """
    factors = factorise(matrix, order)
    v = decompose(factors.vt, architecture)
    turn = v.output - attenuators(factors.attenuation, 0.0, 0.0)[1]
    u = decompose(factors.u * np.exp(1j * turn)[..., None, :], architecture)
    shape = factors.attenuation.shape
    return LoweredMatrix(
        layout=MeshLayout(architecture, shape[-1]),
        order=np.broadcast_to(np.arange(shape[-1]) if order is None else np.asarray(order), shape),
        u=u,
        v=v._replace(output=None),
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


def _least_margin(phases: Phases | None, errors: Errors, batch: int, free: int) -> Floats:
    """Margin (ways, *shape) of the worst MZI; errors may have `free` axes before the batch."""
    if phases is None:
        return np.asarray(np.pi / 4)
    theta = phases.theta
    theta = theta.reshape(theta.shape[0], *(1,) * free, *theta.shape[theta.ndim - 1 - batch :])
    return np.asarray(margin(theta, *errors).min(-1))


def _search(ways: LoweredMatrix, wanted: float, u_errors: Errors, v_errors: Errors) -> Search:
    """Choose along the first axis, for every matrix and every chip whose errors are given."""
    batch = ways.power.shape[1:]
    k = len(ways.layout.mzis)
    shape = np.broadcast_shapes((*batch, k), *map(np.shape, (*u_errors, *v_errors)))[:-1]
    free = len(shape) - len(batch)
    count = len(ways.power)
    slack = np.minimum(
        _least_margin(ways.u, u_errors, len(batch), free),
        _least_margin(ways.v, v_errors, len(batch), free),
    )
    slack = np.broadcast_to(slack, (count, *shape))
    power = ways.power.reshape(count, *(1,) * free, *batch)
    # Rounded, so that of equal ways the first is taken on every machine.
    cheapest = np.where(slack >= wanted, np.round(power, 9), np.inf).argmin(0)
    chosen = np.where((slack >= wanted).any(0), cheapest, np.round(slack, 12).argmax(0))
    return Search(
        _take(ways, chosen, batch, slack), _take(ways, np.zeros_like(chosen), batch, slack)
    )


def _take(
    ways: LoweredMatrix, index: Integers, batch: tuple[int, ...], slack: Floats
) -> LoweredMatrix:
    """Of every matrix (and chip) the way `index`; its margin is that against the errors given."""
    grid = tuple(np.ogrid[tuple(slice(size) for size in batch)])

    def pick(array: Array) -> Array:
        return array[(index, *grid)]

    return LoweredMatrix(
        layout=ways.layout,
        order=pick(ways.order),
        u=Phases(*map(pick, ways.u)),
        v=None if ways.v is None else Phases(pick(ways.v.theta), pick(ways.v.phi)),
        attenuation=pick(ways.attenuation),
        scale=pick(ways.scale),
        margin=np.take_along_axis(slack, index[None], 0)[0],
        power=pick(ways.power),
    )


def _with_ways(
    matrix: ArrayLike, ways_of: Callable[[int], Iterable[tuple[int, ...]]]
) -> tuple[Floats, Integers]:
    """Matrices (..., n, n), and (ways, 1, ..., 1, n) what `ways_of` returns for n."""
    w = real_square(matrix)
    n = w.shape[-1]
    if n > LARGEST_SEARCH:
        raise InputError(
            f"matrix order is {n}; all ways are tried up to order {LARGEST_SEARCH}, use "
            "svd_lowered or real_part_lowered"
        )
    return w, np.array([*ways_of(n)]).reshape(-1, *(1,) * (w.ndim - 2), n)


def search_orders(
    matrix: ArrayLike,
    architecture: MeshArchitecture = "clements",
    *,
    wanted_margin: float = 0.0,
    u_errors: Errors = NO_ERRORS,
    v_errors: Errors = NO_ERRORS,
) -> Search:
    """Choose among all n! orders of the singular values: correctability first, power second.

    Among the orders whose every MZI keeps `wanted_margin`, the one of least heater power; if there
    is none, the one with the largest margin.

    Parameters
    ----------
    matrix
        (..., n, n), n at most 6.
    architecture
        ``clements`` or ``reck``.
    wanted_margin
        Rad. For a chip not yet known: how large ``|alpha +- beta|`` may become, for example
        ``3 sqrt(2) sigma``. For a known chip 0.
    u_errors, v_errors
        Alpha and beta (..., k) of a known chip, rad. Axes before those of the matrices are chips:
        every chip gets its own order.

    Returns
    -------
    Search
        Best and default, of shape chips x matrices; their `margin` counts the errors given.

    Raises
    ------
    InputError
        See `factorise`; also if n is above 6.
    """
    w, orders = _with_ways(matrix, lambda n: itertools.permutations(range(n)))
    return _search(svd_lowered(w, orders, architecture), wanted_margin, u_errors, v_errors)


def search_real_part(
    matrix: ArrayLike,
    architecture: MeshArchitecture = "clements",
    *,
    wanted_margin: float = 0.0,
    errors: Errors = NO_ERRORS,
) -> Search:
    """Like `search_orders` for the real-part form, among all 2^n signs of the arccos (n <= 6)."""
    w, signs = _with_ways(matrix, lambda n: itertools.product((1, -1), repeat=n))
    return _search(real_part_lowered(w, signs, architecture), wanted_margin, errors, NO_ERRORS)

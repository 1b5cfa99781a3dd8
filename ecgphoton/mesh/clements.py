"""Unitary matrices as phases of a mesh, and phases as the matrix a mesh performs.

Light meets the MZIs ``T_0``, ``T_1``, ... (see `ecgphoton.mesh.mzi`) column by column, and last the
output phases::

    Q = diag(exp(i output)) T_last ... T_1 T_0

    clements, order 4                                reck, order 4
    0 ──┌───┐───────┌───┐─────────ψ0── 0    ────────────────┌───┐────────────────ψ0── 0
    1 ──└───┘─┌───┐─└───┘─┌───┐───ψ1── 1    ──────────┌───┐─└───┘─┌───┐──────────ψ1── 1
    2 ──┌───┐─└───┘─┌───┐─└───┘───ψ2── 2    ────┌───┐─└───┘─┌───┐─└───┘─┌───┐────ψ2── 2
    3 ──└───┘───────└───┘─────────ψ3── 3    ────└───┘───────└───┘───────└───┘────ψ3── 3
        column 0     1     2     3              column 0     1     2     3     4
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import AnyArray, Array, ArrayLike
from ecgphoton.mesh.layout import MeshArchitecture, MeshLayout
from ecgphoton.mesh.mzi import elements, namespace, wrap

Rotation = tuple[AnyArray, AnyArray, AnyArray]
"""S, C and phasor p of ``G = [[p S, C], [p C, -S]]``."""

ZERO = 1e-14
"""Matrix entries below it are taken for zero, so that rounding never decides a phase."""
UNITARY = 1e-9
"""Largest entry of U^H U - 1 that is accepted."""


class Phases(NamedTuple):
    """Phases of a batch of meshes, rad; numpy arrays or torch tensors."""

    theta: Array
    """(..., k) internal phases in light order: 0 is cross, pi is bar."""
    phi: Array
    """(..., k) external phases on the upper input, met before the MZI."""
    output: Array = None
    """(..., n) phases at the outputs; None for a mesh without phase shifters there."""


def square(matrix: ArrayLike, kinds: str, needed: str) -> AnyArray:
    """Copy (..., n, n) numbers of some kinds of types, refusing others, NaN and infinity."""
    found = np.array(matrix)
    shape, kind = found.shape, found.dtype
    if found.ndim < 2 or shape[-1] != shape[-2] or kind.kind not in kinds:
        raise InputError(f"matrix has shape {shape} and type {kind}; {needed}")
    if not np.isfinite(found).all():
        raise InputError("matrix holds NaN or infinity; give finite numbers")
    return found


def check_unitary(matrix: ArrayLike) -> AnyArray:
    """Copy (..., n, n) as float64 (real input) or complex128, refusing what is not unitary.

    Raises
    ------
    InputError
        If the shape or type is wrong, or ``U^H U`` differs from 1 by more than 1e-9.
    """
    u = square(matrix, "iufc", "(..., n, n) is needed")
    u = u.astype(complex if u.dtype.kind == "c" else float)
    gram = u.conj().swapaxes(-1, -2) @ u - np.eye(u.shape[-1])
    error = float(np.abs(gram).max(initial=0.0))
    if error > UNITARY:
        raise InputError(
            f"matrix is not unitary: U^H U differs from 1 by {error:.3g}, at most {UNITARY:g} is "
            "allowed; give a unitary matrix, such as a factor of a singular value decomposition"
        )
    return u


def _rotation(a: AnyArray, b: AnyArray) -> Rotation:
    """Return |a|/r, |b|/r and the phasor of a conj(b); where both vanish 0, 1 and 1."""
    size_a, size_b = (np.where(np.abs(x) < ZERO, 0.0, np.abs(x)) for x in (a, b))
    norm = np.hypot(size_a, size_b)
    nothing = norm == 0
    norm = np.where(nothing, 1.0, norm)
    certain = (size_a > 0) & (size_b > 0)
    phasor = np.where(certain, a, 1.0) * np.where(certain, b, 1.0).conj()
    return size_a / norm, np.where(nothing, 1.0, size_b / norm), phasor / np.abs(phasor)


def _turned(u: AnyArray, m: int, rotation: Rotation) -> tuple[int, Rotation]:
    """U <- U G^H on columns m, m+1; returns mode and rotation."""
    s, c, p = (part[..., None] for part in rotation)
    first, second = u[..., m] * p.conj(), u[..., m + 1]
    u[..., m], u[..., m + 1] = s * first + c * second, c * first - s * second
    return m, rotation


def _rotations(u: AnyArray, layout: MeshLayout) -> Iterator[tuple[int, Rotation]]:
    """Yield mode and rotation of every MZI as light meets them; `u` ends as the phase screen.

    ``G`` is an MZI without its common phase ``i exp(i theta/2)``; its phasor is exactly 1 or -1
    wherever the matrix is real.
    """
    n = layout.order
    if layout.architecture == "reck":
        for row in range(n - 1):
            for m in range(n - 2, row - 1, -1):  # U[row, m + 1] becomes 0
                yield _turned(u, m, _rotation(u[..., row, m], u[..., row, m + 1]))
        return
    left = []
    for i in range(n - 1):
        for j in range(i + 1):
            if i % 2 == 0:  # U[row, m] becomes 0
                row, m = n - 1 - j, i - j
                s, c, p = _rotation(u[..., row, m + 1], u[..., row, m])
                yield _turned(u, m, (s, c, -p.conj()))
            else:  # U <- G^T U, and U[m + 1, j] becomes 0
                m = n - 2 - i + j
                turn = _rotation(u[..., m, j], u[..., m + 1, j])
                left.append(_turned(u.swapaxes(-1, -2), m, turn))
    # conj(G) D = D' G' with p' = d1 conj(d2), d1' = p d2, d2' = d2.
    for m, (s, c, p) in reversed(left):
        d1, d2 = u[..., m, m].copy(), u[..., m + 1, m + 1]
        u[..., m, m] = p * d2
        moved = d1 * d2.conj()
        yield m, (s, c, moved / np.abs(moved))


def decompose(unitary: ArrayLike, architecture: MeshArchitecture = "clements") -> Phases:
    """Phases of the ideal mesh that performs a unitary (or real orthogonal) matrix.

    Parameters
    ----------
    unitary
        (..., n, n), n from 2 to 64.
    architecture
        ``clements`` (n columns) or ``reck`` (2 n - 3 columns).

    Returns
    -------
    Theta in [0, pi], phi and output in [0, 2 pi). Where theta is 0 or pi, phi means nothing and is
    0; where theta is free it is 0 (cross, no power): equal matrices have equal phases.

    Raises
    ------
    InputError
        If the matrix is not square, finite and unitary to 1e-9.

    References
    ----------
    Clements et al., Optica 3, 1460 (2016), doi:10.1364/OPTICA.3.001460; Reck et al., Phys. Rev.
    Lett. 73, 58 (1994), doi:10.1103/PhysRevLett.73.58.
    """
    u = check_unitary(unitary)
    layout = MeshLayout(architecture, u.shape[-1])
    index = {place: k for k, place in enumerate(layout.mzis)}
    depth = [0] * layout.order
    theta = np.zeros((*u.shape[:-2], len(index)))
    phi = np.zeros_like(theta)
    screen = np.zeros(u.shape[:-1])  # phases carried behind the MZIs met so far
    for m, (s, c, p) in _rotations(u, layout):
        column = max(depth[m], depth[m + 1])
        depth[m] = depth[m + 1] = column + 1
        k = index[column, m]
        angle = 2 * np.arctan2(s, c)
        turn = np.angle(p) + screen[..., m] - screen[..., m + 1]
        common = screen[..., m + 1] - np.pi / 2 - angle / 2
        theta[..., k] = angle
        phi[..., k] = np.where((s == 0) | (c == 0), 0.0, turn)
        screen[..., m] = np.where(c == 0, common + turn, common)
        screen[..., m + 1] = np.where(s == 0, common + turn, common)
    return Phases(theta, wrap(phi), wrap(np.angle(np.diagonal(u, axis1=-2, axis2=-1)) + screen))


def recompose(
    layout: MeshLayout,
    phases: Phases,
    alpha: Array = 0.0,
    beta: Array = 0.0,
    transmission: Array = 1.0,
) -> Array:
    """Matrix that a mesh performs: every chip of a batch at once, column by column.

    Parameters
    ----------
    layout
        Where the MZIs are.
    phases
        theta, phi (..., k) and output (..., n) or None, rad; numpy or torch. Float32 gives
        complex64, float64 gives complex128; gradients flow in torch.
    alpha, beta
        Angle errors of first and second splitters, rad, (..., k) or anything that broadcasts.
    transmission
        Field transmission of every MZI, (..., k) or broadcasting: 1 is lossless, see
        `ecgphoton.mesh.paths.field_transmission`.

    Returns
    -------
    (..., n, n) complex, with the broadcast leading shape of all arguments.
    """
    xp = namespace(phases.theta, phases.phi, alpha, beta, transmission)
    t11, t12, t21, t22 = (
        part * transmission for part in elements(phases.theta, phases.phi, alpha, beta)
    )
    # Rows of the matrix so far.
    rows: list[Array] = list(xp.eye(layout.order, dtype=t11.dtype, device=t11.device))
    for k, (_, m) in enumerate(layout.mzis):
        upper, lower = rows[m], rows[m + 1]
        rows[m] = t11[..., k, None] * upper + t12[..., k, None] * lower
        rows[m + 1] = t21[..., k, None] * upper + t22[..., k, None] * lower
    if phases.output is not None:
        screen = xp.exp(1j * phases.output)
        rows = [screen[..., m, None] * row for m, row in enumerate(rows)]
    broadcast = np.broadcast_arrays if xp is np else xp.broadcast_tensors
    return xp.stack(list(broadcast(*rows)), -2)

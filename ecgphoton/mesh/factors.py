"""Singular value decomposition with canonical signs and any order of the singular values."""

from typing import NamedTuple

import numpy as np

from ecgphoton.errors import require
from ecgphoton.mesh.arrays import ArrayLike, Floats
from ecgphoton.mesh.clements import square


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


def real_square(matrix: ArrayLike) -> Floats:
    """Float64 (..., n, n), or InputError if it is not real, square and finite."""
    return square(matrix, "iuf", "real numbers (..., n, n) are needed").astype(float)


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
    u, sigma, vt = np.linalg.svd(w)
    # The first clearly non-zero entry of every left vector is positive.
    first = (np.abs(u) > 1e-3).argmax(-2)[..., None, :]
    sign = np.sign(np.take_along_axis(u, first, -2))
    u, vt = u * sign, vt * sign.swapaxes(-1, -2)
    top = sigma[..., :1]
    attenuation = np.minimum(sigma / np.where(top > 0, top, 1.0), 1.0)
    if order is None:
        return Factors(u, attenuation, vt, sigma[..., 0])
    n = w.shape[-1]
    chosen = np.asarray(order)
    good = chosen.shape[-1:] == (n,) and (np.sort(chosen, -1) == np.arange(n)).all()
    require(good, "singular value order", chosen.tolist(), f"a permutation of 0 to {n - 1}")
    shape = np.broadcast_shapes(chosen.shape, sigma.shape)
    chosen = np.broadcast_to(chosen, shape)
    u, vt = (np.broadcast_to(side, (*shape, n)) for side in (u, vt))
    return Factors(
        np.take_along_axis(u, chosen[..., None, :], -1),
        np.take_along_axis(np.broadcast_to(attenuation, shape), chosen, -1),
        np.take_along_axis(vt, chosen[..., :, None], -2),
        np.broadcast_to(sigma[..., 0], shape[:-1]),
    )

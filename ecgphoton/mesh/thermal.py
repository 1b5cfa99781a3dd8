"""Thermal crosstalk: every heater warms every other one a little.

Actual phases are ``K @ set phases``: `K` is the identity plus coupling that falls with distance.
What couples is heat, hence set phases count in full, not modulo 2 pi.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import AnyPhases, Phases
from ecgphoton.mesh.mzi import namespace, wrap

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ecgphoton.mesh.layout import MeshLayout
    from ecgphoton.mesh.mzi import Array

    Floats = NDArray[np.float64]

TURN = 2 * np.pi
SETTLED = 1e-12
"""Negative heat that is taken for rounding, rad."""


def flatten(phases: AnyPhases) -> Array:
    """Return (..., heaters): theta, then phi, then output, the order of `MeshLayout.positions`."""
    parts = (phases.theta, phases.phi, phases.output)
    return namespace(*parts).concatenate(parts, -1)


def unflatten(layout: MeshLayout, heaters: Array) -> Phases:
    """Inverse of `flatten`."""
    k = len(layout.mzis)
    return Phases(heaters[..., :k], heaters[..., k : 2 * k], heaters[..., 2 * k :])


def heat_coupling(distance: ArrayLike) -> Floats:
    """Phase that a heater gives a waveguide at a distance (um), relative to its own waveguide.

    Fit to heat simulations: a polynomial below 23 um, exponential above; where they meet the fit
    wobbles by 0.002. 10 % at 10 um, 1.6 % at 20 um, 0.04 % at 50 um.

    References
    ----------
    Yin et al., SCATTER, doi:10.48550/arXiv.2407.05510 (coefficients from its published code).
    """
    d = np.asarray(distance, float)
    near = np.polyval(
        [3.55117528e-7, -1.55789201e-5, -8.29631681e-6, 9.89616761e-3, -0.176013871, 1.0],
        np.minimum(d, 23.0),
    )
    far = 0.2167267 * np.exp(-0.12747211 * d)
    return np.where(d < 23.0, near, far)


def _distances(to: Floats, of: Floats) -> Floats:
    """Distances (to, of) between two lists of points."""
    x, y = (to[:, None, :] - of).transpose(2, 0, 1)
    return np.asarray(np.hypot(x, y))


def crosstalk_by_distance(positions: ArrayLike, arms: ArrayLike = np.inf) -> Floats:
    """Crosstalk matrix K (heaters, heaters) from heater positions, by `heat_coupling`.

    Parameters
    ----------
    positions
        (heaters, 2), um, for example of `MeshLayout.positions`; concatenate several meshes.
    arms
        Um, one number or (heaters,): how far below its own waveguide the arm lies against which a
        heater's phase counts. Heat that reaches both arms cancels: 10 for theta of a compact MZI.
        Infinite where the phase is absolute.
    """
    here = np.asarray(positions, float)
    there = here + np.stack(np.broadcast_arrays(0.0, arms, here[:, 0])[:2], -1)

    k = heat_coupling(_distances(here, here)) - heat_coupling(_distances(there, here))
    np.fill_diagonal(k, 1.0)
    return k


def crosstalk_of_neighbours(
    positions: ArrayLike, coefficient: float = 0.005, reach: float = 250.0
) -> Floats:
    """Crosstalk matrix K (heaters, heaters): one constant for all pairs closer than `reach` um.

    The default pitch of a `MeshLayout` and 250 um couple phi and theta of one MZI and of adjacent
    MZIs. 0.005 is the constant of L2ight (Gu et al., doi:10.48550/arXiv.2110.14807).
    """
    here = np.asarray(positions, float)
    k = np.where(_distances(here, here) < reach, coefficient, 0.0)
    np.fill_diagonal(k, 1.0)
    return k


def precompensate(crosstalk: ArrayLike, phases: ArrayLike) -> Floats:
    """Set phases P >= 0 for which ``K @ P`` are the wanted phases, modulo 2 pi.

    A heater that would have to cool is given one turn more instead; one that would be driven by a
    full turn too much, one less.

    Parameters
    ----------
    crosstalk
        K, (heaters, heaters) or (..., heaters, heaters) for many chips.
    phases
        (..., heaters), rad.

    Returns
    -------
    (..., heaters), rad, literal (not modulo 2 pi); mostly below 2 pi.

    Raises
    ------
    InputError
        If K cannot be inverted, or no set of turns is found (coupling far too strong).
    """
    k = np.asarray(crosstalk, float)
    try:
        inverse = np.linalg.inv(k)
    except np.linalg.LinAlgError as error:
        raise InputError("the crosstalk matrix is singular; heaters must be independent") from error
    wanted: Floats = wrap(np.asarray(phases, float))
    rounds = 4 * k.shape[-1]
    for attempt in range(2 * rounds):
        heat = (inverse @ wanted[..., None])[..., 0]
        turns = np.floor((heat + SETTLED) / TURN)
        if attempt >= rounds:  # reducing may go in circles; lifting alone ends
            turns = np.minimum(turns, 0)
        if not turns.any():
            settled: Floats = np.maximum(heat, 0.0)
            return settled
        wanted = wanted - TURN * turns
    coupling = np.abs(k - np.eye(k.shape[-1])).max()
    raise InputError(
        f"no heater setting undoes this crosstalk (largest coupling {coupling:.3g}); it must be "
        "much weaker than a heater's own effect"
    )

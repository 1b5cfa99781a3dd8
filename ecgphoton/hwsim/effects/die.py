"""Effects of waveguide widths and thicknesses that vary slowly over the die.

Both are Gaussian processes over the places of the arms, with covariance ``exp(-(d / l)^2)`` at the
distance d. Two arms of an interferometer are so near each other that most of the variation is
common to them; splitters all over the die are off in the same direction.
"""

import numpy as np
from torch import Tensor

from ecgphoton.hwsim.effects.effect import Effect, Elements, Number, Site
from ecgphoton.hwsim.effects.environment import ARM, MILLI, TURN, detuned
from ecgphoton.mesh.arrays import Floats

LENGTH = Number(
    "Distance over which width and thickness are alike: covariance exp(-(d / l)^2).",
    1e3,
    "mm",
    default=4.5,
)
SOURCE = (
    "Gaussian process, drawn as in Jhoja et al. 2020, Opt. Express 28, 7799; 3.9 nm of width, 1.3 "
    "nm of thickness and 4.5 mm after Lu et al. 2017, doi:10.1364/OE.25.009712 (its "
    "numbers could not be read: assumption); changes with it are assumptions for silicon wires"
)


def _root(places: Floats, length: float) -> Floats:
    """Return the symmetric root of the covariance of places (n,) along one axis, mm."""
    gap = places[:, None] - places
    values, vectors = np.linalg.eigh(np.exp(-((gap / length) ** 2)))
    return np.asarray((vectors * np.sqrt(values.clip(0))) @ vectors.T)


def correlated(rng: np.random.Generator, site: Site, shape: tuple[int, ...]) -> Floats:
    """Return the process at both arms of every driver, (blocks, drivers, 2), variance 1.

    The covariance is a product of one along the light and one across it, so that normals on the
    grid of all places are correlated axis by axis.
    """
    length = max(site.number("die.length"), 1e-6)
    upper = site.device.die(shape[0]) * MILLI
    lower = upper + np.array([0.0, site.device.mode_pitch * MILLI])
    places = np.stack([upper, lower], -2).reshape(-1, 2).round(9)
    (x, column), (y, row) = (np.unique(axis, return_inverse=True) for axis in places.T)
    grid = _root(x, length) @ rng.standard_normal((len(x), len(y))) @ _root(y, length)
    return np.asarray(grid[column.ravel(), row.ravel()].reshape(shape))


def _varied(name: str, meaning: str, index: Number, angle: Number) -> Effect:
    """Return the effect of one dimension of all waveguides."""
    per_phase, per_angle = f"waveguide.per_{name}", f"splitter.per_{name}"

    def phases(value: Tensor, nanometres: Tensor, site: Site) -> Tensor:
        apart = nanometres[..., 0] - nanometres[..., 1]
        return value + TURN * site.number("waveguide.arm") * site.number(per_phase) * apart

    def splitters(parts: Elements, nanometres: Tensor, site: Site) -> Elements:
        return detuned(parts, site.number(per_angle) * nanometres.mean(-1), site)

    also = {"die.length": LENGTH, "waveguide.arm": ARM, per_phase: index, per_angle: angle}
    return Effect(
        f"die.{name}",
        Number(meaning, 100.0, "nm"),
        "phase",
        phases,
        "arms",
        SOURCE,
        also=also,
        elsewhere={"element": splitters},
        drawn=correlated,
    )


ALL = (
    _varied(
        "width",
        "Spread of the waveguide width, correlated over the die.",
        Number("Change of the effective index with width.", 0.1, "1/nm", default=0.002),
        Number("Change of a splitter's angle with width.", 0.1, "rad/nm", default=0.002),
    ),
    _varied(
        "thickness",
        "Spread of the waveguide thickness, correlated over the die.",
        Number("Change of the effective index with thickness.", 0.1, "1/nm", default=0.004),
        Number("Change of a splitter's angle with thickness.", 0.1, "rad/nm", default=0.004),
    ),
)

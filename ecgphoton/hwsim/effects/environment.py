"""Effects of temperature and wavelength, which act where two paths differ in length or place.

A waveguide of length L has the phase ``2 pi n L / lambda``. What is the same on both arms of an
interferometer does nothing; a mismatch of their lengths, or a difference between their places, is
what temperature and wavelength act on. Until a layout gives the mismatches they are normals.
"""

import math

import numpy as np
from torch import Tensor

from ecgphoton.hwsim.effects.effect import Effect, Elements, Number, Site
from ecgphoton.mesh.arrays import Floats

WAVELENGTH = 1.55
"""Of the laser, um."""
TURN = 2 * math.pi / WAVELENGTH
"""Phase (rad) of one um of path and an index of one."""
MILLI = 1e-3
"""mm of one um, K of one mK, nm of one pm."""
MISMATCH = "waveguide.mismatch"
"""Key, and the stream from which path mismatches are drawn: one chip has the same for all."""

MISMATCHES = {
    MISMATCH: Number(
        "Spread of the mismatch in length between a shifter's path and the path beside it.",
        1e4,
        "um",
        default=10.0,
    )
}
THERMAL = {
    **MISMATCHES,
    "waveguide.thermo_optic": Number(
        "Change of the effective index with temperature.", 1e-2, "1/K", default=1.8e-4
    ),
}
ARM = Number("Length of the arms that lie side by side.", 1e4, "um", default=150.0)


def detuned(parts: Elements, angles: Tensor, site: Site) -> Elements:
    """Return elements with both splitters of every MZI off by angles (..., drivers), rad."""
    more = angles[..., [mzi.drivers[0] for mzi in site.device.mzis]]
    return parts._replace(alpha=parts.alpha + more, beta=parts.beta + more)


def _tilts(rng: np.random.Generator, site: Site, shape: tuple[int, ...]) -> Floats:
    """Return [height (mm) times mismatch, 1] of every driver, times one unit normal of the chip."""
    height = site.device.die(shape[0])[..., 1] * MILLI
    slope, mismatch = rng.standard_normal(), rng.standard_normal(height.shape)
    local = (height - height.mean()) * mismatch
    return np.asarray(slope * np.stack([local, np.ones_like(local)], -1))


def _detunings(rng: np.random.Generator, _site: Site, shape: tuple[int, ...]) -> Floats:
    """Return [mismatch, 1] of every driver: the second is what is alike everywhere."""
    mismatch = rng.standard_normal(shape[:-1])
    return np.stack([mismatch, np.ones_like(mismatch)], -1)


def _warmed(phases: Tensor, millikelvin: Tensor, site: Site) -> Tensor:
    path = site.number(MISMATCH) * millikelvin * MILLI
    return phases + TURN * site.number("waveguide.thermo_optic") * path


def _tilted(phases: Tensor, slopes: Tensor, site: Site) -> Tensor:
    apart = site.device.mode_pitch * MILLI * site.number("waveguide.arm")
    path = site.number(MISMATCH) * slopes[..., 0] - apart * slopes[..., 1]
    return phases + TURN * site.number("waveguide.thermo_optic") * path * MILLI


def _dispersed(phases: Tensor, picometres: Tensor, site: Site) -> Tensor:
    path = site.number(MISMATCH) * picometres[..., 0] * 1e-6  # um of one pm
    return phases - TURN / WAVELENGTH * site.number("waveguide.group_index") * path


def _split(parts: Elements, picometres: Tensor, site: Site) -> Elements:
    return detuned(parts, site.number("splitter.dispersion") * MILLI * picometres[..., 1], site)


ALL = (
    Effect(
        "temperature.change",
        Number("Temperature of the chip above that at which it was trimmed.", 1e5, "mK"),
        "phase",
        _warmed,
        "driver",
        source="2 pi / lambda dn/dT times the path mismatch; silicon 1.8e-4 per K, Komma et al. "
        "2012, doi:10.1063/1.4738989; mismatch 10 um as in GDSFactory's `mzi` cell",
        also=THERMAL,
        stream=MISMATCH,
    ),
    Effect(
        "temperature.gradient",
        Number("Spread of the temperature's slope across the waveguides of the die.", 1e5, "mK/mm"),
        "phase",
        _tilted,
        "arms",
        source="as `temperature.change`, at the places of the shifters and between their arms",
        also={**THERMAL, "waveguide.arm": ARM},
        drawn=_tilts,
    ),
    Effect(
        "wavelength.offset",
        Number("Wavelength of the laser above that at which the chip was trimmed.", 1e5, "pm"),
        "phase",
        _dispersed,
        "arms",
        source="2 pi n_g / lambda^2 times the path mismatch; silicon wire n_g 4.2, Chrostowski and "
        "Hochberg 2015, doi:10.1017/CBO9781316084168; splitter as a 50:50 one in the `coupler` "
        "model of SAX",
        also={
            **MISMATCHES,
            "waveguide.group_index": Number("Group index.", 10.0, default=4.2),
            "splitter.dispersion": Number(
                "Change of a splitter's angle with wavelength.", 0.1, "rad/nm", default=0.0043
            ),
        },
        elsewhere={"element": _split},
        stream=MISMATCH,
        drawn=_detunings,
    ),
)

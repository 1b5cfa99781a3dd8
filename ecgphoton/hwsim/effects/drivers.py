"""Effects of drivers and heaters: from wanted voltages to actual phases."""

import math

import numpy as np
import torch

from ecgphoton.hwsim.effects.effect import Effect, Heat, Number, Site
from ecgphoton.mesh.arrays import Array, Floats
from ecgphoton.mesh.crosstalk import LARGEST

CROSSTALK = "heater.crosstalk"
CROSSTALK_LENGTH, CROSSTALK_SPREAD = f"{CROSSTALK}_length", f"{CROSSTALK}_spread"
CROSSTALK_PAIRS = f"{CROSSTALK}_pairs"
NOMINAL = {
    CROSSTALK: Number(
        "Share of a heater's phase that arrives at a heater 120 um away, as the layout says: "
        "codes undo it.",
        LARGEST,
    ),
    CROSSTALK_LENGTH: Number("Distance over which crosstalk falls by e beyond 120 um.", 1e4, "um"),
}
"""Crosstalk of the layout."""


def _rounded(volts: torch.Tensor, _: float, site: Site) -> Array:
    """Voltages of the codes whose phases are nearest."""
    device = site.device
    return device.dac.voltage_of(device.codes_for(device.dac.phase_at(volts))).to(volts)


def _bent(heat: Heat, more: torch.Tensor) -> Heat:
    """Shifters shift more (rad) than ideal ones, in the direction in which they are driven."""
    phase = heat.phase + more
    phase = torch.where(heat.power < 0, phase.clamp_max(0), phase.clamp_min(0))
    return heat._replace(phase=phase)


def _unit(site: Site) -> Floats:
    """(drivers, drivers) crosstalk of the layout, 1 at 120 um."""
    return site.device.crosstalk(1.0, site.number(CROSSTALK_LENGTH))


def _coupled(heat: Heat, share: torch.Tensor, site: Site) -> Heat:
    """Every heater warms its neighbours: ``(I + X) phase``; share (C, 1, 1)."""
    unit = _unit(site)
    arriving = heat.phase @ torch.as_tensor(unit).T.to(heat.phase)
    return heat._replace(phase=heat.phase + share * arriving, share=share / site.number(CROSSTALK))


def _uneven(heat: Heat, errors: torch.Tensor, site: Site) -> Heat:
    """Pairs differ from the layout by errors (C, K, drivers, drivers), and none is cooled."""
    unit = torch.as_tensor(site.number(CROSSTALK) * _unit(site)).to(heat.phase)
    least = -torch.as_tensor(heat.share)[..., None]
    arriving = ((unit * errors.clamp_min(least)) @ heat.phase[..., None])[..., 0]
    return heat._replace(phase=heat.phase + arriving)


def _mutual(rng: np.random.Generator, _site: Site, shape: tuple[int, ...]) -> Floats:
    """Return unit normals of pairs, the same in both directions."""
    drawn = rng.standard_normal(shape)
    return np.asarray((drawn + drawn.swapaxes(-1, -2)) / math.sqrt(2))


def _share(rng: np.random.Generator, site: Site, shape: tuple[int, ...]) -> Floats:
    """Crosstalk of a chip over the nominal one, at least 0."""
    return np.maximum(1 + site.number(CROSSTALK_SPREAD) * rng.standard_normal(shape), 0.0)


ALL = (
    Effect(
        "dac.bits",
        Number(
            "Bits of the heater DACs, linear in voltage; 0 drives exactly, and a profile that "
            "does not state it leaves the width to the program.",
            24,
            "bits",
            least=2,
            whole=True,
            better="more",
        ),
        "code",
        _rounded,
        source="rounding to the nearest of the phases of 2^bits voltages",
    ),
    Effect(
        "heater.spread",
        Number("Relative spread of the phase per heater power.", 0.5),
        "heat",
        lambda heat, x, _: _bent(heat, x * math.pi * heat.power),
        "driver",
        source="L2ight, Gu et al. 2021, arXiv:2110.14807",
    ),
    Effect(
        "heater.curvature",
        Number("Spread of c2 in phase = pi (c1 p + c2 p^2) with p = (V / V_pi)^2.", 0.5),
        "heat",
        lambda heat, x, _: _bent(heat, x * math.pi * heat.power**2),
        "driver",
        source="SCATTER, Yin et al. 2024, arXiv:2407.05510",
    ),
    Effect(
        CROSSTALK,
        NOMINAL[CROSSTALK],
        "heat",
        _coupled,
        "chip",
        source="exponential decay with distance; L2ight, Gu et al. 2021, arXiv:2110.14807",
        also={
            CROSSTALK_LENGTH: NOMINAL[CROSSTALK_LENGTH],
            CROSSTALK_SPREAD: Number(
                "Relative spread of crosstalk from chip to chip, which codes do not undo.", 1.0
            ),
        },
        drawn=_share,
    ),
    Effect(
        CROSSTALK_PAIRS,
        Number(
            "Relative spread of the crosstalk between single pairs of heaters, in addition to that "
            "from chip to chip; codes do not undo it.",
            1.0,
        ),
        "heat",
        _uneven,
        "pair",
        source="assumption: independent pairs, alike in both directions",
        also=NOMINAL,
        drawn=_mutual,
    ),
    Effect(
        "phase.offset",
        Number("Static phase of every heated arm.", math.pi, "rad"),
        "phase",
        lambda phases, x, _: phases + x,
        "driver",
        source="variation of waveguide width; normal after trimming",
    ),
    Effect(
        "phase.static",
        Number(
            "Static phase of every heated arm as fabricated, uniform over this range; 0 for a chip "
            "that is trimmed, of which `phase.offset` remains.",
            1.0,
            "turns",
        ),
        "phase",
        lambda phases, x, _: phases + 2 * math.pi * x,
        "driver",
        source="arms of 100 um collect a random phase of many radians; uniform, as the phase bias "
        "of L2ight, Gu et al. 2021, arXiv:2110.14807",
        drawn=lambda rng, _, shape: rng.uniform(size=shape),
    ),
    Effect(
        "time.jitter",
        Number("Jitter of every phase from shot to shot.", math.pi, "rad"),
        "phase",
        lambda phases, x, _: phases + x,
        "driver",
        shot=True,
        source="noise of the drivers",
    ),
    Effect(
        "time.drift",
        Number("Random walk of every phase.", math.pi, "rad/sqrt(h)"),
        "phase",
        lambda phases, x, site: phases + x * math.sqrt(site.number("time.hours")),
        "driver",
        source="Wiener process: variance proportional to time",
        also={"time.hours": Number("Time since the phases were set.", 1e5, "h")},
    ),
)

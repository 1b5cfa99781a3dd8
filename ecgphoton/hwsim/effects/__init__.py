"""What fabrication, electronics and time do to a chip: one small value for each effect.

What comes in: the numbers of a profile and unit normals. What goes out: changed voltages, phases,
splitters, fields or readings. `EFFECTS` is the only list of them: the keys of a profile, their
limits and units, the error budget, sweeps and the reference page are derived from it.
"""

from __future__ import annotations

from ecgphoton.hwsim.effects import (
    die,
    drivers,
    electronics,
    environment,
    modulator,
    optics,
    receiver,
)
from ecgphoton.hwsim.effects.effect import (
    Effect,
    Elements,
    Heat,
    Modulators,
    Number,
    Reading,
    Site,
)
from ecgphoton.hwsim.effects.supply import LINK, SUPPLY
from ecgphoton.registry import Registry

__all__ = [
    "EFFECTS",
    "Effect",
    "Elements",
    "Heat",
    "Modulators",
    "Number",
    "Reading",
    "Site",
    "numbers",
]

EFFECTS: Registry[Effect] = Registry(
    "effect",
    *modulator.ALL,
    *drivers.ALL,
    *environment.ALL,
    *die.ALL,
    *optics.ALL,
    *electronics.ALL,
    *receiver.ALL,
)
"""Every effect by name, in the order in which those of one stage act."""


def numbers() -> dict[str, Number]:
    """Return every key a profile may have, with what its number means and may be."""
    found = {key: number for effect in EFFECTS.values() for key, number in effect.numbers.items()}
    return found | LINK | SUPPLY

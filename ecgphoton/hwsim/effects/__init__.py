"""What fabrication, electronics and time do to a chip: one small value for each effect.

What comes in: the numbers of a profile and unit normals. What goes out: changed voltages, phases,
splitters, fields or readings. `EFFECTS` is the only list of them: the keys of a profile, their
limits and units, the error budget, sweeps and the reference page are derived from it.
"""

from collections.abc import Iterable

from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import (
    die,
    drivers,
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
    Stage,
)
from ecgphoton.hwsim.effects.supply import LINK, SUPPLY
from ecgphoton.registry import Registry, elsewhere
from ecgphoton.settings import nearest

__all__ = [
    "EFFECTS",
    "Effect",
    "Elements",
    "Heat",
    "Modulators",
    "Number",
    "Reading",
    "Site",
    "Stage",
    "near_key",
    "number_of",
    "numbers",
]

GONE = {
    "attenuator.sigma": "an attenuator is an MZI like the others, so splitter.sigma, "
    "loss.mzi_sigma_db, phase.offset and the numbers of heaters act on it; remove the key"
}
"""Keys of earlier profiles, and why they do nothing now."""
EFFECTS: Registry[Effect] = Registry(
    "effect",
    *modulator.ALL,
    *drivers.ALL,
    *environment.ALL,
    *die.ALL,
    *optics.ALL,
    *receiver.ALL,
)
"""Every effect by name, in the order in which those of one stage act."""


def numbers() -> dict[str, Number]:
    """Return every key a profile may have, with what its number means and may be."""
    found = {key: number for effect in EFFECTS.values() for key, number in effect.numbers.items()}
    return found | LINK | SUPPLY


def near_key(key: str, known: Iterable[str]) -> str:
    """Return what an unknown key may stand for: the nearest, those of its section, or sections."""
    sections = {one: one.partition(".")[0] for one in known}
    inside = [one for one, section in sections.items() if section == key.partition(".")[0]]
    shown = (one if one == section else f"{section}.KEY" for one, section in sections.items())
    return nearest(key, sections, listed=inside or dict.fromkeys(shown))


def number_of(key: str) -> Number:
    """Return the declaration of a key.

    Raises
    ------
    InputError
        If no effect has it, with the nearest key.
    """
    if key in tuple(EFFECTS):  # which loads no extension
        return EFFECTS[key].number
    found = numbers()
    missing = "" if key in found else elsewhere()
    if missing:
        found = numbers()  # also of extensions, which are loaded now
    if key in GONE:
        raise InputError(f"{key} is no number of a profile any more: {GONE[key]}")
    if key not in found:
        raise InputError(f"a profile has no {key!r} ({near_key(key, found)}){missing}")
    return found[key]

"""What fabrication, electronics and time do to a chip: one small value for each effect.

What comes in: the numbers of a profile and unit normals. What goes out: changed voltages, phases,
splitters, fields or readings. `EFFECTS` is the only list of them: the keys of a profile, their
limits and units, the error budget, sweeps and the reference page are derived from it.
"""

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
from ecgphoton.hwsim.effects.meant import meant
from ecgphoton.hwsim.effects.supply import LINK, SUPPLY
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.registry import Registry, elsewhere
from ecgphoton.settings import declared

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
    "number_of",
    "numbers",
]

GONE = {
    "attenuator.sigma": "an attenuator is an MZI like the others, so splitter.sigma, "
    "loss.mzi_sigma_db, phase.offset and the numbers of heaters act on it; remove the key"
}
"""Keys of earlier profiles, and why they do nothing now."""
DRIVER = {f"{HeaterDac.section}.{name}": one.meaning
          for name, one, _ in declared(HeaterDac) if name != "bits"}  # fmt: skip
"""What a profile states of its drivers, which is no number of `EFFECTS`."""
EFFECTS: Registry[Effect] = Registry(
    "effect",
    *modulator.ALL,
    *drivers.ALL,
    *environment.ALL,
    *die.ALL,
    *optics.ALL,
    *receiver.ALL,
    reserved=(*LINK, *SUPPLY, "receiver.kind"),
)
"""Every effect by name, in the order in which those of one stage act."""


def numbers() -> dict[str, Number]:
    """Return every key a profile may have, with what its number means and may be."""
    found = {key: number for effect in EFFECTS.values() for key, number in effect.numbers.items()}
    return found | LINK | SUPPLY


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
    if key in DRIVER:
        raise InputError(
            f"{key} is no single number of a chip: a profile file states it in its section "
            f"[{HeaterDac.section}], with all that its drivers need; state it in a file of your own"
        )
    if key not in found:
        raise InputError(f"a profile has no {key!r} ({likely(key)}){missing}")
    return found[key]


def likely(key: str, **more: str) -> str:
    """Return which keys are meant by one that is none; `more` are further ones, with meanings."""
    known = {name: f"{number.meaning} {number.unit}" for name, number in numbers().items()}
    return meant(key, known | DRIVER | more)

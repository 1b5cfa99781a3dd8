"""Device profiles: the size of every effect in a process, each number with its source."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import EFFECTS, Effect, Number, numbers
from ecgphoton.intake import parse_toml, read_text
from ecgphoton.mesh.device import Device
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import nearest

FOLDER = Path(__file__).with_name("profiles")
BITS = "dac.bits"
GONE = {
    "attenuator.sigma": "an attenuator is an MZI like the others, so splitter.sigma, "
    "loss.mzi_sigma_db, phase.offset and the numbers of heaters act on it; remove the key"
}
"""Keys of earlier profiles, and why they do nothing now."""
FINEST = 24
"""Bits of the DACs of a bench where a profile drives exactly: steps below 1 uV."""


def number_of(key: str) -> Number:
    """Return the declaration of a key.

    Raises
    ------
    InputError
        If no effect has it, with the nearest key.
    """
    if key in EFFECTS:
        return EFFECTS[key].number
    if key not in numbers():
        with suppress(InputError):
            _ = EFFECTS[key]  # effects of installed extensions are loaded by this
    found = numbers()
    if key in GONE:
        raise InputError(f"{key} is no number of a profile any more: {GONE[key]}")
    if key not in found:
        raise InputError(f"a profile has no {key!r}; {nearest(key, found)}")
    return found[key]


@dataclass(frozen=True)
class Profile:
    """Sizes of the effects of a process and its electronics; an effect not stated has size 0.

    Raises
    ------
    InputError
        If a key is unknown or a number outside its range.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    """Key (``splitter.sigma``) to number, as stated; see `profile[key]` for any key."""
    name: str = "custom"
    description: str = ""

    def __post_init__(self) -> None:
        try:
            checked = {key: number_of(key).check(key, v) for key, v in self.numbers.items()}
        except InputError as error:
            raise InputError(f"profile {self.name!r}: {error}") from None
        object.__setattr__(self, "numbers", MappingProxyType(checked))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"numbers": dict(self.numbers)}

    def __getitem__(self, key: str) -> float:
        """Return a number, 0 where it is not stated; InputError for an unknown key."""
        if key in self.numbers:
            return self.numbers[key]
        number_of(key)
        return 0.0

    @property
    def active(self) -> tuple[Effect, ...]:
        """Effects that are not 0, in the order in which they act."""
        return tuple(effect for effect in EFFECTS.values() if self.numbers.get(effect.name))

    def with_value(self, key: str, value: float) -> Profile:
        """Return a profile with one number changed, for example ``splitter.sigma``."""
        return replace(self, numbers={**self.numbers, key: value})

    def only(self, *kept: Effect) -> Profile:
        """Return the profile with these effects alone, and those that only scale others."""
        chosen = [e for e in EFFECTS.values() if e in kept or not e.error]
        keys = {key for effect in chosen for key in effect.numbers}
        left = {key: value if key in keys else 0.0 for key, value in self.numbers.items()}
        return replace(self, numbers=left)

    def on(self, program: MeshProgram) -> Profile:
        """Return the profile with the program's DAC width where it states none."""
        return replace(self, numbers={BITS: program.dac_bits, **self.numbers})

    def device_of(self, program: MeshProgram) -> Device:
        """Return the program's device with the DACs of this profile.

        A profile that does not state ``dac.bits`` leaves the program's width; where it states 0,
        chips are driven exactly and a bench, whose codes are integers, has `FINEST` bits.
        """
        bits = int(self.on(program)[BITS]) or FINEST
        return replace(program.device, dac=replace(program.device.dac, bits=bits))

    def to_dict(self) -> dict[str, Any]:
        """Name, description and every number stated."""
        return {"name": self.name, "description": self.description, "numbers": dict(self.numbers)}


def profiles() -> tuple[str, ...]:
    """Names of the shipped profiles."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_profile(source: Profile | str | Path) -> Profile:
    """Return a profile by name, from a TOML file, or unchanged.

    Raises
    ------
    InputError
        If there is no such profile or file, a key is unknown, or a value is outside its range.
    """
    if isinstance(source, Profile):
        return source
    if not isinstance(source, str | PathLike):
        raise InputError(f"profile is {source!r}; it must be a name, a TOML file or a Profile")
    path = FOLDER / f"{source}.toml"
    if str(source) not in profiles():
        path = Path(source)
        if not path.is_file():
            raise InputError(
                f"there is no profile {str(source)!r} and no TOML file of that path; "
                f"{nearest(str(source), profiles())}"
            )
    return _from_dict(parse_toml(read_text(path), f"profile {path}"), path)


def _from_dict(data: dict[str, Any], path: Path) -> Profile:
    sections = {key.partition(".")[0] for key in numbers()}
    texts = {"name": path.stem, "description": ""}
    stated: dict[str, float] = {}
    for section, content in data.items():
        if section in texts:
            if not isinstance(content, str):
                raise InputError(f"profile {path}: {section} must be a text")
            texts[section] = content
        elif isinstance(content, dict):
            if not content and section not in sections:
                raise InputError(f"profile {path}: no section [{section}]; "
                                 f"{nearest(section, sections)}")  # fmt: skip
            stated |= {f"{section}.{name}": value for name, value in content.items()}
        else:
            raise InputError(f"profile {path}: {section!r} is not a section of a profile")
    return Profile(stated, **texts)

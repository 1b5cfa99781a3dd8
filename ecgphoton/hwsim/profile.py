"""Device profiles: the size of every effect in a process, each number with its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import EFFECTS, Effect, number_of
from ecgphoton.hwsim.effects.drivers import CROSSTALK, CROSSTALK_LENGTH
from ecgphoton.hwsim.effects.receiver import POWER, SIGNAL
from ecgphoton.hwsim.effects.supply import LASER, LINK
from ecgphoton.hwsim.link import SETS, received
from ecgphoton.hwsim.receivers import RECEIVERS, SECTION
from ecgphoton.mesh.crosstalk import Crosstalk
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import assignments, one_of, several

BITS = "dac.bits"
FINEST = 24
"""Bits of the DACs of a bench where a profile drives exactly: steps below 1 uV."""
STATIC = "phase.static"
FABRICATED = "as-fabricated"
"""State of a chip before its static phases are trimmed: ``NAME:as-fabricated``."""
EFFECTIVE, KIND = "homodyne", "receiver.kind"
"""The receiver of a profile that names none, and the key that names one."""


def allowed(key: str) -> str:
    """Return in words what a value of a profile must be; InputError for an unknown key."""
    return one_of(RECEIVERS) if key == KIND else number_of(key).limits


def read_setting(key: str, text: str) -> str | float:
    """Return the value of a key that a text states: the name of a receiver, or a number."""
    if key == KIND:
        return text
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{key} is {text!r}; it must be {allowed(key)}") from None


@dataclass(frozen=True)
class Profile:
    """Sizes of the effects of a process and its electronics; an effect not stated has size 0.

    Raises
    ------
    InputError
        If a key is unknown, a number outside its range, or one of another receiver.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    """Key (``splitter.sigma``) to number, as stated; see `profile[key]` for any key."""
    name: str = "custom"
    description: str = ""
    date: str = ""
    """When its numbers were collected."""
    driver: HeaterDac | None = None
    """Phase law and voltages of the drivers, None for those of the program; its bits do not count:
    they are ``dac.bits``."""
    receiver: str = EFFECTIVE
    """Name in `RECEIVERS`; its numbers that are not stated have their defaults."""
    _own: frozenset[str] = field(init=False, repr=False, compare=False)
    """Keys of the numbers that were stated, and do not follow from the link budget."""

    def __post_init__(self) -> None:
        keys = RECEIVERS[self.receiver].keys
        try:
            checked = {key: number_of(key).check(key, v) for key, v in self.numbers.items()}
            foreign = [k for k, v in checked.items() if v and k.startswith(SECTION)
                       and k not in keys]  # fmt: skip
            if foreign:
                having = ", ".join(one.name for one in RECEIVERS.values() if foreign[0] in one.keys)
                having = having or "none"
                raise InputError(
                    f"the receiver {self.receiver!r} has no {foreign[0]}; receivers that have it: "
                    f"{having}"
                )
            found = {key: number_of(key).default for key in keys} | checked
            follows = received(lambda key: found.get(key, 0.0)) if keys else {}
        except InputError as error:
            raise InputError(f"profile {self.name!r}: {error}") from None
        if beside := [key for key, value in follows.items() if checked.get(key, value) != value]:
            raise InputError(
                f"profile {self.name!r}: {beside[0]} is given beside {LASER}, from whose link "
                f"budget it follows; leave out one of them, or change {LASER} ({LASER}=0 is no "
                "link budget)"
            )
        found |= follows
        if dark := [key for key in (POWER, SIGNAL) if key in keys and not found[key]]:
            raise InputError(
                f"profile {self.name!r}: {dark[0]} is 0; without a local oscillator a photodiode "
                "reads |E|^2, which has no sign, and every program has signed weights; without a "
                "signal it reads nothing"
            )
        object.__setattr__(self, "numbers", MappingProxyType(found))
        object.__setattr__(self, "_own", frozenset(checked) - frozenset(follows))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"numbers": dict(self.numbers)}

    def __getitem__(self, key: str) -> float:
        """Return a number, its default where it is not stated; InputError for an unknown key."""
        return self.numbers[key] if key in self.numbers else number_of(key).default

    @property
    def active(self) -> tuple[Effect, ...]:
        """Effects that are not 0, in the order in which they act."""
        return tuple(effect for effect in EFFECTS.values() if self.numbers.get(effect.name))

    def with_value(self, key: str, value: float) -> Profile:
        """Return a profile with one number changed, for example ``splitter.sigma``."""
        return replace(self, numbers={**self.stated, key: value})

    def named(self, name: str) -> Profile:
        """Return the profile under another name."""
        return replace(self, numbers=self.stated, name=name)

    @property
    def stated(self) -> dict[str, float]:
        """Its numbers, without defaults of the receiver and what follows from the link budget."""
        return {key: value for key, value in self.numbers.items() if key in self._own}

    def read_by(self, receiver: str) -> Profile:
        """Return the profile with another receiver.

        Numbers of the receiver before that the other one does not have are left out where they
        are at their defaults, and refused where they are not.
        """
        keys = RECEIVERS[receiver].keys
        left = {
            key: value
            for key, value in self.stated.items()
            if not key.startswith(SECTION) or key in keys or value != number_of(key).default
        }
        return replace(self, receiver=receiver, numbers=left)

    def with_settings(self, texts: Iterable[str]) -> Profile:
        """Return the profile with numbers and receiver from ``section.key=value``.

        Its name states them, so that every result does.

        Raises
        ------
        InputError
            If one cannot be read, or is not a number of this profile.
        """
        found = assignments(texts := several(texts), allowed, read_setting)
        profile = self.read_by(str(found.pop(KIND))) if KIND in found else self
        numbers = {key: float(value) for key, value in found.items()}
        name = " ".join([self.name, *dict.fromkeys(texts)])
        return replace(profile, name=name, numbers={**profile.stated, **numbers})

    def only(self, *kept: Effect) -> Profile:
        """Return the profile with these effects alone, its light, and what only scales others."""
        chosen = [e for e in EFFECTS.values() if e in kept or not e.error]
        keys = {key for effect in chosen for key in effect.numbers}
        if RECEIVERS[self.receiver].keys and self[LASER]:
            keys = {*keys, *LINK} - {*SETS}  # which follow from the link budget
        left = {key: value if key in keys or not number_of(key).zero else 0.0
                for key, value in self.numbers.items()
                if key in keys or key not in SETS}  # fmt: skip
        return replace(self, numbers=left)

    def on(self, program: MeshProgram) -> Profile:
        """Return the profile with the program's DAC width where it states none."""
        missing = BITS not in self.numbers
        return self.with_value(BITS, program.dac.bits) if missing else self

    @property
    def trimmed(self) -> bool:
        """Whether the static phases of its chips were trimmed."""
        return not self[STATIC]

    @property
    def crosstalk(self) -> Crosstalk:
        """Nominal crosstalk of its chips."""
        return Crosstalk(self[CROSSTALK], self[CROSSTALK_LENGTH])

    def as_fabricated(self) -> Profile:
        """Return the profile of the same chips before trimming, over a turn unless it is stated."""
        return self.with_value(STATIC, self[STATIC] or 1.0).named(f"{self.name}:{FABRICATED}")

    def driving(self, program: MeshProgram) -> MeshProgram:
        """Return the program for these drivers; codes undo its crosstalk, else the profile's."""
        own = replace(self.driver, bits=program.dac.bits) if self.driver else program.dac
        known = program.crosstalk if program.crosstalk.share else self.crosstalk
        if (own, known) == (program.dac, program.crosstalk):
            return program
        return replace(program, dac=own, crosstalk=known)

    def device_of(self, program: MeshProgram) -> Device:
        """Return the program's device with the drivers and DACs of this profile.

        A profile that does not state ``dac.bits`` leaves the program's width; where it states 0,
        chips are driven exactly and a bench, whose codes are integers, has `FINEST` bits.
        """
        bits, device = int(self.on(program)[BITS]) or FINEST, self.driving(program).device
        return replace(device, dac=replace(device.dac, bits=bits))

    def to_dict(self) -> dict[str, Any]:
        """Name, description, date, receiver, every number stated, and the drivers if they are."""
        names = ("name", "description", "date", "receiver")
        driver = self.driver and {k: v for k, v in asdict(self.driver).items() if k != "bits"}
        named = {name: getattr(self, name) for name in names}
        return {**named, "numbers": dict(self.numbers), "driver": driver}

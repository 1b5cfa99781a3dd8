"""Numbers of a profile that do nothing to its chips, because what they act through is not there.

No list states what acts through what: a number is unused if no reading of chips changes with it,
noise from shot to shot included.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Chip, fabricated
from ecgphoton.hwsim.effects import EFFECTS, number_of
from ecgphoton.hwsim.effects.modulator import DEPTH
from ecgphoton.hwsim.effects.supply import LASER, LINK, SUPPLY
from ecgphoton.hwsim.profile import BITS, FINEST, KIND, Profile, allowed, read_setting
from ecgphoton.hwsim.readout import Readout
from ecgphoton.mesh.device import WIDTH, Device
from ecgphoton.mesh.heater import TURN, HeaterDac
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import assignments, several

COUNT, PROBES, UNSEEN = 4, 16, 1e-12
"""Chips and inputs of which readings are compared, and the change (of full scale) that is
rounding."""


def _readings(profile: Profile, program: MeshProgram | None) -> Tensor:
    """Return readings of chips that carry a program, or of one block of random phases."""
    draw = np.random.default_rng(0)
    if program is None:
        bits = int(profile[BITS]) or FINEST
        device = Device(dac=replace(profile.driver or HeaterDac(), bits=bits))
        phases = draw.uniform(0, TURN, (1, device.drivers))
    else:
        device, phases = profile.device_of(program), program.phases
    inputs = torch.as_tensor(draw.uniform(-1, 1, (WIDTH, PROBES)))
    scales = torch.ones(len(phases), 1, dtype=torch.float64)
    chips = fabricated(Chip(device, scales, profile, {}, 1), profile, 0, 0, COUNT)
    sent = chips.sent(Readout(depth=profile[DEPTH]).drive(inputs))
    volts = chips.driven(device.dac.volts_for(phases)[None])
    return chips.respond(volts, sent, generator=torch.Generator().manual_seed(0))


def unused(
    profile: Profile, keys: Iterable[str], program: MeshProgram | None = None
) -> tuple[str, ...]:
    """Return those of some keys whose number is not 0 and changes no reading of the chips.

    Parameters
    ----------
    program
        What the chips carry; by default what is no special case of anything.
    """
    sized = {key: value for key in keys if (value := profile[key])}
    if sized.keys() <= SUPPLY.keys():
        return tuple(sized)
    usual = _readings(profile, program)

    def moves(key: str, value: float) -> bool:
        changed = profile.with_value(key, number_of(key).other(value))
        return not bool((_readings(changed, program) - usual).abs().max() < UNSEEN)

    return tuple(key for key, value in sized.items() if key in SUPPLY or not moves(key, value))


def refuse_unused(
    profile: Profile, settings: Iterable[str], *, moving: str = "", read: Collection[str] = ()
) -> None:
    """Refuse numbers that change nothing of the chips of a profile.

    Parameters
    ----------
    profile
        With these settings.
    settings
        ``section.key=value`` for each number.
    moving
        Key that takes several values, as `with_any` takes it: it is refused as well, and what acts
        through it is used.
    read
        Keys that are used otherwise.
    """
    given = assignments(settings, allowed, read_setting)
    profile = with_any(profile, moving)
    asked = {key: f"--set {key}={value:g}" for key, value in given.items() if key != KIND}
    asked |= {moving: moving} if moving not in ("", "noise") else {}
    if lost := unused(profile, [key for key in asked if key not in read]):
        raise InputError(
            f"{asked[lost[0]]} changes no reading of these chips: {_missing(profile, lost[0])}, or "
            "leave it out"
        )


def with_any(profile: Profile, key: str) -> Profile:
    """Return the profile with a value of a key that takes several, where it has none.

    Nothing changes for no key and for ``noise``.
    """
    if key in ("", "noise") or profile[key]:
        return profile
    number = number_of(key)
    return profile.with_value(key, number.default or number.other(number.largest))


def giving(key: str, settings: Iterable[str]) -> list[str]:
    """Return those of the settings ``section.key=value`` that give this key."""
    return [text for text in several(settings) if text.partition("=")[0].strip() == key]


def _missing(profile: Profile, key: str) -> str:
    """Return in words what a number lacks to act, and what to do."""
    if key in SUPPLY:
        return "`ecgphoton budget` alone reads it; give it there"
    also = "change that as well"
    if key in LINK:
        return f"it acts in `ecgphoton budget`, or with {LASER} and {KIND}=balanced; {also}"
    carriers = [one.name for one in EFFECTS.values() if key in one.also]
    others = [one for one in carriers or EFFECTS[key].also if not profile[one]]
    if names := [one for one in others if not unused(with_any(profile, one), [key])]:
        zero = "are" if names[1:] else "is"
        return f"it acts together with {' or '.join(names)}, which {zero} 0 here; {also}"
    return (
        f"the receiver ({KIND}={profile.receiver}) or another number leaves nothing of it; {also}"
    )

"""What the chips of a profile stand for, and by what codes they are driven, in words."""

from collections.abc import Collection

from ecgphoton.hwsim.effects.drivers import (
    CROSSTALK,
    CROSSTALK_LENGTH,
    CROSSTALK_PAIRS,
    CROSSTALK_SPREAD,
)
from ecgphoton.hwsim.effects.modulator import EXTINCTION
from ecgphoton.hwsim.effects.receiver import POWER, SIGNAL
from ecgphoton.hwsim.effects.supply import LASER
from ecgphoton.hwsim.profile import BITS, Profile
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.hwsim.unused import unused, with_any
from ecgphoton.mesh.layout import MODE_PITCH
from ecgphoton.program.program import MeshProgram
from ecgphoton.wording import percent

LIMITS = "docs/physics.md#what-is-not-modelled"
"""Where the documentation lists what is not modelled."""


def conditions(profile: Profile, read: Collection[str] = ()) -> str:
    """Return which light path, phases and age the chips of a profile have, in words.

    Keys that are `read` otherwise are not named as idle.
    """
    kind = profile.receiver
    if not RECEIVERS[kind].keys:
        noise = "whose noise is stated, not computed from light"
        noise = noise if profile["detector.noise"] else "which have no noise"
        light_path = f"effective receivers ({kind}), {noise}"
    else:
        light = f"oscillators of {profile[POWER]:g} mW, signals of {profile[SIGNAL]:g} mW"
        light = f"a laser of {profile[LASER]:g} mW a block" if profile[LASER] else light
        light_path = f"{kind} receivers with {light}"
    leak = profile[EXTINCTION]
    sent = f"modulators of {leak:g} dB extinction" if leak else "modulators that close completely"
    phases = "trimmed phases" if profile.trimmed else "phases as fabricated"
    drifting, hours = profile["time.drift"], profile["time.hours"]
    age = f"{hours:g} h after they were set" if drifting and hours else "without drift"
    heat, laser = profile["temperature.change"], profile["wavelength.offset"]
    moved = f"temperature {heat:g} mK and wavelength {laser:g} pm from those of trimming"
    now = moved if heat or laser else ""
    spread = f"crosstalk that spreads by {percent(profile[CROSSTALK_SPREAD], None)} over chips"
    pairs = f" and by {percent(profile[CROSSTALK_PAIRS], None)} over pairs of heaters"
    spread += pairs if profile[CROSSTALK_PAIRS] else ""
    near = CROSSTALK_LENGTH
    spread += "" if profile[near] else f", none beyond {MODE_PITCH:g} um ({near} is 0)"
    coupled = spread if profile.crosstalk.share else ""
    parts = (light_path, sent, f"{phases} {age}", coupled, now, idle(profile, read=read))
    said = "; ".join(filter(None, parts))
    return f"simulated chips, none measured: {said}; not modelled: {LIMITS}"


def idle(profile: Profile, moving: str = "", read: Collection[str] = ()) -> str:
    """Return which stated numbers do nothing to the chips, in words; empty where none.

    Parameters
    ----------
    moving
        Key that takes several values.
    read
        Keys that are used otherwise.
    """
    profile = with_any(profile, moving)
    stated = [key for key, value in profile.stated.items() if value and key not in read]
    lost, found = unused(profile, stated), dict[str, None]()
    for key in lost:
        section = key.partition(".")[0]
        whole = [one for one in stated if one.startswith(f"{section}.")]
        found[f"{section}.*" if whole[1:] and set(whole) <= set(lost) else key] = None
    return f"stated, but without effect on these chips: {', '.join(found)}" if found else ""


def recoded(profile: Profile, program: MeshProgram) -> str | None:
    """Return why chips are not driven by the codes of a program, and which crosstalk those undo.

    None where the codes are used and undo the crosstalk of the profile.
    """
    exactly, driven = not profile.on(program)[BITS], profile.driving(program)
    used, undoing = profile.device_of(program).dac, driven.crosstalk != program.crosstalk
    said = []
    if used != program.dac or exactly:
        how = "exactly, without codes" if exactly else f"by codes of {used.words}"
        said.append(
            f"the codes of the program are for {program.dac.words}, and are not used: the profile "
            f"drives its phases {how}"
        )
    elif undoing:
        said.append("the codes of the program undo no crosstalk, and are not used")
    if undoing:
        said.append(driven.undone)
    elif left := remaining(profile, program):
        said.append(left)
    return "; ".join(said) or None


def following(key: str, program: MeshProgram | None) -> str:
    """Return whether codes follow a number of crosstalk that takes several values, in words.

    Empty for other keys.
    """
    if key not in (CROSSTALK, CROSSTALK_LENGTH):
        return ""
    if program is None or not program.crosstalk.share:
        return f"codes undo the crosstalk of every value of {key}"
    return (
        f"the codes of the program undo crosstalk of {program.crosstalk.words} at every value of "
        f"{key}: chips change with it, codes do not"
    )


def remaining(profile: Profile, program: MeshProgram) -> str:
    """Return which other crosstalk chips have than codes undo, in words; empty where none."""
    undone = profile.driving(program).crosstalk
    if undone == profile.crosstalk:
        return ""
    return (
        f"the program undoes crosstalk of {undone.words}, but chips of the profile have "
        f"{profile.crosstalk.words}: the difference remains"
    )

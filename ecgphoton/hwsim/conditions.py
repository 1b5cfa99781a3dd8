"""What the chips of a profile stand for, in one sentence beside every result about them."""

from ecgphoton.hwsim.effects.modulator import EXTINCTION
from ecgphoton.hwsim.effects.supply import LASER
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.receivers import RECEIVERS

LIMITS = "docs/physics.md#what-is-not-modelled"
"""Where the documentation lists what no chip has."""


def conditions(profile: Profile) -> str:
    """Return which light path, phases and age the chips of a profile have, in words."""
    if not RECEIVERS[profile.receiver].keys:
        kind = profile.receiver
        read = f"effective receivers ({kind}), whose noise is stated, not computed from light"
    else:
        light = f"a laser of {profile[LASER]:g} mW a block" if profile[LASER] else "stated powers"
        read = f"{profile.receiver} receivers with {light}"
    leak = profile[EXTINCTION]
    sent = f"modulators of {leak:g} dB extinction" if leak else "modulators that close"
    phases = "trimmed phases" if profile.trimmed else "phases as fabricated"
    drifting, hours = profile["time.drift"], profile["time.hours"]
    age = f"{hours:g} h after they were set" if drifting and hours else "without drift"
    heat, laser = profile["temperature.change"], profile["wavelength.offset"]
    now = f"{heat:g} mK and {laser:g} pm from where they were set" if heat or laser else ""
    parts = "; ".join(filter(None, (read, sent, f"{phases} {age}", now)))
    return f"simulated chips, none measured: {parts}; what no chip has: {LIMITS}"

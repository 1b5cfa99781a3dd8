"""The link budget of one block: optical power from the laser to the photodiodes, and its noise.

::

                       ┌─ tree ── modulators ── mesh V ── attenuators ── mesh U ──┐
    laser ── coupler ──┤                                                       receiver ── i
                       └─ tree ───────────────── local oscillators ───────────────┘

All powers are those of one path, at an input of 1. The signal at full scale is a unit field on a
path through a lossless mesh, so the loss of the mesh is not part of full scale: simulated chips
lose it in their fields, and the amplifier restores it together with the noise.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects.effect import Numbers
from ecgphoton.hwsim.effects.optics import losses_of, mesh_loss
from ecgphoton.hwsim.effects.receiver import (
    BANDWIDTH,
    MILLI,
    POWER,
    SIGNAL,
    laser_noise,
    reading_noise,
)
from ecgphoton.hwsim.effects.supply import LASER
from ecgphoton.mesh.device import WIDTH, Device
from ecgphoton.mesh.paths import field_transmission

NEEDED = (LASER, "link.oscillator", "link.rate")
"""Keys without which there is no budget."""
SETS = (SIGNAL, POWER, BANDWIDTH)
"""Keys of a receiver that the budget sets where a profile states `LASER`."""
TREE = math.ceil(math.log2(WIDTH))
"""1x2 splitters in a row that divide light among the paths of a block."""


@dataclass(frozen=True)
class Stage:
    """One stage of the light's path."""

    name: str
    change_db: float
    """Change of power in this stage: loss and division are negative."""
    power: float
    """Optical power of one path behind it, W."""

    @property
    def dbm(self) -> float:
        """Power behind the stage, dBm."""
        return decibels(self.power / MILLI)


@dataclass(frozen=True)
class Link:
    """Powers and noise of one block."""

    signal: tuple[Stage, ...]
    """From the laser to the photodiodes, through the loss of the mesh, at an input of 1."""
    oscillator: tuple[Stage, ...]
    """From the laser to the photodiodes, past the mesh."""
    mesh_db: float
    """Loss of every path through the mesh, dB."""
    full_scale: float
    """Photocurrent of a unit field on a lossless mesh, A."""
    noise: Mapping[str, float]
    """Standard deviation of the reading of an input of 1 through a weight of 1, by what makes it,
    fractions of full scale."""

    @property
    def left(self) -> float:
        """That reading, which the mesh has dimmed, fraction of full scale."""
        return float(field_transmission(self.mesh_db))

    @property
    def snr_db(self) -> float | None:
        """Signal to noise of that reading, dB; None without noise."""
        total = math.hypot(*self.noise.values())
        return 20 * math.log10(self.left / total) if total else None


def decibels(ratio: float) -> float:
    """Return a ratio of powers in dB."""
    return 10 * math.log10(ratio)


def _light(number: Numbers) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Return (stage, change in dB) before the mesh, and from the laser to the oscillators."""
    missing = [key for key in NEEDED if not number(key)]
    if missing:
        raise InputError(
            f"it does not state {', '.join(missing)}, so there is no link budget; state all of "
            f"{', '.join(NEEDED)}"
        )
    share = number("link.oscillator")
    coupled = ("fibre coupler", -number("link.coupler_db"))
    tree = ("splitter tree", -decibels(WIDTH) - TREE * number("link.splitter_db"))
    modulator = ("modulator", -number("link.modulator_db"))
    return (
        [coupled, ("share of the signals", decibels(1 - share)), tree, modulator],
        [coupled, ("share of the oscillators", decibels(share)), tree],
    )


def received(number: Numbers) -> dict[str, float]:
    """Return the keys `SETS` of a receiver as the link budget has them; none without a laser.

    The laser's power is divided between signals and oscillators; each part is divided among the
    four paths by a tree of two 1x2 splitters. The bandwidth is half the symbol rate, that of a
    receiver which integrates over a symbol.

    Raises
    ------
    InputError
        If a number without which there is no budget is not stated.
    """
    if not number(LASER):
        return {}
    laser, output = number(LASER), ("output", -number("link.output_db"))
    powers = [
        laser * 10 ** (sum(change for _, change in [*path, output]) / 10) for path in _light(number)
    ]
    return dict(zip(SETS, (*powers, number("link.rate") / 2), strict=True))


def link_of(
    number: Numbers,
    device: Device,
    *,
    share: float = 1.0,
    diodes: int = 2,
    seen: Callable[[float], Sequence[float]] | None = None,
) -> Link:
    """Return the link budget of one block.

    Parameters
    ----------
    number
        Numbers of a profile by key, its receiver's among them.
    device
        Hardware of the block.
    share, diodes
        Of the receiver, see `ecgphoton.hwsim.receivers.Receiver`.
    seen
        Light on the photodiodes, in units of a signal at full scale and of `share`, photocurrent
        and reading, fractions of full scale, of a field; by default of a perfect pair.

    Raises
    ------
    InputError
        If a number without which there is no budget is not stated.
    """
    before, local = _light(number)
    losses = losses_of(number)
    mesh = [
        (f"{device.columns} MZIs in a row", -device.columns * losses.mzi),
        ("1 phase shifter behind", -losses.shifter),
    ]
    output = ("output", -number("link.output_db"))

    def stages(path: list[tuple[str, float]]) -> tuple[Stage, ...]:
        found = [Stage("laser", 0.0, MILLI * number(LASER))]
        for name, change in path:
            found.append(Stage(name, change, found[-1].power * 10 ** (change / 10)))
        return tuple(found)

    noise, times = reading_noise(number, share=share, diodes=diodes), number("receiver.noise")
    found = Link(
        stages([*before, *(stage for stage in mesh if stage[1]), output]),
        stages([*local, output]),
        mesh_loss(number, device),
        noise["full_scale"],
        {},
    )
    left, intensity = found.left, number("receiver.rin")
    pair = left**2 + number(POWER) / number(SIGNAL), left, left
    light, current, read = seen(left) if seen else pair
    return replace(
        found,
        noise={
            "shot": times * math.hypot(noise["light"] * math.sqrt(light), noise["dark"]),
            "thermal": times * noise["thermal"],
            "converter": times * noise["converter"],
            "laser intensity": current * laser_noise(intensity, number) if intensity else 0.0,
            "detector.noise": number("detector.noise"),
            "detector.rin": read * number("detector.rin"),
        },
    )

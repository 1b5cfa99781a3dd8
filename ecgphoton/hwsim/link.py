"""The link budget of one block: optical power from the laser to the photodiodes, and its noise.

::

                       ┌─ tree ── modulators ── mesh V ── attenuators ── mesh U ──┐
    laser ── coupler ──┤                                                       receiver ── i
                       └─ tree ───────────────── local oscillators ───────────────┘

All powers are those of one path, at an input of 1. The signal at full scale is a unit field on a
path through a lossless mesh, so the loss of the mesh is not part of full scale: simulated chips
lose it in their fields, and the amplifier restores it together with the noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ecgphoton.errors import InputError
from ecgphoton.hwsim.noise import BOLTZMANN, ELECTRON
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.layout import WIDTH

Numbers = Callable[[str], float]
"""Number of a profile by its key, 0 where it is not stated."""
NEEDED = ("link.laser", "link.oscillator", "link.rate", "link.responsivity", "link.resistance")
"""Keys without which there is no budget."""
TEMPERATURE = 300.0  # K
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
        return 10 * math.log10(self.power / 1e-3)


@dataclass(frozen=True)
class Link:
    """Powers and noise of one block."""

    signal: tuple[Stage, ...]
    """From the laser to the photodiodes, through the loss of the mesh, at an input of 1."""
    oscillator: tuple[Stage, ...]
    """From the laser to the photodiodes, past the mesh."""
    mesh_db: float
    """Loss of the mesh on the path of most components, dB."""
    full_scale: float
    """Photocurrent of a unit field on a lossless mesh, A: ``2 R sqrt(P_signal P_oscillator)``."""
    shot: float
    """Standard deviation of a reading by shot noise, fraction of full scale."""
    thermal: float
    """Standard deviation of a reading by thermal noise, fraction of full scale."""

    @property
    def noise(self) -> float:
        """Standard deviation of a reading, fraction of full scale."""
        return math.hypot(self.shot, self.thermal)

    def snr_db(self, *others: float) -> float:
        """Signal to noise of a reading of an input of 1 through a weight of 1, dB.

        Parameters
        ----------
        others
            Further standard deviations of a reading, fractions of full scale.
        """
        left: float = 10 ** (-self.mesh_db / 20)
        return 20 * math.log10(left / math.hypot(self.noise, *others))


def decibels(ratio: float) -> float:
    """Return a ratio of powers in dB."""
    return 10 * math.log10(ratio)


def mesh_parts(number: Numbers, device: Device) -> tuple[tuple[str, int, float], ...]:
    """Name, count and loss in dB of the components on the longest path through a block."""
    return (("mesh columns", device.layout.depth * device.meshes, number("loss.mzi_db")),)


def mesh_loss(number: Numbers, device: Device) -> float:
    """Mean loss of the longest path through a block, dB: the only home of this number."""
    return sum(count * loss for _, count, loss in mesh_parts(number, device))


def link_of(number: Numbers, device: Device) -> Link:
    """Return the link budget of one block.

    The laser's power is divided between signals and oscillators; each part is divided among the
    four paths by a tree of two 1x2 splitters. The noise bandwidth is half the symbol rate, that of
    a receiver which integrates over a symbol. For a balanced pair, with the photocurrents of
    signal and oscillator together, ``shot^2 = 2 q (R (P_s + P_o) + 2 I_d) B`` (Schottky 1918,
    doi:10.1002/andp.19183622304) and ``thermal^2 = 4 k T B / R_L`` (Nyquist 1928,
    doi:10.1103/PhysRev.32.110).

    Parameters
    ----------
    number
        Numbers of a profile by key; see `ecgphoton.hwsim.effects.link.LINK`.
    device
        Hardware of the block.

    Raises
    ------
    InputError
        If a number without which there is no budget is not stated.
    """
    missing = [key for key in NEEDED if not number(key)]
    if missing:
        raise InputError(
            f"the profile does not state {', '.join(missing)}, so there is no link budget; state "
            f"all of {', '.join(NEEDED)}"
        )
    share = number("link.oscillator")
    tree = -decibels(WIDTH) - TREE * number("link.splitter_db")
    mesh = mesh_loss(number, device)
    laser, coupler = 1e-3 * number("link.laser"), -number("link.coupler_db")

    def path(*parts: tuple[str, float]) -> tuple[Stage, ...]:
        stages = [Stage("laser", 0.0, laser)]
        for name, change in (("fibre coupler", coupler), *parts):
            stages.append(Stage(name, change, stages[-1].power * 10 ** (change / 10)))
        return tuple(stages)

    signal = path(
        ("share of the signals", decibels(1 - share)),
        ("splitter tree", tree),
        ("modulator", -number("link.modulator_db")),
        *((f"{count} {name}", -count * loss) for name, count, loss in mesh_parts(number, device)),
        ("output", -number("link.output_db")),
    )
    oscillator = path(
        ("share of the oscillators", decibels(share)),
        ("splitter tree", tree),
        ("output", -number("link.output_db")),
    )
    at_detector, local = signal[-1].power, oscillator[-1].power
    responsivity, bandwidth = number("link.responsivity"), number("link.rate") / 2
    full_scale = 2 * responsivity * math.sqrt(at_detector * 10 ** (mesh / 10) * local)
    current = responsivity * (at_detector + local) + 2e-9 * number("link.dark")
    return Link(
        signal,
        oscillator,
        mesh,
        full_scale,
        math.sqrt(2 * ELECTRON * current * bandwidth) / full_scale,
        math.sqrt(4 * BOLTZMANN * TEMPERATURE * bandwidth / number("link.resistance")) / full_scale,
    )

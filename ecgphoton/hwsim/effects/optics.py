"""Effects of passive optics: splitters and loss.

One MZI, from left to right: the external phase, a splitter with angle error alpha, the internal
phase, a splitter with angle error beta, and its own field transmission t::

    ──[phi]──╲ ╱──[theta]──╲ ╱──(t)──
              ╳ alpha       ╳ beta
    ─────────╱ ╲───────────╱ ╲──(t)──

An attenuator is an MZI without the first phase.
"""

import math
from collections.abc import Callable, Mapping

import torch

from ecgphoton.hwsim.effects.effect import Effect, Elements, Number, Numbers, Site
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.paths import Losses, field_transmission, path_loss

PARTS: Mapping[str, Callable[[float], Losses]] = {
    "loss.mzi_db": lambda decibels: Losses(mzi=decibels),
    "loss.splitter_db": lambda decibels: Losses(mzi=2 * decibels),
    "loss.shifter_db": lambda decibels: Losses(shifter=decibels),
}
"""What each of the numbers of a mesh's mean loss says: their only home."""


def losses_of(number: Numbers) -> Losses:
    """Return what the components of a mesh lose."""
    parts = [part(number(key)) for key, part in PARTS.items()]
    return Losses(sum(part.mzi for part in parts), sum(part.shifter for part in parts))


def mesh_loss(number: Numbers, device: Device) -> float:
    """Mean loss of a path through a block, dB; all paths lose the same."""
    return path_loss(device, losses_of(number))


def _mean_loss(key: str, meaning: str) -> Effect:
    """Return the effect of one part of the mean loss."""

    def dimmed(field: torch.Tensor, decibels: float, site: Site) -> torch.Tensor:
        lost = path_loss(site.device, PARTS[key](decibels))
        return field * float(field_transmission(lost))

    law = "field 10^(-L / 20) at a loss of L dB"
    return Effect(key, Number(meaning, 20.0, "dB"), "field", dimmed, source=law, error=False)


def _uneven(parts: Elements, decibels: torch.Tensor, site: Site) -> Elements:
    """MZIs differ from their mean loss, and amplify nothing."""
    more = decibels.clamp_min(-losses_of(site.number).mzi)
    return parts._replace(transmission=parts.transmission * field_transmission(more))


MEANS = (
    _mean_loss(
        "loss.mzi_db",
        "Mean loss of an MZI with its waveguides, attenuators among them; the amplifier restores "
        "it, and amplifies its noise.",
    ),
    _mean_loss(
        "loss.splitter_db",
        "Mean loss of each of the two splitters of an MZI, where `loss.mzi_db` is that of its "
        "phase shifters alone.",
    ),
    _mean_loss("loss.shifter_db", "Mean loss of a phase shifter outside MZIs, as behind mesh U."),
)
ALL = (
    Effect(
        "splitter.sigma",
        Number(
            "Angle error of every splitter; 0.02 rad is a splitting ratio of 52:48.",
            math.pi / 4,
            "rad",
        ),
        "element",
        lambda parts, x, _: parts._replace(
            alpha=parts.alpha + x[..., 0], beta=parts.beta + x[..., 1]
        ),
        "splitter",
        source="Fang et al. 2019, doi:10.1364/OE.27.014009",
    ),
    *MEANS,
    Effect(
        "loss.mzi_sigma_db",
        Number("Spread of the loss of single MZIs, none of which loses less than 0 dB.", 5.0, "dB"),
        "element",
        _uneven,
        "mzi",
        source="field 10^(-L / 20) at a loss of L dB, about the mean",
        also={effect.name: effect.number for effect in MEANS if PARTS[effect.name](1.0).mzi},
    ),
)

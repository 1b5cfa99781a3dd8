"""Effects of passive optics: splitters and loss.

One MZI, from left to right: the external phase, a splitter with angle error alpha, the internal
phase, a splitter with angle error beta, and its own field transmission t::

    ──[phi]──╲ ╱──[theta]──╲ ╱──(t)──
              ╳ alpha       ╳ beta
    ─────────╱ ╲───────────╱ ╲──(t)──

An attenuator is an MZI without the first phase.
"""

import math

import torch

from ecgphoton.hwsim.effects.effect import Effect, Number, Numbers, Site
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.paths import Losses, field_transmission, path_loss


def losses_of(number: Numbers) -> Losses:
    """Return what the components of a mesh lose: the only home of these numbers."""
    return Losses(mzi=number("loss.mzi_db"), shifter=number("loss.shifter_db"))


def mesh_loss(number: Numbers, device: Device) -> float:
    """Mean loss of a path through a block, dB; all paths lose the same."""
    return path_loss(device, losses_of(number))


def _dimmed(field: torch.Tensor, _: float, site: Site) -> torch.Tensor:
    return field * float(field_transmission(mesh_loss(site.number, site.device)))


ALL = (
    Effect(
        "splitter.sigma",
        Number("Angle error of every splitter; 0.02 rad is a 52:48 splitter.", math.pi / 4, "rad"),
        "element",
        lambda parts, x, _: parts._replace(
            alpha=parts.alpha + x[..., 0], beta=parts.beta + x[..., 1]
        ),
        "splitter",
        source="Fang et al. 2019, doi:10.1364/OE.27.014009",
    ),
    Effect(
        "loss.mzi_sigma_db",
        Number("Spread of the loss of single MZIs.", 5.0, "dB"),
        "element",
        lambda parts, x, _: parts._replace(transmission=parts.transmission * field_transmission(x)),
        "mzi",
        source="field 10^(-L / 20) at a loss of L dB, about the mean",
    ),
    Effect(
        "loss.mzi_db",
        Number(
            "Mean loss of an MZI, attenuators among them; the amplifier restores it, and amplifies "
            "its noise.",
            20.0,
            "dB",
        ),
        "field",
        _dimmed,
        source="field 10^(-L / 20) at a loss of L dB",
        error=False,
        also={
            "loss.shifter_db": Number(
                "Mean loss of a phase shifter outside MZIs, as behind mesh U.", 20.0, "dB"
            )
        },
    ),
)

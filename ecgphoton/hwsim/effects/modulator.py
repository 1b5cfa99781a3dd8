"""The effect of modulators that do not close: light in quadrature to the input.

A push-pull modulator divides the light between two arms, with the phases f and -f, and subtracts
what comes out of them; arms that do not pass the same leave a field at f = 0::

              ┌──── p exp(i f) ────┐
    light ────┤                    (-)──── i (sin f + i (q - p) cos f),   p + q = 1
              └──── q exp(-i f) ───┘
"""

import math

import torch

from ecgphoton.hwsim.effects.effect import Effect, Modulators, Number, Site

EXTINCTION, DEPTH = "link.extinction_db", "link.depth"


def _leaking(modulators: Modulators, decibels: torch.Tensor, site: Site) -> Modulators:
    leak = torch.sign(decibels) * 10 ** (-decibels.abs() / 20)
    depth = site.number(DEPTH)
    top = 1 / math.sin(depth) if depth else 1.0
    return Modulators(modulators.leak + leak[..., None], top)


ALL = (
    Effect(
        EXTINCTION,
        Number(
            "Extinction of the input modulators: largest over smallest power. What they leak is in "
            "quadrature to the signal; 0 for modulators that close.",
            100.0,
            "dB",
            least=1.0,
            better="more",
        ),
        "input",
        _leaking,
        "path",
        source="unequal arms of a push-pull modulator, the brighter one at random: docs/physics.md",
        also={
            DEPTH: Number(
                "Phase of a push-pull modulator at an input of 1, driven in proportion to the "
                "input: its field is sin(d x) / sin d. 0 for one that is linear or predistorted.",
                math.pi / 2,
                "rad",
                least=1e-3,
            )
        },
        drawn=lambda rng, _, shape: rng.choice([-1.0, 1.0], shape),  # the brighter arm
    ),
)

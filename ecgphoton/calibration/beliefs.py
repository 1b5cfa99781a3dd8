"""Estimated errors of chips, and what is found broken.

Every error that a chip can have is an array (C, K, ...); what does not follow the model of a chip
is a `Finding`, with its name and place.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from ecgphoton.mesh.arrays import Array
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.program.program import MeshProgram

LENGTHS = (40.0, 80.0, 160.0, 320.0, 640.0)
"""L_b, um. The share of a heater's phase that arrives at another heater at distance ``d`` is
``sum_b a_b exp(-(d - d0) / L_b)`` with one mode pitch ``d0``: five numbers follow any smooth decay;
a thousand separate couplings could not be measured."""


class Beliefs(NamedTuple):
    """Errors of C chips with K blocks; all zero is the chip as designed.

    Numpy arrays; for the model torch tensors with one axis of rows (R, ...) in place of chips and
    blocks, see `rows`.
    """

    alpha: Array
    """(C, K, MZIs) angle errors of first splitters, rad, in the order of `Device.mzis`."""
    beta: Array
    """(C, K, MZIs) angle errors of second splitters, rad."""
    offset: Array
    """(C, K, drivers) phase at zero power, rad."""
    law: Array
    """(C, K, drivers, 3): ``phase = pi ((1 + a) p + b p^2 + c p^3)``, ``p = (V / V_pi)^2``."""
    coupling: Array
    """(C, K, terms) crosstalk beyond that of the layout, `Device.coupling`; see `LENGTHS`."""
    loss: Array
    """(C, K, MZIs) logarithm of the field transmission against the mean."""
    gain: Array
    """(C, K, 4) relative error of every detector's response."""
    zero: Array
    """(C, K, 4) reading without light."""

    @classmethod
    def none(cls, program: MeshProgram, chips: int) -> "Beliefs":
        """Return the errors of `chips` perfect chips: zeros."""
        drivers, mzis = program.device.drivers, (len(program.device.mzis),)
        sizes: dict[str, tuple[int, ...]] = {
            "alpha": mzis,
            "beta": mzis,
            "offset": (drivers,),
            "law": (drivers, 3),
            "coupling": (len(LENGTHS),),
            "loss": mzis,
        }
        shape = (chips, len(program.names))
        return cls(*(np.zeros((*shape, *sizes.get(name, (WIDTH,)))) for name in cls._fields))

    def rows(self) -> "Beliefs":
        """Return them as tensors, one row a block of a chip."""
        return Beliefs(*(torch.as_tensor(part).flatten(0, 1) for part in self))

    @classmethod
    def designed(cls, program: MeshProgram) -> "Beliefs":
        """Return one row: a block without any error."""
        return cls.none(program, 1).rows().at(slice(0, 1))

    def at(self, rows: slice | torch.Tensor) -> "Beliefs":
        """Return some of the chips or rows."""
        return Beliefs(*(part[rows] for part in self))


PRIOR: dict[str, float] = {
    "alpha": 0.05,
    "beta": 0.05,
    "offset": 0.1,
    "law": 0.03,
    "coupling": 0.01,
    "loss": 0.02,
    "gain": 0.03,
}
"""Standard deviation expected of every error: what readings cannot tell apart stays near zero."""


@dataclass(frozen=True)
class Finding:
    """Something broken, with its name and place."""

    kind: str
    """``dead heater``, ``stuck bit``, ``saturated detector``, ``wrong gain`` or ``poor fit``."""
    chip: int
    """Position in the batch."""
    block: str
    part: str
    """Driver or detector, such as ``V.mzi2.theta``."""
    detail: str = ""

    def __str__(self) -> str:
        """Return the finding as one line of text."""
        text = f"chip {self.chip}, block {self.block}, {self.part}: {self.kind}"
        return f"{text} ({self.detail})" if self.detail else text

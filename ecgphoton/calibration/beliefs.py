"""Estimated errors of chips: every error that a chip can have, as arrays (C, K, ...)."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ecgphoton.calibration.crosstalk import LENGTHS
from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.device import MZIS
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.program.program import MeshProgram


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Errors of C chips with K blocks; all zero is the chip as designed."""

    alpha: Floats
    """(C, K, meshes, 6) angle errors of first splitters, rad."""
    beta: Floats
    """(C, K, meshes, 6) angle errors of second splitters, rad."""
    offset: Floats
    """(C, K, drivers) phase at zero power, rad."""
    law: Floats
    """(C, K, drivers, 3): ``phase = pi ((1 + a) p + b p^2 + c p^3)``, ``p = (V / V_pi)^2``."""
    coupling: Floats
    """(C, K, terms) crosstalk, see `ecgphoton.calibration.crosstalk`."""
    loss: Floats
    """(C, K, meshes, 6) logarithm of the field transmission against the mean."""
    attenuator: Floats
    """(C, K, 4) relative error of the field an attenuator passes."""
    gain: Floats
    """(C, K, 4) relative error of every detector's response."""
    zero: Floats
    """(C, K, 4) reading without light."""

    @classmethod
    def none(cls, program: MeshProgram, chips: int) -> Beliefs:
        """Return the errors of `chips` perfect chips: zeros."""
        drivers, mesh = program.device.drivers, (program.device.meshes, MZIS)
        sizes: dict[str, tuple[int, ...]] = {
            "alpha": mesh,
            "beta": mesh,
            "offset": (drivers,),
            "law": (drivers, 3),
            "coupling": (len(LENGTHS),),
            "loss": mesh,
        }
        shape = (chips, len(program.names))
        names = [item.name for item in fields(cls)]
        return cls(**{name: np.zeros((*shape, *sizes.get(name, (WIDTH,)))) for name in names})

    def arrays(self) -> dict[str, Floats]:
        """Arrays by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


PRIOR: dict[str, float] = {
    "alpha": 0.05,
    "beta": 0.05,
    "offset": 0.1,
    "law": 0.03,
    "coupling": 0.01,
    "loss": 0.02,
    "attenuator": 0.03,
    "gain": 0.03,
}
"""Standard deviation expected of every error: what readings cannot tell apart stays near zero."""

"""What calibration believes of chips: every error a chip can have, as arrays (C, K, ...)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.calibration.crosstalk import LENGTHS
from ecgphoton.program.program import MZIS
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.circuit import Circuit

    Floats = NDArray[np.float64]


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
    def none(cls, circuit: Circuit, chips: int) -> Beliefs:
        """Return the beliefs in `chips` perfect chips."""
        shape = (chips, len(circuit.names))
        mesh = (*shape, circuit.meshes, MZIS)
        sizes = {
            "alpha": mesh,
            "beta": mesh,
            "offset": (*shape, circuit.drivers),
            "law": (*shape, circuit.drivers, 3),
            "coupling": (*shape, len(LENGTHS)),
            "loss": mesh,
        }
        parts = {item.name: sizes.get(item.name, (*shape, WIDTH)) for item in fields(cls)}
        return cls(**{name: np.zeros(size) for name, size in parts.items()})

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
"""Size an error may be expected to have: what readings cannot tell apart stays near zero."""

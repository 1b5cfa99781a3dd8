"""Thermal crosstalk: how strongly heaters warm one another, and the heat that undoes it.

A heater that shifts its own arm by p shifts that of heater i by ``X_i p`` as well, so phases are
``(I + X) p``. Who knows X sets p such that these are the phases wanted. Heat is never negative: a
heater that would have to cool stays off or takes a turn more.
"""

from dataclasses import dataclass

import numpy as np

from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.heater import TURN
from ecgphoton.mesh.layout import MODE_PITCH
from ecgphoton.settings import Settings, setting

ROUNDING = 1e-12
"""Negative heat that is taken for a rounding error, rad."""
LARGEST = 0.5
"""Largest share of crosstalk."""
COOL = 0.1
"""Heat (rad) that a heater may lack before it takes a turn more where its law is not measured.

An assumption: a turn more takes twice the mean power of a heater, and brings 2 pi times the
relative spread of heaters, 0.08 to 0.16 rad in the shipped profiles.
"""


@dataclass(frozen=True)
class Crosstalk(Settings, section="crosstalk"):
    """How strongly the heaters of a block warm one another, as its layout says.

    Raises
    ------
    InputError
        If a number is outside its range.
    """

    share: float = setting(
        0.0,
        "Share of a heater's phase that arrives at a heater one mode pitch (120 um) away.",
        low=0,
        high=LARGEST,
    )
    length: float = setting(
        0.0, "Distance over which it falls by e beyond that; 0 without a share.", low=0, unit="um"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.share:
            object.__setattr__(self, "length", 0.0)

    @property
    def words(self) -> str:
        """Share and length in words."""
        fall = f", falling by e over {self.length:g} um beyond" if self.share else ""
        return f"{self.share:g} at {MODE_PITCH:g} um{fall}"


NO_CROSSTALK = Crosstalk()


def undo(k: Floats, phases: Floats, *, low: float = 0.0, cool: float = ROUNDING) -> Floats:
    """Return what shifters give themselves: P >= low, ``K P = phases`` modulo a turn, in rad.

    Parameters
    ----------
    k
        (..., drivers, drivers) I + X.
    phases
        (..., drivers) of the shifters, the phases that they have without being driven taken off.
    low
        What a shifter gives itself at least; 0 for a heater, which is off.
    cool
        Heat that a heater may lack: it then stays off, and its phase is too large by that. One
        that would lack more is driven a turn further.
    """
    drivers = k.shape[-1]
    unit, inverse = np.eye(drivers), np.linalg.inv(k)
    goal = np.remainder(phases - low * k.sum(-1), TURN)
    off = np.zeros(goal.shape, bool)
    rounds = 4 * drivers
    for attempt in range(2 * rounds):
        heat = np.asarray((inverse @ np.where(off, 0.0, goal)[..., None])[..., 0], float)
        # What every heater has to give, besides what arrives from the others.
        needed = np.where(off, goal - (k @ heat[..., None])[..., 0], heat)
        cold, still = needed < -cool, (needed < -ROUNDING) & (needed >= -cool)
        # Taking turns away may go in circles, so after some rounds turns are only added.
        hot = (needed >= TURN) & (attempt < rounds)
        if not (cold | hot).any() and np.array_equal(still, off):
            break
        goal = goal + TURN * cold - TURN * hot
        if not np.array_equal(still, off):
            off = still
            inverse = np.linalg.inv(np.where(off[..., None], unit, k))
    return np.asarray(low + np.maximum(heat, 0.0))

"""Layouts of meshes: the position of every MZI, and the order along the light."""

from dataclasses import MISSING, dataclass, field
from typing import Literal

import numpy as np

from ecgphoton.mesh.arrays import Floats
from ecgphoton.settings import Settings, setting

MeshArchitecture = Literal["clements", "reck"]
WIDTH = 4
"""Order of every matrix of a student: all its blocks are WIDTH x WIDTH."""
COLUMN_PITCH, MODE_PITCH = 300.0, 120.0
"""Distances between MZI columns and between waveguides, um."""


def _clements(order: int) -> list[tuple[int, int]]:
    return [(c, m) for c in range(order) for m in range(c % 2, order - 1, 2)]


def _reck(order: int) -> list[tuple[int, int]]:
    last = order - 2
    return [
        (c, m)
        for c in range(2 * order - 3)
        for m in range(order - 1)
        if abs(c - last) <= m and (c - last - m) % 2 == 0
    ]


@dataclass(frozen=True)
class MeshLayout(Settings, section="mesh"):
    """Architecture and order of a mesh, and from them the place of every MZI.

    ``clements`` is the rectangle of Clements et al., Optica 3, 1460 (2016),
    doi:10.1364/OPTICA.3.001460; ``reck`` the triangle of Reck et al., Phys. Rev. Lett. 73, 58
    (1994), doi:10.1103/PhysRevLett.73.58, with its long edge at the last mode.

    Raises
    ------
    InputError
        If the architecture is unknown or the order is not an integer from 2 to 64.
    """

    architecture: MeshArchitecture = setting(MISSING, "Rectangle or triangle of MZIs.")
    order: int = setting(MISSING, "Number of waveguides (modes).", low=2, high=64)
    mzis: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    """(column, upper mode) of every MZI in light order: by column, then by mode."""

    def __post_init__(self) -> None:
        super().__post_init__()
        place = _clements if self.architecture == "clements" else _reck
        object.__setattr__(self, "mzis", tuple(place(self.order)))

    @property
    def depth(self) -> int:
        """Number of columns."""
        return self.mzis[-1][0] + 1

    def positions(
        self, column_pitch: float = COLUMN_PITCH, mode_pitch: float = MODE_PITCH
    ) -> Floats:
        """(phase shifters, 2) x along the light and y across, um: theta, then phi, then output.

        A cell of one column pitch starts at ``column * column_pitch``; its phi heater is a
        quarter and its theta heater three quarters of the cell further, both on the upper
        waveguide, and mode m lies at ``m * mode_pitch``. The output heaters stand like phi heaters
        of a further column.
        """
        column, mode = np.array(self.mzis, float).T
        outputs = np.arange(self.order, dtype=float)
        x = np.concatenate([column + 0.75, column + 0.25, np.full(self.order, self.depth + 0.25)])
        y = np.concatenate([mode, mode, outputs])
        return np.stack([x * column_pitch, y * mode_pitch], -1)

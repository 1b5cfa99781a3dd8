"""Quantized matrices as phases, attenuations and a scale."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.detect import Centring
from ecgphoton.export.quantize import QuantizedStudent
from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.clements import Phases
from ecgphoton.mesh.crosstalk import NO_CROSSTALK, Crosstalk
from ecgphoton.mesh.device import MeshKind
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.svd import LoweredMatrix, Search, search_orders, search_real_part
from ecgphoton.program.blocks import MatrixBlock
from ecgphoton.program.program import MeshProgram

SPLITTER_SIGMA = 0.02
"""Spread of the splitter angles a program should stay correctable for, rad (52:48)."""


@dataclass(frozen=True)
class Gauge:
    """Gain of the search over singular-value orders for one block."""

    name: str
    order: tuple[int, ...]
    margin: float
    """Rad: the splitter error ``|alpha +- beta|`` that its worst MZI can absorb."""
    default_margin: float
    power: float
    """Static heater power of the meshes, units of P_pi."""
    default_power: float


def search(matrices: Floats, mesh: MeshKind, *, splitter_sigma: float = SPLITTER_SIGMA) -> Search:
    """Lower matrices (..., 4, 4) in the best of the equal ways: correctability first, then power.

    A way counts as correctable when every MZI absorbs three standard deviations of
    ``alpha +- beta``.
    """
    wanted = 3 * math.sqrt(2) * splitter_sigma
    if mesh == "real-part":
        return search_real_part(matrices, wanted_margin=wanted)
    return search_orders(
        matrices, "reck" if mesh == "svd-reck" else "clements", wanted_margin=wanted
    )


def lower(
    student: QuantizedStudent,
    *,
    operating_point: OperatingPoint,
    classes: Sequence[str],
    mesh: MeshKind = "svd-clements",
    dac: HeaterDac | None = None,
    crosstalk: Crosstalk = NO_CROSSTALK,
    splitter_sigma: float = SPLITTER_SIGMA,
    centring: Centring = "annotation",
    lead: str = "",
    hashes: Mapping[str, str] | None = None,
) -> tuple[MeshProgram, tuple[Gauge, ...]]:
    """Turn a quantized student into a mesh program.

    Parameters
    ----------
    student
        Codes, gains, tables and digital head; `ecgphoton.export.quantize.quantize` makes one.
    mesh
        ``svd-clements``, ``svd-reck`` or ``real-part`` (one mesh, W / scale = Re(Q)).
    dac
        Drivers of the phase shifters; default `HeaterDac`'s own: quadratic, 8 bits.
    crosstalk
        What the codes undo.
    splitter_sigma
        Spread of splitter angles, rad, for which every MZI should stay correctable.
    centring, lead
        What the student's windows are centred on, and the lead that they come from.

    Returns
    -------
    program, gauges
        The program, and what choosing the order of the singular values gained in each block.

    Raises
    ------
    InputError
        If a value is outside what a program can hold.
    """
    matrices = np.stack([block.matrix for block in student.blocks])
    best, default = search(matrices, mesh, splitter_sigma=splitter_sigma)
    program = MeshProgram(
        architecture=student.architecture,
        mesh=mesh,
        blocks=tuple(
            MatrixBlock.of(block, **_optics(best, index))
            for index, block in enumerate(student.blocks)
        ),
        head_weight=student.head_weight,
        head_bias=student.head_bias,
        operating_point=operating_point,
        classes=tuple(classes),
        dac=dac or HeaterDac(),
        crosstalk=crosstalk,
        centring=centring,
        lead=lead,
        hashes=dict(hashes or {}),
    )
    gauges = (
        Gauge(
            name=block.name,
            order=block.order,
            margin=float(best.margin[index]),
            default_margin=float(default.margin[index]),
            power=float(best.power[index]),
            default_power=float(default.power[index]),
        )
        for index, block in enumerate(program.blocks)
    )
    return program, tuple(gauges)


def _optics(lowered: LoweredMatrix, index: int) -> dict[str, Any]:
    def own(mesh: Phases) -> Phases:
        return Phases(*(None if part is None else part[index] for part in mesh))

    v, theta = lowered.v, 2 * np.arcsin(lowered.attenuation[index])
    return {
        "order": tuple(lowered.order[index].tolist()),
        "u": own(lowered.u),
        "v": None if v is None else own(v),
        "attenuators": None if v is None else theta,
        "scale": float(lowered.scale[index]),
    }

"""A mesh as a netlist that independent circuit simulators can run.

`sax_mesh` and `sax_layer` return SAX recursive netlists (plain values, ready for JSON): circuits
made of three elements, whose models are `SAX_MODELS`::

    circuit, _ = sax.circuit(sax_layer(...), SAX_MODELS)
    fields = circuit()  # {("in0", "out0"): ..., ...}

Use SAX's default back end: its back end "forward" is wrong for meshes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecgphoton.mesh.clements import AnyPhases
from ecgphoton.mesh.layout import MeshLayout

Netlist = dict[str, Any]
SDict = dict[tuple[str, str], complex]


def _reciprocal(forward: SDict) -> SDict:
    return forward | {(target, source): value for (source, target), value in forward.items()}


def phase_shifter(phase: float = 0.0) -> SDict:
    """SAX model of a heater: a phase in rad."""
    return _reciprocal({("in0", "out0"): np.exp(1j * phase)})


def coupler(coupling: float = 0.5) -> SDict:
    """SAX model of a splitter: power coupling ``sin(pi/4 + angle error)^2``."""
    through, cross = np.sqrt(1 - coupling), 1j * np.sqrt(coupling)
    return _reciprocal(
        {
            ("in0", "out0"): through,
            ("in1", "out1"): through,
            ("in0", "out1"): cross,
            ("in1", "out0"): cross,
        }
    )


def attenuator(transmission: float = 1.0) -> SDict:
    """SAX model of an attenuator: field transmission."""
    return _reciprocal({("in0", "out0"): transmission + 0j})


SAX_MODELS: Mapping[str, Callable[..., SDict]] = {
    "phase_shifter": phase_shifter,
    "coupler": coupler,
    "attenuator": attenuator,
}

MZI: Netlist = {
    "instances": {
        "phi": "phase_shifter",
        "splitter1": "coupler",
        "theta": "phase_shifter",
        "splitter2": "coupler",
    },
    "connections": {
        "phi,out0": "splitter1,in0",
        "splitter1,out0": "theta,in0",
        "theta,out0": "splitter2,in0",
        "splitter1,out1": "splitter2,in1",
    },
    "ports": {
        "in0": "phi,in0",
        "in1": "splitter1,in1",
        "out0": "splitter2,out0",
        "out1": "splitter2,out1",
    },
}
"""One MZI: light meets phi, a splitter, theta, a splitter."""


def links(layout: MeshLayout) -> Iterable[tuple[str, str]]:
    """Yield (from, to) of every waveguide, as ``instance,port``; the mesh's own ports are bare.

    Instances are ``mzi0``, ``mzi1``, ... in light order and ``out0``, ... for the output phases.
    """
    ends = [f"in{mode}" for mode in range(layout.order)]
    for index, (_, mode) in enumerate(layout.mzis):
        for port in (0, 1):
            yield ends[mode + port], f"mzi{index},in{port}"
            ends[mode + port] = f"mzi{index},out{port}"
    for mode, end in enumerate(ends):
        yield end, f"out{mode},in0"
        yield f"out{mode},out0", f"out{mode}"


def _circuit(instances: Netlist, waveguides: Iterable[tuple[str, str]]) -> Netlist:
    """Netlist of instances and waveguides, distinguished from ports by their comma."""
    connections, ports = {}, {}
    for start, end in waveguides:
        if "," not in start:
            ports[start] = end
        elif "," not in end:
            ports[end] = start
        else:
            connections[start] = end
    return {"instances": instances, "connections": connections, "ports": ports}


def _mesh(
    layout: MeshLayout, phases: AnyPhases, alpha: ArrayLike | None, beta: ArrayLike | None
) -> Netlist:
    couplings = {
        name: np.broadcast_to(np.sin(np.pi / 4 + np.asarray(errors)) ** 2, (len(layout.mzis),))
        for name, errors in (("splitter1", alpha), ("splitter2", beta))
        if errors is not None
    }
    instances: Netlist = {}
    for k in range(len(layout.mzis)):
        splitters = {name: {"coupling": float(value[k])} for name, value in couplings.items()}
        shifters = {name: {"phase": float(getattr(phases, name)[k])} for name in ("phi", "theta")}
        instances[f"mzi{k}"] = {"component": "mzi", "settings": shifters | splitters}
    for mode in range(layout.order):
        settings = {"phase": float(phases.output[mode])}
        instances[f"out{mode}"] = {"component": "phase_shifter", "settings": settings}
    return _circuit(instances, links(layout))


def sax_mesh(
    layout: MeshLayout,
    phases: AnyPhases,
    alpha: ArrayLike | None = None,
    beta: ArrayLike | None = None,
) -> dict[str, Netlist]:
    """SAX recursive netlist of one mesh, ports ``in0``... and ``out0``....

    Parameters
    ----------
    layout
        Where the MZIs are.
    phases
        theta, phi (k,) and output (n,), rad.
    alpha, beta
        Angle errors of first and second splitters, rad, (k,) or one number; without them splitters
        keep their default, 1/2.
    """
    return {"mesh": _mesh(layout, phases, alpha, beta), "mzi": MZI}


def sax_layer(
    layout: MeshLayout,
    u: AnyPhases,
    v: AnyPhases,
    attenuation: ArrayLike,
    u_errors: tuple[ArrayLike, ArrayLike] | None = None,
    v_errors: tuple[ArrayLike, ArrayLike] | None = None,
) -> dict[str, Netlist]:
    """SAX recursive netlist of one matrix: mesh V, attenuators (n,), mesh U.

    The fields are ``U diag(attenuation) V``; their real part times the amplifier's scale is the
    matrix. Errors are (alpha, beta) of a mesh, rad.
    """
    instances: Netlist = {"v": "v_mesh", "u": "u_mesh"}
    waveguides = []
    for mode, value in enumerate(np.asarray(attenuation, float)):
        settings = {"transmission": float(value)}
        instances[f"att{mode}"] = {"component": "attenuator", "settings": settings}
        waveguides += [
            (f"in{mode}", f"v,in{mode}"),
            (f"v,out{mode}", f"att{mode},in0"),
            (f"att{mode},out0", f"u,in{mode}"),
            (f"u,out{mode}", f"out{mode}"),
        ]
    return {
        "layer": _circuit(instances, waveguides),
        "v_mesh": _mesh(layout, v, *(v_errors or (None, None))),
        "u_mesh": _mesh(layout, u, *(u_errors or (None, None))),
        "mzi": MZI,
    }

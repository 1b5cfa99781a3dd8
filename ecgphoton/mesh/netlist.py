"""A mesh or a block as a netlist that independent circuit simulators can run.

`sax_mesh` and `sax_block` return SAX recursive netlists (plain values, ready for JSON): circuits
made of four elements, whose models are `SAX_MODELS`::

    circuit, _ = sax.circuit(sax_block(...), SAX_MODELS)
    fields = circuit()  # {("in0", "out0"): ..., ...}

A driver is the phase shifter whose path of instances is the driver's name: ``V.mzi0.theta``. Use
SAX's default back end: its back end "forward" is wrong for meshes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ecgphoton.mesh.arrays import ArrayLike, Floats
from ecgphoton.mesh.clements import Phases
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.layout import WIDTH, MeshLayout
from ecgphoton.mesh.paths import Losses, field_transmission

Netlist = dict[str, Any]
SDict = dict[tuple[str, str], complex]


def _reciprocal(forward: SDict) -> SDict:
    return forward | {(target, source): value for (source, target), value in forward.items()}


def phase_shifter(phase: float = 0.0, loss_db: float = 0.0) -> SDict:
    """SAX model of a heater: a phase in rad, and a loss."""
    return _reciprocal({("in0", "out0"): np.exp(1j * phase) * field_transmission(loss_db)})


def waveguide(loss_db: float = 0.0) -> SDict:
    """SAX model of an unheated arm or a dummy, in phase with its neighbours: a loss alone."""
    return _reciprocal({("in0", "out0"): field_transmission(loss_db) + 0j})


def coupler(coupling: float = 0.5, loss_db: float = 0.0) -> SDict:
    """SAX model of a splitter: power coupling ``sin(pi/4 + angle error)^2``, and a loss."""
    kept = field_transmission(loss_db)
    through, cross = kept * np.sqrt(1 - coupling), 1j * kept * np.sqrt(coupling)
    return _reciprocal(
        {
            ("in0", "out0"): through,
            ("in1", "out1"): through,
            ("in0", "out1"): cross,
            ("in1", "out0"): cross,
        }
    )


def termination() -> SDict:
    """SAX model of a port without light, or of an absorber: nothing comes back."""
    return {("in0", "in0"): 0j}


SAX_MODELS: Mapping[str, Callable[..., SDict]] = {
    "phase_shifter": phase_shifter,
    "waveguide": waveguide,
    "coupler": coupler,
    "termination": termination,
}

MZI: Netlist = {
    "instances": {
        "phi": {"component": "phase_shifter"},
        "phi_arm": {"component": "waveguide"},
        "splitter1": {"component": "coupler"},
        "theta": {"component": "phase_shifter"},
        "theta_arm": {"component": "waveguide"},
        "splitter2": {"component": "coupler"},
    },
    "connections": {
        "phi,out0": "splitter1,in0",
        "phi_arm,out0": "splitter1,in1",
        "splitter1,out0": "theta,in0",
        "theta,out0": "splitter2,in0",
        "splitter1,out1": "theta_arm,in0",
        "theta_arm,out0": "splitter2,in1",
    },
    "ports": {
        "in0": "phi,in0",
        "in1": "phi_arm,in0",
        "out0": "splitter2,out0",
        "out1": "splitter2,out1",
    },
}
"""One MZI: light meets phi, a splitter, theta, a splitter; the other arms are as long."""
ATTENUATOR: Netlist = {
    "instances": {
        "dark": {"component": "termination"},
        "splitter1": {"component": "coupler"},
        "theta": {"component": "phase_shifter"},
        "theta_arm": {"component": "waveguide"},
        "splitter2": {"component": "coupler"},
        "dump": {"component": "termination"},
    },
    "connections": {
        "dark,in0": "splitter1,in1",
        "splitter1,out0": "theta,in0",
        "theta,out0": "splitter2,in0",
        "splitter1,out1": "theta_arm,in0",
        "theta_arm,out0": "splitter2,in1",
        "splitter2,out1": "dump,in0",
    },
    "ports": {"in0": "splitter1,in0", "out0": "splitter2,out0"},
}
"""One attenuator: an MZI without phi, whose lower ports are dark and a dump."""


def links(layout: MeshLayout, *, dummies: bool = False) -> Iterable[tuple[str, str]]:
    """Yield (from, to) of every waveguide, as ``instance,port``; the mesh's own ports are bare.

    Instances are ``mzi0``, ``mzi1``, ... in light order; with `dummies` also ``dummy1_0`` where
    column 1 leaves mode 0 alone.
    """
    ends = [f"in{mode}" for mode in range(layout.order)]
    for column in range(layout.depth):
        met = {
            mode + port: (f"mzi{k}", port)
            for k, (own, mode) in enumerate(layout.mzis)
            for port in (0, 1)
            if own == column
        }
        if dummies:
            alone = (mode for mode in range(layout.order) if mode not in met)
            met |= {mode: (f"dummy{column}_{mode}", 0) for mode in alone}
        for mode, (instance, port) in met.items():
            yield ends[mode], f"{instance},in{port}"
            ends[mode] = f"{instance},out{port}"
    for mode, end in enumerate(ends):
        yield end, f"out{mode}"


def through_outputs(waveguides: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Yield `links` with the phase shifters ``out0``, ... before the ports of these names."""
    for start, end in waveguides:
        if "," in end:
            yield start, end
        else:
            yield from ((start, f"{end},in0"), (f"{end},out0", end))


def circuit_of(instances: Netlist, waveguides: Iterable[tuple[str, str]]) -> Netlist:
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


def _errors(count: int, *parts: ArrayLike | None) -> Floats:
    """(parts, MZIs) errors of MZIs, none for None.

    The parts are the angle errors of first and second splitters, rad, and the loss beyond that of
    the components, dB.
    """
    return np.stack([np.full(count, 0.0 if part is None else part) for part in parts])


def _element(
    component: str, phases: Mapping[str, float], errors: Floats, k: int, loss_db: float
) -> Netlist:
    """Instance of an MZI or attenuator, `loss_db` spread evenly over its parts."""
    part = loss_db / (2 + len(phases))  # both splitters, and as many arms as phase shifters
    splitters = {
        name: {"coupling": float(np.sin(np.pi / 4 + error[k]) ** 2), "loss_db": float(part + more)}
        for name, error, more in (
            ("splitter1", errors[0], 0.0),
            ("splitter2", errors[1], errors[2, k]),
        )
    }
    shifters = {name: {"phase": float(value), "loss_db": part} for name, value in phases.items()}
    arms = {f"{name}_arm": {"loss_db": part} for name in phases}
    return {"component": component, "settings": shifters | arms | splitters}


def _mesh(layout: MeshLayout, phases: Phases, errors: Floats, losses: Losses) -> Netlist:
    pairs = zip(phases.phi, phases.theta, strict=True)
    instances: Netlist = {
        f"mzi{k}": _element("mzi", {"phi": phi, "theta": theta}, errors, k, losses.mzi)
        for k, (phi, theta) in enumerate(pairs)
    }
    waveguides = list(links(layout, dummies=True))
    names = (end.split(",")[0] for _, end in waveguides if end.startswith("dummy"))
    dummy = {"component": "waveguide", "settings": {"loss_db": losses.mzi}}
    instances |= dict.fromkeys(names, dummy)
    if phases.output is not None:
        instances |= {
            f"out{mode}": {
                "component": "phase_shifter",
                "settings": {"phase": float(phase), "loss_db": losses.shifter},
            }
            for mode, phase in enumerate(phases.output)
        }
        waveguides = list(through_outputs(waveguides))
    return circuit_of(instances, waveguides)


def sax_mesh(
    layout: MeshLayout,
    phases: Phases,
    alpha: ArrayLike | None = None,
    beta: ArrayLike | None = None,
) -> dict[str, Netlist]:
    """SAX recursive netlist of one mesh, ports ``in0``... and ``out0``....

    Parameters
    ----------
    layout
        Where the MZIs are.
    phases
        theta, phi (k,) and output (n,) or None, rad.
    alpha, beta
        Angle errors of first and second splitters, rad, (k,) or one number; 0 by default.
    """
    errors = _errors(len(layout.mzis), alpha, beta, None)
    return {"mesh": _mesh(layout, phases, errors, Losses()), "mzi": MZI}


def sax_block(
    device: Device,
    phases: Floats,
    alpha: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    *,
    losses: Losses = Losses(),  # noqa: B008 - a frozen value
    more_db: ArrayLike | None = None,
) -> dict[str, Netlist]:
    """SAX recursive netlist of one block, ports ``in0``... and ``out0``....

    Its fields are those of `Device.field`; their real part times the amplifier's scale is the
    matrix.

    Parameters
    ----------
    device
        The hardware of a block.
    phases
        (drivers,), rad.
    alpha, beta
        (MZIs,) angle errors of first and second splitters, rad; 0 by default.
    losses
        Loss of every component, dB.
    more_db
        (MZIs,) what single MZIs lose beyond that, dB.
    """
    errors = _errors(len(device.mzis), alpha, beta, more_db)
    instances: Netlist = {name: {"component": f"{name}_mesh"} for name in device.mesh_names}
    parts: Netlist = {}
    for mesh, name in enumerate(device.mesh_names):
        part = errors[:, device.mzis_of(mesh)]
        parts[f"{name}_mesh"] = _mesh(device.layout, device.mesh_phases(phases, mesh), part, losses)
    parts["mzi"] = MZI
    for mzi in device.mzis[device.attenuating]:
        theta, part = {"theta": phases[mzi.drivers[0]]}, errors[:, device.attenuating]
        instances[mzi.name] = _element("attenuator", theta, part, mzi.mode, losses.mzi)
        parts["attenuator"] = ATTENUATOR
    waveguides = []
    for mode in range(WIDTH):
        way = [f"{name},{{}}{mode}" for name in device.mesh_names]
        if device.two:
            way.insert(1, f"att{mode},{{}}0")
        inside = (end.format(port) for end in way for port in ("in", "out"))
        ends = [f"in{mode}", *inside, f"out{mode}"]
        waveguides += list(zip(ends[::2], ends[1::2], strict=True))
    return {"block": circuit_of(instances, waveguides), **parts}

"""The circuits of a program in SAX, an independent simulator of photonic circuits."""

import importlib
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.device import MZIS
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.mesh.netlist import SAX_MODELS, sax_layer, sax_mesh
from ecgphoton.program.blocks import MatrixBlock
from ecgphoton.program.program import MeshProgram

Errors = tuple[Floats, Floats]
Netlist = dict[str, Any]

SPLITTER_ERROR = 0.05  # rad, of the circuits with errors


def sax_missing() -> str:
    """Return why SAX cannot be used here, or an empty text."""
    if importlib.util.find_spec("sax") is None:
        return "SAX is not installed: pip install 'ecgphoton[sax]'"
    try:
        importlib.import_module("sax")
    except Exception as error:
        return f"SAX cannot be imported ({error}): pip install --upgrade 'ecgphoton[sax]'"
    return ""


def _circuit(
    program: MeshProgram,
    block: MatrixBlock,
    u_errors: Errors | None = None,
    v_errors: Errors | None = None,
) -> Netlist:
    if block.v is None:
        return sax_mesh(program.layout, block.u, *(u_errors or (None, None)))
    return sax_layer(program.layout, block.u, block.v, block.attenuation, u_errors, v_errors)


def _settings(circuit: Netlist, name: str) -> dict[str, Any]:
    """Return the settings of a circuit's instances, nested like the circuit."""
    found: dict[str, Any] = {}
    for key, instance in circuit[name]["instances"].items():
        component = instance if isinstance(instance, str) else instance["component"]
        inner = _settings(circuit, component) if component in circuit else {}
        own = {} if isinstance(instance, str) else instance.get("settings", {})
        if inner or own:
            found[key] = inner | own
    return found


def _bare(circuit: Netlist) -> Netlist:
    """Return a recursive netlist without settings."""
    return {
        name: part
        | {
            "instances": {
                key: instance if isinstance(instance, str) else instance["component"]
                for key, instance in part["instances"].items()
            }
        }
        for name, part in circuit.items()
    }


def netlist(program: MeshProgram) -> Netlist:
    """Return one SAX recursive netlist: a circuit per block, and the parts they share.

    ``sax.circuit(netlist, ecgphoton.mesh.netlist.SAX_MODELS, top_level_name="P")`` runs block P.
    """
    circuits = {block.name: _circuit(program, block) for block in program.blocks}
    shared = _bare(next(iter(circuits.values())))
    top = next(iter(shared))
    ports = {f"{way}{mode}": f"chip,{way}{mode}" for way in ("in", "out") for mode in range(WIDTH)}
    blocks = {
        name: {
            "instances": {"chip": {"component": top, "settings": _settings(circuit, top)}},
            "ports": ports,
        }
        for name, circuit in circuits.items()
    }
    return {**blocks, **shared}


def largest_difference(program: MeshProgram, *, seed: int = 0) -> tuple[float, float]:
    """Largest difference of any field between SAX and `Device.field`: ideal, and faulty splitters.

    SAX is an oracle: it computes the circuits from their netlist alone. All blocks run through one
    SAX circuit at once; the netlist goes through JSON first, as a reader of the bundle gets it.
    """
    device, draw = program.device, np.random.default_rng(seed)
    fields, settings = [], []
    for sigma in (0.0, SPLITTER_ERROR):
        # (alpha and beta, K, meshes, MZIs); mesh U is the last one light meets
        errors = sigma * draw.standard_normal((2, len(program.blocks), device.meshes, MZIS))
        for index, block in enumerate(program.blocks):
            u, v = ((errors[0, index, mesh], errors[1, index, mesh]) for mesh in (-1, 0))
            circuit = _circuit(program, block, u, v)
            settings.append(_settings(circuit, next(iter(circuit))))
        fields.append(device.field(program.phases, *errors))
    found = _simulate(json.loads(json.dumps(_bare(circuit))), _stacked(settings))
    worst = np.abs(found - np.concatenate(fields)).reshape(2, -1).max(1)
    return float(worst[0]), float(worst[1])


def _stacked(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """Turn equal trees of numbers into one tree of arrays."""
    return {
        key: _stacked([one[key] for one in settings])
        if isinstance(value, Mapping)
        else np.array([one[key] for one in settings])
        for key, value in settings[0].items()
    }


def _simulate(circuit: Netlist, settings: dict[str, Any]) -> NDArray[np.complex128]:
    """Field matrices (n, 4, 4) of a recursive netlist, by SAX's default back end."""
    import sax

    run, _ = sax.circuit(circuit, dict(SAX_MODELS))
    fields = sax.sdict(run(**settings))
    ports = range(WIDTH)
    rows = [[np.asarray(fields[f"in{j}", f"out{i}"]) for j in ports] for i in ports]
    return np.moveaxis(np.array(rows), -1, 0)

"""The circuits of a program in SAX, an independent simulator of photonic circuits."""

import importlib
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgphoton.mesh.arrays import Complexes
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.mesh.netlist import SAX_MODELS, Netlist, sax_block
from ecgphoton.mesh.paths import Losses, field_transmission, path_loss
from ecgphoton.program.program import MeshProgram

SPLITTER_ERROR = 0.05  # rad, of the circuits with errors
LOSSY = Losses(mzi=1.0, shifter=0.3)  # dB, any losses that are not alike


def sax_missing() -> str:
    """Return why SAX cannot be used here, or an empty text."""
    if importlib.util.find_spec("sax") is None:
        return "SAX is not installed: pip install 'ecgphoton[sax]'"
    try:
        importlib.import_module("sax")
    except Exception as error:
        return f"SAX cannot be imported ({error}): pip install --upgrade 'ecgphoton[sax]'"
    return ""


def _settings(circuit: Netlist, name: str) -> dict[str, Any]:
    """Return the settings of a circuit's instances, nested like the circuit."""
    nested = {
        key: (_settings(circuit, one["component"]) if one["component"] in circuit else {})
        | one.get("settings", {})
        for key, one in circuit[name]["instances"].items()
    }
    return {key: settings for key, settings in nested.items() if settings}


def _stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings without perfect splitters and losses of 0, which models assume."""
    nested: dict[str, Any] = {
        k: _stated(v) if isinstance(v, Mapping) else v for k, v in settings.items()
    }
    perfect = {"coupling": 0.5, "loss_db": 0.0}
    return {
        key: value
        for key, value in nested.items()
        if value != {} and not (key in perfect and abs(value - perfect[key]) < 1e-15)
    }


def _bare(circuit: Netlist) -> Netlist:
    """Return a recursive netlist without settings, every instance by the name of its component."""
    return {
        name: part | {"instances": {k: one["component"] for k, one in part["instances"].items()}}
        for name, part in circuit.items()
    }


def netlist(program: MeshProgram) -> Netlist:
    """Return one SAX recursive netlist: a circuit per block, and the parts they share.

    ``sax.circuit(netlist, ecgphoton.mesh.netlist.SAX_MODELS, top_level_name="P")`` runs block P.
    """
    circuits = {
        name: sax_block(program.device, phases)
        for name, phases in zip(program.names, program.phases, strict=True)
    }
    shared = _bare(next(iter(circuits.values())))
    top = next(iter(shared))
    ports = {f"{way}{mode}": f"chip,{way}{mode}" for way in ("in", "out") for mode in range(WIDTH)}
    blocks = {
        name: {
            "instances": {"chip": {"component": top, "settings": _stated(_settings(circuit, top))}},
            "ports": ports,
        }
        for name, circuit in circuits.items()
    }
    return {**blocks, **shared}


def largest_difference(program: MeshProgram) -> tuple[float, ...]:
    """Largest difference of any field between SAX and `Device.field`.

    Three times: the ideal circuits, those with faulty splitters, and those with lossy waveguides
    and couplers as well, whose mean loss `ecgphoton.mesh.paths` states.

    SAX is an oracle: it computes the circuits from their netlist alone. All blocks run through one
    SAX circuit at once; the netlist goes through JSON first, as a reader of the bundle gets it.
    """
    device, draw = program.device, np.random.default_rng(0)
    fields, settings = [], []
    for sigma, losses in ((0.0, Losses()), (SPLITTER_ERROR, Losses()), (SPLITTER_ERROR, LOSSY)):
        shape = (3, len(program.blocks), len(device.mzis))  # alpha, beta, loss beyond the mean
        alpha, beta, more = sigma * draw.standard_normal(shape)
        more *= losses.mzi
        for phases, *own in zip(program.phases, alpha, beta, more, strict=True):
            circuit = sax_block(device, phases, *own[:2], losses=losses, more_db=own[2])
            settings.append(_settings(circuit, next(iter(circuit))))
        kept = field_transmission(path_loss(device, losses))
        fields.append(kept * device.field(program.phases, alpha, beta, field_transmission(more)))
    found = _simulate(json.loads(json.dumps(_bare(circuit))), _stacked(settings))
    return tuple(np.abs(found - np.concatenate(fields)).reshape(3, -1).max(1).tolist())


def _stacked(settings: list[dict[str, Any]]) -> dict[str, Any]:
    """Turn equal trees of numbers into one tree of arrays."""
    return {
        key: _stacked([one[key] for one in settings])
        if isinstance(value, Mapping)
        else np.array([one[key] for one in settings])
        for key, value in settings[0].items()
    }


def _simulate(circuit: Netlist, settings: dict[str, Any]) -> Complexes:
    """Field matrices (n, 4, 4) of a recursive netlist, by SAX's default back end."""
    import sax

    run, _ = sax.circuit(circuit, dict(SAX_MODELS))
    fields = sax.sdict(run(**settings))
    ports = range(WIDTH)
    rows = [[np.asarray(fields[f"in{j}", f"out{i}"]) for j in ports] for i in ports]
    return np.moveaxis(np.array(rows), -1, 0)

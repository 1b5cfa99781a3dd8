"""The mesh file: `MeshProgram` as versioned JSON, and back with every redundancy checked.

The file states all that can be derived (matrices, voltages, DAC codes, positions, accumulator
constants), so that a reader in a laboratory needs no code of ours. Reading rebuilds the whole file
from the values that count and compares: nothing in it can contradict anything else.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, read_json
from ecgphoton.mesh.clements import Phases
from ecgphoton.mesh.crosstalk import LARGEST, Crosstalk
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.program.blocks import TABLE_BITS, MatrixBlock, largest_code
from ecgphoton.program.compact import compact_json
from ecgphoton.program.convention import CONVENTION, CROSSTALK, READOUT, UNITS
from ecgphoton.program.preprocessing import preprocessing
from ecgphoton.program.program import FORMAT, MeshProgram
from ecgphoton.student.architecture import WIDTH, Architecture

SCHEMA = Path(__file__).with_name("program.schema.json")
AGAIN = "write the bundle again with `ecgphoton export RUN --mesh` (RUN may be the old bundle)"
OTHERWISE = f"if another version wrote the file, {AGAIN}"
DRIVER = ("law", "v_pi", "v_min", "v_max")  # of a `HeaterDac`, as a file holds them


def _mesh(
    block: str, mesh: str, program: MeshProgram, heaters: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    x0, y0 = program.device.origin(program.names.index(block), mesh)
    mzis = [
        {
            "id": f"{block}.{mesh}.mzi{index}",
            "column": column,
            "modes": [mode, mode + 1],
            "x": x0 + column * program.column_pitch,
            "y": y0 + mode * program.mode_pitch,
            "theta": heaters[f"{mesh}.mzi{index}.theta"],
            "phi": heaters[f"{mesh}.mzi{index}.phi"],
        }
        for index, (column, mode) in enumerate(program.device.layout.mzis)
    ]
    outputs = [
        {
            "id": f"{block}.{mesh}.out{mode}",
            "x": x0 + program.device.layout.depth * program.column_pitch,
            "y": y0 + mode * program.mode_pitch,
            **heaters[f"{mesh}.out{mode}"],
        }
        for mode in range(WIDTH)
        if f"{mesh}.out{mode}" in heaters
    ]
    return {"mzis": mzis, "outputs": outputs} if outputs else {"mzis": mzis}


def _heaters(block: str, program: MeshProgram) -> dict[str, dict[str, Any]]:
    """Return number, phase, voltage and code of every driver of a block, by its name."""
    device, row = program.device, program.names.index(block)
    phases, codes = program.phases[row].tolist(), program.codes[row].tolist()
    volts = device.dac.volts_for(program.shifts[row]).tolist()
    return {
        name: {
            "driver": index,
            "phase": phases[index],
            "voltage": round(volts[index], 6),
            "code": codes[index],
        }
        for index, name in enumerate(device.driver_names)
    }


def _block(block: MatrixBlock, program: MeshProgram) -> dict[str, Any]:
    device, heaters = program.device, _heaters(block.name, program)
    meshes = {name: _mesh(block.name, name, program, heaters) for name in device.mesh_names}
    x, y0 = device.origin(program.names.index(block.name), "U")
    attenuators = [
        {
            "id": f"{block.name}.{mzi.name}",
            "x": x - program.column_pitch,
            "y": y0 + mzi.mode * program.mode_pitch,
            "transmission": float(block.attenuation[mzi.mode]),
            "theta": heaters[f"{mzi.name}.theta"],
        }
        for mzi in device.mzis[device.attenuating]
    ]
    return {
        "name": block.name,
        "role": block.role,
        "weight": {"bits": block.weight_bits, "codes": block.weight_codes.tolist()},
        "bias": {"bits": block.bias_bits, "codes": block.bias_codes.tolist()},
        "full_scale": block.full_scale,
        "matrix": block.matrix.tolist(),
        "bias_values": block.bias.tolist(),
        "gain": block.gain,
        "input": {"bits": block.input_bits, "low": -1, "high": 1},
        "detector": {"bits": block.adc_bits, "low": block.adc_low, "high": block.adc_high},
        "accumulator": {
            "input_factor": largest_code(block.bias_bits),
            "offset": block.offset.tolist(),
            "multiplier": block.multiplier,
        },
        "table": block.table.tolist(),
        "optics": {
            "order": list(block.order),
            "scale": block.scale,
            "attenuators": attenuators,
            "meshes": meshes,
        },
    }


def to_dict(program: MeshProgram) -> dict[str, Any]:
    """Return the content of the mesh file: plain values, nothing left out."""
    architecture, undoing = program.architecture, bool(program.crosstalk.share)
    return {
        "format": FORMAT,
        "convention": CONVENTION | CROSSTALK if undoing else CONVENTION,
        "units": UNITS,
        "mesh": program.mesh,
        "readout": READOUT,
        "student": architecture.to_dict(),
        "preprocessing": preprocessing(architecture, program.centring, program.lead),
        "heater": {
            **{name: getattr(program.dac, name) for name in DRIVER},
            "table": [list(pair) for pair in program.dac.table],
            "dac_bits": program.dac.bits,
            "column_pitch": program.column_pitch,
            "mode_pitch": program.mode_pitch,
            **({"crosstalk": asdict(program.crosstalk)} if undoing else {}),
        },
        "table_full_scale": largest_code(TABLE_BITS),
        "pooling": [asdict(branch) for branch in architecture.sliding],
        "tokens": architecture.tokens,
        "blocks": [_block(block, program) for block in program.blocks],
        "head": {"weight": program.head_weight.tolist(), "bias": program.head_bias.tolist()},
        "classes": list(program.classes),
        "operating_point": program.operating_point.to_dict(),
        "hashes": dict(program.hashes),
    }


@functools.lru_cache(maxsize=8)
def _violation(text: str) -> str:
    """First violation of the schema by JSON text, empty without one; remembered, as it is slow."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    error = jsonschema.exceptions.best_match(validator.iter_errors(json.loads(text)))
    if error is None:
        return ""
    message = error.message if len(error.message) < 200 else error.message[:200] + " ..."
    return f"{error.json_path}: {message}"


def _differences(given: Any, rebuilt: Any, path: str = "$") -> Iterator[str]:  # noqa: ANN401
    """Yield the paths where a file differs from what its own values imply."""
    if isinstance(rebuilt, dict) and isinstance(given, dict):
        for key in sorted(set(given) | set(rebuilt)):
            if key not in given or key not in rebuilt:
                yield f"{path}.{key} is {'missing' if key not in given else 'not expected'}"
            else:
                yield from _differences(given[key], rebuilt[key], f"{path}.{key}")
    elif isinstance(rebuilt, list) and isinstance(given, list) and len(given) == len(rebuilt):
        for index, pair in enumerate(zip(given, rebuilt, strict=True)):
            yield from _differences(*pair, f"{path}[{index}]")
    elif isinstance(rebuilt, float) and isinstance(given, int | float):
        if not abs(given - rebuilt) <= 1e-12 * max(1.0, abs(rebuilt)):
            yield f"{path} is {given!r}, but the rest of the file implies {rebuilt!r}"
    elif type(given) is not type(rebuilt) or given != rebuilt:
        yield f"{path} is {given!r}, but the rest of the file implies {rebuilt!r}"


def _phases(data: Mapping[str, Any]) -> Phases:
    return Phases(
        np.array([mzi["theta"]["phase"] for mzi in data["mzis"]], float),
        np.array([mzi["phi"]["phase"] for mzi in data["mzis"]], float),
        np.array([port["phase"] for port in data["outputs"]], float) if "outputs" in data else None,
    )


def _read_block(data: Mapping[str, Any]) -> MatrixBlock:
    optics = data["optics"]
    meshes, attenuators = optics["meshes"], optics["attenuators"]
    return MatrixBlock(
        name=data["name"],
        role=data["role"],
        weight_codes=np.array(data["weight"]["codes"]),
        bias_codes=np.array(data["bias"]["codes"]),
        weight_bits=data["weight"]["bits"],
        bias_bits=data["bias"]["bits"],
        full_scale=float(data["full_scale"]),
        gain=float(data["gain"]),
        input_bits=data["input"]["bits"],
        adc_low=float(data["detector"]["low"]),
        adc_high=float(data["detector"]["high"]),
        adc_bits=data["detector"]["bits"],
        table=np.array(data["table"]),
        order=tuple(optics["order"]),
        scale=float(optics["scale"]),
        attenuators=np.array([item["theta"]["phase"] for item in attenuators], float)
        if attenuators
        else None,
        u=_phases(meshes["U"]),
        v=_phases(meshes["V"]) if "V" in meshes else None,
    )


def from_dict(data: Any) -> MeshProgram:  # noqa: ANN401 - JSON is any value
    """Inverse of `to_dict`, refusing whatever is not exactly a mesh file.

    Raises
    ------
    InputError
        If it is no JSON, the version is unknown, the schema is violated, a number is out of range,
        or two places contradict each other; the message names the path in the file.
    """
    version = data.get("format") if isinstance(data, dict) else None
    if version != FORMAT:
        raise InputError(f"mesh file: $.format is {version!r}; {FORMAT!r} is read: {AGAIN}")
    with expecting("mesh file", "JSON", OTHERWISE):
        text = json.dumps(data, default=repr)
    if violation := _violation(text):
        raise InputError(f"mesh file: {violation}; {OTHERWISE}")
    blocks, heater = [], data["heater"]
    for index, item in enumerate(data["blocks"]):
        with expecting(f"mesh file: $.blocks[{index}]", "a block", OTHERWISE):
            blocks.append(_read_block(item))
    with expecting("mesh file", "a program", OTHERWISE):
        program = MeshProgram(
            architecture=Architecture.from_dict(data["student"]),
            mesh=data["mesh"],
            blocks=tuple(blocks),
            head_weight=np.array(data["head"]["weight"], float),
            head_bias=np.array(data["head"]["bias"], float),
            operating_point=OperatingPoint.from_dict(data["operating_point"]),
            classes=tuple(data["classes"]),
            centring=data["preprocessing"]["centring"],
            lead=data["preprocessing"]["lead"],
            hashes=dict(data["hashes"]),
            dac=HeaterDac(
                **{name: heater[name] for name in DRIVER},
                bits=heater["dac_bits"],
                table=tuple(map(tuple, heater["table"])),
            ),
            column_pitch=heater["column_pitch"],
            mode_pitch=heater["mode_pitch"],
            crosstalk=Crosstalk(**heater.get("crosstalk", {})),
        )
    for difference in _differences(data, to_dict(program)):
        raise InputError(f"mesh file: {difference}; {OTHERWISE}")
    return program


def program_text(program: MeshProgram) -> str:
    """Return the mesh file as text: one line for what fits in it, and for lists of numbers."""
    return compact_json(to_dict(program)) + "\n"


def schema_text(program: MeshProgram | None = None) -> str:
    """Return the published JSON Schema of the mesh file, or the part of it that a program needs.

    Bundles whose codes undo no crosstalk hold it without that key.
    """
    text = SCHEMA.read_text(encoding="utf-8")
    if program is not None and not program.crosstalk.share:
        before, after = text.split('"crosstalk":')
        _, end = json.JSONDecoder().raw_decode(after)
        return before + after[end:].lstrip(",\n ")
    schema = json.loads(text)
    known = schema["properties"]["heater"]["properties"]["crosstalk"]
    known["properties"]["share"]["maximum"] = LARGEST
    return compact_json(schema) + "\n"


def read_program(path: Path | str) -> MeshProgram:
    """Read a mesh file; see `from_dict` for what is refused."""
    with expecting(path, "a mesh file", OTHERWISE):
        return from_dict(read_json(path))

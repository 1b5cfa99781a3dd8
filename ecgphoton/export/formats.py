"""A mesh program in other formats: DAC codes as CSV, a bill of materials, netlists, pictures."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.artifacts import csv_text, to_json
from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import CHECK, FEATURES
from ecgphoton.export.circuits import netlist
from ecgphoton.export.drawing import draw_png, draw_svg
from ecgphoton.export.golden import unexplained
from ecgphoton.mesh.gds_netlist import gdsfactory_netlist
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.mesh.paths import dummies
from ecgphoton.program.blocks import MatrixBlock
from ecgphoton.program.compact import compact_json
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import schema_text
from ecgphoton.settings import one_of

FORMATS = ("sax", "gdsfactory", "csv", "bom", "svg", "png", "raw")
"""Forms beside the mesh file: netlists, DAC codes, bill of materials, pictures, raw-window ONNX."""
DEFAULT_FORMATS = ("sax", "gdsfactory", "csv", "bom", "svg")
CHECKER, EXPLAINER = (Path(__file__).with_name(n) for n in ("checker.py", "input_features.py"))
CODES = "dac_codes.csv"


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return known formats, each once, in a fixed order; InputError for others."""
    asked = set(formats)
    if not asked <= set(FORMATS):
        unknown = ", ".join(map(repr, sorted(asked - set(FORMATS))))
        raise InputError(f"format is {unknown}; it must be {one_of(FORMATS)}")
    return tuple(name for name in FORMATS if name in asked)


def derived(program: MeshProgram, formats: Iterable[str]) -> dict[str, bytes]:
    """Return the files that follow from a program alone, by name."""
    makers: dict[str, Callable[[], dict[str, bytes]]] = {
        "sax": lambda: {
            "mesh.sax.json": (compact_json(netlist(program), line=1500) + "\n").encode()
        },
        "gdsfactory": lambda: {"mesh.gdsfactory.yml": gdsfactory_netlist(program.device).encode()},
        "csv": lambda: {CODES: dac_codes(program)},
        "bom": lambda: {"bill_of_materials.json": to_json(bill_of_materials(program)).encode()},
        "svg": lambda: _pictures(program, "svg", draw_svg),
        "png": lambda: _pictures(program, "png", draw_png),
    }
    chosen = [makers[name]() for name in formats if name in makers]
    return {name: data for files in chosen for name, data in files.items()}


def _pictures(
    program: MeshProgram, kind: str, draw: Callable[[MeshProgram, MatrixBlock], bytes]
) -> dict[str, bytes]:
    return {f"drawings/{block.name}.{kind}": draw(program, block) for block in program.blocks}


def dac_codes(program: MeshProgram) -> bytes:
    """Return what a bench sets, one line a driver in the order of the device, as CSV.

    Phases are those of the program, and those that the codes give on an ideal chip.
    """
    device, rows = program.device, []
    volts, given = device.dac.voltage_of(program.codes), program.coded_phases
    x, y = np.moveaxis(device.die(len(program.blocks)), -1, 0)
    numbers = np.stack([volts, program.phases, given, x, y], -1)
    for at in np.ndindex(program.codes.shape):
        block, driver = program.names[at[0]], device.driver_names[at[1]]
        voltage, phase, performed, *place = (round(value, 6) for value in numbers[at].tolist())
        rows.append(
            {
                "id": f"{block}.{driver}",
                "dac_code": int(program.codes[at]),
                "voltage_v": voltage,
                "phase_rad": phase,
                "code_phase_rad": performed,
                "block": block,
                "driver": driver,
                "number": at[1],
                "x_um": place[0],
                "y_um": place[1],
            }
        )
    return csv_text(rows).encode()


def bill_of_materials(program: MeshProgram) -> dict[str, Any]:
    """Return what has to be built, how much power it takes and what light passes.

    Heater power is in units of that of a phase of pi. What this is, and what a component loses,
    depends on the process: a device profile states it.
    """
    device, blocks = program.device, len(program.blocks)
    attenuators = len(device.mzis[device.attenuating])
    turned = (np.abs(program.shifts) / np.pi).ravel().tolist()
    return {
        "blocks": blocks,
        "drivers": list(device.driver_names),
        "meshes": device.meshes * blocks,
        "mzis": len(device.mzis) * blocks,
        "of_which_attenuators": attenuators * blocks,
        "dummies": len(dummies(device)) * blocks,
        "dumps": attenuators * blocks,
        "phase_shifters": len(turned),
        "homodyne_detectors": WIDTH * blocks,
        "modulators": WIDTH * blocks,
        "heater_dacs": {
            "count": len(turned),
            "bits": program.dac.bits,
            "law": program.dac.law,
        },
        "heater_power_p_pi": {
            "total": round(sum(turned), 3),
            "mean_per_block": round(sum(turned) / blocks, 3),
            "mean_per_heater": round(sum(turned) / len(turned), 3),
        },
        "light_path": {
            "assumed": "a laser for every block, a balanced pair of photodiodes at every output",
            "laser_inputs": blocks,
            "splitters_1x2": (2 * (WIDTH - 1) + 1) * blocks,
            "receiver_couplers_2x2": WIDTH * blocks,
            "photodiodes": 2 * WIDTH * blocks,
            "amplifiers": WIDTH * blocks,
            "input_dacs": WIDTH * blocks,
            "adcs": WIDTH * blocks,
        },
        "not_counted": ["pads", "monitors", "temperature control", "fibre array", "package"],
        "path": {"mzis": device.columns, "phase_shifters": 1, "crossings": 0},
    }


def documents(program: MeshProgram) -> dict[str, bytes]:
    """Return the schema and the programs that explain a bundle, by name.

    The checker is an oracle: it repeats the order of `ecgphoton.student.propagate.walk` and the
    law of codes on purpose, in numpy, from the mesh file and the manifest alone.

    ``features.py`` is among them where it can compute all that the student reads.
    """
    files = {"mesh.schema.json": schema_text(program).encode(), CHECK: _plain(CHECKER).encode()}
    if not unexplained(program.architecture):
        files[FEATURES] = _plain(EXPLAINER).encode()
    return files


def _plain(file: Path) -> str:
    """Return a program without its notes to this package's linters."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("# ruff:", "# mypy:")))

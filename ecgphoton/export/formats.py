"""A mesh program in other formats: DAC codes as CSV, a bill of materials, netlists, pictures."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ecgphoton.artifacts import to_json
from ecgphoton.errors import InputError
from ecgphoton.export.circuits import netlist
from ecgphoton.export.drawing import draw_png, draw_svg
from ecgphoton.mesh.gds_netlist import gdsfactory_netlist
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.program.blocks import MatrixBlock
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import compact_json, to_dict

P_PI = 30.0  # mW per heater for a phase of pi, thermo-optic: SimPhony phase_shifter.yml
MZI_LOSS = 0.99  # dB per MZI with both splitters: SCATTER arch_config.yaml
SHIFTER_LOSS = 0.25  # dB per phase shifter on its own: SimPhony phase_shifter.yml

FORMATS = ("sax", "gdsfactory", "csv", "bom", "svg", "png", "raw")
"""Forms beside the mesh file: netlists, DAC codes, bill of materials, pictures, raw-window ONNX."""
DEFAULT_FORMATS = ("sax", "gdsfactory", "csv", "bom", "svg")
HEATER_COLUMNS = ("id", "dac_code", "voltage_v")


def check_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return known formats, each once, in a fixed order; InputError for others."""
    asked = set(formats)
    if not asked <= set(FORMATS):
        raise InputError(
            f"format is {', '.join(sorted(asked - set(FORMATS)))}; use some of {', '.join(FORMATS)}"
        )
    return tuple(name for name in FORMATS if name in asked)


def derived(program: MeshProgram, formats: Iterable[str]) -> dict[str, bytes]:
    """Return the files that follow from a program alone, by name."""
    makers: dict[str, Callable[[], dict[str, bytes]]] = {
        "sax": lambda: {
            "mesh.sax.json": (compact_json(netlist(program), line=1500) + "\n").encode()
        },
        "gdsfactory": lambda: {"mesh.gdsfactory.yml": layout_cell(program).encode()},
        "csv": lambda: {"dac_codes.csv": dac_codes(program).encode()},
        "bom": lambda: {"bill_of_materials.json": to_json(bill_of_materials(program)).encode()},
        "svg": lambda: _pictures(program, "svg", draw_svg),
        "png": lambda: _pictures(program, "png", draw_png),
    }
    files: dict[str, bytes] = {}
    for name in formats:
        files |= makers[name]() if name in makers else {}
    return files


def layout_cell(program: MeshProgram) -> str:
    """Return the GDSFactory netlist of one mesh; all meshes are copies of this cell.

    A layout does not depend on what is programmed, so its phases are 0.
    """
    return gdsfactory_netlist(
        program.layout,
        program.device.mesh_phases(np.zeros(program.device.drivers), 0),
        "mesh",
        column_pitch=program.column_pitch,
        mode_pitch=program.mode_pitch,
    )


def _pictures(
    program: MeshProgram, kind: str, draw: Callable[[MeshProgram, MatrixBlock], bytes]
) -> dict[str, bytes]:
    return {f"drawings/{block.name}.{kind}": draw(program, block) for block in program.blocks}


def heaters(mesh: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield id and settings of every heater of a mesh file's content, in light order."""
    for block in mesh["blocks"]:
        optics = block["optics"]
        for name in ("V", "U"):
            if name == "U":
                for item in optics["attenuators"] if "V" in optics["meshes"] else ():
                    yield item["id"], item["theta"]
            for mzi in optics["meshes"].get(name, {}).get("mzis", ()):
                yield f"{mzi['id']}.phi", mzi["phi"]
                yield f"{mzi['id']}.theta", mzi["theta"]
            for port in optics["meshes"].get(name, {}).get("outputs", ()):
                yield port["id"], port


def dac_codes(program: MeshProgram) -> str:
    """Return every heater's DAC code and voltage as CSV, in light order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEATER_COLUMNS)
    for name, item in heaters(to_dict(program)):
        writer.writerow((name, item["code"], item["voltage"]))
    return text.getvalue()


def bill_of_materials(program: MeshProgram) -> dict[str, Any]:
    """Return what has to be built, how much power it takes and how much light it loses.

    Heater power assumes 30 mW for a phase of pi. Loss is that of the longest optical path
    of a block: every MZI (also an attenuator, without its intended attenuation) 0.99 dB, every
    output phase shifter 0.25 dB.
    """
    device, blocks = program.device, len(program.blocks)
    attenuators, layout = int(device.is_attenuator.sum()), device.layout
    mzis = device.meshes * len(layout.mzis) + attenuators
    power = [phase / np.pi * P_PI for phase in program.phases.ravel().tolist()]
    depth = device.meshes * layout.depth + (device.meshes - 1)
    loss = depth * MZI_LOSS + device.meshes * SHIFTER_LOSS
    return {
        "blocks": blocks,
        "meshes": device.meshes * blocks,
        "mzis": mzis * blocks,
        "of_which_attenuators": attenuators * blocks,
        "phase_shifters": len(power),
        "homodyne_detectors": WIDTH * blocks,
        "modulators": WIDTH * blocks,
        "heater_dacs": {"count": len(power), "bits": program.dac_bits},
        "heater_power_mw": {
            "total": round(sum(power), 3),
            "mean_per_block": round(sum(power) / blocks, 3),
            "mean_per_heater": round(sum(power) / len(power), 3),
            "assumed_p_pi": P_PI,
        },
        "optical_depth_mzis": depth,
        "loss_db": {
            "per_block": round(loss, 3),
            "assumed_per_mzi": MZI_LOSS,
            "assumed_per_phase_shifter": SHIFTER_LOSS,
        },
    }

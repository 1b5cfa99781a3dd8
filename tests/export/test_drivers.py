"""One list of drivers: every file, drawing and model of a program has those of its device."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.calibration.beliefs import Beliefs
from ecgphoton.calibration.model import Model
from ecgphoton.decision import LargestProbability
from ecgphoton.export.formats import derived
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.program.program_file import to_dict

KINDS = ("svd-clements", "svd-reck", "real-part")


@pytest.fixture(scope="module", params=KINDS)
def program(request, make_student):
    """A program on every kind of mesh."""
    student = make_student()
    quantized = quantize(student, calibrate_ranges(student, synthetic_inputs(student.architecture)))
    point = LargestProbability()
    return lower(quantized, operating_point=point, classes=("N", "V"), mesh=request.param)[0]


@pytest.fixture(scope="module")
def files(program):
    """Everything that is derived from it."""
    return derived(program, ("sax", "gdsfactory", "csv", "bom", "svg"))


def heaters(value, name="") -> Iterator[tuple[str, dict]]:
    """Yield name and content of every part of a mesh file that has a driver."""
    if isinstance(value, list):
        for item in value:
            yield from heaters(item, name)
    elif isinstance(value, dict):
        name = value.get("id", name)
        if "driver" in value:
            yield name, value
        for key, part in value.items():
            yield from heaters(part, f"{name}.{key}" if "id" in value else name)


def shifters(netlist, circuit, path="") -> Iterator[str]:
    """Yield the path of instances to every phase shifter of a SAX netlist."""
    for name, instance in netlist[circuit]["instances"].items():
        component = instance if isinstance(instance, str) else instance["component"]
        inner = component.replace("chip", "")
        if component == "phase_shifter":
            yield f"{path}{name}"
        elif inner in netlist:
            yield from shifters(netlist, inner, f"{path}{name}.")


def test_the_mesh_file_lists_the_drivers(program) -> None:
    """Each once, with the number of its place, and with the phase and code of the program."""
    for row, block in enumerate(to_dict(program)["blocks"]):
        found = sorted(heaters(block), key=lambda item: item[1]["driver"])
        names = [name.removeprefix(f"{block['name']}.") for name, _ in found]
        assert names == list(program.device.driver_names)
        assert [item["driver"] for _, item in found] == list(range(program.device.drivers))
        assert [item["code"] for _, item in found] == program.codes[row].tolist()


def cells(value) -> Iterator[dict]:
    """Yield every part of a mesh file that has a place."""
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from cells(part)
    if "x" in value:
        yield value


def test_the_mesh_file_places_the_drivers(program) -> None:
    """At the part of a cell that its convention states, as the device places them on the die."""
    pitch, die = program.device.column_pitch, program.device.die(len(program.blocks))
    for block, places in zip(to_dict(program)["blocks"], die, strict=True):
        for cell in cells(block):
            for part, share in ((cell, 0.25), (cell.get("phi"), 0.25), (cell.get("theta"), 0.75)):
                if part and "driver" in part:
                    at = cell["x"] + share * pitch, cell["y"]
                    np.testing.assert_allclose(places[part["driver"]], at)


def test_the_codes_list_the_drivers(program, files) -> None:
    """In the order of a bench, with the voltages that the codes give."""
    rows = list(csv.DictReader(files["dac_codes.csv"].decode().splitlines()))
    names = [f"{block}.{name}" for block in program.names for name in program.device.driver_names]
    assert [row["id"] for row in rows] == names
    assert [int(row["dac_code"]) for row in rows] == program.codes.ravel().tolist()
    volts = program.device.dac.voltage_of(program.codes).ravel()
    np.testing.assert_allclose([float(row["voltage_v"]) for row in rows], volts, atol=1e-6)


def test_the_codes_say_what_a_bench_engineer_needs(program, files) -> None:
    """Block, driver and number, the phase asked for and the one the code gives, and the place."""
    rows = list(csv.DictReader(files["dac_codes.csv"].decode().splitlines()))
    device = program.device
    assert [f"{row['block']}.{row['driver']}" for row in rows] == [row["id"] for row in rows]
    assert all(device.driver_names[int(row["number"])] == row["driver"] for row in rows)
    columns = {
        "phase_rad": program.phases,
        "code_phase_rad": device.dac.phase_of(program.codes),
        "x_um": device.die(len(program.blocks))[..., 0],
        "y_um": device.die(len(program.blocks))[..., 1],
    }
    for name, wanted in columns.items():
        found = [float(row[name]) for row in rows]
        np.testing.assert_allclose(found, wanted.ravel(), atol=1e-6, err_msg=name)


def test_netlists_parts_and_drawings_list_the_drivers(program, files) -> None:
    """SAX by the paths of phase shifters, GDSFactory by cells, the drawing by its labels."""
    names, sax = program.device.driver_names, json.loads(files["mesh.sax.json"])
    for block in program.names:
        assert sorted(shifters(sax, block)) == sorted(f"chip.{name}" for name in names)
        drawn = re.findall(r'data-driver="([^"]+)"', files[f"drawings/{block}.svg"].decode())
        assert sorted(drawn) == sorted(names)
    assert json.loads(files["bill_of_materials.json"])["drivers"] == list(names)
    layout = files["mesh.gdsfactory.yml"].decode()
    cells = layout.split("\ninstances:\n")[1].split("placements:")[0].splitlines()
    assert [line.split(":")[0].strip() for line in cells] == [n.replace(".", "_") for n in names]
    assert all("delta_length: 0.0" in line for line in cells if "mzi2x2" in line)  # equal arms


def test_simulation_and_calibration_have_the_drivers(program) -> None:
    """Every driver moves the field of a simulated chip and of the calibration's model, alike."""
    device, rows = program.device, Beliefs.designed(program)
    phases = np.random.default_rng(0).uniform(0.5, 6, device.drivers)
    model, chip = Model(device), Foundry.of("ideal").chip(0, 0, program)
    one = replace(chip, scales=chip.scales[:1])
    at = torch.as_tensor(phases)[None, None]
    slopes = model.slopes(rows, at)["phase"]
    assert len(slopes) == device.drivers
    for driver, slope in enumerate(slopes):
        move = torch.zeros_like(at)
        move[..., driver] = 1e-6
        difference = (one.field(at + move) - one.field(at - move)) / 2e-6
        assert torch.allclose(slope, difference, atol=1e-8)
        assert slope.abs().max() > 1e-3

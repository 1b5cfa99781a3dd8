"""A mesh program is a value, and its file is refused unless it is exactly one."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import jsonschema
import numpy as np
import pytest

from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import Phases
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.program.blocks import IntegerBlock, MatrixBlock, largest_code
from ecgphoton.program.compact import compact_json
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import (
    from_dict,
    program_text,
    read_program,
    schema_text,
    to_dict,
)
from ecgphoton.student.architecture import TOKENS, Architecture


def phases(rng, sizes=(6, 6, 4)):
    """Any phases."""
    return Phases(*(rng.uniform(0, 6.28, size) for size in sizes))


def make(mesh="svd-clements", *, bits=8, classes=2, seed=0) -> MeshProgram:
    """Return a program of random values: the file does not ask whether it works."""
    rng = np.random.default_rng(seed)
    architecture = Architecture(patient=TOKENS, template=True, classes=classes)
    n = largest_code(bits)
    blocks = []
    for name in architecture.blocks:
        role = "mlp" if name.startswith("mlp") else "branch"
        role = "rhythm" if name in {token.name for token in architecture.patient} else role
        integers = IntegerBlock(
            name=name,
            role=role,
            weight_codes=rng.integers(-n, n + 1, (4, 4)),
            bias_codes=rng.integers(-n, n + 1, 4),
            weight_bits=bits,
            bias_bits=bits,
            full_scale=1.0,
            gain=float(rng.uniform(0.5, 4)),
            input_bits=bits,
            adc_low=-2.5,
            adc_high=float(rng.uniform(1, 3)),
            adc_bits=bits,
            table=rng.integers(-32767, 32768, 2 * n + 1),
        )
        between = {}
        if mesh != "real-part":
            between = {"v": phases(rng, (6, 6)), "attenuators": rng.uniform(0, np.pi, 4)}
        order = tuple(rng.permutation(4).tolist())
        made = MatrixBlock.of(integers, order=order, u=phases(rng), **between, scale=1.5)
        blocks.append(made)
    return MeshProgram(
        architecture=architecture,
        mesh=mesh,
        blocks=tuple(blocks),
        head_weight=rng.normal(size=(classes, 4)),
        head_bias=rng.normal(size=classes),
        operating_point=OperatingPoint(0.4, ("validation",))
        if classes == 2
        else LargestProbability(),
        classes=tuple(f"class {index}" for index in range(classes)),
        hashes={"checkpoint": "a" * 64},
    )


RIGHT = cache(lambda: program_text(make()))


@pytest.mark.parametrize(
    ("mesh", "bits"), [("svd-clements", 2), ("svd-reck", 8), ("real-part", 12)]
)
def test_file_holds_everything(tmp_path, mesh, bits) -> None:
    """Written, read and written again, the text is the same to the last digit."""
    text = program_text(make(mesh, bits=bits))
    (tmp_path / "mesh.json").write_text(text)
    assert program_text(read_program(tmp_path / "mesh.json")) == text
    content = to_dict(make(mesh, bits=bits))
    assert to_dict(from_dict(content)) == content


LAWS = {
    "linear": {"v_pi": 4.0, "v_min": -4.4, "v_max": 4.4},
    "table": {"v_max": 7.0, "table": ((0.0, 0.0), (2.0, 0.8), (5.0, 4.1), (7.0, 7.0))},
}


@pytest.mark.parametrize("law", LAWS)
def test_drivers_of_every_law_come_back(tmp_path, law) -> None:
    """A file holds law, voltages and table of the drivers, and codes that mean the same phases."""
    program = replace(make(), dac=HeaterDac(law=law, **LAWS[law]))
    (tmp_path / "mesh.json").write_text(program_text(program))
    jsonschema.validate(json.loads(program_text(program)), json.loads(schema_text()))
    again = read_program(tmp_path / "mesh.json")
    assert again.device == program.device
    assert program_text(again) == program_text(program)
    stated = json.loads(program_text(program))["heater"]
    theta = to_dict(program)["blocks"][0]["optics"]["meshes"]["U"]["mzis"][2]["theta"]
    step = (stated["v_max"] - stated["v_min"]) / (2 ** stated["dac_bits"] - 1)
    volts = stated["v_min"] + theta["code"] * step
    assert abs(volts - theta["voltage"]) <= 0.5001 * step
    phase = np.pi * theta["voltage"] / stated["v_pi"]
    if law == "table":
        phase = np.interp(theta["voltage"], *np.transpose(stated["table"]))
    assert abs(np.exp(1j * phase) - np.exp(1j * theta["phase"])) < 1e-5


def test_four_classes_have_no_threshold() -> None:
    """The largest logit decides, and the file says null."""
    program = make(classes=4)
    assert to_dict(program)["operating_point"] is None
    assert not from_dict(to_dict(program)).operating_point.binary


def test_schema_is_a_schema_and_accepts_the_file() -> None:
    """The published schema is valid JSON Schema and a plain validator accepts our files."""
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for mesh in ("svd-clements", "real-part"):
        jsonschema.validate(json.loads(program_text(make(mesh))), schema)


def put(value, *path):
    """Return a change of the file at a path."""

    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


MZI = ("blocks", 0, "optics", "meshes", "U", "mzis", 2)
BAD = {
    "unknown version": (
        put("ecgphoton-mesh/1", "format"),
        r"is 'ecgphoton-mesh/1'.*`ecgphoton export RUN --mesh`",
    ),
    "without a later key": (lambda d: d["preprocessing"].pop("missing"), r"export RUN --mesh"),
    "another constant": (put(9.0, "preprocessing", "missing", "still_s"), r"export RUN --mesh"),
    "no version": (put(None, "format"), r"\$.format is None"),
    "duplicate id": (put("P.U.mzi1", *MZI, "id"), r"mzis\[2\].id is 'P.U.mzi1'"),
    "path in id": (put("../P.U.mzi2", *MZI, "id"), r"mzis\[2\].id"),
    "phase of a full turn": (put(6.2831853071795862, *MZI, "theta", "phase"), r"theta.phase"),
    "negative phase": (put(-0.1, *MZI, "phi", "phase"), r"mzis\[2\].phi.phase"),
    "NaN": (put(float("nan"), *MZI, "phi", "phase"), r"phi"),
    "infinite gain": (put(float("inf"), "blocks", 1, "gain"), r"\$.blocks\[1\].*gain"),
    "word for a number": (put("2", "blocks", 1, "gain"), r"\$.blocks\[1\].gain"),
    "voltage off": (put(1.0, *MZI, "theta", "voltage"), r"theta.voltage is 1.0, but"),
    "code off": (put(3, *MZI, "theta", "code"), r"theta.code is 3, but"),
    "place off": (put(-1.0, *MZI, "x"), r"mzis\[2\].x is -1.0, but"),
    "another driver": (put(3, *MZI, "theta", "driver"), r"theta.driver is 3, but"),
    "amplifying attenuator": (
        put(1.2, "blocks", 0, "optics", "attenuators", 1, "transmission"),
        r"attenuators\[1\].transmission",
    ),
    "attenuator missing": (
        lambda d: d["blocks"][0]["optics"]["attenuators"].pop(),
        r"\$.blocks\[0\].*attenuators",
    ),
    "outputs of mesh V": (
        lambda d: d["blocks"][0]["optics"]["meshes"]["V"].update(
            outputs=d["blocks"][0]["optics"]["meshes"]["U"]["outputs"]
        ),
        r"P.v.output is .*absent",
    ),
    "weight beyond its bits": (put(128, "blocks", 0, "weight", "codes", 0, 0), r"\$.blocks\[0\]"),
    "matrix is not its codes": (put(0.123, "blocks", 2, "matrix", 1, 1), r"matrix\[1\]\[1\]"),
    "half a code": (put(0.5, "blocks", 0, "bias", "codes", 0), r"bias.codes"),
    "bits": (put(17, "blocks", 0, "detector", "bits"), r"detector.bits"),
    "short table": (put([0, 1, 2], "blocks", 0, "table"), r"\$.blocks\[0\].*table"),
    "offset": (put([0, 0, 0, 0], "blocks", 0, "accumulator", "offset"), r"accumulator.offset"),
    "range out of reach": (put(1e300, "blocks", 0, "detector", "high"), r"\$.blocks\[0\].*adc"),
    "empty range": (put(-2.5, "blocks", 0, "detector", "high"), r"\$.blocks\[0\].*adc"),
    "order twice": (put([0, 0, 1, 2], "blocks", 0, "optics", "order"), r"optics.order"),
    "blocks swapped": (lambda d: d["blocks"].reverse(), r"blocks is"),
    "block missing": (lambda d: d["blocks"].pop(), r"blocks is"),
    "mesh missing": (
        lambda d: d["blocks"][0]["optics"]["meshes"].pop("V"),
        r"P.attenuators.*with mesh V",
    ),
    "unknown key": (put(1, "colour"), r"\$: .*colour"),
    "no JSON": (put(1, (2, 3)), r"mesh file is not JSON \(keys must be str.*export RUN --mesh"),
    "key missing": (lambda d: d.pop("head"), r"\$: 'head'"),
    "pooling": (put(3, "pooling", 0, "kernel"), r"\$.pooling\[0\].kernel"),
    "convention": (put("other", "convention", "mzi"), r"\$.convention.mzi"),
    "threshold": (put(1.5, "operating_point", "threshold"), r"\$.operating_point"),
    "hash": (put("xyz", "hashes", "checkpoint"), r"\$.hashes.checkpoint"),
    "same class twice": (put(["N", "N"], "classes"), r"\$.classes"),
    "weak DAC": (put(5.0, "heater", "v_max"), r"v_max"),
    "law without its table": (put("table", "heater", "law"), r"driver.table is \(\)"),
    "centring missing": (
        lambda d: d["preprocessing"].pop("centring"),
        r"preprocessing: 'centring'",
    ),
    "another centring": (put("P", "preprocessing", "centring"), r"preprocessing.centring: 'P'"),
    "unknown law": (put("cubic", "heater", "law"), r"\$.heater.law: 'cubic'"),
    "heater of both signs": (put(-1.0, "heater", "v_min"), r"v_min is -1"),
    "unknown student": (put("lstm", "student", "activation"), r"student\.activation"),
}


@pytest.mark.parametrize("case", BAD)
def test_readers_refuse(case) -> None:
    """Whatever is wrong, the error names its path in the file."""
    data = json.loads(RIGHT())
    change, message = BAD[case]
    change(data)
    with pytest.raises(InputError, match=message):
        from_dict(data)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"format": NaN}', '{"format": "ecgphoton-mesh/2"}']
)
def test_other_files_are_refused(tmp_path, text) -> None:
    """Files that are not mesh files raise InputError with the file's name."""
    path = tmp_path / "mesh.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"mesh\.json"):
        read_program(path)


def test_values_are_frozen() -> None:
    """Neither fields nor arrays of a program can be changed, and inputs are copied."""
    program = make()
    block = program.blocks[0]
    for array in (block.weight_codes, block.table, block.u.theta, program.head_weight):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    theta = np.zeros(6)
    kept = replace(block, u=Phases(theta, theta, np.zeros(4)))
    theta[0] = 1
    assert kept.u.theta[0] == 0


def test_blocks_are_found_by_name() -> None:
    """`block` returns the block of that name or names those that are there."""
    program = make()
    assert program.block("mlp2") is program.blocks[-2]
    with pytest.raises(InputError, match="no block 'QRST'"):
        program.block("QRST")


def test_accumulator_is_the_block() -> None:
    """Constants turn codes into detector codes: gain (W x + b), shifted and scaled."""
    rng = np.random.default_rng(1)
    for block in make().blocks:
        n = largest_code(block.input_bits)
        x = rng.integers(-n, n + 1, 4)
        total = largest_code(block.bias_bits) * block.weight_codes @ x + block.offset
        value = block.gain * (block.matrix @ (x / n) + block.bias)
        middle = (block.adc_low + block.adc_high) / 2
        assert np.allclose(total * block.multiplier, (value - middle) / block.adc_step, atol=1e-3)


def test_heaters_do_not_overlap() -> None:
    """No two heaters of a program stand at one place: V, attenuators and U of all blocks."""
    program = make()
    places = program.device.die(len(program.blocks)).reshape(-1, 2)
    assert len({tuple(place) for place in places}) == program.phases.size


def test_compact_json_is_json() -> None:
    """Whatever the line length, the text reads back as the same value."""
    value = {"a": [1, 2.5, [3, {"b": "x, [y]: {z}"}]], "c": {}, "d": [], "e": None, "f": "ü\n"}
    for line in (1, 10, 30, 1000):
        assert json.loads(compact_json(value, line=line)) == value
    with pytest.raises(ValueError, match="float"):
        compact_json([float("nan")])


def test_wrong_values_are_named() -> None:
    """A program cannot be built from inconsistent parts."""
    program = make()
    for change, message in (
        ({"mesh": "real-part"}, "P.v"),
        ({"blocks": program.blocks[1:]}, "blocks"),
        ({"classes": ("a",)}, "classes"),
        ({"head_weight": np.zeros((3, 4))}, "head_weight"),
        ({"column_pitch": float("nan")}, "column_pitch"),
    ):
        with pytest.raises(InputError, match=message):
            replace(program, **change)
    with pytest.raises(InputError, match="bits"):
        program.with_bits(1)

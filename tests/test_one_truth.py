"""One student, many forms: torch, integers, two ONNX graphs, phases, netlist, a bare checker.

They are one truth if the same beat gets the same answer in all of them.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from tokens import LOOKING_AHEAD

from ecgphoton.artifacts import save_checkpoint
from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.ecg.beats import load_all
from ecgphoton.export.bundle import export_bundle
from ecgphoton.export.golden import arrays_of, synthetic_inputs
from ecgphoton.export.lower import lower
from ecgphoton.export.onnx_graph import float_graph, integer_graph
from ecgphoton.export.quantize import QuantizedStudent, quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.export.runtime import ENGINES, runner
from ecgphoton.export.verify import verify
from ecgphoton.program.program_file import from_dict, to_dict
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs, Stack, inputs_of

ARCHITECTURES = (
    Architecture(),
    Architecture(patient=LOOKING_AHEAD, template=True, layers=2, activation="relu"),
    Architecture(patient=TOKENS[:1], template=True, gains="unit", classes=4),
    Architecture(patient=TOKENS, layers=2),
)


@pytest.fixture(
    scope="module", params=ARCHITECTURES, ids=["reference", "relu", "four classes", "shape"]
)
def forms(request):
    """Return a student, its integers, its program read back from a file, and beats."""
    architecture = request.param
    student = SegmentStudent(architecture, seed=5).eval()
    beats = synthetic_inputs(architecture, beats=20)
    integers = quantize(student, calibrate_ranges(student, beats))
    binary = architecture.classes == 2
    program, _ = lower(
        integers,
        operating_point=OperatingPoint(0.5, ("validation",)) if binary else LargestProbability(),
        classes=[f"class {index}" for index in range(architecture.classes)],
    )
    return student, integers, from_dict(to_dict(program)), beats


def test_float_forms_agree(forms) -> None:
    """Torch and the float graph in three engines: logits to 1e-5."""
    student, _, _, beats = forms
    logits = student(beats.window, beats.rhythm, beats.residual)[0].detach().numpy()
    for engine in ENGINES:
        found = runner(float_graph(student), engine)(arrays_of(beats))["logits"]
        assert np.abs(found - logits).max() <= 1e-5, engine


def test_integer_forms_agree(forms) -> None:
    """Integers, integers from the mesh file, and the integer graph: every bit."""
    _, integers, program, beats = forms
    logits, h_pool = integers.logits(beats)
    assert np.array_equal(QuantizedStudent.from_program(program).logits(beats)[0], logits)
    for engine in ENGINES:
        found = runner(integer_graph(integers), engine)(arrays_of(beats))
        assert np.array_equal(found["logits"], logits), engine
        assert np.array_equal(found["h_pool"], h_pool), engine


def test_light_is_the_matrices(forms) -> None:
    """A student whose matrices are what the meshes perform has the quantized weights' logits."""
    student, _, program, beats = forms
    biases = torch.tensor(np.stack([block.bias for block in program.blocks]), dtype=torch.float64)
    gains = torch.tensor([[block.gain for block in program.blocks]], dtype=torch.float64)
    inputs = Inputs(**{n: torch.as_tensor(v).double() for n, v in arrays_of(beats).items()})

    def logits(matrices):
        stack = Stack(torch.as_tensor(matrices)[None], biases[None], gains)
        return student.double().run(inputs, stack=stack)[0].detach().numpy()

    quantized = np.stack([block.matrix for block in program.blocks])
    light = program.matrices()
    assert np.abs(light - quantized).max() <= 1e-12
    assert np.abs(logits(light) - logits(quantized)).max() <= 1e-9
    student.float()


@pytest.mark.slow
@pytest.mark.mitdb
def test_real_beats(mitdb, tmp_path) -> None:
    """On recorded beats the integer graph is the integer student to the bit, and verify says so."""
    architecture = Architecture(patient=TOKENS, template=True)
    student = SegmentStudent(architecture, seed=5)
    metadata = {
        "architecture": asdict(architecture),
        "operating_point": OperatingPoint(0.5, ("validation",)).to_dict(),
        "classes": ["normal", "abnormal"],
    }
    save_checkpoint(tmp_path / "checkpoint.safetensors", student.arrays(), metadata)
    train, test = (
        inputs_of(load_all([record], data_dir=mitdb).beats, architecture)
        for record in ("100", "208")
    )
    export_bundle(tmp_path, tmp_path / "bundle", calibration=train, formats=("raw",))
    report = verify(tmp_path / "bundle", beats=test, sax=False)
    assert report.ok, report.rows()
    assert f"{32 + 180 + len(test):,} beats equal to the bit" in "".join(map(str, report.rows()))

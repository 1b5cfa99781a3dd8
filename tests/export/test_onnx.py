"""The graphs say the same in every engine, and their bytes never vary."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from tokens import LOOKING_AHEAD

from ecgphoton.ecg.features import normalise
from ecgphoton.errors import InputError, VerificationError
from ecgphoton.export.golden import arrays_of, golden_inputs, synthetic_inputs
from ecgphoton.export.onnx_builder import OUTPUTS, metadata_of
from ecgphoton.export.onnx_graph import float_graph, input_widths, integer_graph
from ecgphoton.export.quantize import Quantization, quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.export.runtime import ENGINES, first_difference, runner
from ecgphoton.student.activations import ACTIVATIONS, TANH
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

ARCHITECTURES = {
    "reference": Architecture(),
    "full": Architecture(patient=TOKENS[:2], template=True),
    "shape": Architecture(patient=TOKENS[1:], layers=2),
    "four classes, relu": Architecture(
        classes=4, activation="relu", layers=2, patient=LOOKING_AHEAD
    ),
}
CASES = pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)


def quantized(student, bits=8):
    """Quantize with ranges from made-up beats."""
    beats = synthetic_inputs(student.architecture, beats=20)
    ranges = calibrate_ranges(student, beats, bits=bits)
    return quantize(student, ranges, Quantization(bits, bits, bits, bits))


@CASES
def test_float_graph_is_the_student(make_student, architecture) -> None:
    """Logits and h_pool agree to 1e-5 in three engines, probability is their softmax."""
    student = make_student(architecture)
    inputs = synthetic_inputs(architecture, beats=20)
    logits, h_pool = student(inputs.window, inputs.rhythm, inputs.residual)
    wanted = {"logits": logits, "h_pool": h_pool, "probability": torch.softmax(logits, -1)}
    for engine in ENGINES:
        found = runner(float_graph(student), engine)(arrays_of(inputs))
        for name, value in wanted.items():
            assert np.abs(found[name] - value.detach().numpy()).max() <= 1e-5, (engine, name)


@CASES
@pytest.mark.parametrize("bits", [3, 8, 16])
def test_integer_graph_is_the_quantized_student(make_student, architecture, bits) -> None:
    """Not one bit of logits or h_pool differs, in any engine."""
    student = quantized(make_student(architecture), bits)
    inputs = golden_inputs(architecture)
    logits, h_pool = student.logits(inputs)
    for engine in ENGINES:
        found = runner(integer_graph(student), engine)(arrays_of(inputs))
        assert np.array_equal(found["logits"], logits), engine
        assert np.array_equal(found["h_pool"], h_pool), engine


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_batch_is_dynamic_and_beats_are_alone(make_student, engine) -> None:
    """One beat or many: the same integers for each."""
    student = quantized(make_student())
    feed = arrays_of(golden_inputs(student.architecture))
    run = runner(integer_graph(student), engine)
    whole = run(feed)["logits"]
    for row in (0, 31):
        one = run({name: value[row : row + 1] for name, value in feed.items()})["logits"]
        assert np.array_equal(one[0], whole[row])


@pytest.mark.slow
def test_raw_windows_are_normalised_in_the_graph(make_student) -> None:
    """Any unit and offset, and a flat beat: as if the beats had been normalised before."""
    architecture = Architecture()
    student = make_student(architecture)
    beats = synthetic_inputs(architecture, beats=20).window.numpy()
    draw = np.random.default_rng(0)
    raw = beats * draw.uniform(0.1, 5, (len(beats), 1)) + draw.uniform(-3, 3, (len(beats), 1))
    raw = raw.astype(np.float32)
    raw[0] = 1.7
    wanted = student(torch.as_tensor(normalise(raw)))[0].detach().numpy()
    integers = quantized(student)
    exact, _ = integers.logits(Inputs(torch.as_tensor(normalise(raw))))
    for engine in ENGINES:
        found = runner(float_graph(student, raw=True), engine)({"raw_window": raw})["logits"]
        assert np.abs(found - wanted).max() <= 2e-5, engine
        codes = runner(integer_graph(integers, raw=True), engine)({"raw_window": raw})["logits"]
        same = (codes == exact).all(1)
        assert same[0]
        assert same.mean() > 0.9, engine  # the mean of 360 samples rounds differently


@CASES
def test_names_inputs_and_outputs(make_student, architecture) -> None:
    """A reader finds weights by block, the three outputs, and a free batch size."""
    student = make_student(architecture)
    for data in (float_graph(student), integer_graph(quantized(student))):
        graph = onnx.load_from_string(data).graph
        constants = {item.name for item in graph.initializer}
        assert {f"{block}.weight" for block in architecture.blocks} <= constants
        assert tuple(item.name for item in graph.output) == OUTPUTS
        assert {item.name for item in graph.input} == set(input_widths(architecture))
        for item in (*graph.input, *graph.output):
            assert item.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_integer_graph_holds_the_codes(make_student) -> None:
    """The graph's weights are the integer codes, and no node quantizes or dequantizes."""
    student = quantized(make_student())
    graph = onnx.load_from_string(integer_graph(student)).graph
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    for block in student.blocks:
        assert np.array_equal(stored[f"{block.name}.weight"].T, block.weight_codes)
        assert np.array_equal(stored[f"{block.name}.table"], block.table)
    assert not {node.op_type for node in graph.node} & {"QuantizeLinear", "DequantizeLinear"}


def test_same_bytes_from_any_folder(make_student, tmp_path, monkeypatch) -> None:
    """Built twice, in different folders, the bytes are equal and hold no path."""
    student = make_student()
    first = float_graph(student), integer_graph(quantized(student))
    monkeypatch.chdir(tmp_path)
    second = float_graph(student), integer_graph(quantized(student))
    assert first == second
    for data in first:
        for place in (os.sep + "ecgphoton", "site-packages", str(tmp_path)):
            assert place.encode() not in data


def test_metadata_reaches_onnxruntime(make_student) -> None:
    """Classes, sampling rate, window, operating point, widths and hashes can be read back."""
    import onnxruntime

    student = make_student()
    point = {"threshold": 0.4, "fitted_on": ["validation"], "feasible": True}
    extra = {"weight_bits": 8}
    about = metadata_of(student.architecture, ["N", "V"], point, {"checkpoint": "ab"}, **extra)
    session = onnxruntime.InferenceSession(float_graph(student, about))
    found = session.get_modelmeta().custom_metadata_map
    assert json.loads(found["classes"]) == ["N", "V"]
    assert json.loads(found["operating_point"]) == point
    assert (found["sampling_rate_hz"], found["window_samples"]) == ("360", "360")
    assert (found["checkpoint_sha256"], found["weight_bits"]) == ("ab", "8")


@pytest.mark.slow
def test_a_wrong_engine_is_told_by_node(make_student, monkeypatch) -> None:
    """When an engine computes one operator wrongly, the report names the node."""
    from ecgphoton.export import runtime

    student = quantized(make_student())
    model = integer_graph(student)
    honest = runtime.runner

    def faulty(data, engine, outputs=OUTPUTS):
        if engine == "onnx-reference":
            return honest(data, engine, outputs)
        broken = onnx.load_from_string(data)
        node = next(item for item in broken.graph.node if item.name == "QRS.rounded")
        node.op_type = "Floor"
        return honest(broken.SerializeToString(), engine, outputs)

    monkeypatch.setattr(runtime, "runner", faulty)
    feed = arrays_of(golden_inputs(student.architecture))
    assert "node QRS.rounded (Round) differs" in first_difference(model, "onnxruntime", feed)


def test_a_graph_no_engine_can_read_is_a_failed_check() -> None:
    """Damaged bytes raise VerificationError with the engine's name."""
    for engine in ENGINES:
        with pytest.raises(VerificationError, match=engine):
            runner(b"not a graph", engine)


@pytest.mark.parametrize(
    "form",
    [
        lambda graph, z, block: graph.add("Softsigh", z, name=f"{block}.softsign"),
        lambda graph, z, block: graph.add("Softsign", z, name="one name for all"),
        lambda graph, z, block: "a name of nothing",
        lambda *_: None,
        lambda *_: 1 / 0,
    ],
)
def test_an_onnx_form_that_makes_no_graph_is_named(form) -> None:
    """The error names the activation."""
    ACTIVATIONS._values["other"] = replace(TANH, name="other", onnx=form)
    try:
        with pytest.raises(InputError, match="activation 'other' is not usable in its ONNX form"):
            float_graph(SegmentStudent(Architecture(activation="other")))
    finally:
        del ACTIVATIONS._values["other"]

"""Fewer bits, more changed decisions; fine-tuning wins some back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.export.bits import bits_table, decide, enough
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.fine_tune import SCHEDULE, fine_tune
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.export.quantize import Quantisation, quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.training.fit import fit
from ecgphoton.training.parts import Examples, Parts, Schedule, Shuffled


@pytest.fixture(scope="module")
def taught():
    """A student that has learnt which made-up beats come early, its beats and threshold."""
    architecture = Architecture(rhythm="causal")
    inputs = synthetic_inputs(architecture, beats=60)
    label = (inputs.rhythm[:, 0] < -0.1).long()
    examples = Examples(inputs, label, np.array(["s01"] * len(label)))
    schedule = Schedule(epochs=12, batch=64, min_epochs=1)
    parts = Parts(Shuffled(len(label)))
    monitors = {"validation": examples}
    student = SegmentStudent(architecture, seed=1)
    fitted = fit(student, examples, monitors, schedule, ThresholdPolicy(), parts, seed=0)
    return fitted.model, examples, fitted.point


def test_decisions_follow_the_bits(taught) -> None:
    """Agreement grows with the width of every part, and many bits change nothing."""
    student, examples, point = taught
    rows = bits_table(
        student,
        examples.inputs,
        examples.label.numpy(),
        point,
        examples.inputs,
        weight_bits=(2, 8, 16),
        converter_bits=(3, 8, 16),
        dac_bits=(4, 10, 20),
    )
    for part in ("weights", "converters", "heaters"):
        agreement = [row.agreement for row in rows if row.part == part]
        assert agreement[0] < agreement[-1]
        assert agreement[-1] > 0.98
        assert enough(rows, part, points=100.0) is not None
    assert all(not row.fine_tuned for row in rows)
    assert enough(rows, "weights", points=-1.0) is None


def test_fine_tuning_helps_where_bits_are_few(taught) -> None:
    """At 2-bit weights a few epochs through the codes bring decisions back toward the labels."""
    student, examples, point = taught
    widths = Quantisation(weight_bits=2, bias_bits=2)

    def loss(one, ranges):
        logits, _ = quantize(one, ranges, widths).logits(examples.inputs)
        return torch.nn.functional.cross_entropy(torch.tensor(logits), examples.label).item()

    before = loss(student, calibrate_ranges(student, examples.inputs))
    tuned = fine_tune(
        student, examples, {"validation": examples}, widths, weight_noise=0.01, seed=0
    )
    assert loss(tuned.student, tuned.ranges) < before
    assert tuned.point is not None
    assert tuned.point.fitted_on == ("validation",)
    rows = bits_table(
        student,
        examples.inputs,
        examples.label.numpy(),
        point,
        examples.inputs,
        weight_bits=(2,),
        converter_bits=(),
        dac_bits=(),
        fine_tune=lambda _: tuned,
    )
    assert [row.fine_tuned for row in rows] == [False, True]


def test_fine_tuned_ranges_reach_the_bundle(taught, run_folder, tmp_path) -> None:
    """A checkpoint with stored ranges is exported with exactly those."""
    from dataclasses import asdict

    from ecgphoton.artifacts import load_checkpoint, save_checkpoint

    student, examples, _ = taught
    schedule = Schedule(epochs=1, min_epochs=1, learning_rate=SCHEDULE.learning_rate)
    q = Quantisation()
    tuned = fine_tune(student, examples, {"validation": examples}, q, schedule=schedule)
    _, metadata = load_checkpoint(run_folder / "checkpoint.safetensors")
    metadata |= {"architecture": asdict(student.architecture)}
    save_checkpoint(tmp_path / "checkpoint.safetensors", tuned.arrays(), metadata)
    report = export_bundle(tmp_path, tmp_path / "b", formats=())
    assert report.ranges_from == "checkpoint"
    blocks = load_bundle(tmp_path / "b").program.blocks
    assert [(b.adc_low, b.adc_high) for b in blocks] == [tuple(r) for r in tuned.ranges.tolist()]


def test_decision_without_a_threshold() -> None:
    """Above two classes the largest probability decides; class 0 is normal."""
    probability = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    assert decide(probability, None).tolist() == [False, True, True]
    point = OperatingPoint(0.4, ("validation",))
    assert decide(probability[:, :2], point).tolist() == [False, True, False]


def test_student_is_not_changed(taught) -> None:
    """Fine-tuning starts from a copy."""
    student, examples, _ = taught
    before = predict(student, examples.inputs)
    schedule = Schedule(epochs=1, min_epochs=1)
    fine_tune(student, examples, {"v": examples}, Quantisation(3, 3, 8, 8), schedule=schedule)
    assert np.array_equal(before, predict(student, examples.inputs))

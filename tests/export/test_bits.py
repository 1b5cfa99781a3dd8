"""Fewer bits change more decisions."""

from __future__ import annotations

import numpy as np
import pytest

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.export.bits import bits_table, enough
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.fit import fit
from ecgphoton.training.parts import Examples, Parts, Schedule, Shuffled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def taught():
    """A student that has learnt which made-up beats come early, its beats and threshold."""
    architecture = Architecture(patient=TOKENS[:1])
    inputs = synthetic_inputs(architecture, beats=60)
    label = (inputs.rhythm[:, 0] < -0.1).long()
    examples = Examples(inputs, label, np.array(["s01"] * len(label)))
    schedule = Schedule(epochs=12, batch=64, min_epochs=1)
    parts = Parts(Shuffled(len(label)))
    monitors = {"validation": examples}
    student = SegmentStudent(architecture, seed=1)
    fitted = fit(student, examples, monitors, schedule, ThresholdPolicy(), parts, seed=0)
    return fitted.model, examples, fitted.point


def test_the_bits_of_heaters_are_those_of_the_drivers(taught) -> None:
    """Drivers with a longer range have coarser steps at the same width, so they need more bits."""
    student, examples, point = taught
    beats = examples.inputs, examples.label.numpy(), point, examples.inputs
    widths = {"weight_bits": (), "converter_bits": (), "dac_bits": (5,)}
    wide = HeaterDac(v_max=60.0)
    usual, long = (bits_table(student, *beats, **widths, drivers=d)[0] for d in (None, wide))
    assert long.agreement < usual.agreement


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
    assert enough(rows, "weights", points=-1.0) is None


def test_stored_ranges_reach_the_bundle(taught, run_folder, tmp_path) -> None:
    """A checkpoint with stored ranges is exported with exactly those."""
    from dataclasses import asdict

    from ecgphoton.artifacts import load_checkpoint, save_checkpoint

    student, examples, _ = taught
    ranges = calibrate_ranges(student, examples.inputs, method="minmax")
    stored = {"range_lo": ranges[:, 0], "range_hi": ranges[:, 1]}
    _, metadata = load_checkpoint(run_folder / "checkpoint.safetensors")
    metadata |= {"architecture": asdict(student.architecture)}
    save_checkpoint(tmp_path / "checkpoint.safetensors", student.arrays() | stored, metadata)
    report = export_bundle(tmp_path, tmp_path / "b", formats=())
    assert report.ranges_from == "checkpoint"
    blocks = load_bundle(tmp_path / "b").program.blocks
    assert [(b.adc_low, b.adc_high) for b in blocks] == [tuple(r) for r in ranges.tolist()]

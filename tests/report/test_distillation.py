"""The files a distillation writes."""

import csv
import json

import numpy as np
import pytest

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.synthetic import BANNER
from ecgphoton.legacy.distill_run import Contestant, DistilReport
from ecgphoton.legacy.gates import Verdict
from ecgphoton.legacy.teacher import Teacher, TeacherShape
from ecgphoton.report.distillation import draw_rocs, write_distillation
from ecgphoton.training.fit import Fitted
from ecgphoton.training.judge import Outputs, summarise
from ecgphoton.training.parts import EpochRecord

SETS = ("validation", "generalization")


@pytest.fixture
def report():
    """Build a comparison whose teacher was refused."""
    import torch

    draw = np.random.default_rng(0)
    label = {name: draw.integers(0, 2, 200) for name in SETS}
    point = OperatingPoint(0.4, ("validation",))

    def contestant(name, model, sharpness):
        probability = {}
        for key in SETS:
            abnormal = 1 / (1 + np.exp(-sharpness * (label[key] - 0.5) - draw.normal(size=200)))
            probability[key] = np.stack([1 - abnormal, abnormal], 1)
        numbers = {key: summarise(probability[key], label[key], point) for key in SETS}
        sets = {"validation": numbers["validation"]}
        history = (EpochRecord(1, 0.5, 0.9, 0.01, point, sets, events=("a; b",)),)
        return Contestant(name, Fitted(model, point, 1, history), numbers, probability)

    teacher = Teacher(TeacherShape(width=2, embedding=3))
    return DistilReport(
        Verdict(0.0, ("it misses too much",)),
        (contestant("teacher", teacher, 1.0), contestant("baseline", torch.nn.Identity(), 3.0)),
        Outputs(torch.zeros(7, 2), torch.ones(7, 3)),
        label,
        ("training", "validation"),
    )


@pytest.mark.pictures
def test_every_file_is_written_and_says_the_same(report, tmp_path):
    """Log, summary, outputs, teacher and picture are there; a refusal is in plain words."""
    write_distillation(tmp_path, report)
    with (tmp_path / "kd_log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["teacher", "baseline"]
    assert rows[0]["events"] == "a; b"
    summary = json.loads((tmp_path / "distillation.json").read_text())
    assert summary["verdict"] == "distillation refused, weight 0: it misses too much"
    assert [(row["model"], row["set"]) for row in summary["models"]] == [
        (model, name) for model in ("teacher", "baseline") for name in SETS
    ]
    with np.load(tmp_path / "teacher_outputs.npz") as arrays:
        assert arrays["logits"].shape == (7, 2)
    assert (tmp_path / "teacher.safetensors").stat().st_size > 0
    assert (tmp_path / "kd_roc.png").read_bytes().startswith(b"\x89PNG")


def test_generated_beats_have_their_banner(report):
    """The picture states it, as every other one does; a dot far from the corner is not cut off."""
    assert BANNER not in [text.get_text() for text in draw_rocs(report).texts]
    figure = draw_rocs(report, synthetic=True)
    assert BANNER in [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        dots = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
        assert all(x <= axes.get_xlim()[1] and y >= axes.get_ylim()[0] for x, y in dots)


@pytest.mark.slow
def test_writing_twice_gives_the_same_bytes(report, tmp_path):
    """Nothing but the comparison itself is in the files."""
    for name in ("first", "second"):
        write_distillation(tmp_path / name, report)
    for path in (tmp_path / "first").iterdir():
        if path.suffix != ".npz":  # a zip archive holds the time
            assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()

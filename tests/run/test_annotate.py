"""Annotating a record: files other programs read, and one answer on every backend."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from ecgphoton.artifacts import save_checkpoint
from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.annotations import read_annotations
from ecgphoton.ecg.beats import load_records
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import export_bundle
from ecgphoton.recipe import Recipe
from ecgphoton.run.annotate import annotate
from ecgphoton.runs import load_student
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent, predict

SETTINGS = Architecture(rhythm="full", template=True)


def checkpoint(folder, classes=("normal", "abnormal"), threshold=0.5):
    """A student that was never trained, as a run folder."""
    architecture = Architecture(**{**asdict(SETTINGS), "classes": len(classes)})
    student = SegmentStudent(architecture, seed=3)
    point = OperatingPoint(threshold, ("validation",)).to_dict() if len(classes) == 2 else None
    save_checkpoint(
        folder / "checkpoint.safetensors",
        student.arrays(),
        {
            "architecture": asdict(architecture), "classes": list(classes), "labels": "literal",
            "protocol": "reference", "lead": "MLII", "source": "synthetic",
            "operating_point": point, "recipe": Recipe().to_dict(), "seed": 3,
        },
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, wfdb_folder):
    """A run whose threshold splits the beats of record s01 in two halves."""
    folder = checkpoint(tmp_path_factory.mktemp("run"))
    beats = load_records(["s01"], data=wfdb_folder, cache=False)
    middle = float(np.median(predict(load_student(folder).student, beats)[:, 1])) + 1e-4
    return checkpoint(folder, threshold=middle)


def lines_of(folder, name="s01"):
    """Summary and beats of the JSON lines."""
    first, *rest = (folder / f"{name}.eph.jsonl").read_text().splitlines()
    return json.loads(first)["summary"], [json.loads(line) for line in rest]


def test_annotation_says_what_the_beat_set_pipeline_decides(run, wfdb_folder, tmp_path):
    """Every symbol written is the operating point's decision on the beats `load_records` gives."""
    report = annotate(wfdb_folder / "s01", out=tmp_path, model=run, peaks="atr", block_seconds=9)
    trained = load_student(run)
    beats = load_records(["s01"], data=wfdb_folder, cache=False)
    abnormal = trained.point.decide(predict(trained.student, beats)[:, 1])
    expected = dict(zip(beats.sample.tolist(), np.where(abnormal, "Q", "N").tolist(), strict=True))
    shutil.copy(wfdb_folder / "s01.hea", tmp_path)
    written = read_annotations(tmp_path / "s01", "eph")
    assert len(written.sample) == len(read_annotations(wfdb_folder / "s01", "atr").sample)
    for sample, symbol in zip(written.sample.tolist(), written.symbol.tolist(), strict=True):
        assert symbol == expected.get(sample, "?")
    assert {"N", "Q"} <= set(written.symbol.tolist())
    summary, lines = lines_of(tmp_path)
    assert [line["symbol"] for line in lines] == written.symbol.tolist()
    assert summary["beats"] == len(lines) == report.summary["beats"]
    assert sum(summary["symbols"].values()) == len(lines)
    assert summary["source"] == "synthetic"
    assert summary["operating_point"]["threshold"] == trained.point.threshold


def test_picture_of_a_made_up_record_says_so(run, wfdb_folder, tmp_path):
    """The picture is there, under the banner; without it no picture is drawn."""
    annotate(wfdb_folder / "s02", out=tmp_path, model=run, peaks="atr")
    assert Image.open(tmp_path / "s02.eph.png").convert("RGB").getpixel((4, 4)) == (255, 214, 10)
    other = tmp_path / "other"
    report = annotate(wfdb_folder / "s02", out=other, model=run, peaks="atr", picture=False)
    assert {path.name for path in other.iterdir()} == {"s02.eph", "s02.eph.jsonl"}
    assert {path.name for path in report.files} == {"s02.eph", "s02.eph.jsonl"}


@pytest.mark.slow
def test_backends_agree_where_they_must(run, wfdb_folder, tmp_path):
    """torch, ONNX of the run and ONNX of its bundle decide alike; a silent chip does, too."""
    export_bundle(run, tmp_path / "bundle", bits=8)
    said = {}
    for name, model, options in (
        ("torch", run, {}),
        ("torch of bundle", tmp_path / "bundle", {}),
        ("onnx", run, {"backend": "onnx"}),
        ("onnx of bundle", tmp_path / "bundle", {"backend": "onnx"}),
        ("integer", tmp_path / "bundle", {"backend": "integer"}),
        ("silent chip", run, {"backend": "chip", "noise": 0.0}),
        ("noisy chip", run, {"backend": "chip", "noise": 0.3, "chip": 5}),
    ):
        out = tmp_path / name
        annotate(wfdb_folder / "s01", out=out, model=model, peaks="atr", picture=False, **options)
        said[name] = np.array([line.get("abnormal", -1.0) for line in lines_of(out)[1]])
    for name in ("torch of bundle", "onnx", "onnx of bundle"):
        np.testing.assert_allclose(said[name], said["torch"], atol=2e-5, err_msg=name)
    assert np.abs(said["silent chip"] - said["torch"]).max() < 0.02
    assert np.abs(said["integer"] - said["torch"]).max() < 0.1
    assert np.abs(said["noisy chip"] - said["torch"]).max() > 0.01


def test_a_chip_is_the_same_chip_whatever_the_blocks(run, wfdb_folder, tmp_path):
    """The seed of a chip decides its answers, not how the signal was read."""
    options = {"model": run, "backend": "chip", "profile": "pessimistic", "chip": 3, "peaks": "atr"}
    for name, seconds in (("one", 1e6), ("many", 6.5)):
        annotate(
            wfdb_folder / "s03",
            out=tmp_path / name,
            block_seconds=seconds,
            picture=False,
            **options,
        )
    assert lines_of(tmp_path / "one", "s03")[1] == lines_of(tmp_path / "many", "s03")[1]


def test_four_classes_are_written_as_their_symbols(wfdb_folder, tmp_path):
    """N, S, V stay themselves and O becomes Q; no threshold takes part."""
    folder = checkpoint(tmp_path / "run", classes=("N", "S", "V", "O"))
    annotate(wfdb_folder / "s01", out=tmp_path, model=folder, peaks="atr", picture=False)
    summary, lines = lines_of(tmp_path)
    assert set(summary["symbols"]) <= {"N", "S", "V", "Q", "?"}
    student = load_student(folder).student
    beats = load_records(["s01"], data=wfdb_folder, cache=False)
    called = np.array(list("NSVQ"))[predict(student, beats).argmax(1)]
    assert [x["symbol"] for x in lines if x["symbol"] != "?"] == called.tolist()
    assert summary["operating_point"] is None


def test_what_cannot_be_is_refused(run, wfdb_folder, tmp_path):
    """Unknown backend, integers without a bundle, noise without a chip, overwriting the peaks."""
    record = wfdb_folder / "s01"
    for options, what in (
        ({"backend": "gpu"}, "choose torch, onnx, integer, chip"),
        ({"backend": "integer"}, "ecgphoton export"),
        ({"noise": 0.1, "backend": "torch"}, "--backend chip"),
        ({"chip": 3, "backend": "onnx"}, "--backend chip"),
        ({"peaks": "atr", "annotator": "atr", "out": wfdb_folder}, "would be overwritten"),
    ):
        with pytest.raises(InputError, match=what):
            annotate(record, **{"out": tmp_path, "model": run, **options})
    assert not list(tmp_path.iterdir())

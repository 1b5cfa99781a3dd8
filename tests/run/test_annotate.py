"""Annotating a record: files other programs read, and one answer on every backend."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image
from tokens import LOOKING_AHEAD

from ecgphoton.artifacts import save_checkpoint
from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.annotations import read_annotations
from ecgphoton.ecg.beats import load_all
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import export_bundle
from ecgphoton.recipe import Recipe
from ecgphoton.run.annotate import annotate
from ecgphoton.run.burden import annotate_folder
from ecgphoton.runs import load_student
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent, predict

SETTINGS = Architecture(patient=LOOKING_AHEAD, template=True)


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
            "selection": {"sets": ["validation"]},
        },
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, wfdb_folder):
    """A run whose threshold splits the beats of record s01 in two halves."""
    folder = checkpoint(tmp_path_factory.mktemp("run"))
    beats = load_all(["s01"], data=wfdb_folder, cache=False).beats
    middle = float(np.median(predict(load_student(folder).student, beats)[:, 1])) + 1e-4
    return checkpoint(folder, threshold=middle)


def lines_of(folder, name="s01"):
    """Summary and beats of the JSON lines."""
    first, *rest = (folder / f"{name}.eph.jsonl").read_text().splitlines()
    return json.loads(first)["summary"], [json.loads(line) for line in rest]


def test_annotation_says_what_the_beat_set_pipeline_decides(run, wfdb_folder, tmp_path):
    """Every symbol written is the operating point's decision on the beats `load_all` gives."""
    report = annotate(wfdb_folder / "s01", out=tmp_path, model=run, peaks="atr", block_seconds=9)
    trained = load_student(run)
    beats = load_all(["s01"], data=wfdb_folder, cache=False).beats
    abnormal = trained.point.decide(predict(trained.student, beats)[:, 1])
    expected = dict(zip(beats.sample.tolist(), np.where(abnormal, "Q", "N").tolist(), strict=True))
    shutil.copy(wfdb_folder / "s01.hea", tmp_path)
    written = read_annotations(tmp_path / "s01", "eph").beats
    assert len(written.sample) == len(read_annotations(wfdb_folder / "s01", "atr").sample)
    for sample, symbol in zip(written.sample.tolist(), written.symbol.tolist(), strict=True):
        assert symbol == expected.get(sample, "?")
    assert {"N", "Q"} <= set(written.symbol.tolist())
    summary, lines = lines_of(tmp_path)
    assert [line["symbol"] for line in lines] == written.symbol.tolist()
    assert summary["beats"] == len(lines) == report.summary["beats"]
    assert sum(summary["symbols"].values()) == len(lines)
    assert summary["source"] == "synthetic"
    assert "was trained on generated beats" in summary["notes"][0]
    assert "(generated beats) on torch" in summary["annotation_note"]
    assert summary["operating_point"]["threshold"] == trained.point.threshold


@pytest.mark.pictures
def test_picture_of_a_made_up_record_says_so(run, wfdb_folder, tmp_path):
    """The picture is there, under the banner; without it no picture is drawn."""
    annotate(wfdb_folder / "s02", out=tmp_path, model=run, peaks="atr")
    assert Image.open(tmp_path / "s02.eph.png").convert("RGB").getpixel((4, 4)) == (255, 214, 10)
    other = tmp_path / "other"
    report = annotate(wfdb_folder / "s02", out=other, model=run, peaks="atr", picture=False)
    names = {"s02.eph", "s02.eph.csv", "s02.eph.jsonl"}
    assert {path.name for path in other.iterdir()} == names
    assert {path.name for path in report.files} == names


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
        ("usual chip", run, {"backend": "chip"}),
    ):
        out = tmp_path / name
        annotate(wfdb_folder / "s01", out=out, model=model, peaks="atr", picture=False, **options)
        said[name] = np.array([line.get("abnormal", -1.0) for line in lines_of(out)[1]])
    for name in ("torch of bundle", "onnx", "onnx of bundle"):
        np.testing.assert_allclose(said[name], said["torch"], atol=2e-5, err_msg=name)
    assert np.abs(said["silent chip"] - said["torch"]).max() < 0.02
    assert np.abs(said["integer"] - said["torch"]).max() < 0.1
    assert np.abs(said["noisy chip"] - said["torch"]).max() > 0.01
    chips = [lines_of(tmp_path / name)[0]["chip"] for name in said if "chip" in name]
    assert [one["noise"] for one in chips] == [0.0, 0.3, 0.02]


@pytest.mark.slow
def test_a_chip_is_the_same_chip_whatever_the_blocks(run, wfdb_folder, tmp_path):
    """The seed of a chip decides its answers, not how the signal was read."""
    options = {"model": run, "backend": "chip", "profile": "pessimistic", "chip": 3, "peaks": "atr"}
    for name, seconds in (("one", 1e6), ("many", 6.5)):
        there = {"out": tmp_path / name, "picture": False}
        annotate(wfdb_folder / "s03", block_seconds=seconds, **there, **options)
    assert lines_of(tmp_path / "one", "s03")[1] == lines_of(tmp_path / "many", "s03")[1]


def test_settings_of_a_profile_reach_the_chip(run, wfdb_folder, tmp_path):
    """A chip of the profile with other numbers answers otherwise, and the summary holds them."""
    said = {}
    for name, settings in (("plain", []), ("coarse", ["dac.bits=3"])):
        annotate(
            wfdb_folder / "s01", out=tmp_path / name, model=run, peaks="atr", picture=False,
            profile="foundry-thermo-optic", settings=settings,
        )  # fmt: skip
        summary, lines = lines_of(tmp_path / name)
        assert summary["chip"]["settings"] == settings
        chip = " ".join(["chip 0, foundry-thermo-optic", *settings])
        assert f"on {chip}, uncalibrated: " in summary["annotation_note"]
        said[name] = np.array([line.get("abnormal", -1.0) for line in lines])
    assert np.abs(said["coarse"] - said["plain"]).max() > 0.01


@pytest.mark.parametrize("classes", ["NSVO", "NSVF"])
def test_four_classes_are_written_as_their_symbols(classes, wfdb_folder, tmp_path):
    """N, S, V and F stay themselves and O becomes Q; no threshold takes part."""
    folder = checkpoint(tmp_path / "run", classes=tuple(classes))
    annotate(wfdb_folder / "s01", out=tmp_path, model=folder, peaks="atr", picture=False)
    summary, lines = lines_of(tmp_path)
    letters = classes.replace("O", "Q")
    assert set(summary["symbols"]) <= {*letters, "?"}
    assert ("Q is any other" in summary["annotation_note"]) == ("O" in classes)
    student = load_student(folder).student
    beats = load_all(["s01"], data=wfdb_folder, cache=False).beats
    called = np.array(list(letters))[predict(student, beats).argmax(1)]
    assert [x["symbol"] for x in lines if x["symbol"] != "?"] == called.tolist()
    assert summary["operating_point"] is None


def test_what_cannot_be_is_refused(run, wfdb_folder, tmp_path):
    """Unknown backend, integers without a bundle, noise without a chip, overwriting the peaks."""
    record = wfdb_folder / "s01"
    for options, what in (
        ({"backend": "gpu"}, "one of 'torch', 'onnx', 'integer', 'chip'"),
        ({"backend": "integer"}, "ecgphoton export"),
        ({"noise": 0.1, "backend": "torch"}, "--backend chip"),
        ({"chip": 3, "backend": "onnx"}, "--backend chip"),
        ({"profile": "mems", "settings": ["dac.bits=4"], "backend": "onnx"}, "--backend chip"),
        ({"settings": ["dac.bits=4"]}, "name a profile"),
        ({"profile": "mems", "settings": ["dac.bit=4"]}, "dac.bits"),
    ):
        with pytest.raises(InputError, match=what):
            annotate(record, **{"out": tmp_path, "model": run, **options})
    assert not list(tmp_path.iterdir())


@pytest.fixture
def records(wfdb_folder, tmp_path):
    """Two made-up records in a folder of their own, ready to be spoilt."""
    folder = tmp_path / "records"
    folder.mkdir()
    for path in (*wfdb_folder.glob("s01.*"), *wfdb_folder.glob("s02.*")):
        shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"annotator": "dat"}, "signals, headers or other outputs"),
        ({"annotator": "hea", "force": True}, "signals, headers or other outputs"),
        ({"annotator": "jsonl"}, "signals, headers or other outputs"),
        ({"annotator": "png"}, "signals, headers or other outputs"),
        ({"annotator": "atr"}, "add --force"),
        ({"annotator": "ATR"}, "add --force"),
        ({"annotator": "my_own"}, "letters alone"),
        ({"annotator": "atr", "force": True, "peaks": "atr"}, "is an input"),
        ({"annotator": "mine"}, "already exists"),
    ],
)
def test_no_output_replaces_an_input(options, what, run, records):
    """Refused before any work, with the folder left as it was."""
    shutil.copy(records / "s01.atr", records / "s01.mine")
    before = {path.name: path.read_bytes() for path in records.iterdir()}
    with pytest.raises(InputError, match=what):
        annotate(records / "s01", out=records, model=run, **options)
    assert {path.name: path.read_bytes() for path in records.iterdir()} == before


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_an_input_by_another_name_is_not_replaced(link, run, records):
    """A link of either kind to the signal is the signal."""
    getattr(records / "s01.eph", link)(records / "s01.dat")
    with pytest.raises(InputError, match="is an input"):
        annotate(records / "s01", out=records, model=run, force=True)


def test_files_that_are_there_give_way_to_force_alone(run, records):
    """A second run is refused; with --force it writes the same files again, and atr too."""
    options = {"out": records, "model": run, "picture": False}
    annotate(records / "s01", **options)
    with pytest.raises(InputError, match="add --force"):
        annotate(records / "s01", **options)
    report = annotate(records / "s01", force=True, **options)
    assert all(path.is_file() for path in report.files)
    annotate(records / "s01", annotator="atr", force=True, **options)
    assert "ecgphoton" in (records / "s01.atr").read_bytes().decode("latin-1")


def test_a_csv_line_a_beat_says_what_the_json_lines_say(run, records, tmp_path):
    """Both tables hold the same beats; a beat that is not classified gives its reason."""
    annotate(records / "s01", out=tmp_path, model=run, picture=False)
    head, *rows = (tmp_path / "s01.eph.csv").read_text().splitlines()
    assert head == "sample,seconds,symbol,called,abnormal,reason"
    for row, line in zip(rows, lines_of(tmp_path)[1], strict=True):
        sample, seconds, symbol, called, abnormal, reason = row.split(",")
        assert (int(sample), float(seconds), symbol, called) == (
            line["sample"], line["seconds"], line["symbol"], line["called"]
        )  # fmt: skip
        assert reason == line.get("reason", "")
        assert abnormal == str(line.get("abnormal", ""))


def test_an_edf_recording_gets_edf_annotations(run, records, tmp_path):
    """Its beats are EDF+ annotations that edfio reads back; no patient is named in them."""
    import edfio
    import wfdb

    read = wfdb.rdrecord(str(records / "s01"))
    signal = edfio.EdfSignal(
        read.p_signal[: 40 * 360, 0], 360, label="ECG II", physical_dimension="mV"
    )
    patient = edfio.Patient(name="Jane_Doe")
    edfio.Edf([signal], patient=patient).write(tmp_path / "night 1.edf")
    report = annotate(tmp_path / "night 1.edf", out=tmp_path / "out", model=run, picture=False)
    assert {path.name for path in report.files} >= {"night_1.eph", "night 1.eph.edf"}
    written = edfio.read_edf(tmp_path / "out" / "night 1.eph.edf")
    symbols = [note.text.split()[0] for note in written.annotations]
    assert len(symbols) == report.summary["beats"]
    assert all(b"Doe" not in path.read_bytes() for path in report.files)


def test_a_folder_gives_a_table_of_burdens(run, records, tmp_path):
    """Each recording has a row with counts, shares and numbers an hour; a damaged one is named."""
    (records / "s02.dat").write_bytes(b"short")
    (records / "SHA256SUMS.txt").write_text(f"{'0a' * 32} s01.dat\n")
    report = annotate_folder(records, out=tmp_path / "out", model=run, picture=False)
    (row,) = report.rows
    assert list(report.failed) == ["s02"]
    others = report.to_dict()["no_recordings"]
    assert others == {"SHA256SUMS.txt": "0 of its first 1 lines hold numbers alone"}
    assert row["record"] == "s01"
    assert row["S"] is None  # a student of two classes does not name kinds
    assert row["abnormal share"] == pytest.approx(row["abnormal"] / row["beats"])
    assert row["abnormal per hour"] == pytest.approx(row["abnormal"] / row["hours"])
    lines = (tmp_path / "out" / "burdens.eph.csv").read_text().splitlines()
    assert len(lines) == 2
    assert len(lines[0].split(",")) == len(lines[1].split(","))
    (records / "s01.dat").write_bytes(b"short")
    with pytest.raises(InputError, match="none of 2 recordings"):
        annotate_folder(records, out=tmp_path / "new", model=run)
    with pytest.raises(InputError, match=r"burdens\.eph\.csv is there"):
        annotate_folder(records, out=tmp_path / "out", model=run)


@pytest.mark.parametrize("name", ["s-1 1", "burdens"])
def test_two_recordings_never_share_an_answer(name, run, records, tmp_path):
    """Names that WFDB would write alike, and that of the table, are refused before any work."""
    (records / "s-1_1.npy").touch()
    (records / f"{name}.npy").touch()
    with pytest.raises(InputError, match=f"{name}.*rename"):
        annotate_folder(records, out=tmp_path / "out", model=run, force=True)
    assert not (tmp_path / "out").exists()

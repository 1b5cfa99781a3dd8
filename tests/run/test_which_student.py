"""Which student a command takes is stated, with the reason."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from click.testing import CliRunner

import ecgphoton as ep
from ecgphoton.artifacts import MANIFEST, write_json, write_manifest
from ecgphoton.cli import main
from ecgphoton.errors import InputError
from ecgphoton.models import NAMES_CLASSES, bundle
from ecgphoton.run.annotate import annotate
from ecgphoton.run.annotator import Annotator
from ecgphoton.run.burden import annotate_folder
from ecgphoton.run.listing import runs as listed
from ecgphoton.runs import CHECKPOINT, ENVIRONMENT, KIND, METRICS, START, date_of, finished, load


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A working folder without runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finished_run(folder):
    """A run with the student of a shipped one."""
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes((bundle("inter-patient") / CHECKPOINT).read_bytes())
    write_manifest(folder, kind=KIND)


def test_without_a_run_it_is_the_shipped_one_of_four_classes(empty, wfdb_folder):
    """In the summary, its file, the table of a folder and the printed lines alike."""
    report = annotate(wfdb_folder / "s01", out="one", picture=False)
    student = report.summary["student"]
    assert student["name"] == NAMES_CLASSES
    assert student["path"] == str(bundle(NAMES_CLASSES))
    assert student["chosen"].startswith("shipped with ecgphoton; none was named")
    first = (empty / "one" / "s01.eph.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["summary"]["student"] == student
    assert report.summary["provenance"]["chosen"] == student["chosen"]
    assert annotate_folder(wfdb_folder, out="all", picture=False).to_dict()["student"] == student
    call = ["annotate", str(wfdb_folder / "s01"), "--no-picture", "--out", "two"]
    said = CliRunner().invoke(main, call, catch_exceptions=False).output
    expected = f"student {NAMES_CLASSES} ({student['path']}): {student['chosen']}"
    assert expected in said.splitlines()


def test_a_name_that_lacks_its_folder_is_completed(empty):
    """What stands in runs/ or bundles/ is offered beside the shipped students."""
    finished_run(empty / "runs" / "mine")
    for named, meant in (("mine", "runs/mine"), ("inter-pateint", "inter-patient")):
        with pytest.raises(InputError, match=rf"at {named} .*did you mean {meant}\?"):
            load(named)


def test_a_run_goes_before_it_and_a_name_before_both(empty, wfdb_folder):
    """The newest run below runs/ annotates, until another student is named."""
    finished_run(empty / "runs" / "mine")
    found = annotate(wfdb_folder / "s01", out="one", picture=False).summary["student"]
    assert (found["name"], found["path"]) == ("mine", "runs/mine")
    assert found["chosen"] == "the newest finished run below runs/; none was named"
    assert Annotator(fs=360).student == found
    named = Annotator(fs=360, student=NAMES_CLASSES).student
    assert (named["name"], named["chosen"]) == (NAMES_CLASSES, "named")
    assert load("runs/mine").chosen == "named"


def test_the_newest_bundle_is_verified(empty):
    """It is said which; without one below bundles/ it is that of the shipped student."""
    found = [ep.run.verify(beats=False, sax=False)]
    for name, seconds in (("old", 1), ("new", 2)):
        shutil.copytree(bundle("inter-patient"), empty / "bundles" / name)
        os.utime(empty / "bundles" / name / MANIFEST, (seconds, seconds))
    finished_run(empty / "runs" / "mine")
    found.append(ep.run.verify(beats=False, sax=False))
    assert [one.folder for one in found] == [str(bundle("inter-patient")), "bundles/new"]
    assert [one.chosen for one in found] == [
        "shipped with ecgphoton; none was named, and bundles/ holds no finished bundle",
        "the newest finished bundle below bundles/; none was named",
    ]
    assert all(one.ok for one in found)


def test_a_wish_needs_a_run_of_two_classes_with_folds(empty, wfdb_folder):
    """It is refused where it cannot be kept, never dropped."""
    record = str(wfdb_folder / "s01")
    for model, why in ((NAMES_CLASSES, "4 classes"), ("inter-patient", "out_of_fold_scores")):
        call = ["annotate", record, "--run", model, "--max-fpr", "0.05"]
        found = CliRunner().invoke(main, call)
        assert found.exit_code == 2
        assert why in found.output
    assert not list(empty.glob("s01*"))


def test_a_copy_of_an_old_run_is_not_the_newest(empty):
    """The newest run is the one trained last, whenever its files were copied."""
    for name, day in (("new", 2), ("copied", 1)):
        finished_run(empty / "runs" / name)
        write_json(empty / "runs" / name / ENVIRONMENT, {"date": f"2026-01-0{day}T00:00:00Z"})
    assert [run.name for run in finished()] == ["new", "copied"]
    (empty / "runs" / "copied" / ENVIRONMENT).unlink()  # of a version that stated no date
    assert [run.name for run in finished()] == ["copied", "new"]
    assert date_of(empty / "runs" / "copied") > "2026-01-03"


def test_a_damaged_run_is_refused(empty):
    """A checkpoint that is not the one of the run's manifest answers nothing; alone it does."""
    finished_run(empty / "runs" / "mine")
    path = empty / "runs" / "mine" / CHECKPOINT
    data = bytearray(path.read_bytes())
    data[-3] ^= 1  # another weight, and still a checkpoint
    path.write_bytes(data)
    for named in ("runs/mine", path):
        with pytest.raises(InputError, match=r"is not the file that manifest\.json"):
            load(named)
    write_json(empty / "runs" / "mine" / METRICS, {"sets": {}})
    write_manifest(empty / "runs" / "mine", kind=KIND)
    write_json(empty / "runs" / "mine" / METRICS, {"sets": {"test": {"miss_rate": 0}}})
    with pytest.raises(InputError, match=r"metrics\.json is not the file that"):
        listed(empty / "runs")
    (empty / "alone.safetensors").write_bytes(data)
    assert load("alone.safetensors").student is not None


def test_a_run_is_not_searched_for_runs(empty):
    """It is named as what it is, instead of an empty list."""
    finished_run(empty / "runs" / "mine")
    with pytest.raises(InputError, match="runs/mine is a run itself; name the folder that holds"):
        listed("runs/mine")


def test_an_unfinished_run_is_named_beside_the_finished_ones(empty):
    """With how to go on; a run that was cut off does not vanish from the list."""
    write_json(empty / "runs" / "cut" / START, {})
    found = listed()
    assert not found.rows
    assert found.left_out == {
        "runs/cut": "runs/cut is unfinished; if nothing trains it now, `ecgphoton train --resume "
        "runs/cut` continues it"
    }

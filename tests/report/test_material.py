"""A report takes what belongs to one student, and says what it left out and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecgphoton import artifacts, runs
from ecgphoton.artifacts import sha256, write_bytes, write_json
from ecgphoton.errors import InputError
from ecgphoton.models import shipped
from ecgphoton.report import material
from ecgphoton.report.html import write_report
from ecgphoton.report.material import gather, student_of


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run, its bundle, and three simulations and a calibration of it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    project = tmp_path / "project"
    for folder in ("runs/mine", "bundles/mine"):
        write_bytes(project / folder / "checkpoint.safetensors", b"one student")
    write_bytes(project / "runs/other/checkpoint.safetensors", b"another student")
    student = sha256(b"one student")
    for name, about in {
        "simulations/mine/old": {"student": student, "date": "2026-01-01T00:00:00Z"},
        "simulations/mine/new": {"student": student, "date": "2026-02-01T00:00:00Z"},
        "simulations/other/new": {"student": sha256(b"another student"), "date": "2026-03-01"},
    }.items():
        write_json(project / name / "simulation.json", {"provenance": about})
    about = {"student": student, "date": "2025-01-01T00:00:00Z"}
    write_json(project / "calibrations/mine/first/calibration.json", {"provenance": about})
    write_json(project / "simulations/mine/early/simulation.json", {"chips": 3})
    return project


@pytest.mark.parametrize("start", ["runs/mine", "bundles/mine"])
def test_everything_of_the_same_student_is_found(project: Path, start: str) -> None:
    """Run, bundle, calibration and the newest simulation are found from either end."""
    found = gather(project / start)
    names = {folder.resolve().relative_to(project).as_posix() for folder in found.folders}
    assert names == {
        "runs/mine", "bundles/mine", "simulations/mine/new", "calibrations/mine/first"
    }  # fmt: skip
    reasons = {folder.resolve().relative_to(project).as_posix(): why
               for folder, why in found.left_out.items()}  # fmt: skip
    assert "a newer simulation of the same student" in reasons["simulations/mine/old"]
    assert "another student" in reasons["simulations/other/new"]
    assert "another student" in reasons["runs/other"]
    assert "no student is recorded there" in reasons["simulations/mine/early"]


def test_a_page_of_results_is_named_after_their_student(project: Path) -> None:
    """As the results state it, where no run or bundle is on the page; not after their folder."""
    alone = {"student": sha256(b"a third student"), "date": "2026-03-01", "model": "runs/third"}
    write_json(project / "simulations/x/first/simulation.json", {"provenance": alone})
    assert gather(project / "simulations/x/first").name == "third"


def test_what_is_named_comes_first(project: Path) -> None:
    """An older simulation that is named is shown instead of the newest."""
    old = project / "simulations/mine/old"
    found = gather(project / "runs/mine", (old,))
    assert found.find("simulation.json") == old / "simulation.json"
    assert any("simulations/mine/new" in str(folder) for folder in found.left_out)


@pytest.mark.parametrize("name", ["simulations/other/new", "simulations/mine/early"])
def test_what_is_named_and_of_another_student_is_refused(project: Path, name: str) -> None:
    """Results that were named are taken or refused, never left out."""
    with pytest.raises(InputError, match="a report is about one student"):
        gather(project / "runs/mine", (project / name,))


def test_a_run_and_its_bundle_are_one_student(project: Path) -> None:
    """The student is the hash of the checkpoint, whichever folder holds it."""
    assert student_of(project / "runs/mine") == student_of(project / "bundles/mine")
    assert student_of(project / "simulations/mine/new") == student_of(project / "runs/mine")
    assert student_of(project / "simulations/mine/early") is None


def test_a_neighbour_with_a_damaged_manifest_is_left_out(tmp_path):
    """It does not prevent the page of another folder, and the reason is told."""
    bundle = shipped()["reference-8"]
    for name in ("good", "bad"):
        shutil.copytree(bundle, tmp_path / "bundles" / name)
    (tmp_path / "bundles" / "bad" / "manifest.json").write_text("[]")
    material = gather(tmp_path / "bundles" / "good")
    left = {folder.name: why for folder, why in material.left_out.items()}
    assert left["bad"] == "its manifest.json is damaged"
    assert write_report(material, tmp_path / "page.html").is_file()


def test_results_are_found_where_out_has_put_them(project: Path) -> None:
    """``--out calibrations/NAME`` is as good as the usual folder; its tables are no result."""
    (project / "calibrations/mine/first/calibration.json").unlink()
    about = {"student": sha256(b"one student"), "date": "2026-01-01T00:00:00Z"}
    write_json(project / "calibrations/own/calibration.json", {"provenance": about})
    write_json(project / "calibrations/own/tables/manifest.json", {"kind": "tables"})
    found = gather(project / "runs/mine")
    assert found.find("calibration.json") == project / "calibrations/own/calibration.json"
    assert not any(folder.name == "tables" for folder in found.left_out)


def test_a_page_shows_no_file_that_was_changed(tmp_path):
    """A number edited by hand is refused where the folder is named, and left out where found."""
    bundle = shipped()["reference-8"]
    for name in ("good", "bad"):
        shutil.copytree(bundle, tmp_path / "bundles" / name)
    manifest = tmp_path / "bundles" / "bad" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"]["mesh.json"]["bytes"] += 1
    write_json(manifest, content)
    (tmp_path / "bundles" / "good" / "golden.npz").unlink()  # what is missing is not shown
    material = gather(tmp_path / "bundles" / "good")
    left = {folder.name: why for folder, why in material.left_out.items()}
    assert "mesh.json" in left["bad"]
    assert "manifest says" in left["bad"]
    with pytest.raises(InputError, match=r"mesh\.json: .* copy the whole folder again"):
        gather(tmp_path / "bundles" / "bad")


def test_every_file_is_hashed_once(tmp_path, monkeypatch):
    """A page of a bundle with a neighbour of the same student reads each file once for its hash."""
    for name in ("one", "two"):
        shutil.copytree(shipped()["reference-8"], tmp_path / "bundles" / name)
    monkeypatch.chdir(tmp_path)
    seen: list[Path] = []

    def counted(file: Path) -> str:
        seen.append(file.resolve())
        return sha256(file)

    for module in (artifacts, runs, material):
        monkeypatch.setattr(module, "sha256", counted)
    assert len(gather(tmp_path / "bundles/one").folders) == 2
    assert len(seen) == len(set(seen)) > 10


def test_nothing_to_report_is_said(tmp_path: Path) -> None:
    """An empty or absent folder is an input error."""
    with pytest.raises(InputError, match="nothing to report"):
        gather(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        gather(tmp_path / "absent")

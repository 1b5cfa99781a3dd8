"""Every command does its work and prints it, as a table and as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

pytestmark = pytest.mark.slow

Call = Callable[..., Result]


QUICK = {
    "sweep": (("--over", "noise=0:0.02:2", "--chips", "2"), "verdict"),
    "solve": (("--key", "noise", "--chips", "2"), "noise"),
    "certify": (("--epsilon", "0.001"), "beats no chip can flip"),
    "trace": (("--chip", "2", "--beat", "5"), "margin of the perfect chip"),
    "bits": (("--fewest", "8", "--most", "8"), "heaters: "),
}
SLOW = {
    "blame": (("--chips", "1"), "static weights"),
    "adversary": ((), "worst chip"),
    "surrogate": (("--over", "noise=0.01", "--chips", "4"), "error against exact chips"),
    "drift": (("bundles/b", "--chips", "1", "--hours", "8"), "trim"),
}


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_every_study_prints_a_table_and_writes_its_folder(name: str, call: Call) -> None:
    """The table names what was asked; numbers, table, picture and provenance are written."""
    options, said = (QUICK | SLOW)[name]
    done = call("study", name, *options)
    assert done.exit_code == 0, done.output
    assert said in done.output
    folder = Path(done.output.rsplit("written to ", 1)[1].strip())
    files = {path.suffix: path for path in folder.iterdir()}
    assert sorted(files) == [".csv", ".json", ".png"]
    about = json.loads(files[".json"].read_text())["provenance"]
    assert about["call"].startswith(f"ecgphoton.study.{name}(")


def test_a_study_prints_json(call: Call) -> None:
    """``--json`` prints what the JSON file holds."""
    done = call("study", "certify", "--epsilon", "0.002", "--json")
    found = json.loads(done.stdout)
    assert json.loads((Path(found["folder"]) / "certified.json").read_text()) == found


@pytest.mark.parametrize(
    ("option", "new"),
    [
        ("--sweep=noise=0:1:2", "study sweep"),
        ("--solve", "study solve"),
        ("--blame", "study blame"),
        ("--adversary", "study adversary"),
        ("--certify", "study certify"),
        ("--trace", "study trace"),
        ("--max-miss", "--limit miss"),
    ],
)
def test_an_old_option_names_the_new_command(option: str, new: str, call: Call) -> None:
    """What moved is refused with exit code 2, and its new place."""
    done = call("simulate", "runs/r", option)
    assert done.exit_code == 2
    assert f"is now `ecgphoton {new}" in done.output or f"is now `{new}" in done.output


def test_runs_are_listed_with_their_numbers(house: Path, call: Call) -> None:
    """The list has recipe, data, AUC, miss and FPR of every finished run."""
    (house / "runs" / "unfinished").mkdir(exist_ok=True)
    found = json.loads(call("runs", "--json").stdout)["runs"]
    metrics = json.loads((house / "runs" / "r" / "metrics.json").read_text())
    row = next(row for row in found if row["run"] == "runs/r")
    assert row["data"] == "synthetic"
    assert row["recipe"] == "reference-8"
    assert row["miss"] == metrics["sets"]["generalization"]["miss"]
    assert "runs/r" in call("runs").output
    assert "runs/unfinished" not in call("runs").output
    assert call("runs", "runs/unfinished").output == "no finished runs\n"


def test_a_damaged_run_hides_no_other(house: Path, call: Call, tmp_path: Path) -> None:
    """The others are listed, and it is named with what is wrong; alone it is an error."""
    for name in ("whole", "torn"):
        shutil.copytree(house / "runs" / "r", tmp_path / name)
    (tmp_path / "torn" / "metrics.json").write_text('{"sets": {}}')
    found = json.loads(call("runs", str(tmp_path), "--json").stdout)
    assert [row["run"] for row in found["runs"]] == [str(tmp_path / "whole")]
    assert list(found["left_out"]) == [str(tmp_path / "torn")]
    assert f"not listed: {tmp_path / 'torn'}" in call("runs", str(tmp_path)).output
    shutil.rmtree(tmp_path / "whole")
    alone = call("runs", str(tmp_path))
    assert alone.exit_code == 2
    assert "is not the file that manifest.json" in alone.output


@pytest.mark.parametrize("name", ["models", "recipes"])
def test_what_comes_with_the_package_is_listed(name: str, call: Call) -> None:
    """As a table, as JSON, and one of them alone."""
    listed = json.loads(call(name, "--json").stdout)[name]
    assert "inter-patient" in {row["name"] for row in listed}
    assert "inter-patient" in call(name).output
    assert len(call(name, "inter-patient").output.splitlines()) > 5


def test_evaluate_prints_the_numbers_of_the_run(house: Path, call: Call) -> None:
    """Table and JSON hold the numbers that training wrote."""
    written = json.loads((house / "runs" / "r" / "metrics.json").read_text())
    assert json.loads(call("evaluate", "--json", "runs/r").stdout)["sets"] == written["sets"]
    assert "generalization" in call("evaluate", "runs/r").output


@pytest.mark.slow
def test_a_calibration_is_continued_but_never_overwritten(house: Path, call: Call) -> None:
    """A folder without its JSON file is taken up again; a finished one is refused or numbered."""
    campaign = ("calibrate", "bundles/b", "--profile", "ideal", "--chips", "1", "--json")
    first = json.loads(call(*campaign).stdout)
    folder = house / first["folder"]
    assert first["chips_calibrated_now"] == 1
    (folder / "calibration.json").unlink()
    again = json.loads(call(*campaign).stdout)
    assert again["folder"] == first["folder"]
    assert again["chips_calibrated_now"] == 0
    refused = call(*campaign, "--out", first["folder"])
    assert refused.exit_code == 2
    assert "is not empty" in refused.output
    assert json.loads(call(*campaign).stdout)["folder"] == f"{first['folder']}-2"


def test_report_says_what_it_took(house: Path, call: Call, tmp_path: Path) -> None:
    """The newest simulation is on the page; an older one is named with the reason."""
    for _ in range(2):
        call("simulate", "runs/r", "--noise", "0.07", "--chips", "2")
    done = call("report", "runs/r", "--out", str(tmp_path / "page.html"))
    assert done.exit_code == 0, done.output
    assert "student r (runs/r)\n" in done.output
    assert ": a newer simulation of the same student" in done.output
    assert "Miss rate and FPR of every chip" in (tmp_path / "page.html").read_text()


def test_a_recording_is_annotated_and_scored(call: Call, wfdb_folder: Path, tmp_path: Path) -> None:
    """Annotation, lines and picture are written once, and never overwritten."""
    shutil.copytree(wfdb_folder, tmp_path / "records")
    record = str(tmp_path / "records" / "s01")
    annotate = ("annotate", record, "--run", "runs/r", "--out", str(tmp_path / "records"))
    done = call(*annotate)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "records" / "s01.eph.png").exists()
    again = call(*annotate)
    assert again.exit_code == 2
    assert "already exists" in again.output
    scored = call("score", record, "--start", "0")
    assert scored.exit_code == 0, scored.output
    summary = json.loads((tmp_path / "records" / "s01.eph.jsonl").read_text().splitlines()[0])
    assert summary["summary"]["provenance"]["call"].startswith("ecgphoton.run.annotate(")


@pytest.mark.parametrize("name", ["simulate", "calibrate", "study blame", "study surrogate"])
def test_no_chips_at_all_are_refused(name: str, call: Call) -> None:
    """Zero is neither replaced by the default nor computed with."""
    done = call(*name.split(), "inter-patient", "--data", "synthetic", "--chips", "0")
    assert done.exit_code == 2
    assert "chips is 0" in done.output


def test_a_card_is_json_too(call: Call) -> None:
    """``models NAME --json`` is the row of the student, and its card as a text."""
    found = json.loads(call("models", "reference-8", "--json").stdout)
    assert found["name"] == "reference-8"
    assert found["card"] == call("models", "reference-8").stdout


def test_a_demo_prints_one_json_value(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is there with its exit code and what it printed as JSON."""

    def run(_: object, step: list[str]) -> int:
        click.echo(json.dumps({"asked": step}))
        return int(step[0] == "simulate")

    monkeypatch.setattr("ecgphoton.commands.demo._run", run)
    done = call("demo", "--data", "synthetic", "--out", str(tmp_path / "demo"), "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["source"]) == (0, "synthetic")
    steps = {step["command"][0]: step for step in found["steps"]}
    assert list(steps) == ["train", "export", "verify", "simulate", "calibrate", "report"]
    assert steps["simulate"]["exit_code"] == 1
    assert all(one["result"]["asked"] == [*one["command"], "--json"] for one in steps.values())

"""The budget and the requirement sheet, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ecgphoton.hwsim.effects import EFFECTS

pytestmark = pytest.mark.slow

Call = Callable[..., Result]


def written(done: Result) -> Path:
    """Folder that a command names last."""
    assert done.exit_code == 0, done.output
    return Path(done.output.rsplit("written to ", 1)[1].strip())


def test_a_budget_states_light_power_and_who_wins(call: Call) -> None:
    """Table, JSON, CSV and picture; processors with their sources, and a sentence about them."""
    done = call("budget", "runs/r", "--chips", "1")
    folder = written(done)
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", ".json", ".png"]
    found = json.loads((folder / "budget.json").read_text())
    assert found["receiver"] == "balanced"
    assert [one["stage"] for one in found["light"]["signal"]][:2] == ["laser", "fibre coupler"]
    assert {one["name"] for one in found["plans"]} == {
        f"one block {way}, {duty}"
        for way in ("each", "reused")
        for duty in ("always on", "duty-cycled")
    }
    assert all(one["source"] for one in found["digital"])
    assert found["sentence"] in done.output
    assert "more energy than Cortex-M4" in found["sentence"]
    assert found["laser_requirement"]["parameter"] == "link.laser"
    assert found["not_stated"] == ["link.extinction_db"]
    made = call("report", "runs/r")
    assert made.exit_code == 0, made.output
    page = Path("report.html").read_text()
    assert all(text in page for text in ("one block reused, duty-cycled", found["sentence"]))


def test_a_profile_without_light_path_has_no_budget(call: Call) -> None:
    """It is refused by name before anything is simulated; a number can be set for one call."""
    done = call("budget", "runs/r", "--profile", "ideal", "--chips", "1")
    assert done.exit_code == 2
    assert "profile ideal: it does not state link.laser, link.oscillator, link.rate" in done.output
    linked = ("--profile", "foundry-thermo-optic:full-link", "--set", "link.laser=3")
    more = json.loads(call("budget", "runs/r", "--chips", "1", *linked, "--json").stdout)
    assert (more["laser_mw"], more["not_stated"]) == (3.0, [])


def test_a_sheet_is_a_page(call: Call) -> None:
    """One row a parameter in the table; the page says chips, interval and where it comes from."""
    keys = ("--key", "splitter.sigma", "--key", "all together")
    done = call("study", "sheet", "runs/r", "--chips", "2", "--no-calibrated", *keys)
    folder = written(done)
    names = ["sheet.csv", "sheet.html", "sheet.json", "sheet.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    found = json.loads((folder / "sheet.json").read_text())
    assert [line["parameter"] for line in found["lines"]] == ["splitter.sigma", "all together"]
    assert found["provenance"]["call"].startswith("ecgphoton.study.sheet(")
    page = (folder / "sheet.html").read_text()
    meaning = EFFECTS["splitter.sigma"].number.meaning
    for text in ("splitter.sigma", "all together", "2 simulated chips", "Clopper", meaning):
        assert text in page
    unknown = call("study", "sheet", "runs/r", "--key", "together")
    assert unknown.exit_code == 2
    assert "all together" in unknown.output
    idle = call("study", "sheet", "runs/r", "--key", "time.drift")
    assert idle.exit_code == 2
    assert "time.drift is without effect" in idle.output

"""Studies from Python: a folder of its own for every call, and where its numbers come from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

import ecgphoton as ep
from ecgphoton.artifacts import sha256


@pytest.fixture(autouse=True)
def _inside(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(house)


def test_a_result_says_where_it_comes_from(house: Path) -> None:
    """Student, data, seed, call, date, version and packages are in the JSON file."""
    result = ep.run.simulate("runs/r", noise=0.03, chips=2, seed=4)
    written = json.loads((result.folder / "simulation.json").read_text())
    assert written == result.to_dict()
    about = written["provenance"]
    assert about["student"] == sha256(house / "runs" / "r" / "checkpoint.safetensors")
    assert about["data"]["source"] == "synthetic"
    assert about["data"]["beats"] == written["beats"]
    assert about["seed"] == 4
    call = "ecgphoton.run.simulate(model='runs/r', noise=0.03, chips=2, seed=4)"
    assert about["call"] == call
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", about["date"])
    assert about["version"] == ep.__version__
    assert {"python", "torch", "numpy"} <= set(about["packages"])


def test_no_result_is_overwritten() -> None:
    """The same call again gets a folder with a number; a folder that is not empty is refused."""
    first = ep.run.simulate("runs/r", noise=0.04, chips=2)
    again = ep.run.simulate("runs/r", noise=0.04, chips=2)
    assert again.folder == first.folder.with_name(f"{first.folder.name}-2")
    with pytest.raises(ep.InputError, match="is not empty"):
        ep.run.simulate("runs/r", noise=0.04, chips=2, out=first.folder)
    with pytest.raises(ep.InputError, match="is not empty"):
        ep.study.sweep("runs/r", over="noise=0.01", chips=2, out=first.folder)


def test_an_interrupted_result_is_written_again(tmp_path: Path) -> None:
    """A folder without the file that is written last is free for the same kind of result."""
    (tmp_path / "chips.csv").write_text("half of it")
    result = ep.run.simulate("runs/r", chips=2, out=tmp_path)
    assert (tmp_path / "chips.csv").read_text().startswith("chip,")
    assert result.folder == tmp_path


def test_a_sweep_of_one_value_is_that_simulation() -> None:
    """Both judge the same chips on the same beats."""
    swept = ep.study.sweep("runs/r", over="noise=0.05", chips=4)
    alone = ep.run.simulate("runs/r", noise=0.05, chips=4)
    assert swept.rows[0]["yield"] == alone.report.observed_yield
    assert swept.rows[0]["miss_median"] == alone.numbers["metrics"]["miss"]["median"]


@pytest.mark.slow
def test_the_surrogate_agrees_with_exact_chips() -> None:
    """Its error is measured beside it, and is small at small noise."""
    rows = ep.study.surrogate("runs/r", over="noise=0.005", chips=8).report
    assert rows[0]["error_rms"] < 0.02


@pytest.mark.slow
def test_the_adversary_is_worse_than_chips_that_were_drawn() -> None:
    """And says how much of the tolerance every block uses."""
    worst = ep.study.adversary("runs/r", noise=0.02)
    drawn = ep.run.simulate("runs/r", noise=0.02, chips=4)
    found = worst.report
    assert found.miss + found.fpr > (drawn.report.miss + drawn.report.fpr).max()
    assert all(0 <= row["used"] <= 1 for row in worst.rows)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_stays_the_callers(threads: int) -> None:
    """A journey leaves torch as it was, and gives the same numbers on any number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        result = ep.run.simulate("runs/r", noise=0.06, chips=5)
        assert torch.get_num_threads() == threads
        one = ep.run.simulate("runs/r", noise=0.06, chips=5, workers=1)
        read = [(r.folder / "chips.csv").read_bytes() for r in (result, one)]
        assert read[0] == read[1]
    finally:
        torch.set_num_threads(before)

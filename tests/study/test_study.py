"""Studies from Python: a folder of its own for every call, and where its numbers come from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import ecgphoton as ep
from ecgphoton.artifacts import sha256
from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import Profile
from ecgphoton.run.journey import begin, chips_slug

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_records")]


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


@pytest.mark.parametrize(("stated", "bits"), [({}, 8), ({"dac.bits": 0}, 0), ({"dac.bits": 6}, 6)])
def test_a_result_says_the_width_of_its_converters(
    stated: dict[str, float], bits: int, tmp_path: Path
) -> None:
    """Also where the profile leaves it to the bundle."""
    profile = Profile({"splitter.sigma": 0.02, **stated})
    made = ep.run.simulate("reference-8", profile=profile, chips=1, data="synthetic",
                           out=tmp_path / "x")  # fmt: skip
    assert made.numbers["provenance"]["profile"]["numbers"]["dac.bits"] == bits


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("noise", "0.02"),
        ("noise", True),
        ("chips", 2.5),
        ("chips", None),
        ("seed", 1.5),
        ("workers", "2"),
        ("early_stop", "no"),
        ("readout", None),
        ("data", 3),
        ("out", 3),
        ("model", 3),
        ("profile", 3),
        ("limit", 5),
        ("limit", [("miss",)]),
        ("limit", {"miss": "0.1"}),
    ],
)
def test_an_argument_of_another_type_is_refused(argument: str, value: object) -> None:
    """By name and value, before anything is computed or written."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(
        ep.InputError, match=rf"{argument}.* is ({re.escape(repr(value))}|'0.1'|of type)"
    ):
        ep.run.simulate(**{"model": "runs/r", "chips": 2, argument: value})
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("study", "given"),
    [
        ("sweep", {"over": "noise=0:0.02:2", "noise": 0.1}),
        ("sweep", {"over": "splitter.sigma=0:0.02:2", "settings": ["splitter.sigma = 0.1"]}),
        ("solve", {"key": "noise", "noise": 0.1}),
        ("solve", {"key": "dac.bits", "settings": ["dac.bits=8"]}),
    ],
)
def test_a_value_of_what_changes_is_refused(study: str, given: dict[str, object]) -> None:
    """It would not be used, and the result would still name it."""
    given |= {"profile": "foundry-thermo-optic"} if "settings" in given else {}
    with pytest.raises(ep.InputError, match=r"is given for .*, which changes here"):
        getattr(ep.study, study)("runs/r", **given)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    """They are written as those of Python are."""
    made = ep.run.simulate(
        "runs/r", noise=np.float32(0.25), chips=np.int64(2), out=str(tmp_path / "x")
    )
    assert made.numbers["provenance"]["call"].startswith(
        "ecgphoton.run.simulate(model='runs/r', noise=0.25, chips=2,"
    )


@pytest.mark.parametrize(
    ("name", "folder"), [("a/b\n\0c", "a-b-c"), ("..", "profile"), ("x" * 400, "x" * 60)]
)
def test_a_folder_is_named_after_any_profile(name: str, folder: str) -> None:
    """Whatever a file system refuses is replaced."""
    assert chips_slug({}, Profile(name=name)) == folder


def test_a_named_file_is_no_folder(tmp_path: Path) -> None:
    """The message says so."""
    (tmp_path / "x").touch()
    with pytest.raises(ep.InputError, match="x is a file"):
        ep.run.simulate("runs/r", chips=2, out=tmp_path / "x")


@pytest.mark.slow
def test_studies_depend_on_no_setting_of_the_host(tmp_path: Path) -> None:
    """Neither on the default type of torch nor on whether it records gradients."""
    tables = []
    for name, kind in (("a", torch.float32), ("b", torch.float64)):
        torch.set_default_dtype(kind)
        torch.set_grad_enabled(kind == torch.float32)
        try:
            ep.study.adversary("runs/r", out=tmp_path / name / "adversary")
            ep.study.blame("runs/r", chips=1, out=tmp_path / name / "blame")
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
        tables.append([path.read_bytes() for path in sorted((tmp_path / name).glob("*/*.csv"))])
    assert tables[0] == tables[1]
    assert len(tables[0]) == 2


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
    (row,) = ep.study.surrogate("runs/r", over="noise=0.005", chips=8).report
    assert row["error_rms"] < 0.02
    assert row["yield_low"] <= row["yield"] <= row["yield_high"]


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


def test_a_study_of_another_layout_than_that_of_the_codes_says_so(tmp_path: Path) -> None:
    """Chips keep the difference; those of the layout have none."""
    heat = {"dac.bits": 12, "heater.crosstalk": 0.01, "heater.crosstalk_length": 150.0}
    layout, other = Profile(heat), Profile(heat | {"heater.crosstalk": 0.02})
    ep.run.export("runs/r", profile=layout, out=tmp_path / "b")
    for profile, said in ((layout, 0), (other, 1)):
        found = ep.study.trace(tmp_path / "b", profile=profile, out=tmp_path / f"t{said}")
        notes = [note for note in found.numbers["notes"] if "the difference remains" in note]
        assert len(notes) == said


@pytest.mark.parametrize("wrong", [{"chip": -1}, {"beat": -1}, {"chip": 0.5}])
def test_a_trace_of_no_chip_is_refused_before_beats_are_read(wrong) -> None:
    """Also where there is neither the student nor its beats."""
    with pytest.raises(InputError, match=f"{next(iter(wrong))} is "):
        ep.study.trace("nowhere", **wrong)


@pytest.mark.parametrize(("how", "chips"), [("no", "ideal"), ("again", "foundry-thermo-optic")])
def test_chips_of_no_named_profile_are_named(how, chips) -> None:
    """What is taken where a key of a profile changes and no profile is given."""
    asked = {"over": "splitter.sigma=0,0.1", "calibrated": how, "data": "synthetic", "model": None}
    asked |= {"profile": None, "out": None, "data_dir": None}
    begun = begin(ep.study.sweep, asked, "slug", moving="splitter.sigma")
    assert any(f"no profile is named: chips of '{chips}'" in note for note in begun.notes)
    assert begun.profile.name == begun.provenance["profile"]["name"] == chips


def test_a_sheet_of_untrimmed_chips_is_refused_before_its_first_line() -> None:
    """Its last lines could not be computed."""
    with pytest.raises(InputError, match="are as fabricated"):
        ep.study.sheet("runs/r", profile="foundry-thermo-optic:as-fabricated", chips=1)


def test_bits_are_not_those_of_drivers_that_nobody_stated(tmp_path: Path) -> None:
    """A profile is named for its drivers, so one without any is refused."""
    with pytest.raises(InputError, match=r"'ideal' states no \[driver\]"):
        ep.study.bits("reference-8", profile="ideal", data="synthetic", out=tmp_path / "x")

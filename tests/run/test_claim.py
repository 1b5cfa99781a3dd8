"""Folders of results are never shared by two calls."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.figure import Figure

import ecgphoton as ep
from ecgphoton.alone import alone
from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import write_folder
from ecgphoton.run.claim import BEGUN, claimed, vacant
from ecgphoton.run.journey import Journey

OWN = ("a.json", "tables", BEGUN)
CALL = {"seed": 0}


def test_calls_at_the_same_moment_get_folders_of_their_own(tmp_path: Path) -> None:
    """Where no folder is named, sixteen threads that choose at once make sixteen folders."""
    with ThreadPoolExecutor(16) as pool:
        chosen = list(pool.map(lambda _: vacant(None, tmp_path / "a"), range(16)))
    assert len(set(chosen)) == 16
    assert all(folder.is_dir() for folder in chosen)


def test_a_folder_belongs_to_the_call_that_began_it(tmp_path: Path) -> None:
    """What a call left is continued by the same call; another one is refused or gets its own."""
    folder = tmp_path / "a"
    with claimed(folder, CALL):
        (folder / "tables").mkdir()
    assert vacant(folder, folder, OWN, CALL) == folder == vacant(None, folder, OWN, CALL)
    assert vacant(None, folder, OWN, {"seed": 1}) == tmp_path / "a-2"
    with pytest.raises(InputError, match="never mixed"):
        vacant(folder, folder, OWN, {"seed": 1})


@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
def test_a_result_that_is_being_written_is_not_joined(tmp_path: Path) -> None:
    """Simulations that end at the same moment keep a folder each, however much of one is there."""
    files, others = ("a.json", "a.csv", "a.png"), list[Path]()
    made: Any = SimpleNamespace(source="synthetic")  # stands for student and beats
    journey = Journey({"out": None}, made, None, made, made, tmp_path / "a", files, {}, ())

    def draw(*_: object) -> Figure:
        others.append(vacant(None, tmp_path / "a", files))
        return Figure()

    assert journey.write(None, {}, [{"chip": 0}], draw).folder == tmp_path / "a"
    assert others == [tmp_path / "a-2"]


def test_what_was_written_meanwhile_is_not_replaced(wfdb_folder: Path, tmp_path: Path) -> None:
    """A file that another call wrote while a record was annotated stays, and is alone."""
    other = tmp_path / "s01.eph.csv"
    with pytest.raises(InputError, match=r"s01\.eph\.csv already exists"):
        ep.run.annotate(
            wfdb_folder / "s01", model="reference-8", out=tmp_path, picture=False,
            progress=lambda *_: other.write_text("mine"),
        )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == [other.name]
    assert other.read_text() == "mine"


def test_a_claim_on_an_empty_folder_leaves_nothing(tmp_path: Path) -> None:
    """A call that fails before its first file leaves no claim, and no folder."""
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "a", CALL):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
def test_a_folder_in_use_is_not_shared(tmp_path: Path) -> None:
    """While another process works in a folder, the same call does not join it."""
    folder = tmp_path / "a"
    line = (
        "import sys, pathlib; from ecgphoton.run.claim import claimed\n"
        "with claimed(pathlib.Path(sys.argv[1]), {'seed': 0}): print(flush=True); input()"
    )
    command = [sys.executable, "-c", line, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert vacant(None, folder, OWN, CALL) == tmp_path / "a-2"
        with pytest.raises(InputError, match="never mixed"):
            vacant(folder, folder, OWN, CALL)
        with pytest.raises(InputError, match="another process"), claimed(folder, CALL):
            pass
        other.communicate("\n")


@pytest.mark.slow
def test_an_interrupted_calibration_is_not_continued_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of one campaign do not stay among those of another with fewer chips."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    asked = {"chips": 2, "steps": "dark,correct", "data": "synthetic", "out": out}

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ep.run.calibrate("reference-8", progress=stop, **asked)
    with pytest.raises(InputError, match="never mixed"):
        ep.run.calibrate("reference-8", **{**asked, "chips": 1})
    assert ep.run.calibrate("reference-8", **asked).folder == out


def test_nothing_is_added_to_a_bundle(tmp_path: Path) -> None:
    """Every command that writes refuses a place in a bundle, and the bundle stays as it was."""
    bundle = tmp_path / "b"
    shutil.copytree(ep.load("reference-8").folder, bundle)
    before = sorted(bundle.rglob("*"))
    quick = {"data": "synthetic", "out": bundle / "more" / "deeper"}
    for write in (
        partial(ep.run.simulate, bundle, chips=1, **quick),
        partial(ep.run.calibrate, bundle, chips=1, **quick),
        partial(ep.study.certify, bundle, **quick),
        partial(ep.run.budget, bundle, **quick),
        partial(ep.run.train, "reference-8", **quick),
        partial(ep.run.report, bundle, out=bundle),
        partial(ep.run.report, bundle, out=bundle / "page.html"),
    ):
        with pytest.raises(InputError, match="in the bundle"):
            write()
    assert sorted(bundle.rglob("*")) == before


def test_force_keeps_what_was_added(tmp_path: Path) -> None:
    """A bundle with a file of somebody's own is not replaced, since that file would be lost."""
    shutil.copytree(ep.load("reference-8").folder, tmp_path / "b")
    (tmp_path / "b" / "notes.txt").write_text("measured in March")
    with pytest.raises(InputError, match="files that are not of a bundle"):
        write_folder(tmp_path / "b", {}, {}, force=True)
    assert (tmp_path / "b" / "notes.txt").exists()


def test_an_empty_folder_that_was_there_stays(tmp_path: Path) -> None:
    """A fetch that fails removes what it has made, and not the user's own folder."""
    mine, made = tmp_path / "mine", tmp_path / "made"
    mine.mkdir()
    for folder in (mine, made):
        with pytest.raises(InputError, match="no SHA256SUMS"):
            ep.run.fetch(data_dir=folder, offline=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    """While a run is trained, no other call trains or continues it; what is empty goes."""
    with alone(tmp_path / "run"):
        quick = {"settings": ("training.epochs=1",), "data": "synthetic"}
        with pytest.raises(InputError, match="another process is writing to"):
            ep.run.train("reference-8", out=tmp_path / "run", **quick)
    assert not (tmp_path / "run").exists()

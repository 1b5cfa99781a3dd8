"""Folders of results are never shared by two calls."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

import ecgphoton as ep
from ecgphoton.alone import alone
from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import write_folder
from ecgphoton.run.claim import BEGUN, claimed, vacant

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
    folder.mkdir()
    with claimed(folder, CALL):
        (folder / "tables").mkdir()
    assert vacant(folder, folder, OWN, CALL) == folder == vacant(None, folder, OWN, CALL)
    assert vacant(None, folder, OWN, {"seed": 1}) == tmp_path / "a-2"
    with pytest.raises(InputError, match="never mixed"):
        vacant(folder, folder, OWN, {"seed": 1})


@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
@pytest.mark.usefixtures("short_records")
def test_a_result_that_is_being_computed_is_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call is refused before it simulates anything, or gets a folder of its own."""
    monkeypatch.chdir(tmp_path)
    simulate, others = partial(ep.run.simulate, "reference-8", chips=1, data="synthetic"), []

    def beside(out: Path | None, *_: object) -> None:
        if out is None:
            others.append(simulate(out=out).folder)
            return
        with pytest.raises(InputError, match="another process is writing to"):
            simulate(out=out, progress=others.append)

    assert simulate(out=tmp_path / "a", progress=partial(beside, tmp_path / "a")).folder.is_dir()
    assert simulate(progress=partial(beside, None)).folder != others[0]
    assert len(others) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
def test_one_record_is_annotated_by_one_call_at_a_time(wfdb_folder: Path, tmp_path: Path) -> None:
    """A second one is refused before it classifies; other records and names go on beside it."""
    ask = partial(ep.run.annotate, wfdb_folder / "s01", model="reference-8", out=tmp_path)

    def beside(*_: object) -> None:
        with pytest.raises(InputError, match=f"another process is writing to {tmp_path};"):
            ask(force=True)
        if not (tmp_path / "s01.other").exists():
            ask(annotator="other", picture=False)

    ask(progress=beside, picture=False)
    names = [f"s01.{name}{kind}" for name in ("eph", "other") for kind in ("", ".csv", ".jsonl")]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.usefixtures("short_records")
def test_a_simulation_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the folder that it claimed nor those above it, but one that was there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for out in (None, tmp_path / "a" / "b", tmp_path / "mine"):
        with pytest.raises(ZeroDivisionError):
            ep.run.simulate(
                "reference-8", chips=1, data="synthetic", out=out, progress=lambda *_: 1 / 0
            )
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_claim_on_an_empty_folder_leaves_nothing(tmp_path: Path) -> None:
    """A call that fails before its first file leaves no claim."""
    with pytest.raises(ZeroDivisionError), claimed(tmp_path, CALL):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
def test_a_folder_in_use_is_not_shared(tmp_path: Path) -> None:
    """While another process works in a folder, the same call does not join it."""
    folder = tmp_path / "a"
    line = (
        "import sys, pathlib; from ecgphoton.alone import alone\n"
        "with alone(pathlib.Path(sys.argv[1])): print(flush=True); input()"
    )
    command = [sys.executable, "-c", line, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert vacant(None, folder, OWN, CALL) == tmp_path / "a-2"
        with pytest.raises(InputError, match="another process"):
            vacant(folder, folder, OWN, CALL)
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

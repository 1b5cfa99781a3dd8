"""An interrupted run is continued with the beats that it began with, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from made_splits import FOUR_RECORDS

from ecgphoton import run
from ecgphoton.errors import InputError


def stop(stage: str, done: int, total: int) -> None:
    """Interrupt a training after its first epoch."""
    raise KeyboardInterrupt


@pytest.fixture
def begun(wfdb_folder: Path, tmp_path: Path) -> Path:
    """Folder with four recordings and a run on them that was interrupted."""
    shutil.copytree(wfdb_folder, tmp_path / "records")
    (tmp_path / "protocol.toml").write_text(FOUR_RECORDS)
    data = {"data": str(tmp_path / "records"), "protocol": str(tmp_path / "protocol.toml")}
    with pytest.raises(KeyboardInterrupt):
        run.train(settings=["training.epochs=2"], out=tmp_path / "run", progress=stop, **data)
    return tmp_path


@pytest.mark.slow
def test_a_changed_file_is_named(begun: Path) -> None:
    """Labels that were corrected meanwhile make another training; the same ones are continued."""
    labels = begun / "records" / "s01.atr"
    kept = labels.read_bytes()
    labels.write_bytes((begun / "records" / "s02.atr").read_bytes())
    with pytest.raises(InputError, match=r"s01\.atr has changed"):
        run.train(resume=begun / "run")
    labels.write_bytes(kept)
    assert run.train(resume=begun / "run").folder == begun / "run"
    made = (begun / "run" / "manifest.json").read_bytes()
    with pytest.raises(InputError, match="is a finished run"):
        run.train(resume=begun / "run")
    assert (begun / "run" / "manifest.json").read_bytes() == made


def test_other_beats_of_the_same_files_are_refused(begun: Path) -> None:
    """What this version reads in the files must be what the run began with."""
    start = begun / "run" / "start.json"
    stored = json.loads(start.read_text())
    stored["digests"]["train"] = "0" * 64
    start.write_text(json.dumps(stored))
    with pytest.raises(InputError, match="began with other beats"):
        run.train(resume=begun / "run")

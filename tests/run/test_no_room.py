"""A full disk or a folder that cannot be written: one clear line, exit code 2, nothing left."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from child import start

import ecgphoton as ep
from ecgphoton.artifacts import atomic_path
from ecgphoton.report import style

MODEL, SYNTHETIC = "inter-patient", "--data synthetic --threads 1"
COMMANDS = {
    "train": f"train {SYNTHETIC} --recipe reference-8 --set training.epochs=1",
    "export": f"export {MODEL} {SYNTHETIC}",
    "simulate": f"simulate {MODEL} --noise 0.02 --chips 2 {SYNTHETIC}",
    "calibrate": f"calibrate {MODEL} --chips 1 {SYNTHETIC}",
}
WAYS = {
    "a full disk": tuple(COMMANDS),
    "no folder": ("train", "simulate"),
    "a read-only folder": ("calibrate",),
}
POWERLESS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
"""Makes root respect permissions."""


@pytest.mark.slow
@pytest.mark.parametrize(("way", "name"), [(way, name) for way in WAYS for name in WAYS[way]])
def test_no_room_is_one_line(way: str, name: str, tmp_path: Path, monkeypatch) -> None:
    """The command says what it could not write, and leaves nothing half-written."""
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "closed").mkdir(mode=0o555)
    root = os.name == "posix" and os.geteuid() == 0
    if way == "a read-only folder" and root and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv")
    out = {"a full disk": "out", "no folder": "file/out", "a read-only folder": "closed/out"}[way]
    command = [*COMMANDS[name].split(), "--out", str(tmp_path / out)]
    if way == "a read-only folder":
        as_user = POWERLESS if root else []
        done = subprocess.run(
            [*as_user, sys.executable, "-m", "ecgphoton.cli", *command],
            capture_output=True,
            text=True,
            check=False,
        )
        code, said = done.returncode, done.stderr
    else:
        largest = 1024 if way == "a full disk" else None  # bytes that a file may have
        process = start(command, tmp_path / "said", largest=largest)
        process.join()
        code, said = process.exitcode, (tmp_path / "said").read_text()
    assert code == 2, said
    assert "Traceback" not in said
    assert said.count("cannot write") == 1, said
    left = [p for p in tmp_path.rglob("*") if p.is_file() and p.name.startswith(".")]
    assert left == []


def test_a_recording_is_answered_in_all_files_or_none(tmp_path, wfdb_folder, monkeypatch) -> None:
    """A disk that fills up at the picture leaves nothing that a second call would have to force."""

    def full(figure: object, path: Path) -> None:
        with atomic_path(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(style, "save", full)
    call = partial(ep.run.annotate, wfdb_folder / "s01", model=MODEL, out=tmp_path / "out")
    with pytest.raises(ep.InputError, match=r"cannot write \S+/out/s01\.eph\.png: No space left"):
        call()
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.undo()
    assert all(path.is_file() for path in call().files)


def test_a_link_to_itself_is_refused_in_one_sentence(tmp_path: Path, wfdb_folder) -> None:
    """Wherever a folder, a page or a record is named: no error of Python's own."""
    loop, record = tmp_path / "loop", wfdb_folder / "s01"
    loop.symlink_to(loop)
    for call in (
        lambda: ep.run.annotate(record, model="inter-patient", out=loop / "x", picture=False),
        lambda: ep.run.report("inter-patient", out=loop),
        lambda: ep.run.score([loop]),
    ):
        with pytest.raises(ep.InputError, match="loop"):
            call()


def test_a_folder_in_place_of_an_answer_is_refused(tmp_path: Path, wfdb_folder) -> None:
    """Force replaces files, no folder, and what is in the way is named."""
    (tmp_path / "s01.eph").mkdir()
    with pytest.raises(ep.InputError, match=r"s01\.eph already exists as a folder; choose"):
        ep.run.annotate(wfdb_folder / "s01", model=MODEL, out=tmp_path, force=True)

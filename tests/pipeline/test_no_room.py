"""A full disk or a folder that cannot be written: one clear line, exit code 2, nothing left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODEL, SYNTHETIC = "reference-rhythm", "--data synthetic --threads 1"
COMMANDS = {
    "train": f"train {SYNTHETIC} --set training.epochs=1 --set training.min_epochs=1",
    "export": f"export {MODEL} --mesh",
    "simulate": f"simulate {MODEL} --noise 0.02 --chips 2 {SYNTHETIC}",
    "calibrate": f"calibrate {MODEL} --chips 1 {SYNTHETIC}",
}


def run(name: str, out: Path, blocks: str = "unlimited") -> subprocess.CompletedProcess[str]:
    """Run a command whose files may not grow beyond so many blocks of 1 KiB."""
    line = f'ulimit -f {blocks}; exec "$0" -m ecgphoton.cli {COMMANDS[name]} --out "$1"'
    return subprocess.run(
        ["bash", "-c", line, sys.executable, str(out)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("way", ["full disk", "no folder"])
def test_no_room_is_one_line(name: str, way: str, tmp_path: Path, monkeypatch) -> None:
    """The command says what it could not write, and leaves nothing half-written."""
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("not a folder")
    out = tmp_path / ("out" if way == "full disk" else "file/out")
    done = run(name, out, "1" if way == "full disk" else "unlimited")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if "cannot write" in line]
    assert len(said) == 1, done.stderr
    left = [p for p in tmp_path.rglob("*") if p.is_file() and p.name.startswith(".")]
    assert left == []

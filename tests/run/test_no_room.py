"""A full disk or a folder that cannot be written: one clear line, exit code 2, nothing left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MODEL, SYNTHETIC = "inter-patient", "--data synthetic --threads 1"
COMMANDS = {
    "train": f"train {SYNTHETIC} --recipe reference-8 --set training.epochs=1",
    "export": f"export {MODEL} --mesh",
    "simulate": f"simulate {MODEL} --noise 0.02 --chips 2 {SYNTHETIC}",
    "calibrate": f"calibrate {MODEL} --chips 1 {SYNTHETIC}",
}
WAYS = {
    "a full disk": tuple(COMMANDS),
    "no folder": ("train", "simulate"),
    "a read-only folder": ("export", "calibrate"),
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
    blocks = "1" if way == "a full disk" else "unlimited"  # of 1 KiB, that a file may have
    line = f'ulimit -f {blocks}; exec "$0" -m ecgphoton.cli {COMMANDS[name]} --out "$1"'
    as_user = POWERLESS if way == "a read-only folder" and root else []
    done = subprocess.run(
        [*as_user, "bash", "-c", line, sys.executable, str(tmp_path / out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if "cannot write" in line]
    assert len(said) == 1, done.stderr
    left = [p for p in tmp_path.rglob("*") if p.is_file() and p.name.startswith(".")]
    assert left == []

"""Killed at any moment, export, simulate and calibrate are repeated and end in the same result.

``ECGPHOTON_KILLS=50 python -m pytest tests/pipeline/test_kill_commands.py`` tries fifty moments
of each.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLS = int(os.environ.get("ECGPHOTON_KILLS", "1"))
MODEL, SYNTHETIC = "reference-rhythm", ("--data", "synthetic", "--threads", "1")
COMMANDS = {
    "export": ("export", MODEL, "--mesh", "--force"),
    "simulate": ("simulate", MODEL, "--noise", "0.02", "--chips", "8", *SYNTHETIC),
    "calibrate": ("calibrate", MODEL, "--chips", "9", *SYNTHETIC),
}
THIS_TIME = {"seconds", "calibration_seconds", "chips_calibrated_now", "folder"}


def run(name: str, folder: Path, kill_after: float | None = None) -> float:
    """Run a command as its own process into a folder; return its seconds."""
    command = [sys.executable, "-m", "ecgphoton.cli", *COMMANDS[name], "--out", str(folder)]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, said = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    else:
        assert process.returncode in (0, 1), said  # 1: the verdict on synthetic beats failed
    return time.perf_counter() - began


def lasting(value):
    """JSON without where, how long and in how many goes it was made."""
    if isinstance(value, dict):
        return {k: lasting(v) for k, v in value.items() if k not in THIS_TIME}
    return value


def content(folder: Path) -> dict[str, object]:
    """Every file of a folder, by name; JSON without times."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.suffix == ".json"
            found[str(path.relative_to(folder))] = (
                lasting(json.loads(path.read_text())) if text else path.read_bytes()
            )
    return found


@pytest.fixture(scope="module", params=COMMANDS)
def whole(request, tmp_path_factory) -> tuple[str, dict[str, object], float]:
    """A command, what it leaves when nobody interrupts it, and how long it takes."""
    folder = tmp_path_factory.mktemp("kill") / "whole"
    seconds = run(request.param, folder)
    return request.param, content(folder), seconds


@pytest.mark.parametrize("attempt", range(KILLS))
def test_kill_and_repeat_is_as_if_nothing_happened(attempt, whole, tmp_path) -> None:
    """``kill -9`` at a random moment, then the same command: all files are identical."""
    name, reference, seconds = whole
    folder = tmp_path / "out"
    run(name, folder, kill_after=random.Random(attempt).uniform(0.2, 1.0) * seconds)
    run(name, folder)
    found = content(folder)
    assert set(found) == set(reference)
    different = [file for file in reference if found[file] != reference[file]]
    assert different == []

"""Killed at any moment, a run can be continued or repeated, and ends in the same bits.

``ECGPHOTON_KILLS=50 python -m pytest tests/pipeline/test_kill.py`` tries fifty moments.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecgphoton import runs
from ecgphoton.artifacts import sha256

KILLS = int(os.environ.get("ECGPHOTON_KILLS", "2"))
TRAIN = [sys.executable, "-m", "ecgphoton.cli", "train", "--data", "synthetic", "--threads", "1"]
QUICK = ["--set", "training.epochs=4", "--set", "noise.weight=0.02", "--json"]


def train(folder: Path, *, kill_after: float | None = None) -> float:
    """Run ``ecgphoton train`` as its own process, resuming what is there; return its seconds."""
    started = (folder / "start.json").exists()
    where = ["--resume", str(folder)] if started else ["--out", str(folder), *QUICK]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*TRAIN, *where], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, said = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return time.perf_counter() - began
    assert process.returncode == 0, said
    return time.perf_counter() - began


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """An uninterrupted run, and how long it took."""
    folder = tmp_path_factory.mktemp("kill") / "whole"
    return folder, train(folder)


@pytest.mark.parametrize("attempt", range(KILLS))
def test_kill_and_resume_is_as_if_nothing_happened(
    attempt: int, whole: tuple[Path, float], tmp_path: Path
) -> None:
    """``kill -9`` at a random moment, then ``--resume``: checkpoint and metrics are identical."""
    reference, seconds = whole
    moment = random.Random(attempt).uniform(0.2, 1.0) * seconds
    train(tmp_path / "run", kill_after=moment)
    if not (tmp_path / "run" / "manifest.json").exists():
        train(tmp_path / "run")
    for name in (runs.CHECKPOINT, runs.METRICS, runs.HISTORY, "validation_scores.npz"):
        assert sha256(tmp_path / "run" / name) == sha256(reference / name), name
    assert not list((tmp_path / "run").glob(".*")), "a half-written file was left behind"

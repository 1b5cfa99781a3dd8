"""The bytes of a result do not depend on the number of processor threads."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main

pytestmark = pytest.mark.usefixtures("short_records")
COMMANDS = {
    "train": (
        "train --recipe reference-8 --set training.epochs=2 --set noise.weight=0.02",
        ("checkpoint.safetensors", "metrics.json"),
    ),
    "simulate, weights": ("simulate inter-patient --noise 0.02 --chips 3", ("chips.csv",)),
    "simulate, mesh": (
        "simulate inter-patient --profile foundry-thermo-optic --chips 2",
        ("chips.csv",),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_one_and_two_threads_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    """Checkpoint, metrics and the rates of every chip are equal to the last byte."""
    line, files = COMMANDS[name]
    for threads in ("1", "2"):
        out = tmp_path / threads
        options = ["--data", "synthetic", "--threads", threads, "--out", str(out)]
        done = CliRunner().invoke(main, [*line.split(), *options])
        assert done.exit_code in {0, 1}, done.output
    for file in files:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes(), file

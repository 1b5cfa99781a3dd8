"""Numbers that nothing can be done with are refused before anything is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main

HUGE = "1" + 400 * "0"


@pytest.mark.parametrize(
    "call",
    [
        "train --workers 0",
        "distill --workers 0",
        "export --bits 1",
        "export --dac-bits 1",
        "export --profile pessimistic --dac-bits 1",
        "simulate --noise 2",
        "simulate --chips 0",
        f"simulate --chips {HUGE}",
        "simulate --seed -1",
        "simulate --workers 0",
        f"simulate --threads {HUGE}",
        "simulate --limit miss 2",
        "simulate --limit miss abc",
        "study sweep --over noise=0:1:2 --workers 0",
        "study solve --key splitter.sigma --profile pessimistic --seed -1",
        "study blame --noise nan",
        "study adversary --sigmas nan",
        "study adversary --weight 2",
        "study certify --epsilon 2",
        "study surrogate --seed -1",
        "study drift --hours 24",
        "study sheet --workers 0",
        "calibrate --seed -1",
        "budget --profile pessimistic --seed -1",
    ],
)
def test_a_number_is_refused_before_beats_are_looked_for(
    call: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody fetches a database to learn of a mistyped number; the error is one short line."""
    monkeypatch.delenv("ECGPHOTON_DATA", raising=False)
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, call.split())
    option, number = call.split()[-2:]
    assert done.exit_code == 2
    assert f"{option} is {number[:100]}" in done.stderr.replace("'", "")
    assert len(done.stderr) < 400
    assert not [path for path in tmp_path.iterdir() if path.name != "cache"]

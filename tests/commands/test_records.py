"""What `annotate` prints about a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgphoton.commands.records import print_burdens
from ecgphoton.run.burden import SHARES, BurdenReport


def test_what_is_not_read_is_printed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """The first five files by name and reason, and how many more there are."""
    row = {"record": "a", "hours": 0.5, "beats": 9, "outside": None}
    row |= {f"{kind} {what}": 0.0 for kind in SHARES for what in ("per hour", "share")}
    others = {f"{number}.csv": f"reason {number}" for number in range(7)}
    files = (Path("burdens.eph.csv"), Path("burdens.eph.json"))
    print_burdens(BurdenReport((row,), {}, files, {"path": "p", "chosen": "named"}, others))
    printed = " ".join(capsys.readouterr().out.split())
    assert "not read: 0.csv (reason 0), 1.csv (reason 1)" in printed
    assert "4.csv (reason 4) and 2 more" in printed

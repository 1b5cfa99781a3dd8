"""Results open wherever their folder lies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main


@pytest.mark.slow
@pytest.mark.usefixtures("short_records")
def test_results_are_read_after_they_were_moved(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with its simulation, and a bundle, are reported, verified and simulated elsewhere."""

    def call(*arguments: object) -> str:
        done = CliRunner().invoke(main, [str(word) for word in arguments])
        assert done.exit_code in (0, 1), done.output  # 1: the verdict on made-up beats
        return done.output

    first, second = tmp_path / "first", tmp_path / "second place"
    for kind, name in (("runs", "r"), ("bundles", "b")):
        shutil.copytree(house / kind / name, first / kind / name)
    monkeypatch.chdir(first)
    call("simulate", "runs/r", "--chips", "2")
    first.rename(second)
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.html"
    said = call("report", second / "runs" / "r", "--out", page)
    for kind in ("runs", "bundles", "simulations"):
        assert f"second place/{kind}/{'b' if kind == 'bundles' else 'r'}" in said
    assert "Miss rate and FPR of every chip" in page.read_text()
    assert str(first) not in page.read_text()
    assert "every claim holds" in call("verify", second / "bundles" / "b", "--no-sax")
    call("simulate", second / "bundles" / "b", "--chips", "2", "--out", tmp_path / "again")

"""Settings of a simulation that contradict each other are refused."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main


@pytest.mark.parametrize("changed", ["receiver.kind=balanced", "splitter.sigma=0.1"])
def test_settings_need_a_profile(changed: str, tmp_path) -> None:
    """Without a device profile there is nothing to change; the error names what to add."""
    asked = ["simulate", "inter-patient", "--data", "synthetic", "--set", changed]
    done = CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "name a profile" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("plain_pictures", "short_records")
def test_settings_change_what_chips_answer(tmp_path) -> None:
    """Another receiver and another number give other chips; the receiver stands in the file."""
    rows, receivers = set(), []
    for changed in ("receiver.kind=homodyne", "receiver.kind=balanced", "splitter.sigma=0.1"):
        asked = ["simulate", "inter-patient", "--data", "synthetic", "--chips", "2"]
        more = ["--profile", "pessimistic", "--set", changed]
        CliRunner().invoke(main, [*asked, *more, "--out", str(tmp_path / changed)])
        rows.add((tmp_path / changed / "chips.csv").read_text())
        receivers.append(
            json.loads((tmp_path / changed / "simulation.json").read_text())["receiver"]
        )
    assert len(rows) == 3
    assert receivers == ["homodyne", "balanced", "homodyne"]

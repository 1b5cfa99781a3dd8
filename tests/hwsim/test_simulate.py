"""Settings of a simulation that contradict each other are refused."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main


@pytest.mark.parametrize("detection", ["balanced", "intensity"])
def test_detection_needs_a_profile(detection: str, tmp_path) -> None:
    """Without a device profile there are no detectors to choose; the error names what to add."""
    asked = ["simulate", "inter-patient", "--data", "synthetic", "--detection", detection]
    done = CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "name a profile" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_detection_changes_what_chips_answer(tmp_path) -> None:
    """Balanced detectors with imperfect splitters are not homodyne ones."""
    rows = {}
    for detection in ("homodyne", "balanced"):
        asked = ["simulate", "inter-patient", "--data", "synthetic", "--chips", "2"]
        more = ["--profile", "pessimistic", "--detection", detection]
        out = tmp_path / detection
        CliRunner().invoke(main, [*asked, *more, "--out", str(out)])
        rows[detection] = (out / "chips.csv").read_text()
    assert rows["homodyne"] != rows["balanced"]

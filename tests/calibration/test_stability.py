"""Calibrated chips over a parameter: what they stand, and what calibrating again restores."""

import pytest

from ecgphoton.calibration.drift import calibrated_over
from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.requirement import solve
from ecgphoton.hwsim.sweep import parse_sweep, run_sweep
from ecgphoton.hwsim.verdict import Limits

KEY = "temperature.change"
PROFILE = Profile({"dac.bits": 12, "splitter.sigma": 0.02, "detector.noise": 1e-3})


@pytest.mark.slow
def test_a_change_after_calibration_harms_and_calibrating_again_does_not(task) -> None:
    """At 30 K the old codes miss what new ones find; at 0 both are the same table."""
    settings = {"profile": PROFILE, "chips": 1, "limits": Limits(0.05, 0.05)}
    once, again = (calibrated_over(KEY, *task, when=when, **settings) for when in ("once", "again"))
    fresh, warm, restored = once(0.0), once(3e4), again(3e4)
    assert fresh.auc.min() > 0.999
    assert warm.auc.max() < restored.auc.min()
    assert restored.auc.min() > 0.999
    assert (fresh.passed, warm.passed, restored.passed) == (True, False, True)
    assert warm.settings["calibrated"] == "once"
    assert warm.settings["profile_values"][KEY] == 3e4
    report = run_sweep(parse_sweep(f"{KEY}=0,30000"), judge=once)
    assert [row["verdict"] for row in report.rows()] == ["pass", "fail"]
    found = solve(KEY, judge=once, precision=0.5, largest=3e4)
    assert 0 < found.value < found.failing
    assert "mK" in found.sentence


@pytest.mark.parametrize("key", ["noise", "dac.bits"])
def test_what_no_chip_drifts_by_is_refused(task, key) -> None:
    """The weights level has no calibration, and a width of codes is no error."""
    with pytest.raises(InputError, match=f"{key} is nothing that calibrated chips drift by"):
        calibrated_over(key, *task, when="once", profile=PROFILE)


def test_chips_as_fabricated_are_refused(task) -> None:
    """No step can start from random static phases yet, and the message says so."""
    raw = load_profile("mems:as-fabricated")
    with pytest.raises(InputError, match=r"'mems:as-fabricated' are as fabricated.*phase\.static"):
        calibrated_over(KEY, *task, when="once", profile=raw)(0.0)

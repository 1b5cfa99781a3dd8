"""`--set` changes the profile of chips that are calibrated, as of chips that are simulated."""

from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main
from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import Profile
from ecgphoton.run import calibrate


class Reached(Exception):
    """Chips would be made of this profile."""


@pytest.mark.parametrize("bench", [None, "nowhere:bench"])
def test_unknown_steps_are_refused_before_beats_are_read(bench: str | None) -> None:
    """Of simulated chips and of a bench, also where there is neither a student nor the bench."""
    with pytest.raises(InputError, match="no calibration step 'foo'"):
        calibrate("nowhere", bench=bench, steps="dark,foo")


@pytest.mark.slow
def test_untrimmed_chips_leave_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the folders above it."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="are as fabricated"):
        calibrate("reference-8", profile="mems:as-fabricated", chips=1, data="synthetic")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "module", "computes"),
    [
        ("calibrate", "ecgphoton.run.chips", "calibrate_chips"),
        ("study drift", "ecgphoton.study.upkeep", "drift_schedule"),
    ],
)
def test_settings_reach_the_chips(
    command: str, module: str, computes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every setting counts, and the name of the profile, which results are headed by, says so."""

    def stop(*_: object, profile: Profile, **__: object) -> None:
        raise Reached(profile)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_module(module), computes, stop)
    words = [*command.split(), "reference-8", "--data", "synthetic", "--chips", "1"]
    words += ["--set", "splitter.sigma=0.07", "--set", "receiver.kind=balanced"]
    found = CliRunner().invoke(main, words).exception
    assert isinstance(found, Reached)
    (profile,) = found.args
    assert profile["splitter.sigma"] == 0.07
    assert profile.receiver == "balanced"
    assert profile.name == "foundry-thermo-optic splitter.sigma=0.07 receiver.kind=balanced"

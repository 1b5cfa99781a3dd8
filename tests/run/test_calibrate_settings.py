"""`--set` changes the profile of chips that are calibrated, as of chips that are simulated."""

from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main
from ecgphoton.hwsim.profile import Profile


class Reached(Exception):
    """Chips would be made of this profile."""


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

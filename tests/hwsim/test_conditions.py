"""What the chips of a profile stand for is said as the profile has it."""

from pathlib import Path

import pytest

from ecgphoton.hwsim.conditions import LIMITS, conditions
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile, profiles
from ecgphoton.hwsim.receivers import RECEIVERS, Receiver

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", profiles())
def test_every_shipped_profile_says_that_nothing_was_measured(name) -> None:
    """Plain names have effective receivers and modulators that close, and point to the limits."""
    said = conditions(load_profile(name))
    assert said.startswith("simulated chips, none measured: effective receivers (homodyne)")
    assert "modulators that close completely; trimmed phases without drift" in said
    assert said.endswith(LIMITS)


def test_states_and_settings_are_said() -> None:
    """Light path, extinction, static phases and the age of the phases are those of the profile."""
    full = load_profile("foundry-thermo-optic:full-link:as-fabricated")
    said = conditions(full.with_settings(["link.laser=5", "time.hours=4"]))
    assert "balanced receivers with a laser of 5 mW a block" in said
    assert "modulators of 20 dB extinction" in said
    assert "phases as fabricated 4 h after they were set" in said
    assert "; temperature 10 mK and wavelength 1 pm from those of trimming; " in said
    assert "mK" not in conditions(Profile({}))
    alone, length = {"heater.crosstalk": 0.01}, {"heater.crosstalk_length": 50}
    assert "none beyond 120 um (heater.crosstalk_length is 0)" in conditions(Profile(alone))
    assert "beyond" not in conditions(Profile(alone | length))
    light = "hybrid receivers with oscillators of 1 mW, signals of 0.01 mW"
    assert light in conditions(Profile({}, receiver="hybrid"))


def test_a_receiver_without_powers_is_effective(monkeypatch) -> None:
    """A receiver of another package that states no powers is not said to have stated ones."""
    bent = Receiver("bent", "Re E + 0.05 (Re E)^2", lambda field, _: field.real)
    monkeypatch.setitem(RECEIVERS._values, "bent", bent)
    assert "effective receivers (bent), whose noise is stated" in conditions(
        Profile({"detector.noise": 0.01}, receiver="bent")
    )


def test_the_page_it_names_has_that_heading() -> None:
    """The limits can be found where the sentence points."""
    page, _, anchor = LIMITS.partition("#")
    heading = anchor.replace("-", " ").capitalize()
    assert f"## {heading}\n" in (ROOT / page).read_text(encoding="utf-8")

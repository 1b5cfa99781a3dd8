"""A number that a user names acts on the chips, or is refused or named in the result."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest

from ecgphoton.calibration.drift import calibrated_over
from ecgphoton.errors import InputError
from ecgphoton.hwsim.budget import Budget
from ecgphoton.hwsim.conditions import conditions, following
from ecgphoton.hwsim.effects import numbers
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile, profiles
from ecgphoton.hwsim.requirement import solve
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.hwsim.sweep import parse_sweep, run_sweep
from ecgphoton.hwsim.unused import refuse_unused, unused
from ecgphoton.mesh.crosstalk import Crosstalk

FOUNDRY = "foundry-thermo-optic"


@pytest.mark.parametrize(
    ("profile", "text", "why"),
    [
        ("ideal", "heater.crosstalk_spread=0.2", "together with heater.crosstalk, which is 0 here"),
        ("ideal", "heater.crosstalk_length=90", "with heater.crosstalk, which is 0"),
        ("ideal", "heater.crosstalk_pairs=0.2", "together with heater.crosstalk, which is 0"),
        (FOUNDRY, "time.drift=0.1", "together with time.hours, which is 0 here"),
        (FOUNDRY, "detector.splitter_sigma=0.1", r"receiver \(receiver.kind=homodyne\)"),
        (FOUNDRY, "link.laser=5", r"with link.laser and receiver.kind=balanced"),
        (f"{FOUNDRY}:full-link", "power.p_pi=20", "reads it; give it there, or leave"),
        (f"{FOUNDRY}:full-link", "detector.offset_sigma=0.1", "leaves nothing of it"),
        ("ideal", "waveguide.mismatch=3", "temperature.change or temperature.gradient or wave"),
        ("ideal", "die.length=3", "together with die.width or die.thickness"),
    ],
)
def test_a_setting_that_does_nothing_is_refused(
    student, inputs, label, point, profile, text, why
) -> None:
    """With what it would act through; where that is there as well, it is used."""
    with pytest.raises(InputError, match=rf"--set {text} changes no reading .*{why}"):
        simulate(student, inputs, label, point, profile=profile, settings=[text], chips=1)


@pytest.mark.parametrize(
    ("profile", "texts"),
    [
        ("ideal", ["heater.crosstalk_spread=0.2", "heater.crosstalk=0.01"]),
        (FOUNDRY, ["time.drift=0.1", "time.hours=1"]),
        (FOUNDRY, ["link.laser=5", "receiver.kind=balanced"]),
        (FOUNDRY, ["heater.crosstalk=0", "time.drift=0", "power.p_pi=0"]),
        (f"{FOUNDRY}:full-link", ["receiver.dark_current=1"]),
        (f"{FOUNDRY}:full-link", ["receiver.resistance=1e8"]),
        (f"{FOUNDRY}:full-link", ["receiver.resistance=1e12"]),
        ("ideal", ["link.depth=1.2"]),
    ],
)
def test_a_setting_that_does_something_is_used(profile, texts) -> None:
    """Also a small or ample one, one for modulators, and one that takes an error away."""
    refuse_unused(load_profile(profile).with_settings(texts), texts)


def test_every_number_acts_where_all_are_there() -> None:
    """With all numbers of a receiver at hand, only those of power and time do nothing."""
    declared = numbers()
    stated = {key: one.default or one.other(one.largest) for key, one in declared.items()}
    stated |= {"receiver.zero": 0.0, "phase.static": 0.01, "link.laser": 10.0, "time.hours": 1.0}
    follow = ("receiver.lo_power", "receiver.signal_power", "receiver.bandwidth")
    kept = {key: value for key, value in stated.items() if key not in follow}
    lost = unused(Profile(kept, receiver="hybrid"), kept)
    assert set(lost) == {key for key in declared if key.startswith("power.")}


@pytest.mark.parametrize("name", sorted({*profiles()} - {"ideal"}))
def test_a_profile_says_what_it_states_in_vain(name) -> None:
    """Numbers of a shipped profile that its chips do not show are named with every result."""
    said = conditions(load_profile(name))
    listed = said.partition("stated, but without effect on these chips: ")[2].partition(";")[0]
    assert {"detector.splitter_sigma", "time.drift", "link.*", "power.*"} <= {*listed.split(", ")}
    assert "link" not in conditions(load_profile(f"{name}:full-link")).partition("without eff")[2]
    assert "without effect" not in conditions(load_profile("ideal"))


def test_a_budget_calls_nothing_idle_that_it_reads(program) -> None:
    """Numbers of light path and power decide it; what acts on nothing is named all the same."""
    found = Budget(program, load_profile(f"{FOUNDRY}:full-link")).to_dict()["conditions"]
    assert "without effect on these chips: detector.offset_sigma" in found
    assert not {"power", "link"} & {*re.findall(r"(\w+)\.", found)}


def test_what_moves_is_not_missing(student, inputs, label, point) -> None:
    """A sweep of crosstalk from 0 takes its spread; a value of the number itself is refused."""
    subject, wanted = (student, inputs, label, point), parse_sweep("heater.crosstalk=0,0.05")
    texts = ["heater.crosstalk_spread=0.5"]
    report = run_sweep(wanted, *subject, profile="ideal", settings=texts, chips=2)
    assert report.reports[1].settings["profile_values"]["heater.crosstalk_spread"] == 0.5
    with pytest.raises(InputError, match=r"heater.crosstalk=0.1 is given for heater.crosstalk"):
        run_sweep(wanted, *subject, profile="ideal", settings=["heater.crosstalk=0.1"], chips=2)
    with pytest.raises(InputError, match=r"power\.p_pi=3 changes no reading"):
        run_sweep(wanted, *subject, profile="ideal", settings=["power.p_pi=3"], chips=2)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("profile", "key", "why"),
    [
        (FOUNDRY, "power.p_pi", "`ecgphoton budget` alone reads it"),
        (FOUNDRY, "link.coupler_db", ".* or with link.laser and receiver.kind=balanced"),
        (FOUNDRY, "time.drift", "it acts together with time.hours, which is 0 here"),
        ("ideal", "heater.crosstalk_length", ".* with heater.crosstalk, which is 0 here"),
    ],
)
def test_what_is_swept_follows_the_same_rule(
    student, inputs, label, point, profile, key, why, again
) -> None:
    """A number that `simulate` refuses as without effect is neither swept nor solved for."""
    subject = (student, inputs, label, point)
    ask = partial(calibrated_over, when="again") if again else solve
    with pytest.raises(InputError, match=f"^{key} changes no reading of these chips: {why}"):
        ask(key, *subject, profile=profile, chips=1)


def test_codes_that_follow_crosstalk_are_said(program) -> None:
    """Those of a bundle for a profile stay, others follow; other keys are no matter of codes."""
    bundle = replace(program, crosstalk=Crosstalk(0.01, 150.0))
    for key in ("heater.crosstalk", "heater.crosstalk_length"):
        assert following(key, bundle).endswith("chips change with it, codes do not")
        assert following(key, program) == f"codes undo the crosstalk of every value of {key}"
    assert following("splitter.sigma", bundle) == ""

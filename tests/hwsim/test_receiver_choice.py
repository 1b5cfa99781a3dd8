"""Simulations, studies and profiles take every receiver, or refuse it with the reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.blame import blame, matrix_errors
from ecgphoton.hwsim.certify import certify
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.hwsim.sensitivity import surrogate
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.hwsim.trace import trace

KINDS = ("balanced", "hybrid", "intensity")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_simulations_take_every_receiver(student, inputs, label, point, kind):
    """Chips differ, two workers give the same bits, and the report names the receiver."""
    subject = (student, inputs, label, point)
    settings = {
        "chips": 8,
        "profile": "foundry-thermo-optic",
        "settings": [f"receiver.kind={kind}"],
    }
    one, two = (simulate(*subject, **settings, workers=n) for n in (1, 2))
    assert np.array_equal(one.auc, two.auc)
    assert len(np.unique(one.auc)) > 1
    assert one.settings["receiver"] == kind
    assert one.settings["profile_values"]["receiver.lo_power"] > 0


@pytest.mark.slow
def test_the_leak_of_the_oscillator_counts(student, inputs, label, point):
    """With the oscillator's constant left in, chips err more often than with it removed."""
    found = []
    for zero in (1.0, 0.0):
        changed = ["receiver.kind=balanced", f"receiver.zero={zero}"]
        subject = (student, inputs, label, point)
        report = simulate(*subject, chips=8, profile="foundry-thermo-optic", settings=changed)
        found.append((report.miss + report.fpr).mean())
    assert found[0] + 0.05 < found[1]


@pytest.mark.slow
def test_the_budget_of_errors_names_the_receiver(student, inputs, label, point):
    """Sources of the error budget are the receiver's own errors and noise, too."""
    profile = Profile({"dac.bits": 0, "receiver.lo_power": 0.01}, receiver="balanced")
    trial = trial_of(student, inputs.rows(slice(60)), label[:60], point, profile=profile)
    shares = [one for one in blame(trial, chips=2, by_mzi=False) if one.kind == "source"]
    assert {one.name for one in shares} == {"receiver.cmrr", "receiver.noise", "receiver.rin"}


@pytest.mark.slow
def test_the_budget_of_errors_names_the_leak(student, inputs, label, point):
    """Modulators that leak are a source of errors, in simulated chips and as a bias of theirs."""
    profile = Profile({"dac.bits": 0, "link.extinction_db": 6.0, "phase.offset": 0.1})
    trial = trial_of(student, inputs, label, point, profile=profile)
    source = replace(trial.source, foundry=Foundry(profile.with_value("detector.noise", 0.0)))
    tight = replace(source, foundry=Foundry(profile.with_value("link.extinction_db", 0.0)))
    leaked = matrix_errors(source, 0, 8) - matrix_errors(tight, 0, 8)
    assert not leaked[..., :4].any()
    chips = source.foundry.chips(0, 0, 8, source.program)
    dark = torch.zeros(4, 1, dtype=torch.float64)
    read = chips.scale * chips.respond(source.wanted, chips.sent(dark))[..., 0]
    assert np.abs(leaked[..., 4] - read.numpy()).max() < 1e-5
    shares = {one.name: one for one in blame(trial, chips=4, by_mzi=False) if one.kind == "source"}
    assert set(shares) == {"link.extinction_db", "phase.offset"}


@pytest.mark.slow
def test_a_single_shot_is_replayed(student, inputs, label, point):
    """The stages of a trace add up to the change of the margin, noise and leak included."""
    profile = Profile({"splitter.sigma": 0.02, "link.extinction_db": 15.0}, receiver="intensity")
    trial = trial_of(student, inputs, label, point, profile=profile)
    found = trace(trial, 1, 3)
    change = sum(stage.static + stage.shot for stage in found.stages)
    assert found.perfect + change == pytest.approx(found.margin, abs=1e-9)
    assert any(stage.shot for stage in found.stages)


def test_what_is_refused(student, inputs, label, point, tmp_path):
    """No reading without oscillator or signal, no foreign key, no bounds, no expansion."""
    for dark in ("receiver.lo_power", "receiver.signal_power"):
        with pytest.raises(InputError, match=rf"{dark} is 0; .* has no sign"):
            Profile({dark: 0.0}, receiver="intensity")
    for needed in ("receiver.bandwidth", "receiver.responsivity", "receiver.resistance"):
        with pytest.raises(InputError, match=rf"{needed} is 0.0; it must be a number from"):
            Profile({needed: 0.0}, receiver="balanced")
        assert Profile({}, receiver="balanced").only()[needed]  # noise left out, not its numbers
    with pytest.raises(InputError, match=r"'intensity' has no receiver\.cmrr; .*balanced, hybrid"):
        Profile({"receiver.cmrr": 20.0}, receiver="intensity")
    with pytest.raises(InputError, match=r"'homodyne' has no receiver\.rin"):
        load_profile("ideal").with_settings(["receiver.rin=-150"])
    with pytest.raises(InputError, match=r"write receiver\.rin=VALUE"):
        load_profile("ideal").with_settings(["receiver.rin"])
    balanced = {"profile": "ideal", "settings": ["receiver.kind=balanced"]}
    trial = trial_of(student, inputs, label, point, **balanced)
    with pytest.raises(InputError, match="chips read by homodyne can be certified"):
        certify(trial, (0.001,))
    leaking = {"profile": "ideal", "settings": ["link.extinction_db=20"]}
    with pytest.raises(InputError, match=r"can be certified: --set link\.extinction_db=0"):
        certify(trial_of(student, inputs, label, point, **leaking), (0.001,))
    with pytest.raises(InputError, match="neither a profile nor its receiver"):
        surrogate(trial)


def test_a_profile_names_its_receiver(tmp_path):
    """A section [receiver] is a balanced pair with defaults; another receiver takes them over."""
    path = tmp_path / "mine.toml"
    path.write_text("[receiver]\nlo_power = 2.0\n")
    profile = load_profile(path)
    assert profile.receiver == "balanced"
    assert (profile["receiver.lo_power"], profile["receiver.cmrr"]) == (2.0, 25.0)
    single = profile.read_by("intensity")
    assert "receiver.cmrr" not in single.numbers
    assert single["receiver.lo_power"] == 2.0
    assert profile.with_settings(["receiver.kind=hybrid"]).receiver == "hybrid"
    path.write_text('[receiver]\nkind = "eye"\n')
    with pytest.raises(InputError, match="there is no receiver 'eye'"):
        load_profile(path)
    assert set(KINDS) < set(RECEIVERS)


@pytest.mark.parametrize("order", [1, -1])
def test_a_number_beside_a_receiver_that_has_none_is_refused(order):
    """Whatever the order of settings, and also where the number is the usual one."""
    texts = ["receiver.cmrr=25", "receiver.kind=intensity"][::order]
    with pytest.raises(InputError, match=r"'intensity' has no receiver\.cmrr"):
        load_profile("foundry-thermo-optic").with_settings(texts)

"""Effects and receivers of other packages that are not what they should be."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton import registry
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.effects import EFFECTS, Effect, Number
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.receivers import RECEIVERS, Receiver
from ecgphoton.hwsim.unused import unused

ONE = Number("A number.", 1.0, "rad")
GOOD = Effect("their.phase", ONE, "field", lambda field, x, _: field * (1 + x)[..., None], "path")


@pytest.fixture(autouse=True)
def added(monkeypatch):
    """Forget what a test adds; no worker of another test has to import it."""
    monkeypatch.setattr(registry, "_MODULES", dict(registry._MODULES))
    monkeypatch.setattr(EFFECTS, "_values", dict(EFFECTS._values))
    monkeypatch.setattr(RECEIVERS, "_values", dict(RECEIVERS._values))


def read_with(effect: Effect) -> tuple[str, ...]:
    """Add an effect and read chips that have it."""
    EFFECTS.add(effect)
    return unused(Profile({effect.name: 0.2, "dac.bits": 10}), [effect.name])


@pytest.mark.parametrize("name", ["their.phase", "their-lab.phase-1"])
def test_a_right_effect_acts(name):
    """The oracle of the tests below."""
    assert read_with(replace(GOOD, name=name)) == ()


def test_what_may_be_a_tensor_or_a_number_may_become_a_number():
    """The share of crosstalk of each chip becomes one number for all, but the phases do not."""
    level = replace(GOOD, stage="heat", place="none", law=lambda heat, *_: heat._replace(share=2.0))
    EFFECTS.add(level)
    spread = {"heater.crosstalk": 0.01, "heater.crosstalk_spread": 0.1}
    assert unused(Profile(spread | {level.name: 0.2, "dac.bits": 10}), ["heater.crosstalk"]) == ()
    flat = replace(level, name="their.other", law=lambda heat, *_: heat._replace(phase=0.0))
    with pytest.raises(InputError, match=r"their\.other.* returns float for torch.float64"):
        read_with(flat)


def test_effects_of_the_package_would_pass(monkeypatch, program):
    """They are not looked at when chips are computed, so they are here."""
    profile = load_profile("pessimistic:full-link:as-fabricated")
    monkeypatch.setattr(EFFECTS, "shipped", frozenset())
    chips = Foundry.of(profile).chips(0, 0, 2, program)
    volts = chips.driven(program.device.dac.volts_for(program.phases)[None])
    light = chips.sent(np.ones((4, 1)))
    assert chips.respond(volts, light, generator=torch.Generator()).isfinite().all()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "my thing"}, "a key of an effect is 'my thing'"),
        ({"name": "driver.law"}, r"'driver.law'; it must be .* outside of \[driver\]"),
        ({"number": 0.3}, "their.phase is 0.3; it must be a Number"),
        ({"number": replace(ONE, largest=float("inf"))}, "their.phase is inf; .* finite"),
        ({"number": replace(ONE, least=2.0)}, "their.phase is 1.0; it must be 0 or"),
        ({"number": replace(ONE, default=7.0)}, "their.phase is 7.0; it must be a number"),
        ({"stage": "feld"}, "stage is 'feld'; it must be one of 'input'"),
        ({"place": "pth"}, "place is 'pth'"),
        ({"law": None}, "'their.phase': law is None"),
        ({"elsewhere": {"feld": GOOD.law}}, "stage of their.phase is 'feld'"),
        ({"shot": True, "drawn": lambda rng, _, shape: rng.uniform(size=shape)}, "unit normals"),
        (
            {"drawn": lambda rng, *_: rng.standard_normal((1, 1))},
            r"its draws \(float64 of shape \(1, 1\)",
        ),
        ({"drawn": lambda *_: np.full(_[2], np.nan)}, "its draws .*NaN"),
        ({"drawn": lambda *_: np.full(_[2], 1j)}, "its draws .*complex128"),
        ({"drawn": lambda *_: None}, "its draws"),
        ({"law": lambda field, *_: field.real}, "law at stage 'field' .*float64"),
        ({"law": lambda field, *_: field[..., :2, :2]}, r"law at stage 'field' .*2, 2\)"),
        ({"law": lambda field, *_: field * float("nan")}, "law at stage 'field' .*NaN"),
        ({"law": lambda *_: None}, "law at stage 'field' .*NoneType"),
        ({"law": lambda field, *_: field.mul_(2)}, "law at stage 'field' .*changes the value"),
        ({"law": lambda *_: 1 / 0}, "law at stage 'field' .*division by zero"),
        ({"stage": "element", "place": "mzi", "law": lambda e, *_: (e.alpha, e.beta)}, "for Elem"),
    ],
)
def test_an_effect_that_cannot_be_used_is_named(changes, why):
    """Nothing is computed with it, and the error names it."""
    with pytest.raises(InputError, match=why):
        read_with(replace(GOOD, **changes))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"read": lambda field, _: field}, "complex128"),
        ({"read": lambda field, _: field.real * float("nan")}, "NaN"),
        ({"read": lambda field, _: field.real.tanh()}, "more than second order"),
        ({"read": lambda field, _: field.mul_(2).real}, "changes the field"),
        ({"read": lambda field: field.real}, "takes 1 positional argument"),
        ({"light": lambda field, _: field.abs()[..., :1]}, r"2, 4, 1\)"),
        ({"share": 0.0}, "share is 0.0"),
        ({"diodes": 0}, "diodes is 0"),
        ({"pedestal": float("nan")}, "pedestal is nan"),
    ],
)
def test_a_receiver_that_cannot_be_one_is_refused(changes, why):
    """Its part linear in the field would be wrong without a word."""
    with pytest.raises(InputError, match=f"the receiver 'theirs'.*{why}"):
        Receiver(**{"name": "theirs", "meaning": "", "read": lambda f, _: f.real} | changes)


def test_a_receiver_may_compute_in_single_precision():
    """Rounding is no higher order, however large readings are."""
    Receiver("theirs", "", lambda f, _: 99 * (f.to(torch.complex64) + 1).abs() ** 2)


def test_a_receiver_may_have_numbers_of_its_own_alone():
    """It needs no power of a local oscillator."""
    EFFECTS.add(replace(GOOD, name="receiver.theirs"))
    keys = ("receiver.theirs",)
    RECEIVERS.add(Receiver("theirs", "Re E", lambda field, _: field.real, keys=keys))
    profile = Profile({"receiver.theirs": 0.2, "dac.bits": 10}, receiver="theirs")
    assert unused(profile, keys) == ()

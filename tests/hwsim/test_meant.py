"""A key that is none is answered with the keys that a photonics engineer meant by it."""

from __future__ import annotations

import re

import pytest

from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import number_of
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.sweep import parameter


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("V_pi", "driver.v_pi?"),
        ("heater.v_pi", "driver.v_pi?"),
        ("heater.power", "heater.spread, power.p_pi or"),
        ("loss.waveguide", "loss.mzi_db?"),
        ("laser.power", "link.laser, "),
        ("adc.bits", "receiver.adc_bits?"),
        ("laser.rin", "receiver.rin?"),
        ("rin", "detector.rin or receiver.rin?"),
        ("crosstalk", "heater.crosstalk, "),
        ("splitting_ratio", "splitter.sigma?"),
        ("extinction_ratio", "link.extinction_db or "),
        ("insertion_loss", "link.modulator_db?"),
        ("lo.power", "receiver.lo_power?"),
        ("symbol_rate", "link.rate?"),
        ("spliter.sigma", "splitter.sigma?"),
    ],
)
def test_near_misses(key, meant) -> None:
    """By the words of keys and of their meanings; a slip of the pen has one answer."""
    with pytest.raises(InputError, match=re.escape(f"did you mean {meant}")):
        number_of(key)
    with pytest.raises(InputError, match=re.escape(f"did you mean {meant}")):
        parameter(key)


def test_what_is_like_nothing_gets_the_sections() -> None:
    """Seventy keys are no advice."""
    with pytest.raises(InputError, match=r"allowed: link\.\*, dac\.\*, .*driver\.\*"):
        number_of("zzz")


def test_drivers_are_stated_as_a_whole() -> None:
    """Their numbers depend on one another, so no single one is set."""
    with pytest.raises(InputError, match=r"driver\.v_pi is no single number .*section \[driver\]"):
        load_profile("foundry-thermo-optic").with_settings(["driver.v_pi=5"])

"""Power, time and energy of one beat."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ecgphoton.hwsim.budget import Budget
from ecgphoton.hwsim.energy import (
    MLPERF_MACS,
    PERIOD,
    core,
    microcontroller,
    plans,
    prefixed,
    shifter_powers,
    trimming_power,
    work_of,
)
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.student.propagate import IdealDetector, Tapped, walk

FOUNDRY = load_profile("foundry-thermo-optic")


@pytest.fixture(scope="module")
def ways(program):
    """Ways to drive a chip by (blocks, duty)."""
    work = work_of(program.architecture)
    return {(p.blocks, p.duty): p for p in plans(program, FOUNDRY.__getitem__, work)}


def test_work_is_what_the_propagation_does(student, inputs) -> None:
    """Every block gets as many vectors as the walk brings it."""
    seen = []

    def note(block, x, branch) -> None:
        seen.append(x.shape[-1] if branch is None else branch.positions)

    stack = type(student.stack())(*(part.detach() for part in student.stack()))
    with torch.no_grad():
        one = inputs.rows(slice(0, 1))
        walk(
            stack,
            one,
            student.architecture,
            Tapped(IdealDetector(student.architecture.response), note),
        )
    assert [part.symbols for part in work_of(student.architecture)] == seen


def test_digital_pooling_converts_every_sample(student) -> None:
    """Analog pooling converts one vector a token, digital pooling one a symbol."""
    analog, digital = (work_of(student.architecture, digital=d) for d in (False, True))
    assert all(one.conversions == one.symbols for one in digital)
    assert sum(one.conversions for one in analog) < sum(one.conversions for one in digital) / 5


def test_shifters_take_the_power_of_their_phases(program) -> None:
    """A phase of pi on every driver takes P_pi for each, and nothing without P_pi."""
    found = shifter_powers(program, 30.0)
    assert found == pytest.approx(30e-3 * program.phases.sum(1) / math.pi)
    assert not shifter_powers(program, 0.0).any()


@pytest.mark.parametrize("profile", [FOUNDRY, load_profile("lithium-niobate")])
def test_shifters_that_undo_static_phases_are_set_all_over_a_turn(program, profile) -> None:
    """Heaters to half a turn on average, drivers of both signs to half of that."""
    driven, draw = profile.driving(program), np.random.default_rng(0)
    static = draw.uniform(0, 2 * math.pi, (400, *driven.phases.shape))
    setting = driven.dac.wrapped((driven.phases - static) % (2 * math.pi))
    wanted = 30e-3 * np.abs(setting).sum((1, 2)) / math.pi
    assert trimming_power(driven, 30.0) == pytest.approx(wanted.mean(), rel=0.01)
    mean = trimming_power(driven, 30.0) / (30e-3 * driven.phases.size)
    assert mean == pytest.approx(1.0 if profile is FOUNDRY else 0.505, abs=0.002)


def test_a_budget_says_what_it_is_of_and_what_it_leaves_out(program) -> None:
    """Hardware, heat of trimming, what settling leaves, and parts without a number."""
    hardware, heat, settled, rest = Budget(program, FOUNDRY.read_by("balanced")).assumptions
    assert f"{len(program.blocks)} blocks" in hardware
    assert "laser of 10 mW of its own, at 1.55 um" in hardware
    trimming = prefixed(trimming_power(program, 30.0), "W")
    assert heat.endswith(f"undo the static phases of fabrication, {trimming} on average")
    assert "leaves 0.67 % of a change of phase, 42.3 mrad of a turn" in settled
    assert rest.startswith("not counted: temperature control, ")
    cooled = FOUNDRY.with_settings(["power.control=500", "power.response=0", "power.p_pi=0"])
    assert len(Budget(program, cooled.read_by("balanced")).assumptions) == 2
    assert "temperature" not in Budget(program, cooled.read_by("balanced")).assumptions[-1]


def test_time_adds_settling_and_symbols(program, ways) -> None:
    """A reused block settles once a matrix, a duty-cycled chip once a beat."""
    work, rate, settling = work_of(program.architecture), FOUNDRY["link.rate"], 50e-6
    symbols = sum(one.symbols for one in work)
    reused = symbols / rate + len(work) * settling
    assert ways["one block reused", "always on"].seconds == pytest.approx(reused)
    each, woken = (ways["one block each", duty].seconds for duty in ("always on", "duty-cycled"))
    assert woken == pytest.approx(each + settling)
    assert each < symbols / rate


def test_what_is_switched_off_takes_no_power(ways) -> None:
    """Duty-cycled, everything that stays on takes the share of the time that it is on."""
    for blocks in ("one block each", "one block reused"):
        on, off = (ways[blocks, duty] for duty in ("always on", "duty-cycled"))
        for name in ("phase shifters", "laser", "receivers", "phase drivers"):
            assert off.power[name] == pytest.approx(on.power[name] * off.seconds / PERIOD)
        for name in ("modulators", "converters", "control"):
            assert off.power[name] == on.power[name]
        assert off.joules < on.joules / 100


def test_a_reused_block_takes_the_power_of_one(program, ways) -> None:
    """Its phase shifters lie between those of the cheapest and the dearest matrix."""
    held = ways["one block reused", "always on"].power["phase shifters"]
    each = shifter_powers(program, 30.0)
    assert each.min() < held < each.max()
    assert ways["one block each", "always on"].power["phase shifters"] == pytest.approx(each.sum())


def test_digital_processors_scale_with_the_work() -> None:
    """The network that was measured gets back what was measured."""
    measured = microcontroller(MLPERF_MACS)
    assert (measured.joules, measured.seconds) == pytest.approx((322.977e-6, 1 / 132.077))
    assert MLPERF_MACS == 264_192
    assert core(1e-3).joules == pytest.approx(6.75e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.34, "5.34 J"),
        (0.000569, "569 uJ"),
        (0.0, "0 J"),
        (2.9e-9, "2.9 nJ"),
        (1234.0, "1.23e+03 J"),
    ],
)
def test_numbers_have_the_prefix_that_fits(value: float, text: str) -> None:
    """One to three digits before the point, down to pico."""
    assert prefixed(value, "J") == text


def test_what_is_not_stated_is_left_out(program) -> None:
    """A laser without an efficiency takes no power, instead of an infinite one."""
    dark = FOUNDRY.with_value("power.wall_plug", 0.0)
    found = plans(program, dark.__getitem__, work_of(program.architecture))
    assert all(plan.power["laser"] == 0 for plan in found)


def test_a_driver_of_both_signs_takes_the_smaller_phase(program) -> None:
    """A large phase is set a turn lower, and takes the power of what is set."""
    driven = load_profile("lithium-niobate").driving(program)
    drive = driven.dac.drive_of(driven.dac.volts_for(driven.phases))
    assert (drive < 0).any()
    assert shifter_powers(driven, 30.0) == pytest.approx(30e-3 * np.abs(drive).sum(1))
    assert (shifter_powers(driven, 30.0) < shifter_powers(program, 30.0)).all()


def test_ways_that_are_too_late_do_not_win(program) -> None:
    """They are named as such; where no way is in time the sentence says so and compares none."""
    slow = FOUNDRY.read_by("balanced").with_value("power.settling", 5e5)
    found = Budget(program, slow)
    late = [plan.name for plan in found.plans if not plan.in_time]
    assert late == ["one block reused, always on", "one block reused, duty-cycled"]
    assert "one block each" in found.sentence
    assert [one["in_time"] for one in found.to_dict()["plans"]] == [True, True, False, False]
    crawling = Budget(program, slow.with_value("link.rate", 10.0))
    assert "No way decides a beat before the next one" in crawling.sentence
    assert "against" not in crawling.sentence


def test_a_laser_without_efficiency_is_named_as_not_counted(program) -> None:
    """Whether the profile leaves it out or states 0."""
    stated = FOUNDRY.read_by("balanced")
    assert "power.wall_plug" not in Budget(program, stated).unstated
    assert "power.wall_plug" in Budget(program, stated.with_value("power.wall_plug", 0)).unstated


def test_profiles_without_heaters_take_none(program) -> None:
    """Where a profile states no power of a phase, none is taken."""
    cold = FOUNDRY.with_value("power.p_pi", 0.0)
    found = plans(program, cold.__getitem__, work_of(program.architecture))
    assert all(np.isclose(plan.power["phase shifters"], 0) for plan in found)

"""How long tables hold: plans are compared on chips that age, and the cheapest that holds wins."""

from dataclasses import replace

import pytest

from ecgphoton.calibration.bench import Cost
from ecgphoton.calibration.drift import DriftReport, Plan, drift_schedule
from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.verdict import Limits


@pytest.mark.slow
def test_drift_grows_and_trimming_undoes_it(task) -> None:
    """Matrix errors grow with age; trimming brings them back at a fraction of the cost."""
    profile = Profile({"dac.bits": 12, "time.drift": 0.02, "detector.noise": 1e-3})
    limits = Limits(0.2, 0.2, 0.5)
    report = drift_schedule(*task, profile=profile, chips=1, hours=(4.0, 4.0), limits=limits)
    assert len(report.plans) == 3  # an interval named twice is tried once
    plans = {plan.way: plan for plan in report.plans}
    assert plans["none"].error_before > 2 * plans["trim"].error_before  # after 24 hours and 4
    for way in ("trim", "full"):
        assert plans[way].error_after < 0.2 * plans[way].error_before
    assert 0 < plans["trim"].cost.seconds() < 0.6 * plans["full"].cost.seconds()
    assert plans["none"].seconds == 0


def plan(hours, way, keeps, settings, chips=10):
    """A plan with that cost."""
    good = chips if keeps else chips // 2
    return Plan(hours, way, chips, chips, good, 0.0, 0.0, Cost(settings, 0), Limits())


def test_the_cheapest_plan_that_keeps_the_limits_is_taken() -> None:
    """Nothing is cheapest if it holds; else the least time a day; None if nothing holds."""
    plans = (plan(1.0, "trim", True, 10), plan(8.0, "full", True, 50), plan(12.0, "trim", False, 1))
    assert DriftReport(10, plans).cheapest is plans[1]  # 2 x 50 settings against 23 x 10
    idle = plan(24.0, "none", True, 0)
    assert DriftReport(10, (*plans, idle)).cheapest is idle
    assert DriftReport(10, plans[2:]).cheapest is None
    assert [plan.times for plan in plans] == [23, 2, 1]


def test_a_yield_of_few_chips_is_not_proven() -> None:
    """Its exact interval stands beside it; 59 chips without failure prove 95 %, 10 do not."""
    few, many = (plan(8.0, "trim", True, 1, chips).to_dict() for chips in (10, 59))
    assert few["keeps"] is many["keeps"] is True
    assert (few["proven"], many["proven"]) == (False, True)
    assert (few["yield_before_low"], few["yield_before_high"]) == pytest.approx(
        (0.692, 1), abs=1e-3
    )
    bad = plan(8.0, "trim", False, 1).to_dict()
    assert (bad["yield_before"], bad["yield_after"]) == (1.0, 0.5)
    assert (bad["yield_after_low"], bad["yield_after_high"]) == pytest.approx(
        (0.187, 0.813), abs=1e-3
    )
    assert bad["proven"]
    found = DriftReport(9, (plan(8.0, "trim", True, 1),)).to_dict()
    assert found["yield_fresh"] == 0.9
    assert found["yield_fresh_low"] == pytest.approx(0.555, abs=1e-3)


def test_a_yield_that_is_just_reached_is_kept() -> None:
    """11 good chips of 20 are 55 %, though 0.55 times 20 is above 11 in floating point."""
    reached = replace(plan(8.0, "trim", True, 1, 20), good_after=11, limits=Limits(min_yield=0.55))
    assert reached.keeps
    assert not replace(reached, good_before=10).keeps


def test_impossible_intervals_are_refused(task) -> None:
    """An interval of no hours, or of more than a day, is a user error."""
    for hours in ((), (0.0,), (25.0,)):
        with pytest.raises(InputError, match="above 0 and below 24 hours"):
            drift_schedule(*task, hours=hours, chips=1)


def test_chips_that_do_not_drift_have_no_schedule(task) -> None:
    """A profile without drift would hold for ever; it is refused with what to state."""
    with pytest.raises(InputError, match=r"does not state time\.drift.* --set time\.drift="):
        drift_schedule(*task, profile="ideal", chips=1)


def test_an_age_of_the_profile_is_refused(task) -> None:
    """Ages are what the schedule tries, so one that is stated would be replaced."""
    aged = Profile({"time.drift": 0.01, "time.hours": 3.0})
    with pytest.raises(InputError, match=r"states time\.hours of 3, .*intervals as hours"):
        drift_schedule(*task, profile=aged, chips=1)

"""How long tables hold: plans are compared on chips that age, and the cheapest that holds wins."""

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
    report = drift_schedule(*task, profile=profile, chips=2, hours=(1.0, 9.0), limits=limits)
    plans = {(plan.hours, plan.way): plan for plan in report.plans}
    assert plans[9.0, "trim"].error_before > 2 * plans[1.0, "trim"].error_before
    for way in ("trim", "full"):
        assert plans[9.0, way].error_after < 0.2 * plans[9.0, way].error_before
    assert 0 < plans[9.0, "trim"].cost.seconds() < 0.6 * plans[9.0, "full"].cost.seconds()
    assert plans[24.0, "none"].seconds == 0


def plan(hours, way, keeps, settings):
    """A plan with that cost."""
    return Plan(hours, way, 1.0, 1.0, 0.0, 0.0, Cost(settings, 0), keeps)


def test_the_cheapest_plan_that_keeps_the_limits_is_taken() -> None:
    """Nothing is cheapest if it holds; else the least time a day; None if nothing holds."""
    plans = (plan(1.0, "trim", True, 10), plan(8.0, "full", True, 50), plan(12.0, "trim", False, 1))
    assert DriftReport(1.0, plans).cheapest is plans[1]  # 2 x 50 settings against 23 x 10
    idle = plan(24.0, "none", True, 0)
    assert DriftReport(1.0, (*plans, idle)).cheapest is idle
    assert DriftReport(1.0, plans[2:]).cheapest is None
    assert [plan.times for plan in plans] == [23, 2, 1]


def test_impossible_intervals_are_refused(task) -> None:
    """An interval of no hours, or of more than a day, is a user error."""
    for hours in ((), (0.0,), (25.0,)):
        with pytest.raises(InputError, match="intervals"):
            drift_schedule(*task, hours=hours, chips=1)


def test_chips_that_do_not_drift_have_no_schedule(task) -> None:
    """A profile without drift would hold for ever; it is refused with what to state."""
    with pytest.raises(InputError, match=r"does not state time\.drift.* --set time\.drift="):
        drift_schedule(*task, profile="ideal", chips=1)

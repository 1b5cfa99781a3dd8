"""Chips drift, schedules bring them back, and the cheapest that does is found."""

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.calibration.drift import NEVER, Schedule, _walks, compare_schedules
from ecgphoton.calibration.trim import Trim
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import load_profile
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.student.network import predict


def test_walks_are_random_walks() -> None:
    """Variance grows with the hours; a chip's walk does not depend on the others."""
    walks = _walks(40, (8, 36), 6, 2.0, seed=1)
    for index, walk in enumerate(walks):
        assert float(walk.std()) == pytest.approx(np.sqrt(2.0 * (index + 1)), rel=0.05)
    assert np.array_equal(_walks(3, (8, 36), 6, 2.0, seed=1)[4], walks[4][:3])


def test_trimming_holds_what_drift_takes_away(program, student, inputs) -> None:
    """Untouched chips get worse over the day; trimmed ones do not, and cost is counted."""
    probability = predict(student, inputs)[:, 1]
    point = OperatingPoint(float(np.median(probability)), ("validation",))
    profile = replace(load_profile("foundry-thermo-optic"), time_drift=0.05)
    schedules = (Schedule("never"), Schedule("trim", 4.0, (Trim(shots=32, rounds=1),)))
    report = compare_schedules(
        program,
        inputs,
        point.decide(probability),
        point,
        profile=profile,
        schedules=schedules,
        chips=2,
        hours=12.0,
        look=4.0,
        limits=Limits(1.0, 1.0),
    )
    never, trimmed = report.days
    assert never.errors[-1] > 1.3 * never.errors[0]
    assert trimmed.errors[-1] < 0.8 * never.errors[-1]
    assert never.errors[0] == trimmed.errors[0]
    assert never.cost.settings == 0
    assert trimmed.cost.settings >= 2 * 2 * 32  # twice: measured, moved, measured
    assert report.cheapest == schedules[0]
    assert report.to_dict()["cheapest"] == "never"
    assert replace(report, limits=Limits(0.0, 0.0, 1.0)).rows()[0]["schedule"] == "never"


def test_impossible_days_are_refused() -> None:
    """A schedule must repeat after some time."""
    with pytest.raises(InputError, match="above 0"):
        Schedule("always", 0.0)
    assert NEVER > 24

"""Where no threshold keeps the limits, both limits and the rates reached are said."""

import pytest

from ecgphoton.decision import LargestProbability, OperatingPoint, ThresholdPolicy
from ecgphoton.run.evaluate import shortfall

POLICY = ThresholdPolicy(max_miss=0.125, max_fpr=0.1)
SETS = {
    "validation": {"miss": 0.2, "fpr": 0.05, "reasons": {}},
    "out_of_fold": {"miss": 0.5, "fpr": 0.5, "reasons": {}},
}


def point(*names, feasible=False):
    """A threshold fitted on sets."""
    return OperatingPoint(0.5, names, feasible)


def test_limits_and_rates_are_said():
    """Those of the set on which the threshold was chosen."""
    said = shortfall(POLICY, point("validation"), {"sets": SETS})
    assert "miss <= 12.5 % and FPR <= 10 %" in said
    assert said.endswith("miss 20.00 % and FPR 5.00 % on validation")


def test_rates_over_folds_weight_patients_alike():
    """They chose the threshold; those of the set count beats."""
    metrics = {"sets": SETS, "out_of_fold": {"miss": 0.3, "fpr": 0.04, "reasons": {}}}
    assert shortfall(POLICY, point("out_of_fold"), metrics).endswith(
        "miss 30.00 % and FPR 4.00 % on out of fold"
    )


def test_sets_that_are_not_there_are_named_alone():
    """As where a student is evaluated on other recordings."""
    said = shortfall(POLICY, point("validation"), {"sets": {}})
    assert "(validation)" in said
    assert said.endswith("was taken")


@pytest.mark.parametrize("kept", [point("validation", feasible=True), LargestProbability()])
def test_nothing_is_said_where_limits_are_kept_or_absent(kept):
    """Several classes have no limits."""
    assert shortfall(POLICY, kept, {"sets": SETS}) is None

"""The operating point: limits first, then recall, and never an unconstrained extreme."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ecgphoton.decision import (
    LargestProbability,
    OperatingPoint,
    ThresholdPolicy,
    evaluate_at,
    rates,
)
from ecgphoton.errors import InputError
from ecgphoton.metrics import Confusion
from ecgphoton.training.parts import SELECTION


def scored(beats=2000, *, abnormal=0.1, apart=2.0, seed=0):
    """Probabilities of a classifier whose log-odds are `apart` between the classes."""
    draw = np.random.default_rng(seed)
    label = (draw.random(beats) < abnormal).astype(np.int64)
    odds = apart * (label - 0.5) + draw.normal(size=beats)
    return 1 / (1 + np.exp(-odds)), label


def fit(probability, label, **policy):
    """Fit on one set."""
    return ThresholdPolicy(**policy).fit({"validation": (probability, label)})


@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans())
def test_rates_are_counts_at_every_threshold(seed, beats, ties):
    """Miss, FPR and F1 agree with counting, ties included."""
    draw = np.random.default_rng(seed)
    probability = draw.random(beats)
    if ties:
        probability = probability.round(1)
    label = draw.integers(0, 2, beats)
    thresholds = np.array([0.0, 0.1, 0.3, 0.5, 0.7, 1.0])
    for at, miss, fpr, f1 in zip(thresholds, *rates(probability, label, thresholds), strict=True):
        counted = evaluate_at(OperatingPoint(at, ("v",)), probability, label)
        assert miss == pytest.approx(counted.miss_rate)
        assert fpr == pytest.approx(counted.fpr)
        assert f1 == pytest.approx(counted.f1)


def test_a_beat_of_weight_three_is_three_beats():
    """Rates and the chosen point with whole weights are those of repeated beats."""
    rng = np.random.default_rng(4)
    label = (rng.random(200) < 0.3).astype(int)
    probability = np.clip(rng.normal(0.4 + 0.2 * label, 0.15), 0, 1).round(2)
    weight = rng.integers(1, 4, 200)
    policy = ThresholdPolicy(quantiles=0)
    grid = policy.candidates(probability)
    many = np.repeat(probability, weight), np.repeat(label, weight)
    np.testing.assert_allclose(rates(probability, label, grid, weight), rates(*many, grid))
    found = policy.fit({"a": (probability, label)}, weights={"a": weight})
    assert found == policy.fit({"a": many})
    assert not np.allclose(rates(*many, grid)[0], rates(probability, label, grid)[0])


def test_without_its_weight_f1_does_not_matter():
    """With miss rate and FPR alike and F1 left out, their sum is smallest at the chosen point."""
    rng = np.random.default_rng(5)
    label = (rng.random(3000) < 0.03).astype(int)
    probability = np.clip(rng.normal(0.4 + 0.2 * label, 0.12), 0, 1)
    policy = ThresholdPolicy(
        f1_weight=0, recall_weight=1, fpr_weight=1, pull=0, max_miss=1, max_fpr=1
    )
    point = policy.fit({"a": (probability, label)})
    miss, fpr, _ = rates(probability, label, policy.candidates(probability))
    own = evaluate_at(point, probability, label)
    assert own.miss_rate + own.fpr == pytest.approx((miss + fpr).min())
    assert replace(policy, f1_weight=10).fit({"a": (probability, label)}) != point


def test_a_separable_set_is_separated():
    """With nothing to trade, both error rates are zero and the point is feasible."""
    probability, label = np.array([0.1, 0.2, 0.6, 0.9]), np.array([0, 0, 1, 1])
    point = fit(probability, label)
    counted = evaluate_at(point, probability, label)
    assert (counted.miss_rate, counted.fpr, point.feasible) == (0, 0, True)
    assert point.fitted_on == ("validation",)


@given(st.integers(0, 1000), st.floats(2.8, 5.0))
def test_hard_limits_hold_where_they_can(seed, apart):
    """A feasible point is inside both limits on the set it was fitted on."""
    probability, label = scored(apart=apart, seed=seed)
    point = fit(probability, label)
    counted = evaluate_at(point, probability, label)
    assert point.feasible == (counted.miss_rate <= 0.10 and counted.fpr <= 0.10)


@given(st.integers(0, 1000), st.floats(-0.5, 2.0))
def test_no_other_candidate_violates_less(seed, apart):
    """Where the limits cannot be met the least violation is taken, not an extreme."""
    probability, label = scored(apart=apart, seed=seed)
    policy = ThresholdPolicy()
    miss, fpr, _ = rates(probability, label, policy.candidates(probability))
    least = (np.maximum(miss - 0.1, 0) + np.maximum(fpr - 0.1, 0)).min()
    counted = evaluate_at(policy.fit({"v": (probability, label)}), probability, label)
    mine = max(counted.miss_rate - 0.1, 0) + max(counted.fpr - 0.1, 0)
    assert mine == pytest.approx(least, abs=1e-9)


def test_quantiles_reach_probabilities_outside_the_grid():
    """A timid classifier, all of whose probabilities are below the grid, still gets a threshold."""
    probability, label = scored(apart=5.0)
    timid = probability / 100
    assert fit(timid, label).threshold < 0.05
    assert fit(timid, label).feasible
    assert not fit(timid, label, quantiles=0).feasible


def test_a_high_running_miss_rate_never_raises_the_threshold():
    """The more was missed, the more recall counts."""
    probability, label = scored(apart=2.0)
    policy = ThresholdPolicy(max_miss=1, max_fpr=1)
    thresholds = [
        policy.fit({"v": (probability, label)}, miss_ema=miss).threshold
        for miss in (0.0, 0.2, 0.5, 1.0)
    ]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[-1]


def test_fpr_weight_and_pull_do_what_they_are_called():
    """A larger FPR weight gives fewer false alarms; a strong pull leads to its centre."""
    probability, label = scored(apart=2.0)
    open_ = {"max_miss": 1.0, "max_fpr": 1.0}
    mild, harsh = (fit(probability, label, fpr_weight=w, **open_) for w in (1.0, 6.0))
    false = [evaluate_at(point, probability, label).fpr for point in (mild, harsh)]
    assert false[1] < false[0]
    assert fit(probability, label, pull=1000.0, center=0.3, **open_).threshold == pytest.approx(
        0.3, abs=0.01
    )


def test_a_blend_weighs_both_sets_and_limits_both():
    """Both sets are named, and the worse of the two decides about the limits."""
    easy, hard = scored(apart=6.0), scored(apart=1.0, seed=1)
    point = ThresholdPolicy(blend=0.35).fit({"validation": easy, "generalization": hard})
    assert point.fitted_on == ("validation", "generalization")
    assert not point.feasible


def test_the_number_of_sets_must_fit_the_blend():
    """A forgotten or surplus set is refused with both numbers."""
    one = scored(100)
    with pytest.raises(InputError, match="needs 2 set"):
        ThresholdPolicy(blend=0.3).fit({"validation": one})
    with pytest.raises(InputError, match="needs 1 set"):
        ThresholdPolicy().fit({"validation": one, "test": one})
    with pytest.raises(InputError, match="'validation' has no beats"):
        fit(np.array([]), np.array([]))


def test_order_of_beats_does_not_matter():
    """Shuffling a set leaves the threshold as it is."""
    probability, label = scored()
    order = np.random.default_rng(1).permutation(len(label))
    assert fit(probability, label) == fit(probability[order], label[order])


def test_an_operating_point_decides_at_or_above_its_threshold_and_survives_json():
    """The threshold itself is abnormal; writing and reading gives the same point."""
    point = OperatingPoint(0.5, ("validation",), feasible=False)
    assert point.decide(np.array([0.49, 0.5, 0.51])).tolist() == [False, True, True]
    assert OperatingPoint.from_dict(json.loads(json.dumps(point.to_dict()))) == point


@pytest.mark.parametrize(
    "data", [{}, {"threshold": "x", "fitted_on": [], "feasible": True}, {"threshold": 0.5}]
)
def test_a_damaged_operating_point_is_refused(data):
    """Missing or wrong entries give one sentence, not a traceback."""
    with pytest.raises(InputError, match="cannot be read"):
        OperatingPoint.from_dict(data)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan])
def test_a_threshold_outside_zero_to_one_is_refused(threshold):
    """The value is named."""
    with pytest.raises(InputError, match=f"threshold is {threshold}"):
        OperatingPoint(threshold, ("v",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grid_low", 0.99),
        ("grid_high", 1.5),
        ("grid_points", 0),
        ("quantiles", -1),
        ("max_miss", math.nan),
        ("max_fpr", 2.0),
        ("recall_weight", -1.0),
        ("center", -0.1),
        ("pull", math.inf),
        ("blend", 1.0),
    ],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"decision\.{name} is {value!r}"):
        ThresholdPolicy(**{name: value})


def test_selection_scores_are_their_formulas():
    """Each score is what its name says, and prefers fewer errors."""
    counts = Confusion(tp=8, fn=2, fp=3, tn=27)
    assert SELECTION["f1-miss-fpr"](counts) == pytest.approx(16 / 21 - 0.2 - 0.1)
    assert SELECTION["f1+tpr-fpr/2"](counts) == pytest.approx(16 / 21 + 0.8 - 0.05)
    assert SELECTION["-(miss+0.35fpr)"](counts) == pytest.approx(-(0.2 + 0.035))
    better = Confusion(tp=9, fn=1, fp=2, tn=28)
    assert all(score(better) > score(counts) for score in SELECTION.values())


def test_more_than_two_classes_are_decided_by_the_largest_probability():
    """There is no threshold to keep: JSON holds null, and null is read back as the same."""
    point = OperatingPoint.from_dict(None)
    assert point == LargestProbability()
    assert not point.binary
    assert point.to_dict() is None
    assert point.classify(np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])).tolist() == [1, 0]
    assert OperatingPoint(0.3, ("validation",)).classify(np.array([[0.6, 0.4]])).tolist() == [1]


def test_an_undecided_beat_is_not_normal() -> None:
    """NaN, the probability of a beat that is not classified, is no decision."""
    one = np.array([0.2, np.nan, 0.9])
    for point in (OperatingPoint(0.5, ("validation",)), LargestProbability()):
        with pytest.raises(InputError, match=r"NaN: these beats are undecided"):
            point.classify(np.column_stack([1 - one, one]))


@pytest.mark.parametrize("wrong", [93.7, -2.1, 1 + 1j, "0.7"])
def test_only_probabilities_are_decided(wrong):
    """A logit, a share in per cent or a text is not compared with the threshold."""
    point = OperatingPoint(0.5, ("validation",))
    with pytest.raises(InputError, match="probabilit"):
        point.decide(np.array([0.2, wrong]))
    with pytest.raises(InputError, match="probabilit"):
        point.classify(np.full((3, 4), 0.25))
    above = np.nextafter(np.float32(1), np.float32(2))  # by the rounding of single precision
    assert point.decide(np.array([above])).all()


@pytest.mark.parametrize(
    ("probability", "label", "message"),
    [
        ([0.2, np.nan, 0.9], [0, 1, 1], "1 of 3 probabilities are NaN"),
        ([0.2, 0.7, 0.9], [0, 1], "2 labels of 3 beats"),
        ([0.2, 0.7, 0.9], np.ma.masked_equal([0, 1, 1], 0), "label: 1 of 3 values are masked"),
    ],
)
def test_a_threshold_is_fitted_to_what_is_known(probability, label, message):
    """A beat without probability or label takes no part as if it were abnormal."""
    with pytest.raises(InputError, match=message):
        ThresholdPolicy().fit({"validation": (np.array(probability), label)})

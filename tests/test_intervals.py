"""Intervals hold what they promise as often as they promise, with few chips too."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ecgphoton.intervals import (
    jackknifed,
    joined,
    mean_interval,
    proportion_interval,
    record_bootstrap,
    with_interval,
)
from ecgphoton.metrics import Confusion


def test_bootstrap_over_records_is_wider_than_over_beats_when_patients_differ():
    """Patients that are either all right or all wrong leave the rate uncertain."""
    records = [Confusion(100, 0, 0, 0)] * 5 + [Confusion(0, 100, 0, 0)] * 5
    low, high = record_bootstrap(records, lambda counts: counts.miss_rate, seed=0)
    exact_low, exact_high = proportion_interval(500, 1000)
    assert low < 0.25 < exact_low < 0.5 < exact_high < 0.75 < high
    assert record_bootstrap(records, lambda c: c.miss_rate, seed=0) == (low, high)
    same = [Confusion(90, 10, 0, 0)] * 8
    assert record_bootstrap(same, lambda counts: counts.miss_rate, seed=0) == (0.1, 0.1)
    assert record_bootstrap([], lambda counts: counts.miss_rate, seed=0) is None


@given(st.integers(1, 500), st.floats(0, 1))
def test_intervals_hold_the_proportion_and_shrink_with_beats(trials, share):
    """The observed share is inside; four times the beats give a narrower interval."""
    hits = round(trials * share)
    low, high = proportion_interval(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    narrow = proportion_interval(4 * hits, 4 * trials)
    assert narrow[1] - narrow[0] < high - low


def test_intervals_without_trials_know_nothing():
    """Nothing seen, anything possible."""
    assert proportion_interval(0, 0) == (0, 1)


@pytest.mark.parametrize("chips", [2, 3, 5, 40])
def test_the_mean_of_few_chips_is_held_as_often_as_promised(chips):
    """In 95 % of 2,000 sets of chips; percentiles of resampled means hold it in half for two."""
    rng = np.random.default_rng(chips)
    sets = rng.normal(0.06, 0.01, (2000, chips))
    held = [low <= 0.06 <= high for low, high in map(mean_interval, sets)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)
    half = [low <= 0.06 <= high for low, high in (mean_interval(s, confidence=0.5) for s in sets)]
    assert np.mean(half) == pytest.approx(0.5, abs=0.045)
    if chips == 2:
        means = sets[:, rng.integers(2, size=(200, 2))].mean(2)
        low, high = np.quantile(means, [0.025, 0.975], axis=1)
        assert ((low <= 0.06) & (high >= 0.06)).mean() < 0.6


def test_one_value_says_nothing_of_others():
    """There is no interval of the mean of one; of values all alike its width is 0."""
    assert mean_interval(np.array([0.1])) is None
    assert mean_interval(np.full(3, 0.25)) == (0.25, 0.25)


def test_two_causes_move_a_value_further_than_either():
    """Three chips and thirty patients, both drawn: the joined interval holds the mean in 95 %."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        chips, patients = rng.normal(0, 1, 3), rng.normal(0, 3, 30)
        value = chips.mean() + patients.mean()
        parts = [mean_interval(part + value - part.mean()) for part in (chips, patients)]
        low, high = joined(value, *parts)
        assert low <= min(part[0] for part in parts) + 1e-12
        assert high >= max(part[1] for part in parts) - 1e-12
        held.append(low <= 0 <= high)
    assert 0.94 < np.mean(held) < 1
    assert joined(1.0, (0.0, 4.0), (1.0, 1.0)) == (0.0, 4.0)
    assert joined(1.0, (-2.0, 1.0), (-3.0, 2.0)) == (-4.0, 2.0)


def test_a_statistic_that_is_no_mean_has_an_interval_too():
    """The deviation of 64 draws: its interval holds that of the distribution in 95 %."""
    rng, held = np.random.default_rng(1), []
    for _ in range(1000):
        draws = rng.normal(0, 2, (64, 1))
        (value,), ((low, high),) = jackknifed(lambda part: part.std(0), draws)
        assert value == pytest.approx(draws.std())
        assert value == pytest.approx((low + high) / 2)
        held.append(low <= 2 <= high)
    assert np.mean(held) == pytest.approx(0.94, abs=0.03)
    (value,), (pair,) = jackknifed(lambda part: part.mean(0), draws)
    assert pair == pytest.approx(mean_interval(draws[:, 0].reshape(4, 16).mean(0)), rel=1e-9)


def test_a_share_in_a_table_has_its_ends():
    """By the name of the share."""
    row = with_interval("yield", 9, 10)
    assert row["yield"] == 0.9
    assert (row["yield_low"], row["yield_high"]) == proportion_interval(9, 10)

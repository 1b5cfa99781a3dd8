"""Monte Carlo is exact, reproducible and honest about its own uncertainty."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from ecgphoton.errors import InputError
from ecgphoton.hwsim.montecarlo import GROUP, rates, run
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.hwsim.verdict import (
    Limits,
    SimulationReport,
    chips_to_prove,
    decide,
    false_pass,
)
from ecgphoton.metrics import confusion
from ecgphoton.student.network import predict


def test_no_noise_is_the_student(student, inputs, label, point):
    """Without noise every chip decides as the digital student does."""
    report = simulate(student, inputs, label, point, chips=5, noise=0.0)
    counts = confusion(label, point.decide(predict(student, inputs)[:, 1]))
    assert np.all(report.miss == counts.miss_rate)
    assert np.all(report.fpr == counts.fpr)
    assert report.perfect[:2] == (counts.miss_rate, counts.fpr)


def test_chips_do_not_depend_on_batch_or_threads(student, inputs, label, point):
    """The first chips of a long run, of a short one and of a threaded one are bit-identical."""
    trial = trial_of(student, inputs, label, point, seed=5, noise=0.03)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one = np.concatenate([*run(trial, 11)])
        torch.set_num_threads(2)
        two = np.concatenate([*run(trial, 6)])
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(one[:6], two)
    assert len(np.unique(one[:, 0])) > 1
    another = trial_of(student, inputs, label, point, seed=6, noise=0.03)
    other = np.concatenate([*run(another, 6)])
    assert not np.array_equal(other, two)


def test_rates_agree_with_scikit_learn(point):
    """Rates of a score row, ties included, are those of an independent implementation."""
    rng = np.random.default_rng(0)
    score = rng.integers(0, 50, (3, 400)).astype(np.float32) / 50
    truth = rng.random(400) < 0.2
    for row, (miss, fpr, auc) in zip(score, rates(score, truth, point), strict=True):
        counts = confusion(truth, point.decide(row))
        assert (miss, fpr) == (counts.miss_rate, counts.fpr)
        assert auc == pytest.approx(roc_auc_score(truth, row), abs=1e-12)
    assert np.isnan(rates(score, np.ones(400, bool), point)[:, 2]).all()


def test_the_order_in_memory_does_not_matter(student, inputs, label, point):
    """Beats whose samples are stored column by column are the same beats."""
    turned = replace(inputs, window=inputs.window.t().contiguous().t())
    one, two = (simulate(student, given, label, point, chips=2) for given in (inputs, turned))
    np.testing.assert_allclose(one.auc, two.auc, atol=1e-3)


def test_a_verdict_needs_both_kinds_of_beats(student, inputs, label, point):
    """Beats that are all normal or all abnormal have no miss rate or no FPR to pass with."""
    for kind in (0, 1):
        with pytest.raises(InputError, match="normal and abnormal ones"):
            simulate(student, inputs, np.full(len(label), kind), point, chips=2)


def test_more_noise_is_worse(student, inputs, label, point):
    """Mean error over chips grows with the noise (common random numbers)."""
    errors = []
    for noise in (0.0, 0.02, 0.1):
        report = simulate(student, inputs, label, point, chips=8, noise=noise)
        errors.append((report.miss + report.fpr).mean())
    assert errors[0] < errors[1] < errors[2]


def test_early_stop_counts_are_the_famous_ones():
    """299 good chips prove 99 %, 59 prove 95 %; one less does not."""
    assert chips_to_prove(Limits(min_yield=0.99)) == 299
    assert chips_to_prove(Limits(min_yield=0.95)) == 59
    assert decide(299, 299, Limits(min_yield=0.99)) == "pass"
    assert decide(298, 298, Limits(min_yield=0.99)) == "open"
    assert decide(0, 5, Limits(min_yield=0.95)) == "fail"
    with pytest.raises(InputError, match="no number of chips"):
        chips_to_prove(Limits(min_yield=1.0))


@pytest.mark.slow
def test_price_of_looking_often():
    """One look keeps its 5 %; looks after every group cost more, and the number is stated."""
    limits = Limits(min_yield=0.9)
    assert false_pass(limits, 40, 40) <= 0.05
    assert false_pass(limits, 40, 40) < false_pass(limits, 40, GROUP) < 0.2
    rng = np.random.default_rng(0)
    passed = 0
    for _ in range(2000):
        good = np.cumsum(rng.random(40) < 0.9)
        looks = [decide(int(good[n - 1]), n, limits) for n in range(GROUP, 41, GROUP)]
        passed += next((look for look in looks if look != "open"), "") == "pass"
    assert passed / 2000 == pytest.approx(false_pass(limits, 40, GROUP), abs=0.025)


def test_price_of_looking_often_over_the_whole_walk():
    """Only failures that are still undecided are followed, and nothing of the chance is lost."""
    limits = Limits(min_yield=0.9)
    mass, passed = np.eye(1, 102)[0], 0.0
    for seen in range(1, 101):
        mass = 0.9 * mass + 0.1 * np.roll(mass, 1)
        if seen % GROUP == 0:
            looks = [decide(seen - bad, seen, limits) for bad in range(seen + 1)]
            passed += sum(mass[bad] for bad, look in enumerate(looks) if look == "pass")
            mass[[bad for bad, look in enumerate(looks) if look != "open"]] = 0
    assert false_pass(limits, 100, GROUP) == pytest.approx(passed, abs=1e-9)


@pytest.mark.parametrize(("good", "chips"), [(0, 4), (4, 4), (17, 20), (59, 59), (58, 60)])
@pytest.mark.parametrize("wanted", [0.0, 0.6, 0.95, 1.0])
def test_verdicts_are_those_of_clopper_and_pearson(good, chips, wanted):
    """The bounds, quantiles of beta distributions, lie on the side that is decided."""
    found = decide(good, chips, Limits(min_yield=wanted))
    low = beta.ppf(0.05, good, chips - good + 1) if good else 0.0
    high = beta.ppf(0.95, good + 1, chips - good) if good < chips else 1.0
    assert found == ("pass" if low >= wanted else "fail" if high < wanted else "open")


@pytest.mark.slow
def test_early_stop_is_a_prefix(student, inputs, label, point):
    """A stopped run is the beginning of the full one."""
    arguments = (student, inputs, label, point)
    loose = {"noise": 0.001, "max_miss": 1.0, "max_fpr": 1.0}
    short = simulate(*arguments, chips=100, early_stop=True, **loose)
    assert short.stopped_early
    assert short.chips == 60  # 59 rounded up to whole groups of 4
    assert short.passed
    assert short.proven
    assert short.false_pass == false_pass(short.limits, 100, GROUP) > 0.05
    full = simulate(*arguments, chips=100, **loose)
    assert np.array_equal(full.miss[:60], short.miss)
    assert full.false_pass is None


def test_report_is_complete_and_serialisable():
    """Yield, exact interval, percentiles, worst chip and verdict, all in plain JSON."""
    miss = np.array([0.05] * 95 + [0.2] * 5)
    report = SimulationReport(
        miss, np.full(100, 0.02), np.full(100, np.nan), (0.05, 0.02, 0.9), Limits()
    )
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["yield"] == 0.95
    assert data["yield_interval"] == pytest.approx([0.8872, 0.9836], abs=1e-4)
    assert data["verdict"] == "pass"
    assert not report.proven
    assert data["metrics"]["miss"]["worst"] == 0.2
    assert data["metrics"]["auc"]["mean"] is None
    assert list(report.summary()) == ["miss", "fpr", "auc"]
    assert len(report.chip_rows()) == 100


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": -0.1}, "from 0 to 1"),
        ({"noise": 1.5}, "from 0 to 1"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"chips": 0}, "from 1 to"),
        ({"workers": 0}, "from 1 to 1024"),
        ({"seed": -1}, "seed is -1"),
        ({"max_miss": 1.5}, "max_miss"),
        ({"readout": "smoke"}, "'analog', 'digital'"),
    ],
)
def test_bad_numbers_are_named(student, inputs, label, point, wrong, message):
    """Every wrong setting is refused with its name."""
    with pytest.raises(InputError, match=message):
        simulate(student, inputs, label, point, **({"chips": 2} | wrong))


def test_beats_and_labels_must_fit(student, inputs, label, point):
    """Labels of another length, or no beats, are refused."""
    with pytest.raises(InputError, match="labels"):
        simulate(student, inputs, label[:-1], point)
    with pytest.raises(InputError, match="at least one"):
        simulate(student, inputs.rows(slice(0, 0)), label[:0], point)

"""Metrics against scikit-learn, counting, and their own limits."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn import metrics as sk

from ecgphoton.intervals import record_bootstrap
from ecgphoton.metrics import (
    RATES,
    Confusion,
    auc_by_rank,
    by_group,
    class_table,
    confusion,
    confusion_matrix,
    macro_f1,
    ranking,
)


def draw(seed, beats=200, classes=2):
    """Random labels and decisions."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, beats), rng.integers(0, classes, beats)


@given(st.integers(0, 1000), st.integers(2, 100))
def test_counts_and_rates_agree_with_scikit_learn(seed, beats):
    """tn, fp, fn, tp and F1 are scikit-learn's; the rates follow from them."""
    label, called = draw(seed, beats)
    mine = confusion(label, called)
    tn, fp, fn, tp = sk.confusion_matrix(label, called, labels=[0, 1]).ravel()
    assert (mine.tn, mine.fp, mine.fn, mine.tp) == (tn, fp, fn, tp)
    assert mine.f1 == pytest.approx(sk.f1_score(label, called, zero_division=0))
    assert mine.abnormal + mine.normal == beats
    assert mine.prevalence == pytest.approx(label.mean())
    if mine.abnormal:
        assert mine.miss_rate == pytest.approx(1 - sk.recall_score(label, called))


@pytest.mark.parametrize(
    ("counts", "missing"),
    [
        (Confusion(0, 0, 0, 0), {"miss", "fpr", "f1", "prevalence"}),
        (Confusion(0, 0, 0, 5), {"miss", "f1"}),
        (Confusion(0, 0, 1, 5), {"miss"}),
        (Confusion(3, 1, 0, 0), {"fpr"}),
        (Confusion(3, 1, 0, 9), set()),
    ],
)
def test_a_rate_of_no_beats_is_none_with_a_reason(counts, missing):
    """Results state no rate that nothing is a share of, and why; in scores it counts as 0."""
    found = counts.to_dict()
    reasons = found.pop("reasons")
    assert {name for name, value in found.items() if value is None} == missing == set(reasons)
    assert all(reasons.values())
    assert np.isfinite([counts.miss_rate, counts.fpr, counts.f1]).all()


def test_classes_without_beats_have_no_recall():
    """Nor has a class that is never called a precision."""
    table = class_table(np.array([0, 0, 1]), np.array([0, 0, 0]), ["N", "S", "V"])
    assert (table["S"]["recall"], table["S"]["precision"]) == (0.0, None)
    assert (table["V"]["recall"], table["V"]["precision"], table["V"]["f1"]) == (None,) * 3


def test_one_record_has_no_interval():
    """How patients differ is not known from one; records without such beats do not count."""
    one, other = Confusion(8, 2, 1, 9), Confusion(0, 0, 1, 9)
    miss, fpr = RATES["miss"], RATES["fpr"]
    assert record_bootstrap([one], miss, seed=0) is None
    assert record_bootstrap([one, other], miss, seed=0) is None
    assert record_bootstrap([one, other], fpr, seed=0) == pytest.approx((0.1, 0.1))


def test_swapping_the_classes_swaps_miss_rate_and_fpr():
    """What is a miss for one class is a false alarm for the other."""
    label, called = draw(3)
    forward, mirrored = confusion(label, called), confusion(1 - label, 1 - called)
    assert (forward.miss_rate, forward.fpr) == (mirrored.fpr, mirrored.miss_rate)


@given(st.integers(0, 1000), st.booleans())
def test_ranking_by_pairs_is_the_area_under_the_curve(seed, ties):
    """The rank statistic equals scikit-learn's AUC, ties counting half."""
    rng = np.random.default_rng(seed)
    label = np.r_[0, 1, rng.integers(0, 2, 80)]
    probability = rng.random(82).round(1 if ties else 9)
    mine = auc_by_rank(probability[label == 1], probability[label == 0])
    assert mine == pytest.approx(sk.roc_auc_score(label, probability))
    assert ranking(label, probability)["auc"] == pytest.approx(mine)


def test_ranking_is_blind_to_any_rising_transform():
    """AUC depends on order alone; one class alone has none."""
    rng = np.random.default_rng(0)
    label, odds = rng.integers(0, 2, 300), rng.normal(size=300)
    assert ranking(label, odds) == ranking(label, 1 / (1 + np.exp(-odds)))
    assert ranking(np.ones(5), np.ones(5)) == {"auc": None, "average_precision": None}


@given(st.integers(0, 500), st.integers(2, 5))
def test_class_tables_agree_with_scikit_learn(seed, classes):
    """Recall, precision, F1, support, macro-F1 and matrix are scikit-learn's."""
    label, called = draw(seed, 150, classes)
    names = [str(index) for index in range(classes)]
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        label, called, labels=range(classes), zero_division=0
    )
    table = class_table(label, called, names)
    for index, name in enumerate(names):
        row = table[name]
        assert (row["precision"] or 0.0) == pytest.approx(precision[index])
        assert (row["recall"] or 0.0) == pytest.approx(recall[index])
        assert (row["f1"] or 0.0) == pytest.approx(f1[index])
        assert row["support"] == support[index]
    matrix = confusion_matrix(label, called, classes)
    assert (matrix == sk.confusion_matrix(label, called, labels=range(classes))).all()
    assert macro_f1(label, called, classes) == pytest.approx(f1[support > 0].mean())


def test_macro_f1_counts_only_classes_that_have_beats():
    """A class absent from the truth does not pull the mean down."""
    label = np.array([0, 0, 1, 1])
    assert macro_f1(label, label, 4) == 1
    assert macro_f1(np.array([], int), np.array([], int), 4) == 0


def test_groups_add_up_to_the_whole():
    """Counts of all records together are those of the set."""
    label, called = draw(5)
    group = np.array(list("abcd"))[np.random.default_rng(1).integers(0, 4, 200)]
    parts = by_group(label, called, group)
    assert list(parts) == sorted(parts)
    whole = confusion(label, called)
    for name in ("tp", "fn", "fp", "tn"):
        assert sum(getattr(part, name) for part in parts.values()) == getattr(whole, name)

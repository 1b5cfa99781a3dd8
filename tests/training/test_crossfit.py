"""Scores of several students come to one scale, and choices from them are those a person makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.decision import LargestProbability, OperatingPoint, ThresholdPolicy
from ecgphoton.metrics import WHOLE_PATIENT, patients_alike
from ecgphoton.training.crossfit import OutOfFold, Scale, margin, squeezed

POLICY = ThresholdPolicy(
    f1_weight=0, recall_weight=1, fpr_weight=1, miss_gain=0, pull=0, max_miss=0, max_fpr=0
)
EPOCHS, FOLDS = 4, 3


def made(seed: int = 0) -> OutOfFold:
    """Return scores of 12 patients with very different numbers of beats."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(10, 400, 12)
    subject = np.repeat([f"p{n:02d}" for n in range(12)], sizes)
    own = np.repeat(rng.normal(0, 0.3, 12), sizes)
    label = (rng.random(len(subject)) < np.repeat(rng.uniform(0.03, 0.3, 12), sizes)).astype(int)
    skill = np.linspace(0.9, 0.5, EPOCHS)[:, None]
    score = label + own + skill * rng.normal(0, 0.6, (EPOCHS, len(subject)))
    abnormal = squeezed(score)
    return OutOfFold(
        score,
        np.stack([1 - abnormal, abnormal], -1),
        rng.random((FOLDS, EPOCHS)),
        np.repeat(np.arange(12) % FOLDS, sizes),
        subject,
        label,
        np.where(label == 0, "normal", np.where(rng.random(len(label)) < 0.3, "S", "V")),
        patients_alike(subject, label),
    )


def mean_over_patients(rate: np.ndarray, of: np.ndarray, subject: np.ndarray) -> float:
    """Average rates over patients one by one; a patient of few beats counts by its beats."""
    total = share = 0.0
    for name in np.unique(subject):
        rows = of & (subject == name)
        counts = min(rows.sum(), WHOLE_PATIENT)
        if counts:
            total += counts * rate[rows].mean()
            share += counts
    return total / share


def test_every_patient_counts_alike() -> None:
    """Weighted rates are means over patients, and one with 3 beats counts for 3 of 20."""
    found = made()
    point = OperatingPoint(0.4, ("a",))
    numbers = found.estimate(1, point)
    called = found.probability[1][:, 1] >= 0.4
    for name, wrong, of in (
        ("miss", ~called, found.label == 1), ("fpr", called, found.label == 0)
    ):  # fmt: skip
        assert numbers[name] == pytest.approx(mean_over_patients(wrong, of, found.subject))
        low, high = numbers["interval_95"][name]
        assert low < numbers[name] < high
    weight = patients_alike(np.array(["a"] * 40 + ["b"] * 3), np.zeros(43))
    assert (weight[:40].sum(), weight[40:].sum()) == pytest.approx((1, 0.15))


def test_the_scale_puts_normal_beats_at_0_and_abnormal_ones_at_1() -> None:
    """Whatever a student's logits are, and whether beats are many: patients are weighted alike."""
    found = made()
    label, weight = found.label, found.weight
    for slope, offset in ((1.0, 0.0), (7.0, -30.0)):
        logit = slope * found.score[0] + offset
        scale = Scale.of(logit, label, weight)
        score = scale.score(logit)
        for value, wanted in ((0, 0.0), (1, 1.0)):
            own = label == value
            mean = mean_over_patients(score, own, found.subject)
            assert mean == pytest.approx(wanted, abs=1e-12)
        reference = Scale.of(found.score[0], label, weight).score(found.score[0])
        np.testing.assert_allclose(score, reference, atol=1e-12)


def test_a_threshold_means_the_same_on_the_students_own_probability() -> None:
    """The same beats are called abnormal on the common scale and on the probability."""
    scale = Scale(-3.0, 2.5)
    logit = np.random.default_rng(1).normal(0, 4, 2000)
    for threshold in (0.0, 0.02, 0.3, 0.9, 1.0):
        common = OperatingPoint(threshold, ("a",))
        own = scale.own(common)
        called = own.decide(scale.probability(scale.score(logit)))
        np.testing.assert_array_equal(called, common.decide(squeezed(scale.score(logit))))
    probability = 1 / (1 + np.exp(-logit))
    np.testing.assert_allclose(scale.probability(scale.score(logit)), probability, atol=1e-12)
    assert scale.own(LargestProbability()) == LargestProbability()


def test_a_student_that_learnt_nothing_is_known() -> None:
    """Means in the wrong order are not turned round."""
    assert not Scale(1.0, 0.5).learnt
    assert Scale(1.0, 1.5).learnt
    assert np.all(np.diff(Scale(1.0, 0.5).score(np.arange(3.0))) > 0)


def test_the_margin_is_the_log_odds_of_not_normal() -> None:
    """With two classes the difference of the logits, with four of normal against all others."""
    logits = np.random.default_rng(2).normal(0, 3, (50, 4))
    np.testing.assert_allclose(margin(logits[:, :2]), logits[:, 1] - logits[:, 0])
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(margin(logits), np.log((1 - share[:, 0]) / share[:, 0]))


def test_the_epoch_has_the_best_mean_and_ties_go_to_the_earlier() -> None:
    """Every fold counts alike."""
    table = np.array([[0.1, 0.9, 0.8, 0.9], [0.9, 0.7, 0.9, 0.7], [0.0, 0.4, 0.3, 0.4]])
    found = replace(made(), selection=table)
    assert found.epoch() == 1
    assert found.epoch(np.array([True, True, False])) == 2
    course = found.course(POLICY, "auc")
    assert [one.score for one in course] == pytest.approx([1 / 3, 2 / 3])
    assert course[1].point.fitted_on == ("out_of_fold",)


def test_nested_numbers_are_those_of_a_plain_computation() -> None:
    """Epoch and threshold of a fold come from the others alone: tried one by one, they agree."""
    found = made(3)
    miss = np.zeros(len(found.label))
    called, epochs = miss.copy(), []
    for fold in range(FOLDS):
        others = [other for other in range(FOLDS) if other != fold]
        means = [np.mean([found.selection[o][e] for o in others]) for e in range(EPOCHS)]
        epoch = means.index(max(means))
        values = found.probability[epoch][:, 1]
        rows = found.fold != fold
        best, threshold = np.inf, None
        for one in POLICY.candidates(values[rows]):
            wrong = [
                mean_over_patients(
                    (values >= one) if side == 0 else (values < one),
                    rows & (found.label == side), found.subject,
                ) for side in (0, 1)
            ]  # fmt: skip
            if sum(wrong) < best - 1e-12:
                best, threshold = sum(wrong), one
        own = found.fold == fold
        called[own] = values[own] >= threshold
        epochs.append(epoch + 1)
    nested = found.nested(POLICY, "auc")
    assert nested["epochs"] == epochs
    abnormal = found.label == 1
    assert nested["miss"] == pytest.approx(mean_over_patients(1 - called, abnormal, found.subject))
    assert nested["fpr"] == pytest.approx(mean_over_patients(called, ~abnormal, found.subject))


def test_areas_are_of_pairs_of_beats_of_patients_that_count_alike() -> None:
    """The area of a class agrees with counting every pair of beats with its two weights."""
    found = made(5)
    numbers = found.estimate(0, OperatingPoint(0.5, ("a",)))
    normal = found.label == 0
    for kind, own in (("auc", ~normal), ("S", found.kind == "S")):
        wins = found.score[0][own][:, None] > found.score[0][normal][None]
        pairs = found.weight[own][:, None] * found.weight[normal][None]
        area = (wins * pairs).sum() / pairs.sum()
        assert numbers.get(kind, numbers["class_auc"].get(kind)) == pytest.approx(area)

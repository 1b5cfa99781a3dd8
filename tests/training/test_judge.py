"""Judging: numbers of a set, at an operating point or per class."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from ecgphoton.decision import LargestProbability, OperatingPoint, ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.training.judge import judge, probabilities, summarise
from ecgphoton.training.parts import Control


@pytest.fixture
def scored():
    """Probabilities of two classes that know something about the label."""
    draw = np.random.default_rng(0)
    label = (draw.random(500) < 0.2).astype(np.int64)
    abnormal = np.clip(0.3 * label + draw.random(500) * 0.7, 0, 1)
    return np.stack([1 - abnormal, abnormal], 1), label


def test_binary_numbers_are_those_at_the_threshold(scored):
    """Counts, rates and AUC agree with their definitions and with scikit-learn."""
    probability, label = scored
    said = summarise(probability, label, OperatingPoint(0.5, ("validation",)))
    called = probability[:, 1] >= 0.5
    assert said["tp"] == (called & (label == 1)).sum()
    assert said["miss"] == pytest.approx((~called)[label == 1].mean())
    assert said["fpr"] == pytest.approx(called[label == 0].mean())
    assert said["f1"] == pytest.approx(f1_score(label, called))
    assert said["auc"] == pytest.approx(roc_auc_score(label, probability[:, 1]))


def test_a_set_of_one_class_has_no_auc(scored):
    """Without abnormal beats AUC and miss rate are None, not NaN, nor 0."""
    probability, label = scored
    one = summarise(probability[label == 0], label[label == 0], OperatingPoint(0.5, ("v",)))
    assert one["auc"] is None
    assert one["miss"] is None


def test_several_classes_have_tables(scored):
    """Without an operating point the largest probability wins, class by class."""
    draw = np.random.default_rng(1)
    probability, label = draw.dirichlet(np.ones(4), 300), draw.integers(0, 4, 300)
    said = summarise(probability, label, LargestProbability())
    assert said["macro_f1"] == pytest.approx(
        f1_score(label, probability.argmax(1), average="macro")
    )
    recall = recall_score(label, probability.argmax(1), average="macro")
    assert said["mean_recall"] == pytest.approx(recall)
    assert set(said["classes"]) == {"0", "1", "2", "3"}
    assert np.array(said["confusion"]).sum(1).tolist() == np.bincount(label).tolist()


def test_probabilities_sum_to_one_and_leave_no_gradient(toy, student):
    """Softmax rows over all beats, in order."""
    beats = toy(50)
    model = student()
    said = probabilities(model, beats)
    assert said.shape == (50, 2)
    assert np.allclose(said.sum(1), 1, atol=1e-6)
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("selection", ["auc", "f1-miss-fpr", "f1+tpr-fpr/2", "-(miss+0.35fpr)"])
def test_every_selection_score_prefers_the_better_model(toy, selection):
    """A model that knows the answer scores higher than one that does not."""
    beats = toy(120)

    class Knows(torch.nn.Module):
        def __init__(self, sign):
            super().__init__()
            self.sign = sign

        def forward(self, window, rhythm, residual):
            wide = window[:, 150:].clamp_min(0).sum(1) - window[:, 150:].clamp_min(0).sum(1).mean()
            return torch.stack([-self.sign * wide, self.sign * wide], 1), wide[:, None]

    scores = [
        judge(Knows(sign), {"validation": beats}, ThresholdPolicy(), selection, Control())[0]
        for sign in (1, -1)
    ]
    assert scores[0] > scores[1]


def test_several_classes_are_selected_by_macro_f1_or_mean_recall(toy, student):
    """Macro-F1 unless mean recall is asked for."""
    beats, model = toy(80, classes=4), student(classes=4)
    for selection, key in (
        ("auc", "macro_f1"),
        ("macro-f1", "macro_f1"),
        ("mean-recall", "mean_recall"),
    ):
        score, point, sets = judge(model, {"v": beats}, ThresholdPolicy(), selection, Control())
        assert not point.binary
        assert score == sets["v"][key]


def test_an_unknown_selection_score_is_refused(toy, student):
    """The message lists the allowed ones."""
    with pytest.raises(InputError, match=r"training\.selection is 'best'.*auc"):
        judge(student(), {"validation": toy(30)}, ThresholdPolicy(), "best", Control())


def test_the_running_miss_rate_reaches_the_policy(toy, student):
    """A remembered miss rate favours recall: the threshold does not rise."""
    beats, model = toy(300, overlap=1.5), student(2)
    points = [
        judge(
            model, {"v": beats}, ThresholdPolicy(max_miss=1, max_fpr=1), "auc", Control(miss_ema=m)
        )
        for m in (0.0, 1.0)
    ]
    assert points[1][1].threshold <= points[0][1].threshold

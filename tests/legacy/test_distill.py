"""Distillation: a loss on cached outputs; plain while the teacher is paused or refused."""

import math

import pytest
import torch
from torch import nn

from ecgphoton.errors import InputError
from ecgphoton.legacy.distill import (
    Distillation,
    distilled,
    principal,
    trusted,
)
from ecgphoton.legacy.gates import Verdict, accept
from ecgphoton.legacy.guards import Memory, TeacherPause
from ecgphoton.training.judge import Outputs, outputs_of
from ecgphoton.training.parts import Batch, Control, Parts, Shuffled, cross_entropy

READY = Distillation(warm_up=0)


def draw(seed=0):
    """Fresh generator."""
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def label():
    """Forty labels, alternating."""
    return torch.arange(40) % 2


@pytest.fixture
def outputs(label):
    """A teacher that is right and sure about all beats but the first ten."""
    logits = nn.functional.one_hot(label, 2) * 8.0
    logits[:5] = logits[:5].flip(1)  # sure and wrong
    logits[5:10] *= 0.01  # right and unsure
    return Outputs(logits, torch.randn(40, 6, generator=draw()))


def batch(label, index, *, epoch=0, control=None, seed=1):
    """A student's random answer to some training beats."""
    logits = torch.randn(len(index), 2, generator=draw(seed), requires_grad=True)
    feature = torch.randn(len(index), 4, generator=draw(seed + 1), requires_grad=True)
    return Batch(logits, feature, label[index], index, None, epoch, control or Control())


def value(loss, given):
    """Value of a loss on a batch."""
    return float(loss(given)[0].detach())


def taught(label, outputs, settings=READY, **options):
    """Loss of a run with a teacher."""
    return distilled(Parts(Shuffled(len(label))), outputs, label, settings, **options).loss


def test_only_confident_and_correct_answers_teach(label, outputs):
    """Wrong or unsure teacher outputs are masked, whatever the other is."""
    assert trusted(outputs, label, 0.9).tolist() == [0.0] * 10 + [1.0] * 30
    assert trusted(outputs, label, 0.0).tolist() == [0.0] * 5 + [1.0] * 35


def test_masked_beats_add_nothing_but_their_labels(label, outputs):
    """On beats the teacher gets wrong the loss is alpha times the plain loss."""
    given = batch(label, torch.arange(10))
    loss = taught(label, outputs, Distillation(warm_up=0, alpha=0.7))
    assert value(loss, given) == pytest.approx(0.7 * value(cross_entropy, given), rel=1e-6)


def test_logit_term_is_scaled_divergence(label, outputs):
    """With beta alone the loss is T^2 KL(teacher || student) at temperature T (torch's kl_div)."""
    settings = Distillation(warm_up=0, alpha=0, beta=1, gamma=0, temperature=3)
    index = torch.arange(10, 40)
    given = batch(label, index)
    oracle = 9 * nn.functional.kl_div(
        torch.log_softmax(given.logits.detach() / 3, 1),
        torch.log_softmax(outputs.logits[index] / 3, 1),
        reduction="batchmean",
        log_target=True,
    )
    assert value(taught(label, outputs, settings), given) == pytest.approx(float(oracle), rel=1e-5)


def test_a_student_that_answers_like_its_teacher_has_no_logit_term(label, outputs):
    """The divergence of equal logits is zero, and its gradient too."""
    settings = Distillation(warm_up=0, alpha=0, beta=1, gamma=0)
    index = torch.arange(10, 40)
    logits = outputs.logits[index].clone().requires_grad_()
    given = Batch(logits, torch.zeros(30, 4), label[index], index, None, 0, Control())
    loss, _ = taught(label, outputs, settings)(given)
    loss.backward()
    assert abs(float(loss.detach())) < 1e-6
    assert logits.grad.abs().max() < 1e-6


def test_feature_term_vanishes_for_matching_features(label, outputs):
    """A student feature that projects onto the teacher's direction costs nothing."""
    settings = Distillation(warm_up=0, alpha=0, beta=0, gamma=1, d_kd=4)
    loss = taught(label, outputs, settings)
    with torch.no_grad():
        loss.projection.copy_(torch.eye(4))
    index = torch.arange(10, 40)
    target = principal(outputs.feature, 4)[index]
    given = Batch(torch.zeros(30, 2), 3 * target, label[index], index, None, 0, Control())
    assert value(loss, given) == pytest.approx(0, abs=1e-6)
    away = Batch(torch.zeros(30, 2), -target, label[index], index, None, 0, Control())
    assert value(loss, away) == pytest.approx(4 / 4, rel=1e-5)  # |2 u|^2 over 4 dimensions


def test_principal_components_are_ordered_and_of_unit_length():
    """The first component carries the most variance; rows have length 1."""
    feature = torch.randn(500, 5, generator=draw()) * torch.tensor([0.1, 5.0, 1.0, 0.1, 0.1])
    rows = principal(feature, 2)
    assert torch.allclose(rows.norm(dim=1), torch.ones(500), atol=1e-5)
    centred = feature[:, 1] - feature[:, 1].mean()
    assert rows[:, 0].sign().mul(centred.sign()).mean().abs() > 0.95
    assert principal(feature, 64).shape == (500, 5)


def test_margin_term_counts_true_abnormal_beats_below_the_target(label, outputs):
    """The margin is relu(0.6 - p) averaged over the abnormal beats of the batch."""
    plain = Distillation(warm_up=0)
    wide = Distillation(warm_up=0, margin_weight=2.0)
    given = batch(label, torch.arange(40))
    p = torch.softmax(given.logits.detach(), 1)[:, 1]
    margin = torch.relu(0.6 - p)[label == 1].mean()
    added = value(taught(label, outputs, wide), given) - value(taught(label, outputs, plain), given)
    assert added == pytest.approx(2 * float(margin), rel=1e-4)


@pytest.mark.parametrize(
    ("epoch", "control"),
    [(9, Control()), (50, Memory(distil=False).kept_in(Control()))],
    ids=["warm-up", "paused"],
)
def test_a_silent_teacher_leaves_the_plain_loss(label, outputs, epoch, control):
    """In warm-up and while paused the loss is bit for bit the one on labels."""
    given = batch(label, torch.arange(40), epoch=epoch, control=control)
    loss = taught(label, outputs, Distillation(warm_up=10, margin_weight=1.0))
    assert value(loss, given) == value(cross_entropy, given)


def test_a_refused_teacher_leaves_the_parts_as_they_are(label, outputs):
    """Weight 0 returns the very same pieces."""
    parts = Parts(Shuffled(40))
    assert distilled(parts, outputs, label, READY, weight=0.0) is parts


def test_a_teacher_changes_loss_guards_and_projection_only(label, outputs):
    """Sampler, class weights and the rest stay the same objects."""
    parts = Parts(Shuffled(40))
    changed = distilled(parts, outputs, label, READY)
    for name in ("sampler", "class_weights", "augment", "forward", "after_step"):
        assert getattr(changed, name) is getattr(parts, name)
    assert [type(guard) for guard in changed.after_epoch] == [TeacherPause]
    assert changed.extra[0].shape == (6, 4)


def test_strength_and_verdict_scale_the_teacher(label, outputs):
    """Half weight halves beta; strength scales beta and gamma."""
    settings = Distillation(beta=0.8, gamma=0.4)
    half = taught(label, outputs, settings, weight=0.5)
    strong = taught(label, outputs, settings, strength=2.0)
    assert (half.beta, half.gamma) == (0.4, 0.4)
    assert (strong.beta, strong.gamma) == (1.6, 0.8)


def test_outputs_are_those_of_the_teacher_in_evaluation_mode(toy):
    """Cached rows are what the teacher says about each beat alone."""
    from ecgphoton.legacy.teacher import Teacher, TeacherShape

    teacher, beats = Teacher(TeacherShape(width=2, embedding=5)), toy(30)
    cached = outputs_of(teacher.train(), beats, block=8)
    assert cached.feature.shape == (30, 5)
    assert not cached.logits.requires_grad
    one = teacher(beats.inputs.window[7:8])[0].detach()
    assert torch.allclose(cached.logits[7:8], one, atol=1e-5)


GOOD = {"f1": 0.9, "miss": 0.03, "fpr": 0.01}
BASE = {"f1": 0.6, "miss": 0.07, "fpr": 0.08}


def test_a_better_teacher_is_accepted():
    """Fewer misses, fewer false alarms, no gap: full weight."""
    assert accept(GOOD, BASE, Distillation(), learnt=GOOD) == Verdict(1.0, ())


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"miss": 0.071}, "misses 7.10 %"),
        ({"fpr": 0.11}, "FPR 11.00 %"),
        ({"f1": 0.5}, "F1 0.500"),
        ({"miss": 0.25}, "sensitivity 0.750"),
    ],
)
def test_a_worse_teacher_is_refused_with_its_reason(numbers, words):
    """Each gate refuses alone, plainly, with the number."""
    verdict = accept(GOOD | numbers, BASE, Distillation())
    assert not verdict.accepted
    assert str(verdict).startswith("distillation refused, weight 0: ")
    assert words in str(verdict)


def test_margin_and_baseline_loosen_the_gates():
    """A margin allows a few more misses, a student with more false alarms allows as many."""
    assert accept(GOOD | {"miss": 0.08}, BASE, Distillation(miss_margin=0.02)).accepted
    assert accept(GOOD | {"fpr": 0.2}, BASE | {"fpr": 0.25}, Distillation()).accepted


def test_a_gap_halves_the_weight():
    """A teacher much worse on the gate set than before it teaches with half the weight."""
    verdict = accept(GOOD | {"miss": 0.06}, BASE, Distillation(), learnt=GOOD | {"miss": 0.005})
    assert verdict.weight == 0.5
    assert "grows by 5.50 %" in str(verdict)


def test_four_class_gates_compare_macro_f1():
    """With several classes a teacher below the student's macro-F1 is refused."""

    def numbers(score, recall):
        return {"macro_f1": score, "mean_recall": recall}

    settings = Distillation(min_f1=0.3)
    assert accept(numbers(0.7, 0.9), numbers(0.6, 0.9), settings).accepted
    assert not accept(numbers(0.5, 0.9), numbers(0.6, 0.9), settings).accepted
    assert not accept(numbers(0.7, 0.5), numbers(0.6, 0.9), settings).accepted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", -1.0),
        ("beta", math.nan),
        ("temperature", 0.0),
        ("d_kd", 0),
        ("margin_target", 2.0),
        ("warm_up", -1),
        ("resume", 0.5),
        ("pause", 1.5),
        ("confidence", -0.1),
        ("miss_margin", 2.0),
        ("gate_on", "training"),
        ("teacher_width", 0),
        ("teacher_epochs", 0),
        ("teacher_learning_rate", 0.0),
    ],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"distill\.{name} is {value!r}"):
        Distillation(**{name: value})

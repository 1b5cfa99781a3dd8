"""The loop: what it returns depends on data, settings and seed, and on nothing else."""

import dataclasses
import hashlib
import math

import numpy as np
import pytest
import torch
from torch import nn

from ecgphoton.artifacts import load_checkpoint, save_checkpoint
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.legacy.distill import Distillation, distilled
from ecgphoton.legacy.guards import GuardSettings
from ecgphoton.legacy.strategies import LossSettings, Strategies
from ecgphoton.recipe import Recipe
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance
from ecgphoton.training.fit import fit
from ecgphoton.training.judge import Outputs, judge, probabilities
from ecgphoton.training.parts import Control, EpochRecord, Parts, Schedule, Shuffled
from ecgphoton.training.state import FitState

POLICY = ThresholdPolicy()
SHORT = Schedule(epochs=4, batch=64, min_epochs=4)


def plain(examples):
    """No strategy."""
    return Parts(Shuffled(len(examples)))


def everything(examples):
    """Every strategy that draws random numbers or remembers something, at once."""
    recipe = Recipe(
        strategies=Strategies("full", sampler="balanced"),
        balance=Balance(warm_up=1, ramp=1, patient_weight=True),
        guards=GuardSettings(rescue_miss=0.0, rescue_fpr=1.0),
        augment=Augmentation(shift=4, amplitude=0.1, wander=0.1, noise=0.02),
        loss=LossSettings(focal_gamma=1.0, smoothing=0.05),
    )
    parts = recipe.parts(examples, 2)
    draw = torch.Generator().manual_seed(5)
    outputs = Outputs(
        nn.functional.one_hot(examples.label, 2).float() * 6,
        torch.rand(len(examples), 6, generator=draw, dtype=torch.float32),
    )
    settings = Distillation(warm_up=1, margin_weight=0.1, d_kd=3)
    return distilled(parts, outputs, examples.label, settings)


def digest(model):
    """SHA-256 of all weights."""
    parts = [value.numpy().tobytes() for _, value in sorted(model.state_dict().items())]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def run(toy, student, *, parts=plain, schedule=SHORT, seed=3, resume=None, states=None, **shape):
    """Train on the toy problem."""
    training, validation = toy(seed=1), toy(128, seed=2)
    return fit(
        student(seed, dropout=0.2, **shape),
        training,
        {"validation": validation},
        schedule,
        POLICY,
        parts(training),
        seed=seed,
        resume=resume,
        on_epoch=None if states is None else states.append,
    )


def test_same_seed_same_weights(toy, student):
    """Two runs of the same settings and seed give the same bits; another seed does not."""
    first, second = (run(toy, student, parts=everything) for _ in range(2))
    assert digest(first.model) == digest(second.model)
    assert first.history == second.history
    assert digest(run(toy, student, parts=everything, seed=4).model) != digest(first.model)


def test_global_random_state_is_left_alone(toy, student):
    """Training neither reads nor moves the global generators."""
    torch.manual_seed(1)
    before, around = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = run(toy, student, parts=everything)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == around).all()  # noqa: NPY002
    torch.manual_seed(2)
    assert digest(run(toy, student, parts=everything).model) == digest(first.model)


def test_shorter_products_of_the_user_change_no_weight(toy, student):
    """Products have single precision where the host allows less; its setting stays."""
    expected = digest(run(toy, student).model)
    torch.set_float32_matmul_precision("medium")
    assert digest(run(toy, student).model) == expected
    assert torch.get_float32_matmul_precision() == "medium"
    torch.set_float32_matmul_precision("highest")


def test_the_default_type_of_torch_does_not_matter(toy, student):
    """A program that computes in float64 elsewhere trains the same bits."""
    before = run(toy, student, parts=everything)
    training, validation, model = toy(seed=1), toy(128, seed=2), student(3, dropout=0.2)
    torch.set_default_dtype(torch.float64)
    try:
        parts = everything(training)
        sets = {"validation": validation}
        after = fit(model, training, sets, SHORT, POLICY, parts, seed=3)
    finally:
        torch.set_default_dtype(torch.float32)
    assert digest(after.model) == digest(before.model)


@pytest.mark.parametrize(
    ("parts", "schedule", "shape"),
    [
        (plain, SHORT, {}),
        (everything, SHORT, {}),
        (
            everything,
            dataclasses.replace(
                SHORT, kind="plateau", plateau_patience=0, learning_rate=0.2, ema=0.9
            ),
            {"gains": "tracked", "activation": "relu"},
        ),
    ],
    ids=["plain", "every strategy", "plateau, EMA, tracked gains"],
)
def test_resuming_after_any_epoch_changes_nothing(toy, student, tmp_path, parts, schedule, shape):
    """A run that goes on from the saved state of any epoch ends with the same bits and history."""
    states = []
    whole = run(toy, student, parts=parts, schedule=schedule, states=states, **shape)
    assert len(states) == 4
    for state in states:
        metadata = {
            "history": [record.to_dict() for record in state.history],
            "control": state.control.to_dict(),
            "rate": state.rate,
        }
        save_checkpoint(tmp_path / "state", state.arrays, metadata)
        arrays, read = load_checkpoint(tmp_path / "state")
        saved = FitState(
            arrays,
            Control.from_dict(read["control"]),
            tuple(EpochRecord.from_dict(entry) for entry in read["history"]),
            read["rate"],
        )
        later = run(toy, student, parts=parts, schedule=schedule, resume=saved, **shape)
        assert digest(later.model) == digest(whole.model)
        assert later.best_epoch == whole.best_epoch
        assert later.point == whole.point
        assert [record.to_dict() for record in later.history] == [
            record.to_dict() for record in whole.history
        ]


@pytest.mark.slow
def test_saving_states_does_not_disturb_the_run(toy, student):
    """A run that is watched and one that is not are the same run."""
    assert digest(run(toy, student).model) == digest(run(toy, student, states=[]).model)


def test_the_best_epoch_is_returned(toy, student):
    """Model and operating point are those of the best score in the history, judged again."""
    fitted = run(toy, student, schedule=dataclasses.replace(SHORT, learning_rate=1.0, epochs=6))
    scores = [record.score for record in fitted.history]
    assert fitted.best_epoch == 1 + int(np.argmax(scores))
    score, _, _ = judge(fitted.model, {"validation": toy(128, seed=2)}, POLICY, "auc", Control())
    assert score == max(scores)
    assert not fitted.model.training


@pytest.mark.slow
def test_early_stopping_waits_for_patience_and_least_epochs(toy, student):
    """Without progress a run ends after the larger of patience (from the best) and the minimum."""
    still = dataclasses.replace(SHORT, kind="constant", learning_rate=1e-12, epochs=12)
    for patience, least, expected in ((2, 0, 3), (2, 7, 7), (6, 1, 7), (40, 1, 12)):
        schedule = dataclasses.replace(still, patience=patience, min_epochs=least)
        assert len(run(toy, student, schedule=schedule).history) == expected


@pytest.mark.slow
def test_plateau_reduces_the_rate_and_counts_anew(toy, student):
    """Every `plateau_patience` + 1 epochs without progress the rate shrinks by the factor."""
    schedule = Schedule(
        kind="plateau",
        learning_rate=1e-12,
        epochs=8,
        batch=64,
        plateau_patience=2,
        plateau_factor=0.5,
        patience=50,
    )
    rates = [
        record.learning_rate / 1e-12 for record in run(toy, student, schedule=schedule).history
    ]
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]


@pytest.mark.slow
def test_weight_average_is_what_is_judged_and_returned(toy, student):
    """With an average of almost no memory the run is the plain run; with a long one it is not."""
    same = run(toy, student, schedule=dataclasses.replace(SHORT, ema=1e-9))
    plainly = run(toy, student)
    for mine, theirs in zip(same.model.parameters(), plainly.model.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)
    slow = run(toy, student, schedule=dataclasses.replace(SHORT, ema=0.999))
    assert slow.history[-1].score != plainly.history[-1].score


def test_a_beat_is_judged_alone(toy, student):
    """A probability does not depend on which other beats are judged with it."""
    model, beats = student(1), toy(100)
    together = probabilities(model, beats)
    assert np.allclose(probabilities(model, beats, block=7), together, atol=1e-7)


@pytest.mark.parametrize("which", ["training", "validation"])
def test_an_empty_set_is_refused_by_name(toy, student, which):
    """A set without beats is named in the error."""
    sets = {"training": toy(64), "validation": toy(64)}
    full = sets[which]
    sets[which] = dataclasses.replace(
        full, inputs=full.inputs.rows(slice(0, 0)), label=full.label[:0], record=full.record[:0]
    )
    with pytest.raises(InputError, match=f"{which} set has no beats"):
        fit(
            student(),
            sets["training"],
            {"validation": sets["validation"]},
            SHORT,
            POLICY,
            plain(sets["training"]),
            seed=0,
        )


def test_a_loss_that_is_not_finite_stops_the_run(toy, student):
    """NaN is reported with the epoch and a remedy instead of being trained on."""

    def broken(batch):
        return batch.logits.sum() * math.nan, {}

    training = toy(64)
    with pytest.raises(InputError, match=r"epoch 1.*learning_rate"):
        fit(
            student(),
            training,
            {"validation": training},
            SHORT,
            POLICY,
            dataclasses.replace(plain(training), loss=broken),
            seed=0,
        )


@pytest.mark.slow
def test_the_second_set_matters_only_with_a_blend(toy, student):
    """A second monitored set is reported, but changes nothing unless the policy blends it in."""
    training, validation = toy(seed=1), toy(128, seed=2)
    other = toy(128, seed=9, overlap=2.0)

    def go(monitors, policy):
        return fit(student(), training, monitors, SHORT, policy, plain(training), seed=0)

    alone = go({"validation": validation}, POLICY)
    watched = go({"validation": validation, "test": other}, POLICY)
    assert digest(alone.model) == digest(watched.model)
    assert alone.point == watched.point
    assert set(watched.history[0].sets) == {"validation", "test"}
    blended = go({"validation": validation, "test": other}, ThresholdPolicy(blend=0.35))
    assert blended.point.fitted_on == ("validation", "test")
    assert blended.history[0].score != alone.history[0].score


def test_four_classes_are_judged_by_macro_f1(toy, student):
    """More than two classes have no operating point; tables and matrix are in every epoch."""
    training = toy(seed=1, classes=4, abnormal=0.6)
    fitted = fit(
        student(classes=4),
        training,
        {"validation": training},
        dataclasses.replace(SHORT, selection="macro-f1"),
        POLICY,
        assemble(Balance(), Augmentation(), examples=training, classes=4),
        seed=0,
    )
    assert not fitted.point.binary
    for record in fitted.history:
        numbers = record.sets["validation"]
        assert record.score == numbers["macro_f1"]
        assert np.array(numbers["confusion"]).sum() == len(training)
        assert len(numbers["classes"]) == 4

"""Guards: what provokes them, what they do, and that training ends somewhere useful."""

import dataclasses
import math

import pytest

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.legacy.guards import (
    CollapseGuard,
    GuardSettings,
    Memory,
    RecallRescue,
    TeacherPause,
    share_of,
)
from ecgphoton.legacy.strategies import LossSettings, Strategies, extended
from ecgphoton.student.architecture import BRANCHES
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance, Ramp
from ecgphoton.training.fit import fit
from ecgphoton.training.parts import Control, EpochRecord, Schedule

HALF = ThresholdPolicy(grid_low=0.5, grid_high=0.5, grid_points=1, quantiles=0)
"""A fixed threshold, so that the network itself has to be right."""


def epoch(number, miss, fpr, second=None):
    """One line of a history."""
    sets = {"validation": {"miss": miss, "fpr": fpr}}
    if second is not None:
        sets["test"] = second
    return EpochRecord(number, 0.1, 0.0, 0.01, OperatingPoint(0.5, ("validation",)), sets)


def walk(guard, records, memory=None):
    """Run a guard over epochs; return the control after each, and all events."""
    control, seen, events = (memory or Memory()).kept_in(Control()), [], []
    for record in records:
        control, said = guard(control, record)
        seen.append(control)
        events += said
    return seen, events


def test_collapse_to_all_abnormal_rests_and_restarts_the_ramp():
    """Rebalancing stops for the cool-down and then grows from zero; distillation stops too."""
    ramp = Ramp(0, 5)
    (control,), (event,) = walk(CollapseGuard(GuardSettings(), ramp), [epoch(8, 0.0, 1.0)])
    assert [share_of(ramp, at, control) for at in range(8, 15)] == pytest.approx(
        [0] * 5 + [0.2, 0.4]
    )
    assert not Memory.of(control).distil
    assert "all-abnormal" in event
    assert "miss 0.0 %, FPR 100.0 %" in event


def test_a_collapse_is_counted_once_while_it_cools_down():
    """Epochs of the cool-down that are still collapsed are the same collapse."""
    guard = CollapseGuard(GuardSettings(cooldown=3, lock_after=0), Ramp(0, 1))
    seen, events = walk(guard, [epoch(number, 0.0, 1.0) for number in range(1, 6)])
    assert [Memory.of(control).collapses for control in seen] == [1, 1, 1, 1, 2]
    assert len(events) == 2


def test_repeated_collapse_locks_rebalancing_for_good():
    """After `lock_after` collapses rebalancing never acts again."""
    ramp = Ramp(0, 1)
    guard = CollapseGuard(GuardSettings(cooldown=0, lock_after=2), ramp)
    seen, events = walk(guard, [epoch(1, 0.0, 1.0), epoch(2, 0.5, 0.1), epoch(3, 0.0, 1.0)])
    assert [Memory.of(control).locked for control in seen] == [False, False, True]
    assert "for good" in events[-1]
    assert all(share_of(ramp, at, seen[-1]) == 0 for at in (3, 30, 300))


def test_collapse_to_all_normal_in_warm_up_ends_the_warm_up():
    """All-normal before rebalancing has begun is answered by beginning it."""
    ramp = Ramp(20, 2)
    (control,), (event,) = walk(CollapseGuard(GuardSettings(), ramp), [epoch(3, 1.0, 0.0)])
    assert share_of(ramp, 3, control) == 0.5
    assert Memory.of(control).collapses == 0
    assert "warm-up ends" in event


def test_collapse_to_all_normal_does_not_stop_rebalancing():
    """Under rebalancing all-normal is left to the recall rescue, which strengthens it."""
    guards = (CollapseGuard(GuardSettings(), Ramp(0, 1)), RecallRescue(GuardSettings(), Ramp(0, 1)))
    control, said = Control(), []
    for guard in guards:
        control, events = guard(control, epoch(5, 1.0, 0.0))
        said += events
    assert Memory.of(control).weight_scale > 1
    assert not Memory.of(control).locked
    assert len(said) == 1


def test_collapse_resets_what_rescues_raised():
    """The factors of earlier rescues do not survive a collapse."""
    before = Memory(weight_scale=1.7, boost_scale=1.7, rescues=3)
    guard = CollapseGuard(GuardSettings(), Ramp(0, 1))
    (control,), _ = walk(guard, [epoch(9, 0.01, 0.99)], before)
    assert (Memory.of(control).weight_scale, Memory.of(control).boost_scale) == (1, 1)


@pytest.mark.parametrize(("miss", "fpr"), [(0.2, 0.2), (0.96, 0.06), (0.06, 0.96), (0.0, 0.0)])
def test_ordinary_epochs_are_left_alone(miss, fpr):
    """Short of a collapse nothing changes."""
    seen, events = walk(CollapseGuard(GuardSettings(), Ramp(0, 1)), [epoch(5, miss, fpr)])
    assert [Memory.of(control) for control in seen] == [Memory()]
    assert events == []


def test_rescue_acts_only_on_high_miss_with_low_fpr_and_only_so_often():
    """Three rescues at most, none while FPR is high or the ramp is unfinished."""
    guard = RecallRescue(GuardSettings(rescue_step=1.5), Ramp(2, 2))
    misses = [epoch(number, 0.4, 0.05) for number in range(1, 10)]
    seen, events = walk(guard, misses)
    assert [Memory.of(control).rescues for control in seen] == [0, 0, 0, 1, 2, 3, 3, 3, 3]
    assert Memory.of(seen[-1]).weight_scale == pytest.approx(1.5**3)
    assert Memory.of(seen[-1]).boost_scale == pytest.approx(1.5**3)
    assert "rescue 1 of 3" in events[0]
    for miss, fpr in ((0.14, 0.0), (0.9, 0.26)):
        assert walk(guard, [epoch(9, miss, fpr)])[1] == []


def test_rescue_listens_to_a_second_set_only_when_asked():
    """The second set's miss rate is ignored by default and named when it is heard."""
    record = epoch(9, 0.05, 0.05, {"miss": 0.4, "fpr": 0.05})
    deaf = RecallRescue(GuardSettings(), Ramp(0, 1))
    hearing = RecallRescue(GuardSettings(listens_to_second_set=True), Ramp(0, 1))
    assert walk(deaf, [record])[1] == []
    assert "test miss 40.0 %" in walk(hearing, [record])[1][0]


def test_teacher_pauses_and_goes_on_with_hysteresis():
    """Above 35 % it pauses, between it stays as it is, below 20 % it goes on."""
    misses = [0.3, 0.36, 0.3, 0.21, 0.19, 0.3]
    records = [epoch(number, miss, 0.1) for number, miss in enumerate(misses, 1)]
    seen, events = walk(TeacherPause(0.35, 0.20), records)
    assert [Memory.of(control).distil for control in seen] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]
    assert ["pauses" in event for event in events] == [True, False]


def test_teacher_stays_paused_in_a_cool_down():
    """All-abnormal has a miss rate of 0; that does not bring the teacher back."""
    guards = (CollapseGuard(GuardSettings(cooldown=3), Ramp(0, 1)), TeacherPause(0.35, 0.20))
    control, seen = Control(), []
    for number, miss, fpr in ((1, 0, 1), (2, 0, 1), (3, 0.1, 0.1), (4, 0.1, 0.1)):
        for guard in guards:
            control, _ = guard(control, epoch(number, miss, fpr))
        seen.append(Memory.of(control).distil)
    assert seen == [False, False, False, True]


def test_guards_say_nothing_about_four_classes():
    """Without miss and FPR no guard acts."""
    record = EpochRecord(9, 0.1, 0.5, 0.01, None, {"validation": {"macro_f1": 0.5}})
    for guard in (
        CollapseGuard(GuardSettings(), Ramp(0, 1)),
        RecallRescue(GuardSettings(), Ramp(0, 1)),
        TeacherPause(0.35, 0.2),
    ):
        assert guard(Control(), record) == (Control(), ())


def train(toy, student, balance, guards, strategies=None, *, epochs=24, rate=0.02, **problem):
    """Train at a fixed threshold of 0.5."""
    training, validation = toy(512, seed=1, **problem), toy(512, seed=2, **problem)
    return fit(
        student(branches=BRANCHES[1:2]),
        training,
        {"validation": validation},
        Schedule(kind="constant", learning_rate=rate, epochs=epochs, batch=64),
        HALF,
        extended(
            assemble(balance, Augmentation(), examples=training, classes=2),
            strategies or Strategies(),
            guards,
            LossSettings(),
            balance=balance,
            examples=training,
            classes=2,
        ),
        seed=0,
    )


def events_of(fitted):
    """Every event of a run."""
    return [event for record in fitted.history for event in record.events]


def useful(record):
    """Whether both error rates are below 10 %."""
    numbers = record.sets["validation"]
    return numbers["miss"] < 0.10 and numbers["fpr"] < 0.10


@pytest.mark.slow
def test_training_recovers_from_a_collapse_to_all_abnormal(toy, student):
    """Absurd class weights call everything abnormal; the guard stops them and both rates fall."""
    heavy = Balance(class_weights="fixed", abnormal=100, ratio_cap=100, warm_up=0, ramp=1)
    problem = {"abnormal": 0.3, "overlap": 0.35}
    unguarded = train(toy, student, heavy, GuardSettings(collapse="off"), **problem)
    assert unguarded.history[-1].sets["validation"]["fpr"] > 0.5
    guarded = train(toy, student, heavy, GuardSettings(lock_after=1), **problem)
    assert any("all-abnormal" in event for event in events_of(guarded))
    assert guarded.history[-1].class_weights is None
    numbers = guarded.history[-1].sets["validation"]
    assert numbers["miss"] < 0.25
    assert numbers["fpr"] < 0.25


@pytest.mark.slow
def test_training_recovers_from_a_collapse_to_all_normal(toy, student):
    """Few abnormal beats and a long warm-up call everything normal; the guard ends the warm-up."""
    rare = Balance(class_weights="fixed", abnormal=20, ratio_cap=20, warm_up=100, ramp=1)
    problem = {"abnormal": 0.04, "rate": 0.001, "epochs": 30}
    unguarded = train(toy, student, rare, GuardSettings(collapse="off"), **problem)
    guarded = train(toy, student, rare, GuardSettings(), **problem)
    assert any("all-normal" in event for event in events_of(guarded))
    assert useful(guarded.history[-1])
    first = next(i for i, record in enumerate(guarded.history) if useful(record))
    slow = next((i for i, record in enumerate(unguarded.history) if useful(record)), 1000)
    assert first < slow


@pytest.mark.slow
def test_a_high_miss_plateau_is_rescued(toy, student):
    """Overlapping classes leave many beats missed at 0.5; rescues trade that for some FPR."""
    base = Balance(warm_up=1, ramp=1, ratio_cap=20)
    problem, preset = {"abnormal": 0.2, "overlap": 0.8, "epochs": 30}, Strategies("balanced")
    left = train(toy, student, base, GuardSettings(rescue="off"), preset, **problem)
    settings = GuardSettings(rescue="on", rescue_step=1.6)
    rescued = train(toy, student, base, settings, preset, **problem)
    rescues = [event for event in events_of(rescued) if "rescue" in event]
    assert 1 <= len(rescues) <= settings.rescue_limit
    before, after = (fitted.history[-1].sets["validation"] for fitted in (left, rescued))
    assert before["miss"] > settings.rescue_miss
    assert after["miss"] < before["miss"] - 0.1
    assert after["fpr"] < 0.4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("collapse_high", 0.2),
        ("collapse_low", 0.7),
        ("cooldown", -1),
        ("lock_after", -1),
        ("rescue", "maybe"),
        ("rescue_miss", math.nan),
        ("rescue_fpr", 2.0),
        ("rescue_limit", -1),
        ("rescue_step", 0.5),
    ],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"guards\.{name} is {value!r}"):
        dataclasses.replace(GuardSettings(), **{name: value})

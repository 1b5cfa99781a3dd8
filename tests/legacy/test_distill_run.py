"""The comparison of teacher, baseline and distilled student."""

import dataclasses

import numpy as np
import pytest
import torch

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.legacy.distill import Distillation
from ecgphoton.legacy.distill_run import distil
from ecgphoton.legacy.teacher import Teacher, TeacherShape, load_teacher, save_teacher
from ecgphoton.training.judge import Outputs
from ecgphoton.training.parts import Parts, Schedule, Shuffled

pytestmark = pytest.mark.slow

OPEN = Distillation(
    warm_up=1,
    min_f1=0.0,
    min_sensitivity=0.0,
    miss_margin=1.0,
    fpr_limit=1.0,
    teacher_width=2,
    teacher_embedding=6,
    teacher_epochs=2,
)
SHUT = dataclasses.replace(OPEN, miss_margin=-1.0)
SCHEDULE = Schedule(epochs=3, batch=64, learning_rate=0.02)


@pytest.fixture
def go(toy, student):
    """Run a small comparison."""
    training = toy(192, seed=1)

    def run(settings, **options):
        return distil(
            lambda: student(4),
            settings,
            SCHEDULE,
            options.pop("policy", ThresholdPolicy()),
            Parts(Shuffled(len(training))),
            training=training,
            validation=toy(96, seed=2),
            test=toy(96, seed=3),
            test_name="generalization",
            seed=4,
            **options,
        )

    return run


def test_three_models_each_at_its_own_operating_point(go):
    """Accepted: six summary rows, a log row per epoch, ROC curves from (0, 0) to (1, 1)."""
    heard = []
    report = go(OPEN, progress=lambda stage, done, total: heard.append((stage, done, total)))
    assert report.verdict.accepted
    rows = report.summary()
    assert [(row["model"], row["set"]) for row in rows] == [
        (model, name)
        for model in ("teacher", "baseline", "distilled")
        for name in ("validation", "generalization")
    ]
    thresholds = {one.name: one.fitted.point.threshold for one in report.contestants}
    assert all(row["threshold"] == thresholds[row["model"]] for row in rows)
    assert len(report.log()) == 2 + 3 + 3 == len(heard)
    assert len({tuple(row) for row in report.log()}) == 1
    taught = [row for row in report.log() if row["model"] == "distilled"]
    assert [row["logits"] is None for row in taught] == [True, False, False]
    for curves in report.roc().values():
        for fpr, tpr in curves.values():
            assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert report.took_part == ("training", "validation")


def test_a_refused_teacher_is_said_plainly(go):
    """Refused: no distilled student, the reason and weight 0 in words."""
    report = go(SHUT)
    assert [one.name for one in report.contestants] == ["teacher", "baseline"]
    assert "refused, weight 0" in str(report.verdict)


def test_the_test_set_takes_part_only_when_asked(go):
    """Gating on the test set, or blending it in, is recorded."""
    assert go(dataclasses.replace(OPEN, gate_on="test")).took_part[-1] == "generalization"
    assert go(OPEN, policy=ThresholdPolicy(blend=0.35)).took_part[-1] == "generalization"


def test_cached_outputs_and_a_given_teacher_give_the_same_students(go):
    """Reading teacher and cache instead of making them changes nothing for the students."""
    first = go(OPEN)
    teacher = first.contestants[0].fitted.model
    again = go(OPEN, teacher=teacher, outputs=first.outputs)
    for mine, theirs in zip(first.contestants, again.contestants, strict=True):
        for name in mine.probability:
            assert np.array_equal(mine.probability[name], theirs.probability[name])


def test_a_cache_of_other_beats_is_refused(go):
    """Outputs of another number of beats are not used."""
    with pytest.raises(InputError, match=r"outputs are of shape \(5, 2\)"):
        go(
            OPEN,
            teacher=Teacher(TeacherShape(width=2)),
            outputs=Outputs(torch.zeros(5, 2), torch.zeros(5, 4)),
        )


def test_a_teacher_of_other_classes_or_without_a_say_is_refused(go):
    """Four classes do not teach two; a warm-up as long as the training is a mistake."""
    with pytest.raises(InputError, match="of 2 classes"):
        go(OPEN, teacher=Teacher(TeacherShape(width=2, classes=4)))
    with pytest.raises(InputError, match=r"distill\.warm_up is 3"):
        go(dataclasses.replace(OPEN, warm_up=3))


def test_a_teacher_checkpoint_reads_back_bit_for_bit(toy, tmp_path):
    """Saved and loaded, a teacher says the same; something else is refused."""
    beats = toy(20).inputs
    teacher = Teacher(TeacherShape(width=2, embedding=3, rhythm=True, template=True), seed=5).eval()
    save_teacher(tmp_path / "teacher.safetensors", teacher, {"note": "a test"})
    loaded = load_teacher(tmp_path / "teacher.safetensors")
    said = [one(beats.window, beats.rhythm, beats.residual)[0] for one in (teacher, loaded)]
    assert torch.equal(*said)
    with pytest.raises(InputError, match="is not a file"):
        load_teacher(tmp_path / "nothing.safetensors")

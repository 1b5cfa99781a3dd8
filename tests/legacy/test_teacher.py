"""The teacher: shapes, inputs, independence of neighbours, and its checkpoint arrays."""

import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.legacy.teacher import Teacher, TeacherShape
from ecgphoton.student.network import filled
from ecgphoton.training.state import weights_of

SMALL = TeacherShape(width=2, embedding=5, classes=4)


def test_it_has_eighteen_weighted_layers():
    """A stem, eight blocks of two convolutions and a classifier; shortcuts are not counted."""
    teacher = Teacher(SMALL)
    main = [
        name
        for name, module in teacher.named_modules()
        if isinstance(module, torch.nn.Conv1d) and "skip" not in name
    ]
    assert len(main) + 1 == 18


def test_shapes_and_the_two_forms_of_input():
    """(n, 360) and (n, 1, 360) give the same logits (n, classes) and feature (n, embedding)."""
    beats = torch.rand(3, 360) * 2 - 1
    teacher = Teacher(SMALL).eval()
    logits, feature = teacher(beats)
    assert logits.shape == (3, 4)
    assert feature.shape == (3, 5)
    assert torch.equal(teacher(beats[:, None])[0], logits)


def test_a_beat_is_classified_alone_in_evaluation():
    """Neighbours in the batch do not change an answer."""
    beats = torch.rand(8, 360, generator=torch.Generator().manual_seed(0)) * 2 - 1
    teacher = Teacher(SMALL).eval()
    assert torch.allclose(teacher(beats)[0][2:3], teacher(beats[2:3])[0], atol=1e-5)


def test_the_seed_decides_the_weights_and_nothing_else_is_drawn():
    """Same seed, same weights; the global generator is left alone."""
    before = torch.get_rng_state()
    first, again, other = (weights_of(Teacher(SMALL, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["stem.0.weight"] != other["stem.0.weight"]).any()


def test_rhythm_and_template_are_read_when_built_for_them():
    """Both change the answer; leaving one out is refused by name."""
    shape = TeacherShape(width=2, embedding=5, rhythm=True, template=True)
    teacher = Teacher(shape).eval()
    beats, rhythm, residual = torch.rand(2, 360), torch.rand(2, 4), torch.rand(2, 120)
    said = teacher(beats, rhythm, residual)[0]
    assert not torch.equal(teacher(beats, -rhythm, residual)[0], said)
    assert not torch.equal(teacher(beats, rhythm, -residual)[0], said)
    with pytest.raises(InputError, match="reads rhythm"):
        teacher(beats, None, residual)
    with pytest.raises(InputError, match="reads residual"):
        teacher(beats, rhythm)


def test_beats_of_another_length_are_refused():
    """The message says what is expected."""
    with pytest.raises(InputError, match=r"shape \(n, 360\), got \(2, 100\)"):
        Teacher(SMALL)(torch.rand(2, 100))


def test_arrays_round_trip_and_strangers_are_refused():
    """Weights survive; a missing or misshapen array is named."""
    teacher = Teacher(SMALL, seed=3).eval()
    beats = torch.rand(2, 360)
    same = filled(Teacher(SMALL), weights_of(teacher), "teacher")
    assert torch.equal(same(beats)[0], teacher(beats)[0])
    with pytest.raises(InputError, match=r"stem\.0\.weight"):
        filled(
            Teacher(TeacherShape(width=3, embedding=5, classes=4)), weights_of(teacher), "teacher"
        )


@pytest.mark.parametrize(("name", "value"), [("classes", 1), ("width", 0), ("embedding", 5000)])
def test_shapes_out_of_range_are_refused(name, value):
    """The message names the value."""
    with pytest.raises(InputError, match=f"{name} is {value}"):
        TeacherShape(**{name: value})

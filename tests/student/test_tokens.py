"""Tokens name their features; files of version 0.1, which counted columns, mean the same ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_splits import synthetic_splits
from tokens import LOOKING_AHEAD

import ecgphoton as ep
from ecgphoton import models, recipe
from ecgphoton.artifacts import load_checkpoint, read_json
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.errors import InputError
from ecgphoton.student.architecture import TOKENS, Architecture, Token
from ecgphoton.student.inputs import inputs_of

AHEAD = Token("rhythm", ("pre/recent", "pre/long-run", "post/pre", "deviation"))
TWO = Token("two", ("width/usual", "interval", "QRS largest deviation", "T deviation/usual"))


def test_a_student_reads_the_features_that_its_tokens_name() -> None:
    """Columns come in the order of the tokens, from wherever they are in the table."""
    beats = synthetic_splits(beats=20).test
    own = Token("own", ("unlikeness to next", "interval", "pre/recent", "interval"))
    architecture = Architecture(patient=(own, TOKENS[1]))
    rhythm = inputs_of(beats, architecture).rhythm
    assert rhythm is not None
    order = [list(FEATURES).index(name) for name in (*own.features, *TOKENS[1].features)]
    np.testing.assert_array_equal(rhythm.numpy(), beats.patient[:, order])
    assert inputs_of(beats, Architecture()).rhythm is None


def test_any_number_of_tokens_is_allowed_and_the_delay_is_the_largest() -> None:
    """Six tokens make 270 parameters; one late feature makes the student late."""
    many = tuple(replace(TOKENS[i % 3], name=f"t{i}") for i in range(6))
    assert Architecture(patient=many).parameters == 150 + 6 * 20
    assert (Architecture().delay, Architecture(patient=many).delay) == (0, 0)
    assert Architecture(patient=(*many, *LOOKING_AHEAD)).delay == 1


def test_a_feature_that_does_not_exist_is_refused_with_the_nearest() -> None:
    """So is a token of more or fewer than four."""
    with pytest.raises(InputError, match=r"no patient feature 'post/usal' .did you mean post/usua"):
        Token("x", ("interval", "post/usal", "interval z", "steepness"))
    for features in ((), TOKENS[0].features[:3], TOKENS[0].features * 2):
        with pytest.raises(InputError, match=f"'x' of student.patient has {len(features)} featur"):
            Architecture(patient=(Token("x", features),))


@pytest.mark.parametrize(
    ("old", "patient"),
    [
        ({"rhythm": "none"}, ()),
        ({"rhythm": "causal"}, TOKENS[:1]),
        ({"rhythm": "full", "shape_tokens": 0}, (AHEAD,)),
        ({"shape_tokens": 1}, TOKENS[1:2]),
        ({"rhythm": "causal", "shape_tokens": 2}, TOKENS),
        (
            {
                "rhythm": "full",
                "shape_tokens": 1,
                "patient": [{"name": "two", "source": "shape", "start": 2}, {"name": "rhythm"}],
            },
            (AHEAD, TWO),
        ),
        ({"rhythm": "none", "shape_tokens": 1, "patient": [{"source": "shape"}] * 2},
         (replace(TOKENS[1], name="rhythm"),)),
    ],
)  # fmt: skip
def test_a_student_of_version_0_1_has_the_same_tokens(old, patient) -> None:
    """Rhythm first, then as many shape tokens as were asked for, each with its old columns."""
    assert Architecture.from_dict({"layers": 2, **old}) == Architecture(layers=2, patient=patient)


@pytest.mark.parametrize(
    ("old", "why"),
    [
        ({"rhythm": "sometimes"}, "must be one of 'none', 'causal', 'full'"),
        ({"shape_tokens": "two"}, "a whole number"),
        ({"shape_tokens": 3}, "shape_tokens is 3, but student.patient holds 2"),
        ({"shape_tokens": -1}, "shape_tokens is -1"),
        ({"rhythm": "causal", "patient": [{"name": "x", "features": []}]}, "features"),
        ({"rhythm": "causal", "patient": [{"name": "x", "start": 7}]}, "from 0 to 4"),
    ],
)
def test_what_no_version_allowed_is_refused(old, why) -> None:
    """Old values are checked as they were, and old keys are not mixed with new ones."""
    with pytest.raises(InputError, match=why):
        Architecture.from_dict(old)


@pytest.mark.parametrize("name", models.shipped())
def test_shipped_students_are_what_their_recipes_say(name: str) -> None:
    """Checkpoint, mesh file and recipe, of whatever version, describe one student."""
    loaded = ep.load(name)
    student = recipe.read(loaded.recipe.name).student
    assert loaded.student.architecture == student == loaded.recipe.student
    for stored in (
        load_checkpoint(models.bundle(name) / "checkpoint.safetensors")[1]["architecture"],
        read_json(models.bundle(name) / "mesh.json")["student"],
    ):
        assert Architecture.from_dict(stored) == student

"""A recipe says what differs; what it cannot mean is refused with the nearest thing it could."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ecgphoton import recipe
from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe
from ecgphoton.recipes import shipped


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_recipe_reads_and_survives_writing(name: str, tmp_path: Path) -> None:
    """A recipe written in full and read again is the same recipe."""
    chosen = recipe.read(name)
    path = tmp_path / "again.toml"
    path.write_text(recipe.write(chosen))
    assert recipe.read(str(path)) == chosen
    assert recipe.from_dict(chosen.to_dict()) == chosen


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_recipe_opens_with_its_purpose_and_command(name: str) -> None:
    """The first lines say what the experiment is for and how to run it."""
    text = shipped()[name]
    assert text.startswith("# ")
    assert f"ecgphoton train --recipe {name}" in text


def test_overrides_keep_the_rest() -> None:
    """Other values stay; one setting is not given two values."""
    with pytest.raises(InputError, match=r"training\.epochs is given twice, as 3 and as 5"):
        recipe.override(Recipe(), ["training.epochs=3", "training.epochs=5"])
    chosen = recipe.override(Recipe(), ["training.epochs=5", "student.activation=relu"])
    assert chosen.training.epochs == 5
    assert chosen.student.activation == "relu"
    assert chosen.training.batch == Recipe().training.batch
    assert recipe.override(Recipe(), ["noise.weight=1"]).noise.weight == 1.0


def test_a_text_may_look_like_a_number() -> None:
    """A folder may be called 208: where a text is declared, one is read, with quotes or without."""
    chosen = recipe.override(Recipe(), ["data.source=208", 'data.lead="II"'])
    assert (chosen.data.source, chosen.data.lead) == ("208", "II")


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("trainin.epochs=3", "did you mean training"),
        ("training.epochs=3.5", "must be a whole number"),
        ("training.epochs=true", "must be a whole number"),
        ("training=3", r"must be a table \[training\]"),
        ("training.epochs.x=3", "must be a whole number"),
        ("student.rhythm=causal", "part of student.patient now"),
        ("student.gains=sometimes", "must be one of 'learnt', 'tracked', 'unit'"),
        (
            'student.patient=[{name="x", features=["interval", "post/use", "interval z"]}]',
            "did you mean post/usual",
        ),
        ("noise.weight=-1", "must be from 0 to 1"),
        ("decision.fpr_penalty=0.9", "part of decision.fpr_weight now"),
        ("training.selection=best", "must be one of 'auc'"),
        ("=3", "section.key=value"),
    ],
)
def test_what_cannot_be_meant_is_refused(assignment: str, said: str) -> None:
    """The error names the key, the value and what is allowed."""
    with pytest.raises(InputError, match=said):
        recipe.override(Recipe(), [assignment])


@pytest.mark.slow
@given(text=st.text(max_size=200))
def test_any_text_is_a_recipe_or_an_input_error(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No TOML, however odd, ends in anything but a recipe or InputError."""
    path = tmp_path_factory.mktemp("fuzz") / "x.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(InputError):
        recipe.read(str(path))


def test_a_recipe_of_version_0_1_is_read_under_the_present_names() -> None:
    """The FPR penalty joins its weight, strategies leave [balance], tokens name features."""
    old = {
        "decision": {"fpr_weight": 10.0, "fpr_penalty": 0.5},
        "balance": {"preset": "full", "strength": 0.5, "class_weights": "fixed", "warm_up": 0},
        "guards": {"collapse": False, "cooldown": 3},
    }
    chosen = recipe.from_dict(old)
    assert chosen.decision.fpr_weight == 10.5
    assert (chosen.strategies.preset, chosen.strategies.strength) == ("full", 0.5)
    assert (chosen.balance.class_weights, chosen.balance.warm_up) == ("fixed", 0)
    assert (chosen.guards.collapse, chosen.guards.cooldown) == ("off", 3)
    looking = recipe.from_dict({"student": {"rhythm": "full", "shape_tokens": 2}}).student
    assert [token.name for token in looking.patient] == ["rhythm", "shape", "detail"]
    assert looking.patient[0].features[2] == "post/pre"
    assert old["decision"] == {"fpr_weight": 10.0, "fpr_penalty": 0.5}


def test_the_original_weight_of_fpr_is_the_sum_it_always_was() -> None:
    """The default is 1 + 0.9; a penalty alone is added to the 1 that was the default."""
    assert Recipe().decision.fpr_weight == 1.0 + 0.9
    assert recipe.from_dict({"decision": {"fpr_penalty": 0.25}}).decision.fpr_weight == 1.25
    with pytest.raises(InputError, match=r"decision\.fpr_penalty is 'much'"):
        recipe.from_dict({"decision": {"fpr_penalty": "much"}})


def test_an_old_key_can_be_set_but_not_beside_its_new_name() -> None:
    """``--set balance.preset`` means strategies.preset; both in one file are refused."""
    assert recipe.override(Recipe(), ["balance.preset=full"]).strategies.preset == "full"
    with pytest.raises(InputError, match=r"balance\.preset is the old name"):
        recipe.from_dict({"balance": {"preset": "full"}, "strategies": {"preset": "stable"}})


def test_shipped_recipes_use_no_legacy_section() -> None:
    """The strategies of the legacy wing are off in every shipped recipe."""
    for name in shipped():
        chosen = recipe.read(name)
        for section in ("strategies", "guards", "loss", "distill"):
            assert getattr(chosen, section) == getattr(Recipe(), section)


def test_a_legacy_setting_switches_the_wing_on(toy) -> None:
    """A plain run has no hooks; one legacy setting brings the collapse guard along."""
    fixed = recipe.override(Recipe(), ["balance.class_weights=fixed"])
    assert fixed.parts(toy(50), 2).after_epoch == ()
    guarded = recipe.override(fixed, ["guards.collapse=true"])
    assert [type(hook).__name__ for hook in guarded.parts(toy(50), 2).after_epoch] == [
        "CollapseGuard"
    ]

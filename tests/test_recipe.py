"""A recipe says what differs; what it cannot mean is refused with the nearest thing it could."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgphoton import recipe
from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe


@pytest.mark.parametrize("name", recipe.shipped())
def test_every_shipped_recipe_reads_and_survives_writing(name: str, tmp_path: Path) -> None:
    """A recipe written in full and read again is the same recipe."""
    chosen = recipe.read(name)
    path = tmp_path / "again.toml"
    path.write_text(recipe.write(chosen))
    assert recipe.read(str(path)) == chosen
    assert recipe.from_dict(chosen.to_dict()) == chosen


@pytest.mark.parametrize("name", recipe.shipped())
def test_every_shipped_recipe_opens_with_its_purpose_and_command(name: str) -> None:
    """The first lines say what the experiment is for and how to run it."""
    from importlib import resources

    text = (resources.files("ecgphoton.recipes") / f"{name}.toml").read_text()
    assert text.startswith("# ")
    assert f"ecgphoton train --recipe {name}" in text


def test_overrides_apply_in_order_and_keep_the_rest() -> None:
    """The last assignment wins; other values stay."""
    chosen = recipe.override(
        Recipe(), ["training.epochs=3", "training.epochs=5", "student.activation=relu"]
    )
    assert chosen.training.epochs == 5
    assert chosen.student.activation == "relu"
    assert chosen.training.batch == Recipe().training.batch
    assert recipe.override(Recipe(), ["noise.weight=1"]).noise.weight == 1.0


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("trainin.epochs=3", "did you mean training"),
        ("training.epochs=3.5", "must be a value of type int"),
        ("training.epochs=true", "must be a value of type int"),
        ("training=3", r"must be a table \[training\]"),
        ("training.epochs.x=3", "must be a value of type int"),
        ("student.rhythm=sometimes", "must be one of 'none', 'causal', 'full'"),
        ("noise.weight=-1", "must be from 0 to 1"),
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

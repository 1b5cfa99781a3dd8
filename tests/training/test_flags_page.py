"""The page that maps the original's flags tells the truth about this package's recipe."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from ecgphoton.recipe import Recipe

PAGE = Path(__file__).parents[2] / "docs" / "original-flags.md"
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| original")
]
KEYED = [row for row in ROWS if row[2]]


def value_of(key):
    """Value of a recipe key in the default recipe."""
    value = Recipe()
    for part in key.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("row", KEYED, ids=[row[0] for row in KEYED])
def test_key_and_default_are_those_of_the_recipe(row):
    """Every key exists and its default on the page is the one in the code."""
    key = row[2].strip("`")
    assert tomllib.loads(f"value = {row[3].strip('`')}")["value"] == value_of(key)


def test_other_keys_and_values_mentioned_are_right_too():
    """Wherever the page says ``section.key = value``, the recipe has that key and value."""
    mentioned = re.findall(r"`(\w+\.\w+)` = ([\d.]+)", PAGE.read_text())
    assert mentioned
    for key, value in mentioned:
        assert value_of(key) == float(value)


def test_every_row_explains_itself_or_keeps_the_default():
    """A flag without a key says where it went."""
    assert all(row[4] for row in ROWS if not row[2])


def test_every_strategy_setting_is_either_an_original_flag_or_documented_as_new():
    """The settings of the strategies are explained on this page or on the strategies page."""
    text = PAGE.read_text() + PAGE.with_name("strategies.md").read_text()
    for section in ("balance", "strategies", "guards", "augment", "loss", "distill"):
        for entry in dataclasses.fields(getattr(Recipe(), section)):
            assert f"{section}.{entry.name}" in text

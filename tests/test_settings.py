"""One declaration: the check, the reading, the option and the message follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.settings import (
    Setting,
    Settings,
    build,
    convert,
    declared,
    nearest,
    setting,
)

COLOURS = ["red", "green"]


@dataclass(frozen=True)
class Kettle(Settings, section="kettle"):
    """A section with a setting of every kind."""

    power: float = setting(2000.0, "Heating power.", above=0, high=3000, unit="W")
    cups: int = setting(4, "Number of cups.", low=1, also=0)
    lid: bool = setting(True, "Whether it has a lid.")
    kind: Literal["steel", "glass"] = setting("steel", "Material.")
    colour: str = setting("red", "Colour.", names=lambda: COLOURS)
    steps: tuple[float, ...] = setting((80.0, 100.0), "Temperatures, degrees Celsius.")
    low: float = setting(0.0, "Lower limit.", low=0, below=1)
    note: str | None = setting(None, "Text, or nothing.")
    full: float = setting(1.0, "Share that is filled.", low=0, high=1)

    def rules(self) -> Iterable[tuple[bool, str, str]]:
        """More power than cups."""
        yield self.power > self.cups, "power", "above kettle.cups"


@dataclass(frozen=True)
class Kitchen:
    """A document with one section."""

    name: str = "home"
    kettle: Kettle = field(default_factory=Kettle)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("power", 0, "kettle.power is 0.0; it must be above 0 and at most 3000 W"),
        ("power", math.nan, "kettle.power is nan; it must be above 0 and at most 3000 W"),
        ("power", "much", "kettle.power is 'much'; it must be a number"),
        ("power", True, "kettle.power is True; it must be a number"),
        ("power", np.timedelta64(9), "kettle.power is np.timedelta64(9); it must be a number"),
        (
            "cups",
            np.timedelta64(9, "ns"),
            "kettle.cups is np.timedelta64(9,'ns'); it must be a whole number",
        ),
        ("cups", -1, "kettle.cups is -1; it must be 0, or at least 1"),
        ("cups", 2.5, "kettle.cups is 2.5; it must be a whole number"),
        ("lid", 1, "kettle.lid is 1; it must be true or false"),
        ("kind", "wood", "kettle.kind is 'wood'; it must be one of 'steel', 'glass'"),
        ("colour", "blue", "kettle.colour is 'blue'; it must be one of 'red', 'green'"),
        ("steps", (1, "x"), "kettle.steps is 'x'; it must be a number"),
        ("low", 1, "kettle.low is 1.0; it must be at least 0 and below 1"),
        ("colour", "", "kettle.colour is empty; give a value, or leave it out"),
        ("note", 3, "kettle.note is 3; it must be a text"),
        ("power", 3, "kettle.power is 3.0; it must be above kettle.cups"),
        ("full", 5, "kettle.full is 5.0; it must be from 0 to 1; 5 % is 0.05"),
        ("full", 500, "kettle.full is 500.0; it must be from 0 to 1"),
    ],
)
def test_what_a_declaration_does_not_allow_is_refused(name, value, words):
    """The message names section, setting, value and what is allowed."""
    with pytest.raises(InputError) as caught:
        Kettle(**{name: value})
    assert str(caught.value) == words


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-5e3, max_value=5e3))
def test_a_number_is_allowed_exactly_within_its_limits(value):
    """Checked against the inequality itself."""
    entry = Setting(0.0, "x", above=0, high=3000)
    assert entry.allows(value) == (0 < value <= 3000)


def test_numbers_become_those_of_the_annotation():
    """An int is taken for a float, numpy's numbers for Python's; a list for a tuple."""
    kettle = Kettle(power=1500, cups=np.int64(2), low=np.float32(0.5), steps=[90])
    assert (type(kettle.power), type(kettle.cups), type(kettle.low)) == (float, int, float)
    assert kettle.steps == (90.0,)


def test_one_value_may_be_allowed_besides_the_range():
    """Zero cups are allowed though the range begins at one."""
    assert Kettle(cups=0).cups == 0


def test_names_can_grow():
    """A name that is added later is allowed from then on."""
    COLOURS.append("violet")
    try:
        assert Kettle(colour="violet").colour == "violet"
    finally:
        COLOURS.remove("violet")


def test_tables_are_read_into_sections_and_keep_the_rest():
    """What a table does not say keeps its value."""
    start = Kitchen("home", Kettle(cups=7))
    kitchen = build(Kitchen, {"kettle": {"kind": "glass"}}, start)
    assert kitchen == replace(start, kettle=Kettle(cups=7, kind="glass"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kettle": {"powr": 1}}, "unknown key 'kettle.powr'; did you mean kettle.power?"),
        ({"oven": {}}, "unknown key 'oven'; allowed: name, kettle"),
        ({"kettle": 3}, "kettle is 3; it must be a table [kettle]"),
        ([], "the file is []; it must be a table of settings"),
        ({"kettle": {"power": -1}}, "kettle.power is -1.0; it must be above 0 and at most 3000 W"),
    ],
)
def test_what_a_table_may_not_say_is_refused(data, words):
    """Unknown keys with the nearest name, other things with what they must be."""
    with pytest.raises(InputError) as caught:
        build(Kitchen, data)
    assert str(caught.value) == words


def test_a_table_within_a_list_is_read_as_its_section():
    """A tuple of sections can be written as a list of tables."""
    (kettle,) = convert([{"cups": 2}], tuple[Kettle, ...], "kitchen.kettles")
    assert kettle == Kettle(cups=2)


def test_every_setting_of_a_recipe_is_declared_with_a_meaning():
    """No section has a field without declaration, and each default is allowed."""
    from dataclasses import fields

    from ecgphoton.recipe import Recipe

    for section in fields(Recipe):
        value = getattr(Recipe(), section.name)
        if isinstance(value, str):
            continue
        assert type(value).section == section.name
        assert [name for name, *_ in declared(type(value))] == [one.name for one in fields(value)]
        assert all(entry.meaning.endswith(".") for _, entry, _ in declared(type(value)))


def test_the_nearest_name_is_offered():
    """A near name is asked about; without one all are listed."""
    assert nearest("gras", ["glass", "steel"]) == "did you mean glass?"
    assert nearest("x", ["glass", "steel"]) == "allowed: glass, steel"

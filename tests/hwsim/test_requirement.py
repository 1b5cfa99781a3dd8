"""The search for the largest value of a parameter that passes, from where a profile stands."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ecgphoton.hwsim.effects import EFFECTS, Number
from ecgphoton.hwsim.effects.supply import LINK
from ecgphoton.hwsim.requirement import MOST, solve

SIZE = Number("A size.", 10.0)


def searched(good, *, rate=float, number=SIZE, start, **settings):
    """Search for a limit, with the values tried; chips have a rate that follows from the value."""
    tried: list[float] = []

    def judge(value: float):
        tried.append(value)
        rates = dict.fromkeys(("miss", "fpr", "auc"), np.array([rate(value)]))
        return SimpleNamespace(passed=good(value), observed_yield=float(good(value)), **rates)

    return solve("size", judge=judge, number=number, start=start, **settings), tried


@pytest.mark.parametrize("limit", [0.003, 0.02, 0.021, 0.4])
def test_the_search_closes_in_on_the_limit(limit: float) -> None:
    """The size that passes and the one that fails hold the limit between them, 10 % apart."""
    found, tried = searched(lambda size: size <= limit, start=0.02, largest=1.0, precision=0.1)
    assert found.value <= limit < found.failing <= found.value / 0.9
    assert tried[0] == 0.02
    assert len(tried) == len(set(tried)) <= 12


def test_what_always_or_never_passes_has_one_end() -> None:
    """Nothing stands where no size tried passed, or none failed; sizes stay within bounds."""
    found, tried = searched(lambda _: True, start=0.02, largest=0.5)
    assert (found.value, found.failing) == (0.5, None)
    assert max(tried) == 0.5
    found, _ = searched(lambda _: False, start=0.02, largest=0.5)
    assert (found.value, found.failing) == (None, 0.02 / MOST)


def test_what_changes_nothing_is_no_requirement() -> None:
    """Where every chip has the same rates at all values the sentence says so, not a limit."""
    found, _ = searched(lambda _: True, rate=lambda _: 0.1, start=0.02, largest=0.5)
    assert found.without_effect
    assert "size changes no rate of any chip" in found.sentence
    assert "at most" not in found.sentence
    moved, _ = searched(lambda _: True, start=0.02, largest=0.5)
    assert not moved.without_effect


@pytest.mark.parametrize(("limit", "start"), [(5, 12), (12, 12), (13, 12), (20, 12), (2, 12)])
def test_bits_are_found_to_the_bit(limit: int, start: int) -> None:
    """The fewest that pass, in either direction; one less fails, or cannot be stated."""
    bits = EFFECTS["dac.bits"].number
    found, tried = searched(lambda size: size >= limit, number=bits, start=start, largest=24.0)
    assert found.value == limit
    assert found.failing == (None if limit == 2 else limit - 1)
    assert all(value == int(value) for value in tried)


@pytest.mark.parametrize("start", [None, -140.0])
def test_a_level_in_decibels_is_searched_by_its_amplitude(start: float | None) -> None:
    """Intensity noise, of which no value is above 0, is found within its range."""
    rin = EFFECTS["receiver.rin"].number
    found, tried = searched(lambda level: level <= -101, number=rin, start=start, precision=0.1)
    assert found.value <= -101 < found.failing <= found.value + 1
    assert all(rin.check("receiver.rin", value) == value for value in tried)


def test_a_size_that_cannot_be_0_begins_at_its_least() -> None:
    """Where 0 means that nothing is stated it is not tried."""
    rate = LINK["link.rate"]
    found, tried = searched(lambda value: value <= 3e6, number=rate, start=None)
    assert found.value <= 3e6 < found.failing
    assert min(tried) == rate.least

"""What is compared at the edges of flutter and of the scored part, as ``bxb`` does it."""

from __future__ import annotations

import pytest
from marked import at

from ecgphoton.ecg.score import compare


def test_a_beat_at_the_edge_of_flutter_keeps_its_partner():
    """As in ``bxb``: a test beat just inside an episode is paired with the beat just outside."""
    reference = at([1, 2, 2, 3, 4, 4.05, 5], "NN[!]NN")
    found = compare(reference, at([1, 2.1, 3, 3.95, 5], "NNVNN"), start=0)
    assert (found.rates["QRS"].tp, found.rates["QRS"].fn, found.rates["QRS"].fp) == (4, 0, 0)
    assert found.count("N", "N") == 4


def test_flutter_of_the_test_is_its_own():
    """As in ``bxb``: it holds no beat and no interval of the test; reference beats are missed."""
    reference = at([1, 2, 3, 4, 5], "NNNNN")
    found = compare(reference, at([1, 2, 2.5, 3, 3.5, 4, 4.5, 5], "NN[!V!]N"), start=0)
    assert (found.rates["QRS"].tp, found.rates["QRS"].fn, found.rates["QRS"].fp) == (3, 2, 0)
    assert (found.rr_error, found.rr_count) == (0, 1)


@pytest.mark.parametrize(
    ("test", "part", "counts"),
    [
        ([9.95, 11], (10, 20), (2, 0, 0)),  # the partner of the first beat comes before the start
        ([10.01, 10.04, 11], (10, 20), (2, 0, 0)),  # the first may belong to a beat before
        ([10.3, 11], (10, 20), (1, 1, 1)),
        (
            [10.05, 11.05],
            (10, 11.03),
            (2, 0, 0),
        ),  # the partner of the last beat comes after the end
        ([10.05, 10.99], (10, 10.995), (2, 0, 0)),
        ([10.05, 11.2], (10, 11.1), (1, 1, 0)),
    ],
)
def test_the_edges_of_the_scored_part_are_those_of_bxb(test, part, counts):
    """A beat inside may have its partner outside; no beat is counted for the other side's edge."""
    found = compare(
        at([9, 10.05, 11], "NNN"), at(test, "N" * len(test)), start=part[0], end=part[1]
    )
    rates = found.rates["QRS"]
    assert (rates.tp, rates.fn, rates.fp) == counts


def test_a_beat_that_is_marked_twice_counts_as_bxb_counts_it():
    """Of two reference beats at one sample the first is missed, of two test beats the second extra.

    No interval lies between them.
    """
    twice, once = at([1, 2, 2, 3], "NSVN"), at([1, 2, 3], "NVN")
    missed = compare(twice, once, start=0)
    assert (missed.count("V", "V"), missed.count("S", "O"), missed.rr_count) == (1, 1, 2)
    extra = compare(once, twice, start=0)
    assert (extra.count("V", "S"), extra.count("O", "V"), extra.rr_count) == (1, 1, 2)

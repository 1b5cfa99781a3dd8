"""EC57 comparison: by hand, by what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from marked import FS, at

from ecgphoton.ecg.annotations import Annotations
from ecgphoton.ecg.score import compare, match
from ecgphoton.ecg.tally import COLUMNS, ROWS, aggregate
from ecgphoton.errors import InputError


def rhythm(count=200, seed=0):
    """Annotations of a made-up rhythm of all classes, no two beats nearer than 0.35 s."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.35, 1.2, count))
    return at(times, rng.choice(list("NNNNNASVVEF/Q"), count))


def test_matrix_by_hand():
    """Each kind of agreement, confusion, missed and extra beat lands in its own cell."""
    reference = at([1, 2, 3, 4, 5, 6, 7], "NVASFQN")
    test = at([1.1, 2.1, 3.0, 4.0, 5.05, 6.0, 9.0], "NVNVVSV")
    found = compare(reference, test, start=0)
    expected = np.zeros((len(ROWS), len(COLUMNS)), int)
    # NO is the beat at 7 s, OV the one at 9 s.
    for row, column in ["NN", "VV", "SN", "SV", "FV", "QS", "NO", "OV"]:
        expected[ROWS.index(row), COLUMNS.index(column)] += 1
    np.testing.assert_array_equal(found.matrix, expected)
    assert (found.rates["QRS"].tp, found.rates["QRS"].fn, found.rates["QRS"].fp) == (6, 1, 1)


def test_ventricular_rates_forgive_fusion_and_unclassifiable():
    """F and Q called V are no false positives; N, S and extra beats called V are."""
    reference = at(range(1, 8), "VVNSFQN")
    test = at([*range(1, 8), 8.5], "VNVVVVNV")
    veb = compare(reference, test, start=0).rates["VEB"]
    assert (veb.tp, veb.fn, veb.fp, veb.tn) == (1, 1, 3, 1)
    assert veb.se == 0.5
    assert veb.ppv == 0.25
    assert veb.fpr == 0.75


def test_supraventricular_rates_forgive_unclassifiable_only():
    """Q called S is no false positive; N, V and F called S are."""
    sveb = compare(at(range(1, 6), "SNVFQ"), at(range(1, 6), "SSSSS"), start=0).rates["SVEB"]
    assert (sveb.tp, sveb.fn, sveb.fp, sveb.tn) == (1, 0, 3, 0)


def test_abnormal_rates_do_not_ask_which_kind():
    """Any abnormal call answers any abnormal beat; a missed one is missed."""
    rates = compare(at(range(1, 6), "VSFNN"), at([1, 2, 4, 5], "QQNQ"), start=0).rates["abnormal"]
    assert (rates.tp, rates.fn, rates.fp, rates.tn) == (2, 1, 1, 1)


def test_first_five_minutes_are_not_scored():
    """Beats before the start count neither as right nor as wrong, and 300 s is the default."""
    reference = at([10, 299, 301, 310], "VVVN")
    test = at([299, 301, 305, 310], "NVNN")
    found = compare(reference, test)
    assert (found.beats, found.rates["VEB"].se, found.rates["QRS"].fp) == (2, 1, 1)
    assert compare(reference, test, start=0).beats == 4
    assert compare(reference, test, start=0, end=300).beats == 2


def test_absent_classes_have_no_rate():
    """A share of nothing is None, not 0 or 1."""
    found = compare(at([1, 2], "NN"), at([1, 2], "NN"), start=0)
    assert found.rates["VEB"].se is None
    assert found.rates["SVEB"].ppv is None
    assert found.rates["VEB"].fpr == 0
    empty = compare(at([], ""), at([], ""), start=0)
    assert empty.rates["QRS"].se is None
    assert empty.to_dict()["rr_error_seconds"] is None


def test_perfect_answers_are_perfect():
    """An annotation compared with itself has every share at 100 % and no RR error."""
    same = rhythm()
    table = compare(same, same, start=0).to_dict()
    for kind in ("QRS", "VEB", "SVEB", "abnormal"):
        assert (table[kind]["Se"], table[kind]["+P"]) == (1, 1), kind
    assert table["rr_error_seconds"] == 0
    found = compare(same, same, start=0)
    assert sum(found.count(group, group) for group in "NSVFQ") == len(same.sample)


@given(st.integers(-53, 53), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_a_shift_below_the_window_changes_nothing(shift, seed):
    """Moving all beats by less than 150 ms gives the same matrix and the same RR intervals."""
    reference, answer = rhythm(seed=seed), rhythm(seed=seed)
    moved = Annotations(answer.sample + shift, answer.symbol[::-1], FS)
    still = Annotations(answer.sample, answer.symbol[::-1], FS)
    one, other = compare(reference, moved, start=0), compare(reference, still, start=0)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    assert one.rr_error == other.rr_error == 0


@pytest.mark.parametrize(("fs", "most"), [(360, 54), (250, 38), (128, 19), (257, 39), (1000, 150)])
def test_the_window_is_150_ms(fs, most):
    """Rounded to the nearest sample, as in bxb; a beat one sample further away is another one."""
    reference = Annotations(np.array([1000]), np.array(["N"]), fs)
    for shift, pairs in ((most, 1), (-most, 1), (most + 1, 0), (-most - 1, 0)):
        test = Annotations(np.array([1000 + shift]), np.array(["N"]), fs)
        assert compare(reference, test, start=0).rates["QRS"].tp == pairs


def test_symbols_that_are_no_beats_are_ignored():
    """Rhythm changes, noise and comments among the beats change nothing."""
    plain = at([1, 2, 3], "NVN")
    mixed = at([1, 1.5, 2, 2.01, 3, 4], "N+V~N|")
    np.testing.assert_array_equal(
        compare(plain, mixed, start=0).matrix, compare(plain, plain, start=0).matrix
    )


times = st.lists(st.integers(0, 400), max_size=25).map(lambda v: np.array(sorted(v), np.int64))


@given(times, times, st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_matching_takes_every_beat_once_in_order_and_pairs_near_ones(first, second, window):
    """Each beat of either side is in one comparison, in order, and partners are near."""
    pairs = match(first, second, window)
    for side, times in enumerate((first, second)):
        taken = pairs[pairs[:, side] >= 0, side]
        np.testing.assert_array_equal(taken, np.arange(len(times)))
    i, j = pairs[(pairs >= 0).all(axis=1)].T
    assert (np.abs(first[i] - second[j]) <= window).all()


def test_nearest_partner_wins():
    """Of two candidates the nearer is taken and the other counted as extra."""
    assert match(np.array([100]), np.array([60, 110]), 54).tolist() == [[-1, 0], [0, 1]]


def test_a_nearer_partner_is_left_to_the_beat_that_needs_it():
    """A candidate nearer to the next beat stays with this one if that has a nearer one itself."""
    assert match(np.array([100, 140]), np.array([125, 142]), 54).tolist() == [[0, 0], [1, 1]]
    assert match(np.array([100, 140]), np.array([130, 170]), 54).tolist() == [
        [0, -1],
        [1, 0],
        [-1, 1],
    ]


def test_rr_error_is_that_of_all_comparisons():
    """A displaced beat disturbs the two intervals it bounds, a missed one twice its own."""
    reference = at([1, 2, 3, 4], "NNNN")
    moved = compare(reference, at([1, 2.1, 3, 4], "NNNN"), start=0)
    assert moved.rr_error == pytest.approx(np.sqrt(2 * 0.1**2 / 3))
    missed = compare(reference, at([1, 3, 4], "NNN"), start=0)
    assert missed.rr_error == pytest.approx(np.sqrt(2 * 1.0**2 / 3))


def marked(seconds, symbols, unreadable=()):
    """Annotations with a noise mark of subtype -1 at some of the places."""
    plain = at(seconds, symbols)
    subtype = np.zeros(len(seconds), int)
    subtype[list(unreadable)] = -1
    return Annotations(plain.sample, plain.symbol, FS, subtype)


def test_nothing_is_compared_in_ventricular_flutter():
    """Test beats and flutter waves between [ and ] of the reference are neither right nor wrong."""
    reference = at([1, 2, 2.5, 3, 3.5, 5, 6], "NN[!!]N")
    found = compare(reference, at([1, 2, 3, 3.3, 4, 6], "NNVVVN"), start=0)
    assert (found.rates["QRS"].tp, found.rates["QRS"].fn, found.rates["QRS"].fp) == (3, 0, 0)
    assert found.rates["abnormal"].fpr == 0
    assert found.rr_error == 0
    assert found.rr_count == 1  # the interval across the episode is none
    assert compare(at([1, 2], "N["), at([1, 9], "NN"), start=0).rates["QRS"].fp == 0


def test_beats_in_shutdown_have_a_column_of_their_own():
    """Missed while the test has shut down is x, extra where the reference is unreadable X."""
    shut = marked([1, 1.5, 3.5, 4], "N~~N", unreadable=[1])
    missed = compare(at([1, 2, 3, 4], "NVNN"), shut, start=0)
    assert (missed.count("N", "X"), missed.count("V", "X"), missed.count("NV", "O")) == (1, 1, 0)
    assert missed.bxb()["No'"] == missed.bxb()["Vo'"] == 1
    extra = compare(shut, at([1, 2, 4], "NVN"), start=0)
    assert (extra.count("X", "V"), extra.count("O", "V")) == (1, 0)
    assert extra.rates["VEB"].fp == 1


def test_a_lone_shutdown_mark_reaches_to_its_neighbours():
    """As in the AHA database: from 150 ms after the mark before to 150 ms before the beat after."""
    shut = marked([1, 2, 4], "N~N", unreadable=[1])
    found = compare(at([1, 1.2, 3, 3.8, 4], "NNNNN"), shut, start=0)
    assert found.count("N", "X") == 3
    early = compare(at([1, 1.1, 4], "NNN"), shut, start=0, window=0.01)
    assert (early.count("N", "X"), early.count("N", "O")) == (0, 1)


def test_escape_beats_are_supraventricular_unless_asked_otherwise():
    """EC57 and bxb count e, j and n as S, de Chazal as N; other names are refused."""
    reference, test = at([1, 2, 3, 4], "ejnA"), at([1, 2, 3, 4], "SSSS")
    assert compare(reference, test, start=0).rates["SVEB"].tp == 4
    assert compare(reference, test, start=0, grouping="de-chazal").rates["SVEB"].tp == 1
    with pytest.raises(InputError, match="choose one of de-chazal, ec57"):
        compare(reference, test, grouping="aami")


def test_an_undecided_abnormal_beat_is_a_miss_everywhere():
    """A ? on V, S or F is no true positive of any kind; on N it is no false alarm."""
    found = compare(at(range(1, 6), "VSFNN"), at(range(1, 6), "????N"), start=0)
    assert found.rates["QRS"].se == 1
    assert found.rates["VEB"].se == found.rates["SVEB"].se == found.rates["abnormal"].se == 0
    assert found.rates["abnormal"].fpr == 0
    assert found.undecided == 0.8


def test_gross_counts_beats_and_average_counts_records():
    """Gross weighs every beat the same, average every record that has the class."""
    big = compare(at(range(1, 11), "V" * 10), at(range(1, 11), "V" * 10), start=0, record="big")
    small = compare(at([1, 2], "VN"), at([1, 2], "NN"), start=0, record="small")
    none = compare(at([1], "N"), at([1], "N"), start=0, record="none")
    summary = aggregate([big, small, none])
    assert summary.gross.rates["VEB"].se == pytest.approx(10 / 11)
    assert summary.average()["VEB"]["Se"] == pytest.approx(0.5)
    assert [row["record"] for row in summary.to_dict()["records"]] == ["big", "small", "none"]
    with pytest.raises(InputError, match="at least one record"):
        aggregate([])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"start": -1}, "start is -1; it must be at least 0 s"),
        ({"window": -0.1}, "window is -0.1; it must be from 0 to 1 s"),
        ({"window": 150}, r"window is 150; .* \(150 ms is 0.15\)"),
        ({"start": 10, "end": 5}, "end is 5; it must be after start, which is 10 s"),
    ],
)
def test_nonsense_is_refused(change, what):
    """A negative time or an end before the start is an input error."""
    with pytest.raises(InputError, match=what):
        compare(rhythm(), rhythm(), **change)


def test_disorder_and_different_rates_are_refused():
    """Times that run backwards, or two sampling rates, are input errors."""
    with pytest.raises(InputError, match="backwards"):
        compare(at([2, 1], "NN"), at([1], "N"))
    with pytest.raises(InputError, match="360 and 250 Hz"):
        compare(at([1], "N"), Annotations(np.array([1]), np.array(["N"]), 250.0))

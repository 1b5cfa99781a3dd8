"""EC57 comparison: by hand on small annotations, and by what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ecgphoton.ecg.annotations import Annotations, read_annotations, write_annotations
from ecgphoton.ecg.matching import match
from ecgphoton.ecg.score import CLASSES, NONE, aggregate, compare, score_record
from ecgphoton.errors import InputError

FS = 360.0


def at(seconds, symbols):
    """Annotations at these times, one symbol each."""
    return Annotations(
        np.rint(np.array(seconds) * FS).astype(np.int64), np.array(list(symbols)), FS
    )


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
    expected = np.zeros((6, 6), int)
    for row, column in ["NN", "VV", "SN", "SV", "FV", "QS"]:
        expected[CLASSES.index(row), CLASSES.index(column)] += 1
    expected[CLASSES.index("N"), NONE] = 1  # the beat at 7 s
    expected[NONE, CLASSES.index("V")] = 1  # the one at 9 s
    np.testing.assert_array_equal(found.matrix, expected)
    assert (found.detection.tp, found.detection.fn, found.detection.fp) == (6, 1, 1)


def test_ventricular_rates_forgive_fusion_and_unclassifiable():
    """F and Q called V are no false positives; N, S and extra beats called V are."""
    reference = at(range(1, 8), "VVNSFQN")
    test = at([*range(1, 8), 8.5], "VNVVVVNV")
    veb = compare(reference, test, start=0).veb
    assert (veb.tp, veb.fn, veb.fp, veb.tn) == (1, 1, 3, 1)
    assert veb.se == 0.5
    assert veb.ppv == 0.25
    assert veb.fpr == 0.75


def test_supraventricular_rates_forgive_unclassifiable_only():
    """Q called S is no false positive; N, V and F called S are."""
    sveb = compare(at(range(1, 6), "SNVFQ"), at(range(1, 6), "SSSSS"), start=0).sveb
    assert (sveb.tp, sveb.fn, sveb.fp, sveb.tn) == (1, 0, 3, 0)


def test_abnormal_rates_do_not_ask_which_kind():
    """Any abnormal call answers any abnormal beat; a missed one is missed."""
    rates = compare(at(range(1, 6), "VSFNN"), at([1, 2, 4, 5], "QQNQ"), start=0).abnormal
    assert (rates.tp, rates.fn, rates.fp, rates.tn) == (2, 1, 1, 1)


def test_first_five_minutes_are_not_scored():
    """Beats before the start count neither as right nor as wrong, and 300 s is the default."""
    reference = at([10, 299, 301, 310], "VVVN")
    test = at([299, 301, 305, 310], "NVNN")
    found = compare(reference, test)
    assert found.beats == 2
    assert found.veb.se == 1
    assert found.detection.fp == 1
    assert compare(reference, test, start=0).beats == 4
    assert compare(reference, test, start=0, end=300).beats == 2


def test_a_pair_across_the_start_is_one_pair():
    """A test beat just before the start answers a reference beat just after it."""
    found = compare(at([300.05], "V"), at([299.95], "V"))
    assert found.veb.se == 1
    assert found.detection.fp == 0


def test_absent_classes_have_no_rate():
    """A share of nothing is None, not 0 or 1."""
    found = compare(at([1, 2], "NN"), at([1, 2], "NN"), start=0)
    assert found.veb.se is None
    assert found.sveb.ppv is None
    assert found.veb.fpr == 0
    empty = compare(at([], ""), at([], ""), start=0)
    assert empty.detection.se is None
    assert empty.to_dict()["rr_error_seconds"] is None


def test_perfect_answers_are_perfect():
    """An annotation compared with itself has every share at 100 % and no RR error."""
    same = rhythm()
    table = compare(same, same, start=0).to_dict()
    for kind in ("QRS", "VEB", "SVEB", "abnormal"):
        assert (table[kind]["Se"], table[kind]["+P"]) == (1, 1), kind
    assert table["rr_error_seconds"] == 0
    assert np.trace(compare(same, same, start=0).matrix) == len(same.sample)


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


def test_the_window_is_150_ms():
    """At 360 Hz a beat 54 samples away is the same beat, one 55 away is not."""
    reference = Annotations(np.array([1000]), np.array(["N"]), FS)
    for shift, pairs in ((54, 1), (-54, 1), (55, 0), (-55, 0)):
        test = Annotations(np.array([1000 + shift]), np.array(["N"]), FS)
        assert compare(reference, test, start=0).detection.tp == pairs


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
def test_matching_is_one_to_one_symmetric_in_order_and_maximal(first, second, window):
    """Partners are mutual, near, in order; none is left that could still pair."""
    to_second, to_first = match(first, second, window)
    made = np.flatnonzero(to_second >= 0)
    np.testing.assert_array_equal(to_first[to_second[made]], made)
    assert (np.diff(to_second[made]) > 0).all()
    assert (np.abs(first[made] - second[to_second[made]]) <= window).all()
    free_first, free_second = np.flatnonzero(to_second < 0), np.flatnonzero(to_first < 0)
    for a in free_first:
        for b in free_second:
            before = (made < a).sum() == (to_second[made] < b).sum()
            assert not (before and abs(first[a] - second[b]) <= window)
    back, forth = match(second, first, window)
    assert (back >= 0).sum() == (to_first >= 0).sum()
    assert (forth >= 0).sum() == (to_second >= 0).sum()


def test_nearest_partner_wins():
    """Of two candidates the nearer is taken and the other counted as extra."""
    to_test, to_reference = match(np.array([100]), np.array([60, 110]), 54)
    assert to_test.tolist() == [1]
    assert to_reference.tolist() == [-1, 0]


def test_rr_error_is_that_of_consecutive_matched_beats():
    """One displaced beat disturbs the two intervals it bounds; a missed one excuses its own."""
    reference = at([1, 2, 3, 4], "NNNN")
    moved = compare(reference, at([1, 2.1, 3, 4], "NNNN"), start=0)
    assert moved.rr_error == pytest.approx(np.sqrt(2 * 0.1**2 / 3))
    assert compare(reference, at([1, 3, 4], "NNN"), start=0).rr_count == 1


def test_gross_counts_beats_and_average_counts_records():
    """Gross weighs every beat the same, average every record that has the class."""
    big = compare(at(range(1, 11), "V" * 10), at(range(1, 11), "V" * 10), start=0, record="big")
    small = compare(at([1, 2], "VN"), at([1, 2], "NN"), start=0, record="small")
    none = compare(at([1], "N"), at([1], "N"), start=0, record="none")
    summary = aggregate([big, small, none])
    assert summary.gross.veb.se == pytest.approx(10 / 11)
    assert summary.average()["VEB"]["Se"] == pytest.approx(0.5)
    assert [row["record"] for row in summary.to_dict()["records"]] == ["big", "small", "none"]
    with pytest.raises(InputError, match="at least one record"):
        aggregate([])


def test_files_give_what_arrays_give(wfdb_folder, tmp_path):
    """Two annotators of one record on disk are compared as their arrays are."""
    reference = read_annotations(wfdb_folder / "s01", "atr")
    for path in wfdb_folder.glob("s01.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    called = np.where(reference.symbol == "N", "V", reference.symbol)
    write_annotations(tmp_path, "s01", "eph", reference.sample, called, fs=FS, note="all V")
    found = score_record(tmp_path / "s01", start=0)
    direct = compare(reference, Annotations(reference.sample, called, FS), start=0)
    np.testing.assert_array_equal(found.matrix, direct.matrix)
    assert found.detection.se == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"start": -1}, "times must not be negative"),
        ({"window": -0.1}, "times must not be negative"),
        ({"start": 10, "end": 5}, "end must come after start"),
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


def test_missing_record_or_annotator_is_refused(wfdb_folder):
    """A wrong record or annotator is named in the error."""
    with pytest.raises(InputError, match="there is no record"):
        score_record(wfdb_folder / "s99")
    with pytest.raises(InputError, match=r"s01\.eph"):
        score_record(wfdb_folder / "s01")
    with pytest.raises(InputError, match=r"\.\./atr"):
        score_record(wfdb_folder / "s01", test="../atr")

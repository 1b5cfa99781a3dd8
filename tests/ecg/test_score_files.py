"""Files that are scored: what is said of them, and that they give what arrays give."""

import numpy as np
import pytest

from ecgphoton.ecg.annotations import Annotations, read_annotations, write_annotations
from ecgphoton.ecg.score import compare, score_record
from ecgphoton.ecg.tally import aggregate
from ecgphoton.errors import InputError

FS = 360.0


def test_a_copy_of_the_reference_is_called_one(wfdb_folder, tmp_path):
    """The same marks in a file of another name or in another folder; a mark less is no copy."""
    for path in wfdb_folder.glob("s01.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for how in ({}, {"test": "atr", "test_folder": wfdb_folder}):
        (tmp_path / "s01.eph").write_bytes((tmp_path / "s01.atr").read_bytes())
        assert "hold the same" in str(score_record(tmp_path / "s01", start=0, **how).notes)
    marks = read_annotations(tmp_path / "s01", "atr").beats
    write_annotations(tmp_path, "s01", "eph", marks.sample[1:], marks.symbol[1:], fs=FS)
    assert "the same" not in str(score_record(tmp_path / "s01", start=0).notes)


def test_a_two_class_test_and_a_short_record_say_so(wfdb_folder, tmp_path):
    """Their numbers come with a sentence; where nothing is left to score it is an error."""
    reference = read_annotations(wfdb_folder / "s01", "atr").beats
    for path in wfdb_folder.glob("s01.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    called = np.where(reference.symbol == "N", "N", "Q")
    write_annotations(tmp_path, "s01", "eph", reference.sample, called, fs=FS)
    found = score_record(tmp_path / "s01", start=0)
    assert found.two_class
    assert "normal from abnormal only" in found.notes[0]
    short = score_record(tmp_path / "s01", start=1e5)
    assert "are not scored" in short.notes[0]
    with pytest.raises(InputError, match=r"nothing is scored.*learning period"):
        aggregate([short])
    aggregate([short, found])


def test_files_give_what_arrays_give(wfdb_folder, tmp_path):
    """Two annotators of one record on disk are compared as their arrays are."""
    reference = read_annotations(wfdb_folder / "s01", "atr").beats
    for path in wfdb_folder.glob("s01.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    called = np.where(reference.symbol == "N", "V", reference.symbol)
    write_annotations(tmp_path, "s01", "eph", reference.sample, called, fs=FS, note="all V")
    found = score_record(tmp_path / "s01", start=0)
    direct = compare(reference, Annotations(reference.sample, called, FS), start=0)
    np.testing.assert_array_equal(found.matrix, direct.matrix)
    assert found.rates["QRS"].se == 1


def test_missing_record_or_annotator_is_refused(wfdb_folder):
    """A wrong record or annotator is named in the error."""
    lacks = r"lacks s01\.eph in .*; there is s01\.atr, s01\.dat"
    cases = ("s99", "eph", "no record"), ("s01", "eph", lacks), ("s01", "../atr", r"\.\./atr")
    for name, test, what in cases:
        with pytest.raises(InputError, match=what):
            score_record(wfdb_folder / name, test=test)

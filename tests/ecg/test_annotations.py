"""Annotation files that others can read, and nothing that they cannot."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb

from ecgphoton.ecg.annotations import decode, read_annotations, write_annotations
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.score import score_record
from ecgphoton.errors import InputError


def test_written_annotation_is_what_rdann_reads(tmp_path):
    """Samples, symbols, rate and the comment survive the file; other readers see a plain beat."""
    write_annotations(tmp_path, "x", "eph", np.array([0, 5, 9]), list("NQ?"), fs=250, note="by us")
    read = wfdb.rdann(str(tmp_path / "x"), "eph")
    assert read.fs == 250
    assert read.sample.tolist() == [0, 1, 5, 9]
    assert read.symbol == ["N", '"', "Q", "?"]
    assert read.aux_note[1] == "by us"
    assert [path.name for path in tmp_path.iterdir()] == ["x.eph"]


@pytest.mark.parametrize("size", [254, 255, 256, 600])
def test_a_note_of_any_length_leaves_the_beats_alone(size, tmp_path):
    """A longer one than the format holds is cut, and letters it does not hold are replaced."""
    note = "ü" + "x" * (size - 1)
    write_annotations(tmp_path, "x", "eph", np.array([5, 9]), list("NQ"), fs=250, note=note)
    read = wfdb.rdann(str(tmp_path / "x"), "eph")
    assert (read.sample.tolist(), read.symbol) == ([1, 5, 9], ['"', "N", "Q"])
    assert read.aux_note[0].startswith("?xxx")
    assert read.aux_note[0].endswith("..." if size > 255 else "x")


@pytest.mark.parametrize(
    ("name", "annotator", "samples"),
    [
        ("a/b", "eph", [1]),
        ("x", "../e", [1]),
        ("x", "eph2", [1]),
        ("x", "eph", [5, 3]),
        ("x", "eph", [-1]),
    ],
)
def test_names_and_times_wfdb_cannot_hold_are_refused(tmp_path, name, annotator, samples):
    """Nothing is written outside the folder, and no times that run backwards."""
    with pytest.raises(InputError):
        write_annotations(
            tmp_path, name, annotator, np.array(samples), ["N"] * len(samples), fs=360
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("clock", [180, 250, 1000])
def test_a_file_with_a_clock_of_its_own_is_read_on_it(clock, tmp_path, wfdb_folder):
    """Beats marked at another time resolution come back at the samples of the record."""
    for path in wfdb_folder.glob("s01.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    reference = read_annotations(tmp_path / "s01", "atr")
    at = np.rint(reference.sample * (clock / 360)).astype(np.int64)
    wfdb.wrann("s01", "own", at, reference.symbol.tolist(), fs=clock, write_dir=str(tmp_path))
    found = read_annotations(tmp_path / "s01", "own").beats
    assert np.abs(found.sample - reference.sample).max() <= 360 / clock / 2 + 1
    np.testing.assert_array_equal(found.symbol, reference.symbol)
    wfdb.wrann("s01", "atr", at, reference.symbol.tolist(), fs=clock, write_dir=str(tmp_path))
    cut = load_all(["s01"], data=tmp_path, cache=False).beats
    whole = load_all(["s01"], data=wfdb_folder, cache=False).beats
    assert len(cut) == len(whole)
    assert np.abs(cut.sample - whole.sample).max() <= 360 / clock / 2 + 1


@pytest.mark.parametrize("said", [b" abc", b" -12", b" nan", b" inf", b" 0", b"", b" 1"])
def test_a_clock_that_is_no_rate_is_refused(said, tmp_path):
    """A clock that cannot be read, or too coarse, is never replaced by the rate of the record."""
    wfdb.wrann("x", "atr", np.array([50, 90]), ["N", "V"], fs=128, write_dir=str(tmp_path))
    content = (tmp_path / "x.atr").read_bytes()
    assert decode(content, "x.atr", 256.0).beats.sample.tolist() == [100, 180]
    with pytest.raises(InputError, match=r"x\.atr states a time resolution of .* no rate"):
        decode(content.replace(b" 128", said.ljust(4, b" ")), "x.atr", 256.0)


@pytest.mark.parametrize("end", [float("nan"), 0.0, -5.0])
def test_an_end_that_is_none_is_refused(end, wfdb_folder):
    """An end that is asked for is used or refused, never replaced by that of the record."""
    with pytest.raises(InputError, match=r"end is .*; it must be after start, which is 0 s"):
        score_record(wfdb_folder / "s01", test="atr", start=0.0, end=end)


@pytest.mark.parametrize("named", [False, True])
def test_an_annotation_beside_itself_is_said(named, wfdb_folder):
    """Perfect shares of one annotation against itself say nothing about it."""
    folder = wfdb_folder if named else None
    found = score_record(wfdb_folder / "s01", test="atr", test_folder=folder, start=0.0)
    said = "reference and test are both s01.atr, which is compared with itself"
    assert found.notes[0] == said


def test_subtypes_are_signed_bytes(tmp_path):
    """A noise mark of subtype -1 is one, also where a note follows it."""
    wfdb.wrann(
        "x", "atr", np.array([5, 9, 20]), ["N", "~", "V"], subtype=np.array([0, -1, 2]),
        aux_note=["", "u", ""], write_dir=str(tmp_path),
    )  # fmt: skip
    found = decode((tmp_path / "x.atr").read_bytes(), "x.atr", 360.0)
    assert found.symbol.tolist() == ["N", "~", "V"]
    assert found.subtype.tolist() == [0, -1, 2]
    assert found.beats.sample.tolist() == [5, 20]


@pytest.mark.parametrize("damage", ["zeros within", "two files in one", "AHA"])
def test_marks_behind_the_end_mark_are_refused(damage, tmp_path):
    """A file that goes on behind its end is damaged or of another format; its half is not used."""
    wfdb.wrann("x", "atr", np.arange(50, 950, 90), ["N"] * 10, write_dir=str(tmp_path))
    content = (tmp_path / "x.atr").read_bytes()
    damaged = {
        "zeros within": content[:8] + bytes(4) + content[12:],
        "two files in one": content + content,
        "AHA": b"".join(
            b"\0N" + (90 * at).to_bytes(4, "little") + at.to_bytes(2, "little") + bytes(8)
            for at in range(1, 10)
        ),
    }[damage]
    with pytest.raises(InputError, match="goes on behind its end mark"):
        decode(damaged, "x.atr", 360.0)
    assert len(decode(content + bytes(20), "x.atr", 360.0).sample) == 10


@pytest.mark.parametrize(
    ("marks", "beats", "said"),
    [
        ("NN[NN]NN]NN", 6, "1 mark ] without [ before: flutter there is scored"),
        ("]NN[NN]NNNN", 6, "1 mark ] without [ before: flutter there is scored"),
        ("NNNN[NNNNNN", 4, "flutter that begins at 4 s has no ]: nothing is scored from there on"),
        ("NN[NN]NNNNN", 7, ""),
    ],
)
def test_half_an_episode_of_flutter_is_said(marks, beats, said, tmp_path):
    """What is left of an episode where a record was cut is neither guessed nor passed over."""
    (tmp_path / "v.hea").write_text("v 1 250 15000\n")
    at, where = 250 * np.arange(len(marks)), {"write_dir": str(tmp_path)}
    for annotator, symbols in (("atr", marks), ("eph", marks.replace("N", "V", 1))):
        wfdb.wrann("v", annotator, at, list(symbols), fs=250, **where)
    found = score_record(tmp_path / "v", start=0)
    assert (found.rates["QRS"].tp, found.rates["QRS"].fp) == (beats, 0)
    assert found.notes == ((f"v.atr: {said}",) if said else ())


def test_an_annotation_without_beats_is_said(tmp_path):
    """A reference that marks rhythms alone gives no shares; a note names it."""
    (tmp_path / "v.hea").write_text("v 1 250 15000\n")
    for annotator, mark in (("atr", "+"), ("eph", "N")):
        wfdb.wrann("v", annotator, np.array([900]), [mark], fs=250, write_dir=str(tmp_path))
    assert score_record(tmp_path / "v", start=0).notes == ("v.atr marks no beat",)


def test_an_end_behind_the_record_is_that_of_the_record(tmp_path):
    """Marks beyond the record are not scored, and the end that was asked for is mentioned."""
    (tmp_path / "v.hea").write_text("v 1 250 15000\n")
    for annotator in ("atr", "eph"):
        at = np.array([500, 1000, 15100 + (annotator == "eph")])
        wfdb.wrann("v", annotator, at, ["N"] * 3, fs=250, write_dir=str(tmp_path))
    found = score_record(tmp_path / "v", start=0, end=70.0)
    assert found.rates["QRS"].tp == 2
    assert found.notes[0] == "v lasts 60 s: scored to its end, not to 70 s"
    assert "1 beat beyond the end is not scored" in found.notes[1]


def test_nothing_behind_a_record_shorter_than_the_learning_period_is_scored(tmp_path):
    """Beats at 310 s of a record of 60 s are not scored because scoring begins at 300 s."""
    (tmp_path / "v.hea").write_text("v 1 250 15000\n")
    for annotator in ("atr", "eph"):
        at = np.array([500, 77500])
        wfdb.wrann("v", annotator, at, ["N"] * 2, fs=250, write_dir=str(tmp_path))
    for end in (None, 400.0):
        assert score_record(tmp_path / "v", end=end).rates["QRS"].tp == 0


def test_what_is_no_record_is_refused(tmp_path):
    """A folder, and a header without a rate, are named; nothing divides by zero."""
    with pytest.raises(InputError, match="there is no record"):
        score_record(".")
    (tmp_path / "v.hea").write_text("v 1 0 100\n")
    with pytest.raises(InputError, match=r"v\.hea states 0(\.0)? samples a second"):
        score_record(tmp_path / "v")


@pytest.mark.parametrize("rhythm", ["(VFL", "(VF", "(VFIB", "(AFIB"])
def test_flutter_that_is_a_rhythm_alone_is_said_to_be_scored(rhythm, tmp_path):
    """Only [ and ] exclude beats, as in bxb; a reference that states flutter otherwise is named."""
    (tmp_path / "v.hea").write_text("v 1 250 15000\n")
    at, where = np.arange(200, 15000, 200), {"write_dir": str(tmp_path)}
    bracketed = ["[", "+", *"N" * 30, "]"]
    for marks in (
        ["+", *"N" * 73],
        ["[", *"N" * 70, "]", "N", "N"],
        [*bracketed, *"N" * 41],
        [*bracketed, "N", "+", *"N" * 39],  # of two episodes one is bracketed
        ["+", *bracketed[:1], *"N" * 31, "]", *"N" * 40],
    ):
        notes = [rhythm if mark == "+" else "" for mark in marks]
        wfdb.wrann("v", "atr", at, marks, fs=250, aux_note=notes, **where)
        wfdb.wrann("v", "eph", at[40:], ["N"] * 34, fs=250, **where)
        said = score_record(tmp_path / "v", start=0).notes
        note = f"states the rhythm {rhythm} without [ and ]: beats there are scored, as bxb does"
        wanted = rhythm != "(AFIB" and "+" in marks and ("[" not in marks or marks.count("+") > 1)
        assert said == ((f"v.atr {note}",) if wanted else ())


def test_flutter_waves_without_brackets_are_said_to_be_scored(tmp_path):
    """Waves alone exclude no beats, and a note counts those outside of [ and ]."""
    (tmp_path / "v.hea").write_text("v 1 250 15000\n")
    at, where = np.arange(200, 15000, 200), {"fs": 250, "write_dir": str(tmp_path)}
    marks = ["N", "[", *"!" * 20, "]", *"N" * 20, *"!" * 31]
    wfdb.wrann("v", "atr", at, marks, **where)
    wfdb.wrann("v", "eph", at, ["N"] * 74, **where)
    note = "v.atr: 31 flutter waves (!) outside of [ and ]: beats there are scored, as bxb does"
    found = score_record(tmp_path / "v", start=0)
    assert found.notes == (note,)
    assert found.rates["QRS"].fp == 31

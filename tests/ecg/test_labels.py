"""Labels come from WFDB, a table or EDF+, on their own clock, and mean the same beats."""

import numpy as np
import pytest
import wfdb
from recordings import FS, ecg, write_edf, write_wfdb

from ecgphoton.ecg.annotate import classify_record
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.formats import Hints
from ecgphoton.ecg.labels import label_file, read_labels
from ecgphoton.ecg.reading import open_signal, read_recording
from ecgphoton.ecg.score import score_record
from ecgphoton.errors import InputError

SIGNAL, BEATS = ecg(seconds=30)
SYMBOLS = np.array(["N", "V", "A"])[np.arange(len(BEATS)) % 3]


def test_another_time_resolution_is_read_on_its_own_clock(tmp_path):
    """An annotation at half the rate of the record marks the same beats."""
    write_wfdb(tmp_path, "a", SIGNAL, beats=BEATS // 2 * 2)
    half = BEATS // 2
    wfdb.wrann("a", "half", half, ["N"] * len(half), fs=FS / 2, write_dir=str(tmp_path))
    found = read_labels(tmp_path / "a.half", FS)
    np.testing.assert_array_equal(found.sample, 2 * half)
    one, two = (
        load_all(data=Dataset.from_folder(tmp_path, annotator=name), cache=False).beats
        for name in ("atr", "half")
    )
    assert one.digest == two.digest


@pytest.mark.parametrize(
    "kind", ["atr", "csv", "labels.csv", "edf+", "samples", "clock", "words", "ms"]
)
def test_every_kind_of_label_marks_the_same_beats(kind, tmp_path):
    """A WFDB annotation, tables of times or samples, and EDF+ annotations agree."""
    inside = {"beats": BEATS, "symbols": SYMBOLS} if kind == "edf+" else {}
    write_edf(tmp_path / "a.edf", SIGNAL, **inside)
    annotator, symbols = kind, {}
    if kind == "atr":
        wfdb.wrann("a", "atr", BEATS, list(SYMBOLS), write_dir=str(tmp_path))
    elif kind in ("samples", "clock", "words", "ms"):
        annotator = "csv"
    words, cells = SYMBOLS, [f"{at / FS:.4f}" for at in BEATS]
    if kind == "clock":
        cells = [f"0:00:{at / FS:06.3f}" for at in BEATS]
    if kind == "ms":
        cells = [f"{1e3 * at / FS:.1f}" for at in BEATS]
    if kind == "words":
        symbols = {"normal": "N", "PVC": "V", "PAC": "A"}
        words = [next(word for word, s in symbols.items() if s == symbol) for symbol in SYMBOLS]
    head = {"samples": "Sample #;Type", "ms": "Time (ms);symbol"}.get(kind, "time;symbol")
    cells = BEATS if kind == "samples" else cells
    if annotator.endswith("csv"):
        rows = [f"{at};{word}" for at, word in zip(cells, words, strict=True)]
        (tmp_path / f"a.{annotator}").write_text("\n".join([head, *rows, f"{cells[0]};noise"]))
    found = read_labels(label_file(tmp_path / "a.edf", annotator), FS, symbols=symbols)
    np.testing.assert_array_equal(found.sample, BEATS)
    assert found.symbol.tolist() == SYMBOLS.tolist()
    if annotator.endswith("csv"):
        assert found.notes[0].endswith("1 labels are no beats: 'noise' 1")


def test_labels_that_are_not_read_and_none_are_said(tmp_path):
    """Of two label files one is read, and the other named; a recording without a beat is named."""
    write_wfdb(tmp_path, "a", SIGNAL, beats=BEATS)
    (tmp_path / "a.labels.csv").write_text("sample,symbol\n100,V\n")
    write_edf(tmp_path / "b.edf", SIGNAL)
    loaded = load_all(data=Dataset.from_folder(tmp_path), cache=False)
    assert set(loaded.beats.symbol.tolist()) == {"N"}
    said = "a: labels from a.atr, not from a.labels.csv; name the annotator to change that"
    assert {said, "b.edf marks no beat"} <= set(loaded.report.notes)
    one = load_all(["a"], data=Dataset.from_folder(tmp_path, annotator="atr"), cache=False)
    assert said not in one.report.notes


def test_labels_that_are_not_there_are_named(tmp_path):
    """Which file is lacking is said; the signal's own file is never taken for its labels."""
    (tmp_path / "a.csv").write_text("II\n0\n1\n")
    for annotator in ("csv", "atr", None):
        with pytest.raises(InputError, match="lacks a"):
            label_file(tmp_path / "a.csv", annotator)
    (tmp_path / "a.labels.csv").write_text("sample,symbol\n100,V\n")
    with pytest.raises(InputError, match=r"there is a\.labels\.csv: annotator 'labels\.csv'"):
        label_file(tmp_path / "a.csv", "atr")


@pytest.mark.parametrize(
    "text",
    [
        "when,what\n1,N\n",
        "time,symbol\n-1,N\n",
        "time,symbol\nsoon,N\n",
        "time,symbol\n99999999999,N\n",
        "time,symbol\n1:00:00,N\nnever,N\n",
    ],
)
def test_a_table_that_is_none_is_refused(text, tmp_path):
    """Unknown columns and impossible times end in one sentence."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=r"a\.csv"):
        read_labels(tmp_path / "a.csv", FS)


@pytest.mark.parametrize("symbol", ["V", "S"])
def test_a_first_beat_is_no_line_of_units(symbol, tmp_path):
    """A table whose first beat is a V keeps it: V in the second line is not the unit volt."""
    (tmp_path / "a.csv").write_text(f"sample,symbol\n100,{symbol}\n300,N\n")
    assert read_labels(tmp_path / "a.csv", FS).symbol.tolist() == [symbol, "N"]
    (tmp_path / "a.csv").write_text(f"time,symbol\n0:01.5,{symbol}\n0:02.5,N\n")
    assert read_labels(tmp_path / "a.csv", FS).symbol.tolist() == [symbol, "N"]


@pytest.mark.parametrize(
    ("head", "row", "why"),
    [
        ("index,time,symbol", "{number},{seconds},N", "index and time place beats differently"),
        ("sample,time,symbol", "{at},{wrong},N", "sample and time place beats differently"),
        ("peak,symbol", "{seconds},N", "sample numbers of column peak with fractions"),
        ("time (weeks),symbol", "{seconds},N", "no unit of time"),
    ],
)
def test_columns_that_do_not_place_beats_are_refused(head, row, why, tmp_path):
    """A number of the line, seconds called samples, and two columns that disagree."""
    rows = [
        row.format(number=number, at=at, seconds=at / FS, wrong=at / 360)
        for number, at in enumerate(BEATS)
    ]
    (tmp_path / "a.csv").write_text("\n".join([head, *rows]))
    with pytest.raises(InputError, match=why):
        read_labels(tmp_path / "a.csv", FS)


def test_samples_beside_clock_times_are_read(tmp_path):
    """Times that begin elsewhere, are rounded to seconds or are none change nothing."""
    for column in ("10:00:{:02.0f}", "{:.0f}", "[{:.3f} of the morning]"):
        rows = [f"{column.format(at / FS)},{at},N" for at in BEATS]
        (tmp_path / "a.csv").write_text("\n".join(["time,sample,symbol", *rows]))
        np.testing.assert_array_equal(read_labels(tmp_path / "a.csv", FS).sample, BEATS)


def test_a_beat_that_is_marked_twice_is_one_beat(tmp_path):
    """Two marks at one sample, as of two channels, are no beats without an interval."""
    (tmp_path / "a.csv").write_text("sample,symbol\n100,N\n100,V\n300,N\n")
    found = read_labels(tmp_path / "a.csv", FS)
    assert (found.sample.tolist(), found.symbol.tolist()) == ([100, 300], ["N", "N"])
    assert found.notes == ("a: 1 beat is marked again at one sample; the first mark counts",)


def test_a_mark_before_the_start_that_is_no_beat_is_left_out(tmp_path):
    """A recorder's note before the first sample does not hide the beats."""
    (tmp_path / "a.csv").write_text("time,symbol\n-2.5,switched on\n1.0,N\n")
    assert read_labels(tmp_path / "a.csv", FS).sample.tolist() == [FS]


@pytest.mark.parametrize(
    ("axis", "head"), [("time", "time"), ("sample", "Sample #"), ("when", "time")]
)
def test_labels_count_as_their_recording_or_from_its_first_sample(axis, head, tmp_path):
    """An excerpt that begins at 10 s, or at a time of day, has its marks in their places."""
    number = np.arange(len(SIGNAL)) + 10 * FS

    def cells(at):
        if axis == "when":
            return [f"09:0{x // FS // 60:.0f}:{x / FS % 60:06.3f}" for x in at]
        return [f"{x / FS:.4f}" if axis == "time" else f"{x:.0f}" for x in at]

    name = "time" if axis == "when" else axis
    rows = [f"{at},{value:.4f}" for at, value in zip(cells(number), SIGNAL, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join([f"{name},II (mV)", *rows]))
    for marks in (BEATS, BEATS + 10 * FS):
        rows = [f"{at},N" for at in cells(marks)]
        (tmp_path / "a.labels.csv").write_text("\n".join([f"{head},symbol", *rows]))
        if axis == "when" and marks is BEATS:
            continue
        hints = Hints(FS) if axis == "sample" else None
        lead = read_recording(tmp_path, "a", annotator="labels.csv", hints=hints)
        np.testing.assert_allclose(lead.samples, BEATS * 360 / FS, atol=1)
        signal = open_signal(tmp_path / "a.csv", hints=hints)
        found = classify_record(signal, lambda beats: np.zeros((len(beats), 2)), annotator="labels")
        np.testing.assert_allclose(found.sample, BEATS, atol=1)


def test_labels_that_may_count_either_way_are_refused(tmp_path):
    """Marks from 12 to 18 s of a recording from 10 to 40 s fit both ways."""
    rows = [f"{10 + i / FS:.4f},{value:.4f}" for i, value in enumerate(SIGNAL)]
    (tmp_path / "a.csv").write_text("\n".join(["time,II (mV)", *rows]))
    (tmp_path / "a.labels.csv").write_text("time,symbol\n12,N\n18,N\n")
    with pytest.raises(InputError, match=r"may count from the first sample .* let both begin at 0"):
        read_recording(tmp_path, "a", annotator="labels.csv")


def test_beats_beyond_the_end_are_said(tmp_path):
    """Marks of another rate or record do not vanish: reading, annotating and scoring count them."""
    write_wfdb(tmp_path, "a", SIGNAL, beats=BEATS)
    far = np.append(BEATS, len(SIGNAL) + np.array([1, 400]))
    wfdb.wrann("a", "far", far, ["N"] * len(far), fs=FS, write_dir=str(tmp_path))
    said = f"2 of {len(far)} beats are marked beyond the end of the recording (30 s)"
    for notes in (
        read_recording(tmp_path, "a", annotator="far").notes,
        classify_record(open_signal(tmp_path / "a"), lambda beats: np.ones((len(beats), 2)),
                        annotator="far").notes,
    ):  # fmt: skip
        assert any(said in note for note in notes)
    for names in (("atr", "far"), ("far", "atr")):
        found = score_record(tmp_path / "a", reference=names[0], test=names[1], start=0)
        assert "a.far: 2 beats beyond the end are not scored" in found.notes
        assert found.rates["QRS"].se == found.rates["QRS"].ppv == 1

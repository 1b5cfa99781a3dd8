"""Text tables of samples are read as they are meant, or refused in one sentence."""

import re

import numpy as np
import pytest
from recordings import FS, ecg, write_wfdb

from ecgphoton.ecg.formats import other_files, read, record_names
from ecgphoton.errors import InputError

SIGNAL, _ = ecg()


def test_columns_rates_and_units_are_given_or_refused(tmp_path):
    """A hint fills in what a file does not say; it never contradicts the file."""
    plain, timed = tmp_path / "plain.csv", tmp_path / "timed.csv"
    np.savetxt(plain, np.c_[SIGNAL, 2 * SIGNAL], delimiter=",")
    np.savetxt(timed, np.c_[np.arange(len(SIGNAL)) / FS, SIGNAL], delimiter=",",
               header="time,II (mV)", comments="")  # fmt: skip
    assert read(plain, fs=FS, column="1").signal.max() == pytest.approx(2 * SIGNAL.max(), rel=1e-3)
    assert "not stated, mV assumed" in read(plain, fs=FS).notes[0]
    assert read(timed, column="1").leads == ("II",)  # the second column of the file
    unnamed = tmp_path / "unnamed.csv"  # the index of a table of pandas
    unnamed.write_text(timed.read_text().removeprefix("time"))
    for path, given, why in (
        (unnamed, {"fs": 360}, "column channel 0 .*360"),
        (plain, {}, "does not state its sampling rate"),
        (plain, {"fs": FS, "column": "9"}, "no column of samples '9'; its .* are 0: channel 0"),
        (timed, {"column": "0"}, "no column of samples '0'; its columns are 0: time, 1: II"),
        (plain, {"fs": -1}, "fs is -1"),
        (plain, {"fs": FS, "unit": "mmHg"}, "not a voltage"),
        (timed, {"fs": 360}, "not 360 Hz by --fs"),
        (timed, {"unit": "uV"}, "in mV by its column, not in uV by --unit"),
        (write_wfdb(tmp_path, "w", SIGNAL), {"fs": FS}, "leave out --fs"),
    ):
        with pytest.raises(InputError, match=why):
            read(path, **given)


PHYSIONET = "'Elapsed time','MLII'\n'mm:ss.mmm','mV'\n" + "".join(
    f"'{i // 15000}:{i % 15000 / 250:06.3f}',{value:.3f}\n" for i, value in enumerate(SIGNAL)
)
IN_MS = "ms\tII [uV]\tV1 [uV]\n" + "".join(
    f"{4 * i}\t{1000 * value:.0f}\t{1000 * value:.0f}\n" for i, value in enumerate(SIGNAL)
)


@pytest.mark.parametrize(("text", "leads"), [(PHYSIONET, ["MLII"]), (IN_MS, ["II", "V1"])])
def test_text_says_its_own_rate_names_and_units(text, leads, tmp_path):
    """PhysioNet's own text and a table in milliseconds are read without a hint."""
    (tmp_path / "a.csv").write_text(text)
    found = read(tmp_path / "a.csv")
    assert (found.fs, list(found.leads)) == (250.0, leads)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.002)


STAMPS = [
    f"2024-01-01T23:59:{50 + i / FS:06.3f}"
    if i < 10 * FS
    else f"2024-01-02T00:00:{i / FS - 10:06.3f}"
    for i in range(len(SIGNAL))
]


@pytest.mark.parametrize(
    ("head", "times", "fs"),
    [
        ("time", STAMPS, None),
        ("time", [f"{stamp[11:]}" for stamp in STAMPS], None),
        ("Zeit [ms]", [4 * i for i in range(len(SIGNAL))], None),
        ("Uhr", [i / FS for i in range(len(SIGNAL))], FS),
        ("sample", list(range(len(SIGNAL))), FS),
    ],
)
def test_an_axis_is_no_lead_whatever_its_name(head, times, fs, tmp_path):
    """Dates, clock times past midnight, milliseconds, seconds and sample numbers are no lead."""
    rows = [f"{time},{value:.4f}" for time, value in zip(times, SIGNAL, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join([f"{head},II (mV)", *rows]))
    found = read(tmp_path / "a.csv", fs=fs)
    assert (found.fs, found.leads) == (FS, ("II",))
    assert "2024" not in repr(found)


@pytest.mark.parametrize(
    ("head", "step", "fs", "why"),
    [
        ("Uhr", 1 / FS, 500, "no times at 500 Hz"),
        ("Uhr", 1 / FS, None, "rises by 0.004 a line"),
        ("time", 4, None, "give 0.25 Hz; name the column with its unit"),
    ],
)
def test_times_that_contradict_the_rate_are_refused(head, step, fs, why, tmp_path):
    """Steps that are not those of the rate, and milliseconds called seconds."""
    rows = [f"{i * step:.4f},{value:.4f}" for i, value in enumerate(SIGNAL)]
    (tmp_path / "a.csv").write_text("\n".join([f"{head},II", *rows]))
    with pytest.raises(InputError, match=why):
        read(tmp_path / "a.csv", fs=fs)
    named = {head: np.arange(len(SIGNAL)) * step, "II": SIGNAL}
    np.savez(tmp_path / "b.npz", **named)
    if fs:
        with pytest.raises(InputError, match=why):
            read(tmp_path / "b.npz", fs=fs)
        assert read(tmp_path / "b.npz", fs=1 / step).leads == ("II",)


def test_an_array_that_is_not_read_is_named(tmp_path):
    """What a NumPy file holds beside its signal is read or named."""
    np.savez(tmp_path / "a.npz", signal=SIGNAL, fs=FS, units="uV")
    assert "a.npz: array units is not read" in read(tmp_path / "a.npz").notes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n",
        "1,2\n3\n",
        "1;2\n3;x\n",
        "time,II\n0,1\n5,1\n6,1\n7,2\n",
        "\0\1\2",
        "II,II\n1,2\n",
        "1,5\n2,5\n",
    ],
)
def test_a_damaged_table_is_refused(text, tmp_path):
    """No line, a missing cell, a word among numbers, uneven times, bytes: one sentence each."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=r"a\.csv"):
        read(tmp_path / "a.csv", fs=None if text.startswith("time") else FS)


@pytest.mark.parametrize("head", ["II_uV", "II uV", "II (uV)", "II[\u00b5V]", "II_\u00b5V"])
def test_a_unit_in_the_name_of_a_column_is_read(head, tmp_path):
    """Micro-volts behind the name, in brackets or after an underscore, become millivolts."""
    rows = "".join(f"{1000 * value:.0f}\n" for value in SIGNAL)
    (tmp_path / "a.csv").write_text(f"{head}\n{rows}", encoding="utf-8")
    found = read(tmp_path / "a.csv", fs=FS)
    assert (found.leads, found.units, found.notes) == (("II",), ("mV",), ())
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)


def test_a_lead_is_no_unit(tmp_path):
    """A lead called V keeps its name, and no volts are assumed."""
    (tmp_path / "a.csv").write_text("ECG_V\n" + "".join(f"{value:.4f}\n" for value in SIGNAL))
    assert read(tmp_path / "a.csv", fs=FS).leads == ("ECG_V",)


@pytest.mark.parametrize(
    ("mark", "by", "gap"), [("#", ",", ""), ("# ", ";", "\n"), ("; ", ",", ""), ("#", "\t", "\n\n")]
)
def test_comments_above_the_columns_are_skipped(mark, by, gap, tmp_path):
    """Lines of a recorder above the names are counted in a note, whatever the separator."""
    rows = "".join(f"{i / FS:.4f}{by}{value:.4f}\n" for i, value in enumerate(SIGNAL))
    text = f"{mark}Recorder 5, channel II\n{mark}in hospital\n{gap}time{by}II (mV)\n{rows}"
    (tmp_path / "a.csv").write_text(text)
    found = read(tmp_path / "a.csv")
    assert (found.fs, found.leads) == (FS, ("II",))
    assert found.notes == ("a.csv: 2 lines above its columns are not read",)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)


def test_a_first_name_may_be_empty(tmp_path):
    """A header that begins with its separator is no comment."""
    rows = "".join(f"{i};{value:.4f}\n" for i, value in enumerate(SIGNAL))
    (tmp_path / "a.csv").write_text(f";II (mV)\n{rows}")
    assert read(tmp_path / "a.csv", fs=FS).leads == ("II",)


def test_documentation_is_no_recording(tmp_path):
    """Checksums, texts and labels in a folder are not taken for recordings; dates are numbers."""
    write_wfdb(tmp_path, "w", SIGNAL)
    (tmp_path / "dated.csv").write_text(
        "when;II\n" + "".join(f"2024-01-01T00:00:{i:02d}.000;0,{i}\n" for i in range(60))
    )
    (tmp_path / "SHA256SUMS.txt").write_text(f"{'5e' * 32} w.dat\n{'0a' * 32} w.hea\n")
    (tmp_path / "RECORDS").write_text("w\n")
    (tmp_path / "readme.txt").write_text("Two leads.\n360\nRecorded in 2024.\n")
    (tmp_path / "labels.csv").write_text("time,symbol\n1.0,N\n2.0,V\n")
    assert record_names(tmp_path) == ("dated", "w")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "broken.csv").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "lone.dat").write_bytes(b"1234")
    assert other_files(tmp_path, record_names(tmp_path)) == {
        "RECORDS": "no format that is read",
        "SHA256SUMS.txt": "0 of its first 2 lines hold numbers alone",
        "broken.csv": "it is no text, or not in UTF-8",
        "empty.csv": "it is empty",
        "labels.csv": "0 of its first 3 lines hold numbers alone",
        "lone.dat": "no header (.hea) of its name",
        "readme.txt": "1 of its first 3 lines hold numbers alone",
    }


BEHIND = "index,II,time\n" + "".join(f"{i},{v:.4f},{i / FS:.4f}\n" for i, v in enumerate(SIGNAL))


@pytest.mark.parametrize(
    ("head", "scale"),
    [("time (min)", 1 / 60), ("Time [h]", 1 / 3600), ("time_\u00b5s", 1e6), ("t (ns)", 1e9),
     ("milliseconds", 1e3), ("sensor clock (ms)", 1e3)],
)  # fmt: skip
def test_times_are_in_the_unit_that_is_stated(head, scale, tmp_path):
    """Minutes, hours and nanoseconds are times as seconds are; their rate cannot be overridden."""
    rows = "".join(f"{scale * i / FS:.12g},{value:.4f}\n" for i, value in enumerate(SIGNAL))
    (tmp_path / "a.csv").write_text(f"{head},II\n{rows}")
    found = read(tmp_path / "a.csv", fs=FS if "clock" in head else None)
    assert (found.fs, found.leads) == (FS, ("II",))
    with pytest.raises(InputError, match="500 Hz"):
        read(tmp_path / "a.csv", fs=500)


def test_a_unit_that_is_none_of_time_is_refused(tmp_path):
    """Weeks are not read as seconds."""
    (tmp_path / "a.csv").write_text("time (weeks),II\n0,1\n1,2\n2,3\n")
    with pytest.raises(InputError, match="'weeks' is no unit of time; known are s, ms"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("column", [None, "II"])
def test_times_count_wherever_they_stand(column, tmp_path):
    """Behind a column of numbers or of samples, in text and NumPy files, with a column chosen."""
    (tmp_path / "a.csv").write_text(BEHIND)
    at = np.arange(len(SIGNAL))
    np.savez(tmp_path / "b.npz", index=at, II=SIGNAL, time=at / FS)
    for name in ("a.csv", "b.npz"):
        found = read(tmp_path / name, column=column)
        assert (found.fs, found.leads) == (FS, ("II",))
        with pytest.raises(InputError, match=r"250 Hz by .*, not 500 Hz"):
            read(tmp_path / name, fs=500, column=column)
    np.save(tmp_path / "c.npy", np.column_stack([at / FS, SIGNAL]))
    assert read(tmp_path / "c.npy", fs=FS).leads == ("channel 1",)
    for asked in (None, "1"):
        with pytest.raises(InputError, match="no times at 500 Hz"):
            read(tmp_path / "c.npy", fs=500, column=asked)


def test_two_leads_of_one_name_in_an_npz_are_refused(tmp_path):
    """None of them is left out without a word."""
    np.savez(tmp_path / "a.npz", signal=np.c_[SIGNAL, -SIGNAL], fs=FS, leads=["II", "II"])
    with pytest.raises(InputError, match="two leads alike: II, II"):
        read(tmp_path / "a.npz")


def test_a_column_that_is_not_asked_for_may_be_text(tmp_path):
    """A logger's dates and remarks do not hide the one column that is wanted."""
    rows = "".join(f"2024-01-01;{4 * i};{1e3 * v:.0f};ok\n" for i, v in enumerate(SIGNAL))
    (tmp_path / "a.csv").write_text(f"Date;timestamp [ms];ecg [uV];state\n{rows}")
    found = read(tmp_path / "a.csv", column="ecg")
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)
    with pytest.raises(InputError, match="column Date is not a column of numbers"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize(("rate", "places", "found"), [(250.2, 6, 250.2), (250, 3, 250.0)])
def test_a_rate_is_rounded_no_further_than_its_times(rate, places, found, tmp_path):
    """A clock that runs 0.08 % fast is no 250 Hz; times of whole milliseconds are."""
    rows = "".join(f"{i / rate:.{places}f},{value:.4f}\n" for i, value in enumerate(SIGNAL))
    (tmp_path / "a.csv").write_text(f"time,II\n{rows}")
    assert read(tmp_path / "a.csv").fs == pytest.approx(found, rel=1e-7)


@pytest.mark.parametrize("head", ["II (mV)\n", ""])
def test_an_empty_line_of_one_column_is_a_missing_sample(head, tmp_path):
    """A gap of empty lines keeps its length, also at the beginning; at the end there is none."""
    gap = np.array([*range(3 if head else 0), *range(500, 1000)])
    cells = ["" if i in gap else f"{value:.4f}" for i, value in enumerate(SIGNAL)]
    (tmp_path / "a.csv").write_text(head + "\n".join(cells) + "\n\n\n")
    found = read(tmp_path / "a.csv", fs=FS).signal[:, 0]
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found)), gap)
    np.testing.assert_allclose(found[1000:], SIGNAL[1000:], atol=0.001)


@pytest.mark.parametrize("fs", [[FS], [[FS]], np.float32(FS), str(FS), [str(FS)]])
def test_the_rate_of_an_npz_may_be_wrapped(fs, tmp_path):
    """One number is one number, as an array of one element or as text."""
    np.savez(tmp_path / "a.npz", signal=SIGNAL, fs=fs)
    assert read(tmp_path / "a.npz").fs == FS


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"fs": [250, 250]}, "its fs is 2 values; it must be one number, Hz"),
        ({"fs": "fast"}, "its fs is 'fast'; it must be one number, Hz"),
        ({"signal": np.float64(1)}, "its array signal is a single number"),
        ({"signal": np.zeros((9, 2, 2))}, "its array signal has 3 axes"),
        ({"signal": SIGNAL[None]}, f"it holds {len(SIGNAL)} leads of 1 samples; is it turned"),
        ({"signal": ["1", "2", "3"]}, "its array signal holds text, not numbers"),
        ({"signal": SIGNAL > 0}, "its array signal holds truth values, not numbers"),
        ({"signal": SIGNAL.astype(object)}, "an array holds Python objects, which are not read"),
        ({"signal": None, "II": SIGNAL, "V1": SIGNAL[1:]}, "its arrays have different lengths"),
    ],
)
def test_an_npz_that_is_no_recording_says_why_in_words(arrays, why, tmp_path):
    """Near misses are refused with what is there and what must be, in no library's words."""
    named = {"signal": SIGNAL, "fs": FS} | arrays
    np.savez(tmp_path / "a.npz", **{key: one for key, one in named.items() if one is not None})
    with pytest.raises(InputError, match=re.escape(why)):
        read(tmp_path / "a.npz")

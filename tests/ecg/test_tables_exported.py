"""Text and NumPy files as loggers and offices export them."""

import numpy as np
import pytest
from recordings import FS, ecg

from ecgphoton.ecg.formats import read
from ecgphoton.errors import InputError

SIGNAL, _ = ecg()
AT = np.arange(len(SIGNAL)) / FS


def clock(seconds):
    """Times as hh:mm:ss, without fractions."""
    return f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{int(seconds % 60):02d}"


ROUNDED = {"time": [clock(12.4 + at) for at in AT], "time (s)": [f"{at:.2f}"[:-1] for at in AT]}


def written(path, head, *columns):
    """Write a table of texts and numbers."""
    rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@pytest.mark.parametrize("head", ROUNDED)
def test_rounded_times_agree_with_the_rate_that_is_given(head, tmp_path):
    """Whole seconds or tenths in every line: a rate is asked for, compared with them, and said."""
    times = ROUNDED[head]
    path = written(tmp_path / "a.csv", f"{head},II (mV)", times, SIGNAL.round(4))
    with pytest.raises(InputError, match="where they are rounded, give the --fs"):
        read(path)
    found = read(path, fs=FS)
    assert found.notes == ("a.csv: times in column time are rounded; 250 Hz fits",)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)
    with pytest.raises(InputError, match="give the --fs that fits"):
        read(path, fs=300)
    kept = np.delete(np.arange(len(AT)), slice(1000, 1600))
    path = written(tmp_path / "b.csv", f"{head},II (mV)", np.array(times)[kept], SIGNAL[kept])
    with pytest.raises(InputError, match="the times in column time"):
        read(path, fs=FS)


def test_rounded_times_that_rise_mostly_are_called_rounded(tmp_path):
    """At 128 Hz two hundredths of a second follow each other three times of four."""
    times = [f"{at / 128:.2f}" for at in range(len(SIGNAL))]
    path = written(tmp_path / "a.csv", "time (s),II (mV)", times, SIGNAL.round(4))
    with pytest.raises(InputError, match="repeat; where they are rounded, give the --fs"):
        read(path)
    assert read(path, fs=128).notes == ("a.csv: times in column time are rounded; 128 Hz fits",)


def test_times_that_stand_still_fit_no_rate(tmp_path):
    """The beginning of the recording in every line says nothing of its samples."""
    path = written(tmp_path / "a.csv", "time,II (mV)", ["10:00:00"] * len(AT), SIGNAL.round(4))
    with pytest.raises(InputError, match="do not rise"):
        read(path, fs=FS)


@pytest.mark.parametrize("brackets", ["[]", "()"])
def test_a_line_of_units_may_have_brackets(brackets, tmp_path):
    """As an analyser of laboratories writes them."""
    ms, uv = (brackets[0] + unit + brackets[1] for unit in ("ms", "uV"))
    head = f"time,II\n{ms},{uv}"
    found = read(written(tmp_path / "a.csv", head, (1000 * AT).round(), (1000 * SIGNAL).round()))
    assert (found.fs, found.leads, found.notes) == (FS, ("II",), ())
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)


def test_the_cell_that_is_no_time_is_named(tmp_path):
    """A last line of words, not the first number above it."""
    path = written(tmp_path / "a.csv", "time,II", AT.round(4), SIGNAL.round(4))
    path.write_text(path.read_text() + "End of file\n")
    with pytest.raises(InputError, match="'End of file' is no time"):
        read(path)


@pytest.mark.parametrize("kind", ["csv", "npy", "npz"])
def test_the_code_of_a_missing_sample_is_missing(kind, tmp_path):
    """-32768, which WFDB stores for no sample, is none in a file of its numbers, and is counted."""
    stored = np.rint(1000 * SIGNAL).astype(np.int16)
    stored[1000:1050] = -(2**15)
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        written(path, "II", stored)
    elif kind == "npy":
        np.save(path, stored)
    else:
        np.savez(path, II=stored)
    found = read(path, fs=FS, unit="uV")
    np.testing.assert_array_equal(
        np.flatnonzero(np.isnan(found.signal[:, 0])), 1000 + np.arange(50)
    )
    assert "50 samples of -32768" in found.notes[0]


@pytest.mark.parametrize("kind", [np.int32, np.float64])
def test_the_code_of_a_missing_sample_is_a_value_among_smaller_ones(kind, tmp_path):
    """A lead of more than 16 bits passes through -32768 as through any other value."""
    stored = np.rint(60_000 * SIGNAL).astype(kind)
    stored[1000:1002] = -(2**15), -(2**15) - 1
    np.save(tmp_path / "a.npy", stored)
    found = read(tmp_path / "a.npy", fs=FS, unit="uV")
    assert (np.isnan(found.signal).sum(), found.notes) == (0, ())


@pytest.mark.parametrize("head", ["datetime,II", "Date/Time,II", "clock,II", ""])
def test_times_of_any_name_state_the_rate(head, tmp_path):
    """Dates and clock times are times whatever their column is called, and not contradicted."""
    stamps = [f"10:00:{at / FS:06.3f}" for at in range(4 * FS)]
    day = "2019-03-01 " if "ate" in head else ""
    rows = [f"{day}{stamp},{at % 7}" for at, stamp in enumerate(stamps)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([head, *rows] if head else rows))
    found = read(path)
    assert (found.fs, len(found.leads), found.signal.shape) == (FS, 1, (4 * FS, 1))
    with pytest.raises(InputError, match=r"rate of 250 Hz by the times in .*, not 360 Hz by --fs"):
        read(path, fs=360, column="1")


@pytest.mark.parametrize("head", ["II/uV", "II.\u03bcV", "II-uV", "II, uV", "II {uV}", "II <uV>"])
def test_a_unit_stands_behind_any_sign(head, tmp_path):
    """It is taken from the name, which remains that of the lead."""
    rows = "".join(f"{at};{1000 * value:.0f}\n" for at, value in enumerate(SIGNAL))
    (tmp_path / "a.csv").write_text(f"n;{head}\n{rows}", encoding="utf-8")
    found = read(tmp_path / "a.csv", fs=FS)
    assert (found.leads, found.notes) == (("II",), ())
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)


@pytest.mark.parametrize("name", ["ECG (uV) II", "uV II", "ECG_II_\u00b5V_raw", "II microvolts"])
def test_a_unit_within_a_name_is_read_in_text_and_numpy_files(name, tmp_path):
    """No millivolts are assumed where the name states another unit, nor is another one believed."""
    rows = "".join(f"{1000 * value:.0f}\n" for value in SIGNAL)
    (tmp_path / "a.csv").write_text(f"{name}\n{rows}", encoding="utf-8")
    np.savez(tmp_path / "a.npz", signal=1000 * SIGNAL, leads=[name])
    for file in ("a.csv", "a.npz"):
        found = read(tmp_path / file, fs=FS)
        assert (found.leads, found.notes) == ((name,), ())
        np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)
    np.savez(tmp_path / "a.npz", signal=1000 * SIGNAL, leads=[name], unit="mV")
    with pytest.raises(InputError, match="in mV by its column, not in uV by its name"):
        read(tmp_path / "a.npz", fs=FS)


@pytest.mark.parametrize("name", ["sample", "", "epoch_ms"])
def test_lines_that_are_missing_between_numbers_are_not_joined(name, tmp_path):
    """Sample numbers, an index or times of any name that jump are refused, as times are."""
    step = 4 if name else 1
    at = np.arange(len(SIGNAL))
    for kept in ((at < 1500) | (at >= 2000), at != 40):
        pairs = zip(step * at[kept], SIGNAL[kept], strict=True)
        rows = "".join(f"{number},{value:.4f}\n" for number, value in pairs)
        (tmp_path / "a.csv").write_text(f"{name},II\n{rows}")
        column = name or "channel 0"
        with pytest.raises(InputError, match=f"lines are missing .* in column '{column}'"):
            read(tmp_path / "a.csv", fs=FS)


def test_a_second_clock_may_be_late_and_early(tmp_path):
    """Times of arrival, of packets of 73 samples, lack no line."""
    late = np.random.default_rng(0).integers(0, 60, len(AT) // 73 + 1)
    arrival = 1000 * AT + late[np.arange(len(AT)) // 73]
    path = written(tmp_path / "a.csv", "phone,II", arrival.astype(int), SIGNAL.round(4))
    assert read(path, fs=FS, column="II").leads == ("II",)


@pytest.mark.parametrize("lost", [0, 100])
def test_a_counter_that_begins_again_lacks_no_line(lost, tmp_path):
    """It is a column beside the lead, unless packets were lost."""
    at = np.delete(np.arange(len(SIGNAL)), slice(1000, 1000 + lost))
    rows = "".join(f"{one % 256},{SIGNAL[one]:.4f}\n" for one in at.tolist())
    (tmp_path / "a.csv").write_text(f"counter,II\n{rows}")
    if lost:
        with pytest.raises(InputError, match="lines are missing"):
            read(tmp_path / "a.csv", fs=FS)
    else:
        assert read(tmp_path / "a.csv", fs=FS).leads == ("counter", "II")
    rows = "".join(f"{one % 25},{SIGNAL[one]:.4f}\n" for one in (*range(510), *range(525, 999)))
    (tmp_path / "a.csv").write_text(f"in packet,II\n{rows}")  # one of 10 samples
    assert read(tmp_path / "a.csv", fs=FS).leads == ("in packet", "II")


def test_a_point_among_decimal_commas_is_no_number(tmp_path):
    """1.000 behind 998 is a thousand, not one."""
    rows = "".join(f"{at / FS:.3f};{at}\n" for at in range(999)).replace(".", ",")
    (tmp_path / "a.csv").write_text(f"time;II (uV)\n{rows}3,996;1.000\n")
    with pytest.raises(InputError, match=r"column II is not .* \(1.000 may be thousands"):
        read(tmp_path / "a.csv")


def test_each_column_may_have_its_own_decimal_sign(tmp_path):
    """Points are read beside another column of commas."""
    rows = "".join(f"{at / FS:.3f}".replace(".", ",") + f";0.{at:03}\n" for at in range(999))
    (tmp_path / "a.csv").write_text(f"time;II (mV)\n{rows}")
    found = read(tmp_path / "a.csv")
    np.testing.assert_allclose(found.signal[:, 0], np.arange(999) / 1000, atol=1e-6)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_line_for_excel_is_no_name(first, tmp_path):
    """A first line that states the separator stands above the names of the columns."""
    rows = "".join(f"{at:.3f};{value:.4f}\n" for at, value in zip(AT, SIGNAL, strict=True))
    (tmp_path / "a.csv").write_text(f"{first}\ntime;II (mV)\n{rows}")
    found = read(tmp_path / "a.csv")
    assert (found.fs, found.leads) == (FS, ("II",))

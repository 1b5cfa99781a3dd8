"""Lines above the columns of a text file: what they state is used or refused."""

import numpy as np
import pytest
from recordings import FS, ecg

from ecgphoton.ecg.formats import read
from ecgphoton.ecg.formats.heading import heading_of
from ecgphoton.errors import InputError

SIGNAL, _ = ecg(8)
ONE = "".join(f"{value:.4f}\n" for value in SIGNAL)
TWO = "".join(f"{value:.4f},{value / 2:.4f}\n" for value in SIGNAL)
TIMED = "".join(f"{at / FS:.4f},{value:.4f}\n" for at, value in enumerate(SIGNAL))
MICROVOLTS = "".join(f"{1000 * value:.1f}\n" for value in SIGNAL)
WATCH = """Name,Somebody
Date of Birth,"Jan 1, 1980"
Symptoms,
Device,"Watch4,3"
Sample Rate,250 hertz
,
,
Lead,Lead I
Unit,\u00b5V

"""


@pytest.mark.parametrize(
    ("line", "rates"),
    [
        ("# Sampling rate: 250 Hz", [250]),
        ("fs,360", [360]),
        ("Sample Rate (Hz): 500", [500]),
        ("Sampling frequency [kHz]\t1", [1000]),
        ("Abtastrate;250,5 Hz", [250.5]),
        ("Interval=\t0.004 s", [250]),
        ("# Sample interval (ms): 2", [500]),
        ("# sampled at 128 Hz", [128]),
        ('# {"00:07": {"sampling rate": 1000, "resolution": [16]}}', [1000]),
        ("# fs=250 Hz, unit=mV", [250]),
        ('# {"a": {"sensor": ["X", "Y"], "sampling rate": 250, "label": ["A1"]}}', [250]),
        ("Sampling rate,250,Hz", [250]),
        ("sampling_rate_hz=250", [250]),
        ("The ECG was sampled at 250 Hz with 12 bits.", [250]),
        ("Heart rate: 72", []),
        ("PR interval: 160 ms", []),
        ("Recorded: 2019-01-01 10:00", []),
    ],
)
def test_forms_of_a_rate(line, rates):
    """A rate is known by its name; intervals and rates of the heart are none."""
    found = heading_of([line])
    assert list(found.rate.values()) == rates
    assert not found.no_rate


@pytest.mark.parametrize(
    "line",
    [
        "fs,250,500",
        "Sampling rate: high",
        "Sampling rate: 250 Hz / 125 Hz",
        "0.5 msec/sample",
        "# sampling rate: 1,000 Hz",
        '# {"a": {"sampling rate": 1000}, "b": {"sampling rate": 500}}',
        "Original sampling rate: 1000 Hz",
        "ACC sampling rate: 50 Hz",
        "ADC sample interval (ms): 1",
        "Site: FS 250",
        "Frequency: 50 Hz",
        "Interval: 800 ms",
        "Sampling period: 24 h",
    ],
)
def test_no_rate_is_chosen_that_may_be_another(line):
    """A line that is not understood gives no rate, and is known to speak of one.

    It may have several, that of another signal or of a step before, or of mains or the heart.
    """
    found = heading_of([line])
    assert not found.rate
    assert len(found.no_rate) == 1


@pytest.mark.parametrize(
    ("line", "unit", "unclear"),
    [
        ("Unit,\u00b5V", ["uV"], 0),
        ("# units: mV, mV", ["mV"], 0),
        ("# units: s, mV", ["mV"], 0),
        ("# fs=250 Hz, unit=mV", ["mV"], 0),
        ("Unit microvolts", ["uV"], 0),
        ("Unit\u00e9,\u00b5V", ["uV"], 0),
        ("Units: mV, uV", [], 1),
        ("Units: uV/LSB", [], 1),
        ("Unit 3, cardiology", [], 0),
        ("Time unit: s", [], 0),
    ],
)
def test_forms_of_a_unit(line, unit, unclear):
    """A unit of voltage, or a line that speaks of another."""
    found = heading_of([line])
    assert (list(found.unit.values()), len(found.no_unit)) == (unit, unclear)


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        (f"# Sampling rate: 250 Hz\n# Unit: mV\nII\n{ONE}", ("II",)),
        (f"fs,250\nUnit,mV\nII,V1\n{TWO}", ("II", "V1")),
        (f"fs,250\nII,V1\n[mV],[mV]\n{TWO}", ("II", "V1")),
        (f"fs,250\nUnit,mV\n{TWO}", ("channel 0", "channel 1")),
        (f"Patient: X\nSample Rate (Hz): 250\n\nII (mV),V1 (mV)\n{TWO}", ("II", "V1")),
        (f"fs: 250\nUnit: mV\nDevice: X\n{TWO}", ("channel 0", "channel 1")),
        (WATCH + MICROVOLTS, ("Lead I",)),
        (f"# Sampling rate: 250 Hz\ntime,II (mV)\n{TIMED}", ("II",)),
    ],
)
def test_what_lines_state_is_used(text, leads, tmp_path):
    """With marks and without, above names and above numbers alone; no value is lost."""
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = read(tmp_path / "a.csv")
    assert (found.fs, found.leads) == (FS, leads)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)
    assert not any("assumed" in note for note in found.notes)


def test_where_a_value_comes_from_is_said(tmp_path):
    """With the number of the line, and how many others were not read."""
    (tmp_path / "a.csv").write_text(WATCH + MICROVOLTS, encoding="utf-8")
    assert read(tmp_path / "a.csv").notes == (
        "a.csv: 6 lines above its columns are not read",
        "a.csv: 250 Hz by line 5 (Sample Rate,250 hertz)",
        "a.csv: uV by line 9 (Unit,\u00b5V)",
    )


@pytest.mark.parametrize(
    ("text", "given", "why"),
    [
        (f"# fs: 500\ntime,II (mV)\n{TIMED}", {}, r"times in column time, not 500 Hz by line 1 \("),
        (f"fs: 500\nII\n{ONE}", {"fs": 250}, r"500 Hz by line 1 \(fs: 500\), not 250 Hz by --fs"),
        (f"# fs: 250\n# fs: 500\nII\n{ONE}", {}, r"by line 1 .*, not 500 Hz by line 2"),
        (f"Sampling rate: high\nII,V1\n{TWO}", {}, r"a form that is read: line 1 \(Sampling"),
        (f"fs: 0\nII\n{ONE}", {"fs": 250}, "a sampling rate of 0 Hz; check it"),
        (f"# fs: 250\n# unit: uV\nII (mV)\n{ONE}", {}, "mV by its column, not in uV by line 2"),
        (f"# fs: 250\n# unit: uV\nII\n{ONE}", {"unit": "mV"}, r"by line 2 .*, not in mV by --unit"),
        (f"# fs: 250\n# unit: adu\nII\n{ONE}", {}, "unit of II in a form that is read: line 2"),
    ],
)  # fmt: skip
def test_what_contradicts_or_is_not_understood_is_named(text, given, why, tmp_path):
    """A line against times, an option or another line; a form that is not read."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=why):
        read(tmp_path / "a.csv", **given)


def test_what_is_given_stands_for_a_line_that_is_not_understood(tmp_path):
    """Rate and unit are those of the options then."""
    (tmp_path / "a.csv").write_text(f"# Sampling: fast\n# unit: steps\nII\n{MICROVOLTS}")
    found = read(tmp_path / "a.csv", fs=FS, unit="uV")
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)
    assert found.notes == ("a.csv: 2 lines above its columns are not read",)


@pytest.mark.parametrize("name", ["ECG (mV)", "ECG"])
def test_a_column_may_have_another_unit_than_the_rest(name, tmp_path):
    """The unit above is that of the others then."""
    (tmp_path / "a.csv").write_text(f"# fs: 250\n# unit: mV\n{name},Battery (V)\n{TWO}")
    found = read(tmp_path / "a.csv")
    np.testing.assert_allclose(found.signal, SIGNAL[:, None] * [1, 500], atol=0.1)


def test_a_rate_above_confirms_rounded_times(tmp_path):
    """As a rate that is given does."""
    rows = "".join(f"{at // FS},{value:.4f}\n" for at, value in enumerate(SIGNAL))
    (tmp_path / "a.csv").write_text(f"# fs: 250\ntime (s),II (mV)\n{rows}")
    found = read(tmp_path / "a.csv")
    assert found.fs == FS
    assert found.notes[0] == "a.csv: times in column time are rounded; 250 Hz fits"


def test_missing_first_samples_are_no_names(tmp_path):
    """Marks of missing samples are samples, below a heading or at once; its blank lines are not."""
    for heading in ("fs: 250\nUnit: mV\n\n", ""):
        (tmp_path / "a.csv").write_text(f"{heading}nan\nnan\n{ONE}")
        found = read(tmp_path / "a.csv", fs=FS)
        assert found.leads == ("channel 0",)
        assert len(found.signal) == len(SIGNAL) + 2
        assert np.isnan(found.signal[:2]).all()

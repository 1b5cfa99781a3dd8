"""A recording is the same in every format, and what is missing stays missing."""

import numpy as np
import pytest
import wfdb
from recordings import FS, ecg, write_dicom, write_edf, write_wfdb

from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.formats import Hints, find_file, open_recording, read, record_names
from ecgphoton.ecg.reading import open_signal, read_recording
from ecgphoton.ecg.recording import millivolts, unit_name
from ecgphoton.ecg.windows import GAP
from ecgphoton.errors import InputError

SIGNAL, BEATS = ecg()
PATIENT = ("Mustermann", "Erika", "X4711", "2019, 3, 1", "20190301")


def write(form, folder):
    """Write the made-up ECG in a format and return path and options to read it with."""
    given = {}
    if form == "WFDB":
        return write_wfdb(folder, "a", SIGNAL), given
    if form == "EDF":
        return write_edf(folder / "a.edf", SIGNAL), given
    if form == "DICOM":
        return write_dicom(folder / "a.dcm", SIGNAL), given
    path = folder / {"npy": "a.npy", "npz": "a.npz", "text": "a.csv"}.get(form, "a.tsv")
    if form == "npy":
        np.save(path, SIGNAL)
        given = {"fs": FS, "unit": "mV"}
    elif form == "npz":
        np.savez(path, signal=SIGNAL[:, None], fs=FS, unit="uV", leads=["II"])
        np.savez(path, signal=1000 * SIGNAL[:, None], fs=FS, unit="uV", leads=["II"])
    elif form == "text":
        path.write_text("time;II (mV)\n" + "\n".join(
            f"{i / FS:.4f};{value:.5f}".replace(".", ",") for i, value in enumerate(SIGNAL)
        ))  # fmt: skip
    else:
        path.write_text("\n".join(f"{1000 * value:.2f}" for value in SIGNAL))
        given = {"fs": FS, "unit": "\u00b5V"}
    return path, given


@pytest.mark.parametrize("form", ["WFDB", "EDF", "DICOM", "npy", "npz", "text", "plain text"])
def test_every_format_gives_the_same_millivolts(form, tmp_path):
    """The same ECG comes back in mV from every format, whatever the unit in the file."""
    path, given = write(form, tmp_path)
    found = read(path, **given)
    assert found.fs == FS
    assert found.units == ("mV",)
    assert len(found.signal) == len(SIGNAL)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.003)
    assert not any(word in repr(found) for word in PATIENT)


def test_a_slow_channel_is_left_out_and_named(tmp_path):
    """Leads of another rate than the ECG are not stretched; a note names them."""
    found = read(write_edf(tmp_path / "a.edf", SIGNAL))
    assert found.leads == ("ECG II",)
    assert found.start is not None
    assert found.notes == ("a: lead Resp of 1 Hz left out, ECG II has 250 Hz",)


@pytest.mark.parametrize("fmt", ["16", "24", "32", "80", "212", "508", "516", "524"])
def test_missing_samples_are_missing_whatever_the_format(fmt, tmp_path):
    """A gap of two seconds is a gap in every digital format of WFDB, FLAC included."""
    signal = SIGNAL.copy()
    signal[10 * FS : 12 * FS] = np.nan
    write_wfdb(tmp_path, "a", signal, fmt=fmt, beats=BEATS)
    found = read(tmp_path / "a")
    np.testing.assert_array_equal(np.isnan(found.signal[:, 0]), np.isnan(signal))
    touched = np.isnan(signal[BEATS[:, None] + np.arange(-FS // 2, FS // 2)]).any(axis=1)
    cut = extract(read_recording(tmp_path, "a"), source="made")
    assert abs(cut.report.by_reason().get(GAP, 0) - touched[1:].sum()) <= 1


def test_a_padded_dicom_sample_is_missing(tmp_path):
    """DICOM marks missing samples with a padding value."""
    signal = SIGNAL.copy()
    signal[100:200] = np.nan
    found = read(write_dicom(tmp_path / "a.dcm", signal))
    np.testing.assert_array_equal(np.isnan(found.signal[:, 0]), np.isnan(signal))


@pytest.mark.parametrize("form", ["16", "61"])
def test_frames_of_several_samples_are_opened(form, tmp_path):
    """A lead of four samples a frame has its own rate; a gap inside a frame stays a gap."""
    signal = SIGNAL[: len(SIGNAL) // 4 * 4].copy()
    signal[1001] = np.nan
    slow = np.zeros(len(signal) // 4)
    wfdb.wrsamp(
        "a", fs=FS / 4, units=["mV", "mV"], sig_name=["II", "slow"], fmt=["16", "16"],
        e_p_signal=[signal, slow], samps_per_frame=[4, 1], write_dir=str(tmp_path),
    )  # fmt: skip
    if form == "61":  # the same with the other byte first
        header, samples = tmp_path / "a.hea", tmp_path / "a.dat"
        header.write_text(header.read_text().replace("a.dat 16", "a.dat 61"))
        samples.write_bytes(np.fromfile(samples, "<i2").astype(">i2").tobytes())
    wfdb.wrann("a", "atr", BEATS // 4, ["N"] * len(BEATS), write_dir=str(tmp_path))
    found = read(tmp_path / "a")
    assert (found.fs, found.leads) == (FS, ("II",))
    assert np.flatnonzero(np.isnan(found.signal[:, 0])).tolist() == [1001]
    np.testing.assert_allclose(
        np.delete(found.signal[:, 0], 1001), np.delete(signal, 1001), atol=1e-3
    )
    lead = read_recording(tmp_path, "a", lead="II")  # annotated on the clock of the frames
    assert np.abs(lead.samples - BEATS * 360 / FS).max() <= 4 * 360 / FS


@pytest.mark.parametrize(("form", "frame"), [("516", 1), ("16", 1), ("16", 4), ("24", 4)])
def test_a_skewed_signal_is_moved_and_ends_missing(form, frame, tmp_path):
    """A skew counts frames; what it moves in from behind the end was not recorded."""
    signal = SIGNAL[: len(SIGNAL) // 4 * 4]
    wfdb.wrsamp(
        "a", fs=FS / frame, units=["mV"], sig_name=["II"], fmt=[form], e_p_signal=[signal],
        samps_per_frame=[frame], write_dir=str(tmp_path),
    )  # fmt: skip
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace(f"{form}x{frame}", f"{form}x{frame}:5"))
    found = read(tmp_path / "a").signal[:, 0]
    np.testing.assert_allclose(found[: -5 * frame], signal[5 * frame :], atol=1e-3)
    assert np.isnan(found[-5 * frame :]).all()
    held = open_recording(tmp_path / "a")
    for first, last in ((8, 1000), (len(signal) - 22, len(signal)), (len(signal) - 2, len(signal))):
        part = held.scaled(0, held.read(0, first, last))
        np.testing.assert_array_equal(part, found[first:last])


def segments(folder, *, lengths=(2, 3), gap=0):
    """Write a record of several segments, and what it holds in mV."""
    parts, at, lines = [], 0, []
    for number, seconds in enumerate(lengths):
        piece = SIGNAL[at : at + seconds * FS]
        write_wfdb(folder, f"part_{number}", piece * (1 + number))  # each with a scale of its own
        parts.append(piece * (1 + number))
        lines.append(f"part_{number} {len(piece)}")
        at += len(piece)
        if gap and number == 0:
            parts.append(np.full(gap, np.nan))
            lines.append(f"~ {gap}")
    whole = np.concatenate(parts)
    (folder / "whole.hea").write_text(
        f"whole/{len(lines)} 1 {FS} {len(whole)}\n" + "\n".join(lines) + "\n"
    )
    return whole


@pytest.mark.parametrize("gap", [0, 100])
def test_segments_are_one_record(gap, tmp_path):
    """A record of several segments is read through their seams; what lies between is missing."""
    whole = segments(tmp_path, gap=gap)
    found = read(tmp_path / "whole").signal[:, 0]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(whole))
    np.testing.assert_allclose(found, whole, atol=1e-3)
    held = open_recording(tmp_path / "whole")
    np.testing.assert_array_equal(held.read(0, 450, 800), found[450:800])
    if not gap:
        np.testing.assert_allclose(
            found, wfdb.rdrecord(str(tmp_path / "whole")).p_signal[:, 0], atol=1e-5
        )


def test_segments_with_other_leads_are_named(tmp_path):
    """A lead that has another name in a segment is missing there; the note says which it has."""
    segments(tmp_path)
    header = tmp_path / "part_1.hea"
    header.write_text(header.read_text().replace(" MLII\n", " II\n"))
    said = "whole: lead MLII is missing for 3 s in 1 segment with other leads: part_1 has II"
    assert said in open_signal(tmp_path / "whole").notes
    assert said in read(tmp_path / "whole").notes
    said = "whole: lead II is missing for 2 s in 1 segment with other leads: part_0 has MLII"
    assert said in open_signal(tmp_path / "whole", "II").notes


@pytest.mark.parametrize("damage", ["missing", "shorter", "nested", "none", "lines"])
def test_damaged_segments_are_refused(damage, tmp_path):
    """A segment that is missing, of another length or nested, and a count that is wrong."""
    segments(tmp_path)
    header = tmp_path / "whole.hea"
    if damage == "missing":
        (tmp_path / "part_1.hea").unlink()
    elif damage == "nested":
        (tmp_path / "part_1.hea").write_text("part_1/1 1 250 750\npart_0 750\n")
    else:
        change = {"shorter": ("part_1 750", "part_1 700"), "none": ("part_0 500", "~ 500"),
                  "lines": ("/2", "/3")}  # fmt: skip
        text = header.read_text().replace(*change[damage])
        header.write_text(text.replace("part_1 750", "~ 750") if damage == "none" else text)
    with pytest.raises(InputError, match="segment"):
        read(tmp_path / "whole")


@pytest.mark.parametrize("unit", ["uV", "\u00b5V", "\u03bcV", "latin-1"])
def test_micro_is_micro_in_every_spelling(unit, tmp_path):
    """The micro sign, the Greek letter and Latin-1 give the millivolts that ``uV`` gives."""
    write_wfdb(tmp_path, "a", 1000 * SIGNAL, units="uV")
    header = (tmp_path / "a.hea").read_text()
    encoding = "latin-1" if unit == "latin-1" else "utf-8"
    changed = header.replace("/uV", "/" + ("\u00b5V" if unit == "latin-1" else unit))
    (tmp_path / "a.hea").write_bytes(changed.encode(encoding))
    np.testing.assert_allclose(read(tmp_path / "a").signal[:, 0], SIGNAL, atol=1e-3)


def test_units_are_known_by_one_name():
    """Spellings of a voltage are one unit; anything else is kept as it is."""
    assert {unit_name(u) for u in ("uV", "\u00b5V", "\u03bcV", "\u00c2\u00b5V", "microvolts")} == {
        "uV"
    }
    assert (unit_name("mv"), unit_name("Volt"), unit_name("mmHg")) == ("mV", "V", "mmHg")
    assert (millivolts("V"), millivolts("uV"), millivolts("mmHg")) == (1000.0, 0.001, None)


def test_a_header_without_length_and_with_an_old_date_is_read(tmp_path):
    """Lengths that the header leaves out come from the file; dates do not matter."""
    write_wfdb(tmp_path, "a", SIGNAL)
    header = tmp_path / "a.hea"
    for line in (f"a 1 {FS}", f"a 1 {FS}/1(0) {len(SIGNAL)} 9:5:1.5 1/2/1903"):
        rest = header.read_text().partition("\n")[2]
        header.write_text(line + "\n" + rest)
        assert len(read(tmp_path / "a").signal) == len(SIGNAL)


def test_a_length_comes_from_the_file(tmp_path):
    """Packed files tell how long they are; a header that says 0, or FLAC without, is refused."""
    path = write_wfdb(tmp_path, "a", SIGNAL, fmt="212")
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace(f" {FS} {len(SIGNAL)}", f" {FS}"))
    assert len(read(path).signal) == len(SIGNAL)
    header.write_text(header.read_text().replace(f" {FS}\n", f" {FS} 0\n"))
    with pytest.raises(InputError, match="0 samples"):
        read(path)
    path = write_wfdb(tmp_path, "b", SIGNAL, fmt="516")
    header = tmp_path / "b.hea"
    header.write_text(header.read_text().replace(f" {FS} {len(SIGNAL)}", f" {FS}"))
    with pytest.raises(InputError, match="does not say how long"):
        read(path)


@pytest.mark.parametrize("keep", [0, 100, 300, 0.5, 0.99])
@pytest.mark.parametrize("form", ["EDF", "DICOM", "npy", "npz"])
def test_a_cut_file_is_refused(form, keep, tmp_path):
    """A file that lost its end is refused, whatever its format."""
    path, given = write(form, tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(InputError, match=path.name.replace(".", r"\.")):
        read(path, **given)


def test_unfinished_edf_is_refused(tmp_path):
    """A file whose recorder never wrote its length says what to do."""
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    data = bytearray(path.read_bytes())
    data[236:244] = b"-1      "
    path.write_bytes(data)
    with pytest.raises(InputError, match="not closed by its recorder"):
        read(path)


def test_dicom_needs_its_reader(tmp_path, monkeypatch):
    """Without pydicom the message says what to install."""
    import sys

    path = write_dicom(tmp_path / "a.dcm", SIGNAL)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(InputError, match=r"pip install ecgphoton\[dicom\]"):
        read(path)


def test_recordings_are_found_by_file_or_name(tmp_path):
    """A file, its path without extension, and a folder's list of names; labels are no recording."""
    write_edf(tmp_path / "a.edf", SIGNAL)
    (tmp_path / "a.csv").write_text("time,symbol\n1,N\n")
    (tmp_path / "a.labels.csv").write_text("time,symbol\n1,N\n")
    assert find_file(tmp_path / "a").name == find_file(tmp_path / "a.edf").name == "a.edf"
    assert record_names(tmp_path) == ("a",)
    with pytest.raises(InputError, match="there is no recording"):
        open_recording(tmp_path / "b", Hints())
    (tmp_path / "a.atr").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.atr is no recording that is read \(no format that"):
        open_recording(tmp_path / "a.atr", Hints())

"""What a file says of itself is checked in every part of it: ranges, checksums, lengths, names."""

import numpy as np
import pytest
from recordings import FS, ecg, write_edf, write_wfdb

from ecgphoton.ecg.formats import find_file, open_recording, other_files, read, record_names
from ecgphoton.ecg.reading import open_signal
from ecgphoton.errors import InputError

SIGNAL, _ = ecg()


def test_differences_add_up_wherever_reading_begins(tmp_path):
    """Format 8 stores differences: any piece is right, and no value stands for a gap."""
    digital = np.rint(60 * SIGNAL).astype(int) - 128
    steps = np.diff(digital, prepend=digital[:1])
    (tmp_path / "a.dat").write_bytes(steps.astype("i1").tobytes())
    (tmp_path / "a.hea").write_text(
        f"a 1 {FS} {len(digital)}\n"
        f"a.dat 8 60(-128)/mV 8 0 {digital[0]} {digital.sum() % 65536} 0 II\n"
    )
    held = open_recording(tmp_path / "a")
    whole = np.concatenate([piece for _, piece in held.pieces(0, 700)])
    np.testing.assert_array_equal(whole, digital)
    np.testing.assert_array_equal(held.read(0, 1500, 1600), digital[1500:1600])


def test_a_checksum_of_zero_is_said_not_to_be_compared(tmp_path):
    """Headers that are written by hand have 0 there; any other sum is compared."""
    path = write_wfdb(tmp_path, "a", SIGNAL)
    header = path.with_suffix(".hea")
    *before, stated, block, lead = header.read_text().split()
    assert int(stated)
    assert read(path).notes == ()
    header.write_text(" ".join([*before[:4], "\n", *before[4:], "0", block, lead]))
    found = read(path)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL, atol=0.001)
    assert found.notes == ("a: checksum of MLII is 0: not compared",)


def test_upper_case_files_of_wfdb_are_to_be_renamed(tmp_path):
    """As old discs have them; the message does not ask for another copy."""
    write_wfdb(tmp_path, "a", SIGNAL)
    for kind, said in (("dat", "rename A.DAT to a.dat"), ("hea", "rename A.HEA to A.hea")):
        (tmp_path / f"a.{kind}").rename(tmp_path / f"A.{kind.upper()}")
        with pytest.raises(InputError, match=said):
            open_recording(tmp_path / ("a" if kind == "dat" else "A"))


def test_an_edf_sample_outside_its_range_is_missing(tmp_path):
    """What lies outside the digital range of a signal was not measured."""
    path = write_edf(tmp_path / "a.edf", SIGNAL)
    content = bytearray(path.read_bytes())
    signals = int(content[252:256])
    lowest = 256 + 120 * signals + 8  # digital minimum of the second signal
    content[lowest : lowest + 8] = b"-32767  "
    counts = 256 + 216 * signals
    samples = [int(content[counts + 8 * i : counts + 8 * i + 8]) for i in range(signals)]
    first = 256 * (signals + 1) + 2 * sum(samples) + 2 * samples[0]  # ECG of the second record
    content[first : first + 20] = b"\x00\x80" * 10
    path.write_bytes(content)
    missing = np.flatnonzero(np.isnan(read(path).signal[:, 0]))
    np.testing.assert_array_equal(missing, FS + np.arange(10))


def segments(folder, signal, **options):
    """Write a record of two segments of 500 frames."""
    for part in (0, 1):
        write_wfdb(folder, f"part_{part}", signal[500 * part : 500 * part + 500], **options)
    (folder / "whole.hea").write_text(f"whole/2 1 {FS} 1000\npart_0 500\npart_1 500\n")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("checksum", "checksum"),
        ("gain", "gain of -"),
        ("length", "1300 samples, its segments 1000"),
        ("rate", "states 360 samples a second, its segments 250"),
    ],
)
def test_a_segment_is_checked_as_a_record_is(damage, what, tmp_path):
    """A changed sample, a negative gain, or a length that is not that of the segments."""
    segments(tmp_path, SIGNAL)
    header, part, signal = (tmp_path / name for name in ("whole.hea", "part_1.hea", "part_1.dat"))
    if damage == "length":
        header.write_text(header.read_text().replace(" 1000\n", " 1300\n"))
    elif damage == "rate":
        header.write_text(header.read_text().replace(f" {FS} ", " 360 "))
    elif damage == "gain":
        part.write_text(part.read_text().replace(".dat 16 ", ".dat 16 -"))
    else:
        content = signal.read_bytes()
        signal.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    with pytest.raises(InputError, match=what):
        read(tmp_path / "whole")


def test_two_leads_of_one_name_stay_two_in_segments(tmp_path):
    """Leads of one name are told apart by their order; one that was not recorded is missing."""
    pair = np.column_stack([SIGNAL, -SIGNAL])
    segments(tmp_path, pair, lead=["ECG", "x"])
    for part in ("part_0.hea", "part_1.hea"):
        text = (tmp_path / part).read_text()
        (tmp_path / part).write_text(text.replace(" x\n", " ECG\n"))
    (tmp_path / "part_2.hea").write_text(f"part_2 1 {FS} 500\n~ 16 200/mV 16 0 0 0 0 ECG\n")
    (tmp_path / "whole.hea").write_text(
        f"whole/3 2 {FS} 1500\npart_0 500\npart_1 500\npart_2 500\n"
    )
    found = read(tmp_path / "whole")
    assert found.leads == ("ECG", "ECG")
    np.testing.assert_allclose(found.signal[:1000], pair[:1000], atol=1e-3)
    assert np.isnan(found.signal[1000:]).all()


def test_segments_are_no_records_of_their_folder(tmp_path):
    """A record of several segments counts once; its segments are its parts."""
    segments(tmp_path, SIGNAL)
    assert len(list(tmp_path.glob("*.hea"))) == 3
    assert record_names(tmp_path) == ("whole",)
    assert other_files(tmp_path, ("whole",)) == {}
    write_wfdb(tmp_path, "b", SIGNAL)  # whose signal has another name
    (tmp_path / "b.dat").rename(tmp_path / "signal_7.dat")
    header = tmp_path / "b.hea"
    header.write_text(header.read_text().replace("b.dat", "signal_7.dat"))
    assert other_files(tmp_path, record_names(tmp_path)) == {}


NAMES = ("1.2.840.10008", "a", "a.2", "100% (b)", "night, 2nd", "z" * 80)


def test_a_recording_of_any_name_is_one(tmp_path):
    """Dots, signs and long names; what is hidden, written by `annotate` or a folder is not."""
    for name in NAMES:
        write_edf(tmp_path / f"{name}.edf", SIGNAL)
    for name in ("._a.edf", "a.eph.edf", "x.eph.csv"):
        write_edf(tmp_path / name, SIGNAL)
    for name in ("a.eph.jsonl", "x.eph.json", "a.labels.csv"):
        (tmp_path / name).write_text("1,2\n3,4\n")
    (tmp_path / "x.2024.csv").write_text("1,2\n3,4\n")
    (tmp_path / "night").mkdir()
    found = record_names(tmp_path)
    assert found == tuple(sorted((*NAMES, "x.2024")))
    assert other_files(tmp_path, found) == {
        "._a.edf": "hidden",
        "night/": "a folder, which is not searched",
        "x.eph.csv": "an answer of annotate",
        "x.eph.json": "an answer of annotate",
    }
    for name in NAMES:
        assert open_recording(find_file(tmp_path / name)).name == name


@pytest.mark.parametrize(
    ("field", "rate", "said"),
    [
        ("", " 250", "gain of channel 0 not stated, 200 a mV"),
        (" 0", " 250", "gain of channel 0 not stated"),
        (" 0(12)/mV", " 250", "gain of channel 0 not stated"),
        (" 0/uV", " 250", "gain of channel 0 not stated, 200 a uV"),
        (" 200", "", "sampling rate not stated, 250 Hz"),
        (" 200", " 250", None),
        (" 0.5/uV", " 250", None),
    ],
)
def test_what_a_header_leaves_open_is_said(field, rate, said, tmp_path):
    """Gain and rate that WFDB assumes are named in a note, those that are stated are not."""
    path = write_wfdb(tmp_path, "a", SIGNAL)
    path.with_suffix(".hea").write_text(f"a 1{rate}\na.dat 16{field}\n")
    notes = " ".join(read(path).notes)
    assert said in notes if said else "not stated" not in notes


def test_an_edf_without_a_unit_is_read_as_millivolts_and_says_so(tmp_path):
    """The assumption is the one that text and NumPy files are read with."""
    path = write_edf(tmp_path / "a.edf", SIGNAL, unit="")
    assert "unit of ECG II not stated, mV assumed" in read(path).notes[0]


def test_units_of_an_npz_may_be_bytes_or_one_a_lead(tmp_path):
    """Whatever NumPy type holds the text, it is the same unit."""
    both = np.column_stack([SIGNAL * 1e3, SIGNAL])
    np.savez(tmp_path / "two.npz", signal=both, fs=FS, unit=["uV", "mV"], leads=["II", "V1"])
    np.savez(tmp_path / "raw.npz", signal=SIGNAL * 1e3, fs=FS, unit=b"uV")
    two, raw = read(tmp_path / "two.npz"), read(tmp_path / "raw.npz")
    np.testing.assert_allclose(two.signal[:, 0], two.signal[:, 1], atol=1e-5)
    np.testing.assert_allclose(raw.signal[:, 0], SIGNAL, atol=1e-5)


def test_infinity_is_a_missing_sample(tmp_path):
    """As NaN is, in the formats that can hold it."""
    signal = SIGNAL.copy()
    signal[100:200] = np.inf
    np.savez(tmp_path / "a.npz", signal=signal, fs=FS, unit="mV")
    assert np.isnan(read(tmp_path / "a.npz").signal[100:200]).all()


def test_a_signal_without_a_label_has_its_number(tmp_path):
    """An empty name is none that a report could print or a user give."""
    write_edf(tmp_path / "a.edf", SIGNAL, label="")
    assert [one.name for one in open_recording(tmp_path / "a.edf").channels] == [
        "Resp",
        "channel 1",
    ]


def test_two_leads_of_one_name_are_said(tmp_path):
    """The first is taken, which is not silent; a lead asked for by that name is refused."""
    write_wfdb(tmp_path, "a", np.column_stack([SIGNAL, -SIGNAL]), lead=["II", "XX"])
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace("XX", "II"))
    assert "a: 2 leads are called II; channel:0 is used" in open_signal(tmp_path / "a").notes
    assert open_signal(tmp_path / "a", "channel:1").channel == 1
    with pytest.raises(InputError, match="2 leads II"):
        open_signal(tmp_path / "a", "II")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_in_another_encoding_is_named(encoding, tmp_path):
    """What Excel calls Unicode text; the message says how to save it."""
    text = "\ufeffII (mV)\n" + "".join(f"{value:.4f}\n" for value in SIGNAL)
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match="UTF-16; save it as UTF-8"):
        read(tmp_path / "a.txt", fs=FS)


def test_an_array_of_no_samples_says_so(tmp_path):
    """In the words of the user, not of NumPy."""
    np.save(tmp_path / "a.npy", np.zeros(0))
    with pytest.raises(InputError, match="it holds no samples"):
        read(tmp_path / "a.npy", fs=FS)


@pytest.mark.parametrize("form", ["16", "212"])
def test_samples_beyond_the_length_of_a_header_are_named(form, tmp_path):
    """A header of half the length reads half the file, and says so; rounding is no remainder."""
    write_wfdb(tmp_path, "a", SIGNAL, fmt=form)
    assert open_recording(tmp_path / "a").notes == ()
    half = len(SIGNAL) // 2
    (tmp_path / "b.hea").write_text(f"b 1 {FS} {half}\na.dat {form} 200/mV\n")
    held = open_recording(tmp_path / "b")
    assert held.channels[0].length == half
    seconds = f"{(len(SIGNAL) - half) / FS:g} s of a.dat are beyond the length that the header"
    assert any(seconds in note for note in held.notes)


@pytest.mark.parametrize(
    ("name", "why"),
    [("a.csv.gz", "packed, so unpack it"), ("a.xml", "no format that is read"),
     ("a.dat", "no header"), ("a.atr", "no format that is read")],
)  # fmt: skip
def test_a_file_that_is_there_is_not_called_missing(name, why, tmp_path):
    """The message says why a file of another kind is not read, and which are."""
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=f"no recording that is read .*{why}.*.hea, .edf"):
        read(tmp_path / name)


def test_a_name_that_wfdb_refuses_is_refused_by_its_letters(tmp_path):
    """A dot in a name is no damage that another copy would mend."""
    path = write_wfdb(tmp_path, "ab", np.zeros(1000), fs=FS)
    header = path.with_suffix(".hea")
    header.write_text(header.read_text().replace("ab 1", "a.b 1"))
    with pytest.raises(InputError, match=r"first line .a\.b 1 250.*letters, digits"):
        read(path)


def test_a_name_longer_than_any_file_has_is_refused():
    """In one sentence, as any path that cannot be opened."""
    with pytest.raises(InputError, match=r"no.* a path that can be opened .File name too long"):
        read("a" * 300)

"""Recordings in parts: discontinuous EDF+, and DICOM waveforms of several groups."""

import numpy as np
import pytest
from recordings import FS, dicom_group, ecg, write_dicom, write_edf, write_wfdb

from ecgphoton.ecg.formats import open_recording, read
from ecgphoton.ecg.labels import read_labels
from ecgphoton.ecg.leads import choose
from ecgphoton.errors import InputError

SIGNAL, BEATS = ecg()


def discontinuous(path, begins, notes=()):
    """Write an EDF+D file of data records of a second that begin at the seconds given.

    `notes` are the seconds at which a beat is marked, by the number of the data record.
    """
    write_edf(path, SIGNAL[: len(begins) * FS], beats=[10], symbols=["N" * 40])
    data = bytearray(path.read_bytes())
    data[192:197] = b"EDF+D"
    samples = [int(data[256 + 216 * 3 + 8 * i :][:8]) for i in range(3)]
    for number, second in enumerate(begins):
        text = f"{second}\x14\x14\0" + (f"{notes[number]}\x14N\x14\0" if number in notes else "")
        end = 1024 + (number + 1) * 2 * sum(samples)
        data[end - 2 * samples[-1] : end] = text.encode().ljust(2 * samples[-1], b"\0")
    path.write_bytes(data)
    return path


def test_gaps_of_edf_are_missing_samples(tmp_path):
    """Data records of EDF+D lie where they say; between them is nothing, and marks keep time."""
    path = discontinuous(tmp_path / "a.edf", ["+0", "+1", "+5.5", "+6.5"], {0: "+0.4", 2: "+5.9"})
    found = read(path)
    expected = np.full(int(7.5 * FS), np.nan)
    expected[: 2 * FS] = SIGNAL[: 2 * FS]
    expected[int(5.5 * FS) :] = SIGNAL[2 * FS : 4 * FS]
    np.testing.assert_allclose(found.signal[:, 0], expected, atol=0.003)
    assert found.notes[0] == "a: 3.5 s in 1 gap of the file are missing samples"
    labels = read_labels(path, FS)
    assert labels.sample.tolist() == [100, 1475]
    slow = open_recording(path)
    assert slow.channels[0].length == 8  # half a second is no sample of the slow channel


def test_a_gap_counts_whatever_the_header_calls_the_file(tmp_path):
    """Data records that begin two seconds late are not joined in a file that is called EDF+C."""
    gap = discontinuous(tmp_path / "d.edf", ["+0", "+1", "+4", "+5"])
    named = gap.with_name("c.edf")
    named.write_bytes(gap.read_bytes().replace(b"EDF+D", b"EDF+C", 1))
    np.testing.assert_array_equal(read(named).signal, read(gap).signal)
    assert "2 s in 1 gap of" in read(named).notes[0]


def test_rounded_beginnings_make_no_gap(tmp_path):
    """A recorder that rounds to milliseconds has written one piece; the clock starts with it."""
    path = discontinuous(tmp_path / "a.edf", ["+0.250", "+1.251", "+2.250"], {1: "+1.75"})
    found = read(path)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL[: 3 * FS], atol=0.003)
    assert not any("gap" in note for note in found.notes)
    assert read_labels(path, FS).sample.tolist() == [375]


@pytest.mark.parametrize(
    ("begins", "why"),
    [
        (["+0", "+0.5", "+2"], "overlap"),
        (["+0", "+2", "+1"], "overlap"),
        (["+0", "1", "+2"], "overlap"),
        (["+0", "+1", "+99999999"], "hours with its gaps"),
    ],
)
def test_impossible_clocks_are_refused(begins, why, tmp_path):
    """Data records that overlap, state no time or would fill the memory are not placed."""
    with pytest.raises(InputError, match=why):
        read(discontinuous(tmp_path / "a.edf", begins))


def test_the_group_with_the_ecg_is_read(tmp_path):
    """A pressure in the first group of a DICOM file does not hide the ECG in the second."""
    pressure = dicom_group(
        SIGNAL[::2], fs=FS // 2, unit="mm[Hg]", lead="ABP", code="109016", label="PRESSURE"
    )
    later = dicom_group(SIGNAL[: 4 * FS], begin=2)
    found = read(write_dicom(tmp_path / "a.dcm", None, groups=[pressure, later]))
    assert (found.leads, found.fs) == (("Lead II",), FS)
    np.testing.assert_allclose(found.signal[2 * FS :, 0], SIGNAL[: 4 * FS], atol=0.003)
    assert np.isnan(found.signal[: 2 * FS]).all()
    assert found.notes == ("a: lead ABP of 125 Hz left out, Lead II has 250 Hz",)


def test_median_beats_are_left_out_and_named(tmp_path):
    """A group derived from the rhythm is no recording; a note says that it was there."""
    median = dicom_group(SIGNAL[:300], origin="DERIVED", label="MEDIAN BEAT")
    path = write_dicom(tmp_path / "a.dcm", None, groups=[dicom_group(SIGNAL), median])
    found = read(path)
    assert found.signal.shape == (len(SIGNAL), 1)
    assert found.notes == ("a: group 2 MEDIAN BEAT (1 leads, 1.2 s) is derived and left out",)


def test_one_lead_in_two_groups_must_be_chosen(tmp_path):
    """Lead II recorded twice is refused with the list; a channel by number is read."""
    strip = dicom_group(SIGNAL)
    path = write_dicom(tmp_path / "a.dcm", None, groups=[dicom_group(SIGNAL[: 5 * FS]), strip])
    listed = r"2 leads II; its leads are Lead II \(channel:0, 5 s\), Lead II \(channel:1, 20 s\)"
    for lead in (None, "II"):
        with pytest.raises(InputError, match=listed):
            choose(open_recording(path), lead)
    assert choose(open_recording(path), "channel:1") == 1


def test_two_recordings_of_one_name_are_not_confused(tmp_path):
    """``a.hea`` beside ``a.edf``: the name alone is refused, the file is read."""
    write_wfdb(tmp_path, "a", SIGNAL)
    write_edf(tmp_path / "a.edf", SIGNAL)
    with pytest.raises(InputError, match=r"the name of a\.hea and of a\.edf; give the file"):
        open_recording(tmp_path / "a")
    assert open_recording(tmp_path / "a.edf").format == "EDF"
    assert open_recording(tmp_path / "a.hea").format == "WFDB"


SPACED = ("200 (100)/mV", "200(100) /mV", "200( 100)/mV", "200(100)/ mV", "200 mV",
          "200  (100)/mV", "200(100) \t/mV", "200  mV", "200 \u00b5V")  # fmt: skip
SPELLED = ("2E+2(100)/mV", "200(1e2)/mV", "200(100.5)/mV", "200(+100)/mV", "0x20(100)/mV")


@pytest.mark.parametrize("field", [*SPACED, *SPELLED])
def test_a_gain_that_would_be_read_as_another_is_refused(field, tmp_path):
    """What wfdb would do: drop the baseline, take a part of it, or end the number early."""
    path = write_wfdb(tmp_path, "a", SIGNAL)
    header = tmp_path / "a.hea"
    gain = header.read_text().split()[6]
    header.write_text(header.read_text().replace(gain, field))
    with pytest.raises(InputError, match=r"without a space.*200\(1024\)/mV"):
        read(path)
    for plain in ("200(100)/mV", "2e+2(100)/mV", "200.0(-100)/mV", ".2/uV", "200"):
        header.write_text(header.read_text().replace(field, plain))
        assert len(read(path).signal) == len(SIGNAL)
        field = plain


def test_a_rate_with_an_exponent_is_refused(tmp_path):
    """The wfdb package would read 3.6e2 Hz as 3.6 Hz, and 100.0e1 Hz as 100 Hz."""
    path = write_wfdb(tmp_path, "a", SIGNAL)
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace("a 1 250 ", "a 1 25.0e1 "))
    with pytest.raises(InputError, match=r"first line \(a 1 25\.0e1"):
        read(path)


def test_a_channel_of_a_group_may_begin_later(tmp_path):
    """The skew of a DICOM channel, in samples or in seconds, is missing signal before it."""
    group = dicom_group(SIGNAL)
    (channel,) = group.ChannelDefinitionSequence
    channel.ChannelSampleSkew, channel.ChannelTimeSkew = "50", "1"
    found = read(write_dicom(tmp_path / "a.dcm", None, groups=[group])).signal[:, 0]
    assert np.isnan(found[: FS + 50]).all()
    np.testing.assert_allclose(found[FS + 50 :], SIGNAL, atol=0.003)


@pytest.mark.parametrize(
    ("code", "meaning", "label", "name", "said"),
    [
        ("5.6.3-9-2", "Lead II", "", "Lead II", None),
        ("5.6.3-9-2", "Lead II", "ECG II", "ECG II", None),
        ("5.6.3-9-2", "Lead II", "V1", "II", "channel 0 is II, labelled 'V1'"),
        ("2:3", "Lead V1", "II", "V1", "channel 0 is V1, labelled 'II'"),
        ("2:62", "aVR, augmented voltage, right", "Electrode 7", "aVR", "labelled 'Electrode 7'"),
        ("2:2", "Lead V5", "", "II", "channel 0 is II, labelled 'Lead V5'"),
        ("X-7", "Lead V5", "II", "Lead V5", "channel 0 is Lead V5, labelled 'II'"),
        ("X-7", "our best one", "II", "II", None),
        ("2:86", "Chest lead", "", "Chest lead", None),
    ],
)
def test_the_code_of_a_dicom_channel_says_its_lead(code, meaning, label, name, said, tmp_path):
    """A label in free text is used where it does not differ; what differs is said."""
    found = read(write_dicom(tmp_path / "a.dcm", SIGNAL, code=code, lead=meaning, channel=label))
    assert found.leads == (name,)
    assert found.notes == () if said is None else said in found.notes[0]


def test_compressed_samples_of_dicom_are_refused(tmp_path):
    """Bytes of mu-law are no linear values."""
    group = dicom_group(SIGNAL)
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 8, "MB"
    group.WaveformData = bytes(len(SIGNAL))
    with pytest.raises(InputError, match="samples are of kind MB, which is not read"):
        read(write_dicom(tmp_path / "a.dcm", None, groups=[group]))

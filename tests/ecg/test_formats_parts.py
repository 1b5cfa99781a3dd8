"""Recordings in parts: discontinuous EDF+, and DICOM waveforms of several groups."""

import numpy as np
import pytest
from recordings import FS, ecg, write_edf

from ecgphoton.ecg.formats import open_recording, read
from ecgphoton.ecg.labels import read_labels
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
    assert found.notes[0] == "a: 3.5 s between data records (1 gaps) are missing samples"
    labels = read_labels(path, FS)
    assert labels.sample.tolist() == [100, 1475]
    slow = open_recording(path)
    assert slow.channels[0].length == 8  # half a second is no sample of the slow channel


def test_rounded_beginnings_make_no_gap(tmp_path):
    """A recorder that rounds to milliseconds has written one piece; the clock starts with it."""
    path = discontinuous(tmp_path / "a.edf", ["+0.250", "+1.251", "+2.250"], {1: "+1.75"})
    found = read(path)
    np.testing.assert_allclose(found.signal[:, 0], SIGNAL[: 3 * FS], atol=0.003)
    assert not any("gaps" in note for note in found.notes)
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

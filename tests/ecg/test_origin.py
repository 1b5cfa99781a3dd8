"""What is said of the recordings of a folder before anything is learnt from them."""

from __future__ import annotations

import shutil

import pytest
import wfdb
from recordings import ecg, write_wfdb

from ecgphoton.ecg.beats import load_splits
from ecgphoton.ecg.protocols import Protocol

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def folder(tmp_path):
    """Four records with a V beat each."""
    for seed, name in enumerate(NAMES):
        signal, beats = ecg(20, 360, seed=seed)
        write_wfdb(tmp_path, name, signal, fs=360)
        symbols = list("NNNNNV" + "N" * (len(beats) - 6))
        wfdb.wrann(name, "atr", beats, symbols, write_dir=str(tmp_path))
    return tmp_path


def notes(folder, **options):
    """Return the notes on three training records and a test record, but that on the folds."""
    protocol = Protocol("own", NAMES[:3], (), NAMES[3:], "test", folds=2)
    found = load_splits(protocol, "aami", data=folder, **options).report.notes
    return tuple(note for note in found if "folds" not in note)


def test_one_recording_under_two_names_is_said(folder):
    """A copy of a training record among the test records would be no new patient."""
    shutil.copy(folder / "a.atr", folder / "d.atr")  # labels alone may well be equal
    assert not [note for note in notes(folder) if "same file" in note]
    shutil.copy(folder / "a.dat", folder / "d.dat")
    header = (folder / "a.hea").read_text()
    (folder / "d.hea").write_text(header.replace("a 1", "d 1").replace("a.dat", "d.dat"))
    said = [note for note in notes(folder) if "same file" in note]
    assert [note.partition(" are ")[0] for note in said] == ["a.dat and d.dat"]


def test_a_record_of_another_lead_is_said(folder):
    """Without a lead that was asked for, II is wanted; MLII is one."""
    assert notes(folder) == ()
    write_wfdb(folder, "b", ecg(20, 360, seed=1)[0], fs=360, lead="V5")
    assert notes(folder) == ("b: no lead II; V5 is used",)

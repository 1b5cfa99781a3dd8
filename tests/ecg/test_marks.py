"""Beats of recordings that are not WFDB are scored as those of WFDB records are."""

from __future__ import annotations

import edfio
import numpy as np
import pytest

from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.ecg.formats import Hints
from ecgphoton.ecg.score import score_record
from ecgphoton.errors import InputError
from ecgphoton.run.score import score

FS, SECONDS = 250, 60
BEATS, CALLED = np.arange(100, FS * SECONDS - 100, 200), "V" + "N" * 73


@pytest.fixture
def folder(tmp_path):
    """A recording as EDF and as text without rate, reference labels, and answers to judge."""
    signal = np.sin(np.arange(FS * SECONDS) / 20.0)
    lead = edfio.EdfSignal(signal, FS, label="ECG II", physical_dimension="mV")
    edfio.Edf([lead]).write(tmp_path / "a.edf")
    np.savetxt(tmp_path / "b.csv", signal, fmt="%.3f", header="II (mV)", comments="")
    rows = [f"{at / FS:.3f},N" for at in BEATS]
    for name in ("a", "b"):
        (tmp_path / f"{name}.labels.csv").write_text("\n".join(["time,symbol", *rows]))
        write_annotations(tmp_path, name, "eph", BEATS + 5, CALLED[: len(BEATS)], fs=FS)
    write_annotations(tmp_path, "a", "atr", BEATS, "N" * len(BEATS), fs=FS)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "reference", "fs"),
    [("a", "atr", None), ("a.edf", "labels.csv", None), ("b.csv", "labels.csv", FS)],
)
def test_a_recording_of_any_format_is_scored(folder, name, reference, fs) -> None:
    """One false alarm among all beats, whatever holds the signal and the reference."""
    found = score_record(folder / name, reference=reference, start=0, hints=Hints(fs))
    assert (found.rates["QRS"].tp, found.rates["QRS"].fn) == (len(BEATS), 0)
    assert found.rates["VEB"].fp == 1
    assert found.record == name[0]


def test_a_column_of_words_is_left_out_by_name(folder) -> None:
    """What `annotate --column` reads, `score --column` does, too."""
    lines = (folder / "b.csv").read_text().split("\n")
    text = "\n".join([f"{lines[0]},remark", *(f"{line},good" for line in lines[1:] if line)])
    (folder / "b.csv").write_text(text)
    with pytest.raises(InputError, match=r"name the column to read \(--column\)"):
        score([folder / "b.csv"], reference="labels.csv", start=0, fs=FS)
    found = score([folder / "b.csv"], reference="labels.csv", start=0, fs=FS, column="II")
    assert found.records[0].rates["QRS"].tp == len(BEATS)


def test_flutter_in_a_table_is_not_scored(folder) -> None:
    """Beats from [ to ] count neither way, as in a WFDB annotation."""
    with (folder / "b.labels.csv").open("a") as table:
        table.write("\n9.9,[\n20,]\n")
    found = score_record(folder / "b.csv", reference="labels.csv", start=0, hints=Hints(FS))
    inside = ((BEATS >= 9.9 * FS) & (BEATS <= 20 * FS)).sum()
    assert (found.rates["QRS"].tp, found.rates["QRS"].fp) == (len(BEATS) - inside, 0)
    assert found.notes == ()


def test_a_name_of_two_recordings_is_refused(folder) -> None:
    """As everywhere else; the one that is scored is not guessed."""
    (folder / "a.hea").write_text("a 1 250 15000\na.dat 16\n")
    with pytest.raises(InputError, match=r"is the name of a\.hea and of a\.edf"):
        score([folder / "a"])


def test_what_is_missing_is_said(folder) -> None:
    """A rate that no file states, labels that are not there, and a record named twice."""
    with pytest.raises(InputError, match="does not state its sampling rate"):
        score([folder / "b.csv"], reference="labels.csv")
    with pytest.raises(InputError, match=r"lacks b\.atr .* there is b\.labels\.csv"):
        score([folder / "b.csv"], fs=FS)
    with pytest.raises(InputError, match=r"there is no folder .*elsewhere"):
        score([folder / "a.edf"], test="edf+", test_folder=folder / "elsewhere")
    with pytest.raises(InputError, match=r"annotator '\.\./eph'; give what follows"):
        score([folder / "a.edf"], test="../eph")
    with pytest.raises(InputError, match="is named twice"):
        score([folder / "a", folder / "a.edf"])

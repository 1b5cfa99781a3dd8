"""Beats of recordings that are not WFDB are scored as those of WFDB records are."""

from __future__ import annotations

import edfio
import numpy as np
import pytest

from ecgphoton.ecg.annotations import write_annotations
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
    found = score_record(folder / name, reference=reference, start=0, fs=fs)
    assert (found.rates["QRS"].tp, found.rates["QRS"].fn) == (len(BEATS), 0)
    assert found.rates["VEB"].fp == 1
    assert found.record == name[0]


def test_what_is_missing_is_said(folder) -> None:
    """A rate that no file states, labels that are not there, and a record named twice."""
    with pytest.raises(InputError, match="does not state its sampling rate"):
        score([folder / "b.csv"], reference="labels.csv")
    with pytest.raises(InputError, match=r"lacks b\.atr .* there is b\.labels\.csv"):
        score([folder / "b.csv"], fs=FS)
    with pytest.raises(InputError, match="is named twice"):
        score([folder / "a", folder / "a.edf"])

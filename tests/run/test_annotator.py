"""Signals in memory and streams: one answer, with anybody's R peaks."""

from __future__ import annotations

import copy
import json
import os
import pickle
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from tokens import LOOKING_AHEAD

import ecgphoton as ep
from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.patients import GAIN, patient, synthesise
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.recording import Recording
from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe
from ecgphoton.run.annotator import Annotator, Beats, annotate
from ecgphoton.runs import TrainedStudent
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent, predict

STUDENT = "inter-patient"


@pytest.fixture(scope="module")
def late():
    """A student that was never trained and looks at the next beat."""
    student = SegmentStudent(Architecture(patient=LOOKING_AHEAD, layers=2), seed=3).eval()
    about = {"classes": ["normal", "abnormal"], "recipe": Recipe().to_dict()}
    return TrainedStudent(student, OperatingPoint(0.5, ("validation",)), about, Path("none"))


@pytest.fixture(scope="module")
def signal():
    """A minute of a made-up patient in mV at 360 Hz."""
    record = synthesise(patient(2), beats=70)
    return ((record.digital[:, 0] - 1024) / GAIN).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(("fs", "step"), [(360, 97), (360, 4000), (250, 333)])
@pytest.mark.parametrize("delayed", [False, True])
def test_a_stream_is_answered_as_the_whole(signal, late, fs, step, delayed):
    """Whatever the pieces, the same beats get the same symbols, with a beat of delay or none."""
    from scipy.signal import resample_poly

    student = late if delayed else STUDENT
    given = signal if fs == 360 else resample_poly(signal, fs, 360).astype(np.float32)
    whole = annotate(given, fs, student=student)
    annotator = Annotator(fs, student=student)
    parts = [annotator.push(given[at : at + step]) for at in range(0, len(given), step)]
    assert sum(map(len, parts)) > 0.8 * len(whole)  # most are answered while it runs
    stream = Beats.concat([*parts, annotator.finish()])
    for column in ("sample", "time", "symbol", "called", "quality"):
        np.testing.assert_array_equal(getattr(stream, column), getattr(whole, column))
    np.testing.assert_allclose(stream.probability, whole.probability, atol=1e-5)
    assert len(whole) > 50


@pytest.mark.slow
@pytest.mark.parametrize("step", [97, 361, 5000])
def test_a_beat_of_delay_is_the_answer_of_the_record(signal, late, step):
    """Across a gap, a long silence and an odd last beat, streams equal `extract`."""
    given, peaks = signal.copy(), annotate(signal, 360, student=STUDENT).sample
    silence = 20_000  # longer than any signal that is kept
    given[peaks[30] - 5] = np.nan
    given = np.concatenate(
        [given[: peaks[40] + 250], np.resize([0, 1e-4], silence), given[peaks[40] + 250 :]]
    )
    peaks = np.where(peaks > peaks[40] + 250, peaks + silence, peaks)
    symbols = np.full(len(peaks), "N")
    lead = AnnotatedLead("x", given.astype(np.float32), peaks, symbols, "II", 360.0)
    beats = extract(lead, source="x", quality="drop").beats
    wanted = predict(late.student, beats)[:, 1]
    annotator = Annotator(360, student=late, peaks=peaks)
    parts = [annotator.push(given[at : at + step]) for at in range(0, len(given), step)]
    whole = Beats.concat([*parts, annotator.finish()])
    np.testing.assert_array_equal(whole.sample, peaks)
    answered = np.flatnonzero(whole.quality == "")
    assert 41 in answered
    assert 30 not in answered
    kept = np.flatnonzero(
        np.isin(extract(lead, source="x", quality="drop").beats.sample, peaks[answered])
    )
    np.testing.assert_allclose(whole.probability[answered], wanted[kept], atol=1e-6)


def test_a_beat_waits_for_the_window_of_the_next(signal, late):
    """With a beat of delay each beat comes one beat later, the last one at the end."""
    peaks = annotate(signal, 360, student=STUDENT).sample[:20]
    counts = []
    for student in ("reference-8", late):
        annotator = Annotator(360, student=student, peaks=np.append(peaks, len(signal) - 200))
        counts.append(len(annotator.push(signal[: peaks[-1] + 5000])))
    assert counts == [20, 19]


def test_given_peaks_are_kept(signal):
    """R peaks of another detector come back as they were, whatever their type."""
    found = annotate(signal, 360, student=STUDENT)
    for peaks in (found.sample, found.sample.tolist(), found.sample.astype(float)):
        again = annotate(signal, fs=360, peaks=peaks, student=STUDENT)
        np.testing.assert_array_equal(again.sample, found.sample)
        np.testing.assert_array_equal(again.symbol, found.symbol)


def test_the_table_is_a_pandas_table(signal):
    """Six columns, a row a beat; nothing can be said of the first, whose window is cut."""
    pandas = pytest.importorskip("pandas")
    beats = annotate(signal, 360, student=STUDENT)
    table = beats.to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert list(table) == ["sample", "time", "symbol", "probability", "called", "quality"]
    assert len(table) == len(beats)
    unknown = table.symbol == "?"
    assert (table.quality[unknown] != "").all()
    assert table.probability[unknown].isna().all()
    assert set(table.called[~unknown]) <= {"normal", "abnormal"}


def test_a_recording_brings_its_rate_and_leads(signal, tmp_path):
    """A lead of several is named, or refused with the list; a rate that differs is refused."""
    both = np.column_stack([signal, -signal])
    held = Recording(both, 360.0, ("ECG II", "V1"), ("mV", "mV"), tmp_path / "x", "WFDB")
    np.testing.assert_array_equal(
        annotate(held, lead="ii", student=STUDENT).sample,
        annotate(signal, 360, student=STUDENT).sample,
    )
    with pytest.raises(ep.InputError, match="ECG II, V1"):
        annotate(held, lead="V5", student=STUDENT)
    with pytest.raises(ep.InputError, match="ECG II, V1"):
        annotate(held, student=STUDENT)
    with pytest.raises(ep.InputError, match="recording is at 360 Hz"):
        annotate(held, 250, lead="V1", student=STUDENT)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"signal": np.zeros((10, 2)), "fs": 360}, "one lead"),
        ({"signal": ["a"], "fs": 360}, "no numbers"),
        ({"signal": np.zeros(1000)}, "sampling rate is missing"),
        ({"signal": np.zeros(1000), "fs": 10}, "sampled at 10 Hz"),
        ({"signal": np.zeros(1000), "fs": 360, "peaks": [5, 3]}, "in order of time"),
        ({"signal": np.zeros(1000), "fs": 360, "peaks": [0.5]}, "whole sample numbers"),
        ({"signal": np.zeros(1000), "fs": 360, "peaks": [3, 3]}, "each once"),
        ({"signal": np.zeros(1000), "fs": 360, "lead": "II"}, "plain array"),
    ],
)
def test_what_cannot_be_used_is_refused(options, what):
    """Each with a sentence that says what to give."""
    with pytest.raises(ep.InputError, match=what):
        annotate(**options, student=STUDENT)


def test_silence_is_an_empty_table():
    """A signal without a beat gives no rows, and no error."""
    for length in (3600, 0):
        beats = annotate(np.zeros(length), 360, student=STUDENT)
        assert len(beats) == 0
        assert len(beats.to_dataframe()) == 0


def test_a_pandas_column_with_nothing_measured(signal):
    """The missing values of pandas are missing samples, as NaN is."""
    pandas = pytest.importorskip("pandas")
    gone = np.arange(len(signal)) % 3000 > 2900
    column = pandas.Series(signal).astype("Float64").mask(gone)
    found = annotate(column, 360, student=STUDENT)
    expected = annotate(np.where(gone, np.nan, signal), 360, student=STUDENT)
    np.testing.assert_array_equal(found.sample, expected.sample)
    np.testing.assert_array_equal(found.called, expected.called)


def test_a_signal_that_has_ended_has_no_more_samples(signal):
    """They would be another signal's, with the first one's rhythm."""
    annotator = Annotator(360, student=STUDENT)
    annotator.push(signal[:3000])
    annotator.finish()
    for further in (annotator.finish, lambda: annotator.push(signal)):
        with pytest.raises(InputError, match="this signal has ended"):
            further()


@pytest.mark.parametrize("backend", ["torch", "onnx", "chip"])
@pytest.mark.parametrize("twin", [copy.copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_of_a_stream_continues_apart(signal, backend, twin):
    """Both are answered as if there were one, here or in another process, on every back end."""
    annotator = Annotator(360, student=STUDENT, backend=backend)
    annotator.push(signal[:9000])
    other = twin(annotator)
    found = [[one.push(signal[9000:]), one.finish()] for one in (annotator, other)]
    for mine, its in zip(*found, strict=True):
        np.testing.assert_array_equal(mine.sample, its.sample)
        np.testing.assert_array_equal(mine.probability, its.probability)


def test_what_is_missing_of_a_signal_is_said(signal, tmp_path):
    """In memory and piece by piece, as in the summary of the command."""
    signal = signal.copy()
    signal[3000:3005] = signal[5000:6000] = np.nan
    signal = np.concatenate([signal, np.zeros(20 * 360, np.float32)])
    np.savez(tmp_path / "r.npz", signal=signal, fs=360, leads=["MLII"])
    wanted = ep.run.annotate(
        tmp_path / "r.npz", model=STUDENT, out=tmp_path, picture=False
    ).summary["missing"]
    found = annotate(signal, 360, student=STUDENT)
    assert found.missing is not None
    assert asdict(found.missing) == wanted
    assert wanted["gaps"] == 3
    assert wanted["bridged"] == 1
    annotator = Annotator(360, student=STUDENT)
    assert annotator.missing().gaps == 0
    for at in range(0, len(signal), 1000):
        annotator.push(signal[at : at + 1000])
    assert annotator.finish().missing is None
    assert annotator.missing() == found.missing
    assert annotator.stretches() == found.stretches


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_a_record_whose_name_is_not_utf8_is_annotated(signal, tmp_path):
    """Bytes of its name that are no letters become escapes in the answers."""
    record = tmp_path / os.fsdecode(b"caf\xe9.npz")
    np.savez(record, signal=signal, fs=360)
    report = ep.run.annotate(record, model=STUDENT, out=tmp_path / "out", picture=False)
    lines = next(path for path in report.files if path.suffix == ".jsonl")
    assert json.loads(lines.read_text().splitlines()[0])["summary"]["record"] == "caf\udce9"

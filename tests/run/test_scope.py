"""What `annotate` says of recordings that lie outside what a student knows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_splits import synthetic_splits
from scipy.signal import resample

from ecgphoton.ecg.patients import GAIN, patient, synthesise
from ecgphoton.ecg.protocols import PROTOCOLS
from ecgphoton.errors import InputError
from ecgphoton.run.annotate import annotate
from ecgphoton.run.annotator import Annotator
from ecgphoton.run.burden import annotate_folder
from ecgphoton.run.scope import KEY, scope_of
from ecgphoton.runs import TrainedStudent, load
from ecgphoton.student.network import predict

FS = 360


@pytest.fixture(scope="module")
def student() -> TrainedStudent:
    """A shipped student that holds the ranges of made-up patients."""
    shipped = load("inter-patient")
    protocol = replace(PROTOCOLS["inter-patient"], folds=2)
    splits = synthetic_splits(protocol=protocol, labels="aami-svf", patients=23, beats=120)
    features = shipped.student.architecture.features
    held = scope_of(splits, features, predict(shipped.student, splits.train), shipped.point)
    return replace(shipped, metadata={**shipped.metadata, **json.loads(json.dumps(held))})


@pytest.fixture(scope="module")
def signal() -> np.ndarray:
    """A new patient of normal beats, in mV."""
    digital = synthesise(patient(6, seed=4), beats=120).digital
    return ((digital[:, 0] - 1024.0) / GAIN).astype(np.float32)


def judged(student, signal, step=None):
    """What a stream says at its end."""
    annotator = Annotator(FS, student=student)
    for at in range(0, len(signal), step or len(signal)):
        annotator.push(signal[at : at + (step or len(signal))])
    annotator.finish()
    return annotator.scope()


def white(signal, ratio):
    """Add noise of a standard deviation relative to that of the signal."""
    return signal + ratio * signal.std() * np.random.default_rng(0).normal(size=len(signal))


@pytest.mark.slow
def test_a_patient_like_those_of_training_is_quiet(student, signal):
    """Every value is within its limits, and the sentence says so."""
    report = judged(student, signal)
    assert (report.checked, report.outside) == (True, False), report.sentence
    assert report.sentence.startswith("Within what the student knows from ")
    assert all(one.position <= 1 for one in report.checks)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoilt", "check"),
    [
        (lambda x: -x, "shape"),
        (lambda x: 10 * x, "amplitude"),
        (lambda x: 0.1 * x, "amplitude"),
        (lambda x: white(x, 1), "noise"),
        (lambda x: resample(x, len(x) * 2 // 5), "rate"),
        (lambda x: np.where(np.arange(len(x)) < len(x) // 3, 30 * x, x), "poor signal"),
        (lambda x: x + 2 * np.sin(np.arange(len(x)) * 2 * np.pi * 0.4 / FS), "baseline"),
    ],
    ids=[
        "inverted",
        "x10",
        "x0.1",
        "noise at 0 dB",
        "2.5 times as fast",
        "a third at x30",
        "wander",
    ],
)
def test_a_spoilt_recording_is_caught(student, signal, spoilt, check):
    """The value that is spoilt is beyond its limit, and the sentence names the limit."""
    report = judged(student, spoilt(signal))
    assert report.outside, report.sentence
    assert check in {one.check for one in report.checks if one.beyond}, report.sentence
    assert report.sentence.startswith("Outside what the student knows")
    assert "limit" in report.sentence


def test_noise_for_a_while_is_said_with_its_time(student, signal):
    """Mains hum in a third of the recording raises no alarm of the whole, but is named."""
    at = np.arange(len(signal)) / FS
    hum = signal + np.where((at > 30) & (at < 60), 0.5, 0) * np.sin(2 * np.pi * 50 * at)
    report = judged(student, hum)
    assert "noise" not in {one.check for one in report.checks if one.beyond}
    ((first, last),) = report.noisy
    assert (first, last) == (pytest.approx(30, abs=2), pytest.approx(60, abs=2))
    assert f"above its limit at {first:.0f} to {last:.0f} s" in report.sentence
    assert report.noisy == judged(student, hum, 1234).noisy
    assert judged(student, signal).noisy == ()


@pytest.mark.parametrize("factor", [0.12, 10])
def test_another_size_for_a_while_is_said_with_its_time(student, signal, factor):
    """As of P waves alone, an electrode that comes off, or a gain that changes."""
    at = np.arange(len(signal)) / FS
    spoilt = np.where((at > 60) & (at < 95), factor, 1) * signal
    report = judged(student, spoilt)
    assert "amplitude" not in {one.check for one in report.checks if one.beyond}
    ((first, last),) = report.unusual
    assert 59 < first < last < 96
    assert f"Amplitude is beyond its limits at {first:.0f} to {last:.0f} s" in report.sentence
    assert judged(student, signal).unusual == ()


def test_hum_throughout_is_an_alarm(student, signal):
    """Of 0.5 mV, at the frequency of either continent."""
    for hertz in (50, 60):
        hum = 0.5 * np.sin(2 * np.pi * hertz * np.arange(len(signal)) / FS)
        report = judged(student, signal + hum)
        assert "noise" in {one.check for one in report.checks if one.beyond}
        assert report.noisy == ()


def test_a_flat_recording_is_caught(student, signal):
    """No beat is found, which no training patient has."""
    report = judged(student, 0 * signal)
    assert (report.checked, report.outside, report.score) == (False, True, None)
    assert "no beat was found" in report.sentence


def test_a_beat_that_is_cut_off_is_no_alarm(student, signal):
    """One whose window leaves the recording was found: too few to judge, not outside."""
    annotator = Annotator(FS, student=student, peaks=[10])
    annotator.push(signal[:FS])
    assert annotator.finish().symbol.tolist() == ["?"]
    report = annotator.scope()
    assert (report.checked, report.outside) == (False, False)
    assert "only 0 beats" in report.sentence


def test_few_beats_are_not_judged(student, signal):
    """The sentence says how many there are and how many are needed."""
    report = judged(student, signal[: 12 * FS])
    assert (report.checked, report.outside) == (False, False)
    assert "30 are needed" in report.sentence


def test_a_student_without_ranges_says_that_nothing_was_checked(signal):
    """Students of version 0.1, and those without folds."""
    report = judged(load("reference-8"), signal)
    assert (report.checked, report.outside, report.score) == (False, False, None)
    assert report.sentence.startswith("Not checked")


def test_the_pieces_of_a_stream_do_not_matter(student, signal):
    """Nor does a second run."""
    assert judged(student, signal) == judged(student, signal)
    whole, pieces = judged(student, signal).to_dict(), judged(student, signal, 777).to_dict()
    for one, other in zip(whole["checks"], pieces["checks"], strict=True):
        assert one["position"] == pytest.approx(other["position"], abs=1e-4)


def test_a_file_and_a_folder_say_the_same(student, wfdb_folder, tmp_path):
    """In the summary line, and in the table of burdens."""
    report = annotate(wfdb_folder / "s01", model=student, out=tmp_path / "one", picture=False)
    first = (tmp_path / "one" / "s01.eph.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["summary"][KEY] == json.loads(json.dumps(report.summary[KEY]))
    assert report.summary[KEY]["checked"]
    table = annotate_folder(wfdb_folder, model=student, out=tmp_path / "all", picture=False)
    row = next(row for row in table.rows if row["record"] == "s01")
    assert row["outside"] == report.summary[KEY]["outside"]
    assert row["outside score"] == report.summary[KEY]["score"]
    head, *lines = (tmp_path / "all" / "burdens.eph.csv").read_text().splitlines()
    assert head.endswith(",outside,outside score")
    assert all(line.count(",") == head.count(",") for line in lines)


def test_a_value_without_a_range_is_named(student, signal):
    """Of a student that another version trained; the other values are judged."""
    held = student.metadata[KEY]
    ranges = {name: pair for name, pair in held["ranges"].items() if name != "fast rate"}
    older = replace(student, metadata={**student.metadata, KEY: {**held, "ranges": ranges}})
    report = judged(older, signal)
    assert "Not checked: fast rate, of which" in report.sentence
    assert "Not checked" not in judged(student, signal).sentence
    assert len(report.checks) == len(judged(student, signal).checks) - 1


def test_damaged_ranges_are_refused(student):
    """A list, words for numbers, and lengths that do not fit together."""
    held = student.metadata[KEY]
    for broken in ([], {**held, "shape": ["x"]}, {**held, "centre": held["centre"][1:]}):
        spoilt = replace(student, metadata={**student.metadata, KEY: broken})
        with pytest.raises(InputError, match="scope of the student is damaged"):
            Annotator(FS, student=spoilt)

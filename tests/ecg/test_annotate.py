"""Classifying a record as a stream: the same beats, features and answers as in training."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from recordings import ecg, fibrillation, write_wfdb

from ecgphoton.ecg import annotate
from ecgphoton.ecg.annotate import classify_record, symbols_of
from ecgphoton.ecg.annotations import read_annotations, write_annotations
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.extract import UNDECIDED
from ecgphoton.ecg.reading import open_signal, read_recording
from ecgphoton.errors import InputError


def fingerprint(beats: BeatSet) -> np.ndarray:
    """Probabilities that every bit of every feature has a say in."""
    rng = np.random.default_rng(0)
    score = sum(
        part.astype(float) @ rng.normal(size=part.shape[1])
        for part in (
            beats.windows,
            beats.patient,
            beats.residual,
        )
    )
    p = 1 / (1 + np.exp(-score))
    return np.column_stack([1 - p, p]).astype(np.float32)


class Keep:
    """A classifier that remembers what it was given."""

    def __init__(self):
        self.seen = []

    def __call__(self, beats):
        """Remember the beats and answer."""
        self.seen.append(beats)
        return fingerprint(beats)


def at_rate(folder, rate, seconds=40.0, gap=None):
    """Write a record at another sampling rate, optionally with a gap (first, last second)."""
    import wfdb

    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.6, 1.0, int(seconds)))
    times = times[times < seconds - 0.2]
    t = np.arange(int(seconds * rate)) / rate
    wave = sum(np.exp(-0.5 * ((t - at) / 0.012) ** 2) for at in times) + 0.1 * np.sin(2 * t)
    digital = np.rint(200 * wave).astype(np.int64)[:, None]
    if gap is not None:
        digital[int(gap[0] * rate) : int(gap[1] * rate)] = -(2**15)
    wfdb.wrsamp(
        "r", fs=rate, units=["mV"], sig_name=["MLII"], d_signal=digital, fmt=["16"],
        adc_gain=[200.0], baseline=[0], write_dir=str(folder),
    )  # fmt: skip
    samples = np.rint(times * rate).astype(np.int64)
    write_annotations(folder, "r", "atr", samples, ["N"] * len(samples), fs=rate)
    return folder / "r"


def test_stream_sees_exactly_the_beats_of_training(wfdb_folder):
    """Windows, patient features and residuals equal those of `load_all` to the bit."""
    for name in ("s01", "s03"):
        keep = Keep()
        calls = classify_record(
            open_signal(wfdb_folder / name), keep, annotator="atr", block_seconds=11
        )
        streamed = BeatSet.concat(keep.seen)
        trained = load_all([name], data=wfdb_folder, cache=False).beats
        for column in ("windows", "patient", "residual", "sample"):
            np.testing.assert_array_equal(getattr(streamed, column), getattr(trained, column))
        assert streamed.synthetic
        assert calls.classified.sum() == len(trained)


@pytest.mark.slow
@given(st.floats(0.4, 80))
@settings(max_examples=12, deadline=None)
def test_block_size_changes_nothing(wfdb_folder, seconds):
    """Blocks shorter than a beat or longer than the record give the same bits."""
    signal = open_signal(wfdb_folder / "s02")
    whole = classify_record(signal, fingerprint, annotator="atr", block_seconds=1e6)
    parts = classify_record(signal, fingerprint, annotator="atr", block_seconds=seconds)
    np.testing.assert_array_equal(whole.probability, parts.probability)
    np.testing.assert_array_equal(whole.reason, parts.reason)


def test_classifier_is_called_with_whole_chunks(wfdb_folder, monkeypatch):
    """Whatever the blocks, a classifier gets `CHUNK` beats at a time and the rest at the end."""
    monkeypatch.setattr(annotate, "CHUNK", 16)
    for seconds in (3, 50, 1000):
        keep = Keep()
        classify_record(
            open_signal(wfdb_folder / "s01"), keep, annotator="atr", block_seconds=seconds
        )
        sizes = [len(beats) for beats in keep.seen]
        assert set(sizes[:-1]) == {16}
        assert 0 < sizes[-1] <= 16


@pytest.mark.slow
@pytest.mark.parametrize("rate", [128, 250, 257, 1000])
@pytest.mark.parametrize("gap", [None, (10.0, 13.5)])
def test_any_rate_resampled_in_blocks_is_the_whole_resampled(tmp_path, rate, gap):
    """Block-wise resampling, also across gaps, equals what training reads, to the bit."""
    record = at_rate(tmp_path, rate, gap=gap)
    whole = read_recording(tmp_path, "r").signal
    for seconds in (0.3, 7.7, 1e6):
        pieces = list(open_signal(record).blocks(seconds))
        assert [first for first, _ in pieces] == np.cumsum([0, *(len(p) for _, p in pieces)])[
            :-1
        ].tolist()
        np.testing.assert_array_equal(np.concatenate([p for _, p in pieces]), whole)


def test_annotations_are_at_the_rate_of_the_record(tmp_path):
    """R samples come back as they were annotated, whatever the rate of the record."""
    record = at_rate(tmp_path, 250)
    calls = classify_record(open_signal(record), fingerprint, annotator="atr")
    np.testing.assert_array_equal(calls.sample, read_annotations(record, "atr").beats.sample)
    assert any("250 Hz" in note for note in calls.signal.notes)


@pytest.mark.parametrize("wrong", [lambda at: at // 2, lambda at: at + 100])
def test_marks_that_are_not_at_the_beats_are_noticed(wrong, tmp_path):
    """Of another rate without saying so, or of another record."""
    signal, beats = ecg(40, 250)
    record = write_wfdb(tmp_path, "a", signal, beats=beats)
    assert classify_record(open_signal(record), Keep(), annotator="atr").notes == ()
    write_annotations(tmp_path, "a", "qrs", beats - 40, "N" * len(beats), fs=250)  # 0.16 s ahead
    assert classify_record(open_signal(record), Keep(), annotator="qrs").notes == ()
    write_annotations(tmp_path, "a", "qrs", wrong(beats), "N" * len(beats), fs=250)
    (note,) = classify_record(open_signal(record), Keep(), annotator="qrs").notes
    assert "marks of qrs that are classified are at a QRS complex" in note


def test_beats_at_edges_and_in_gaps_are_counted_not_dropped(tmp_path):
    """A beat without a whole window keeps its place, gets no probability and says why."""
    record = at_rate(tmp_path, 360, gap=(10.0, 12.0))
    calls = classify_record(open_signal(record), fingerprint, annotator="atr")
    assert len(calls) == len(read_annotations(record, "atr").beats.sample)
    assert "window has missing samples" in calls.reason
    assert np.isnan(calls.probability[~calls.classified]).all()
    assert np.isfinite(calls.probability[calls.classified]).all()
    called = calls.probability.argmax(1)
    symbols = symbols_of(called, calls.classified, ("normal", "abnormal"))
    assert set(symbols[~calls.classified]) == {UNDECIDED}
    assert set(symbols[calls.classified]) <= {"N", "Q"}


@pytest.mark.slow
@given(st.floats(0.4, 80), st.sampled_from(["annotation", "qrs"]))
@settings(max_examples=6, deadline=None)
def test_detected_beats_do_not_depend_on_blocks(wfdb_folder, seconds, centring):
    """Beats found in pieces are those found at once; features differ by rounding at most."""
    signal = open_signal(wfdb_folder / "s02")
    whole, parts = (
        classify_record(signal, fingerprint, centring=centring, block_seconds=length)
        for length in (1e6, seconds)
    )
    np.testing.assert_array_equal(whole.sample, parts.sample)
    np.testing.assert_array_equal(whole.reason, parts.reason)
    np.testing.assert_allclose(whole.probability, parts.probability, atol=1e-5)


def test_windows_centred_on_the_qrs_are_those_of_training(wfdb_folder):
    """With the same marks, use and training cut the same windows, and not those of the marks."""
    keep = Keep()
    classify_record(open_signal(wfdb_folder / "s02"), keep, annotator="atr", centring="qrs")
    used = BeatSet.concat(keep.seen)
    trained = load_all(["s02"], data=wfdb_folder, centring="qrs", cache=False).beats
    for column in ("windows", "patient", "residual", "sample"):
        np.testing.assert_array_equal(getattr(used, column), getattr(trained, column))
    plain = load_all(["s02"], data=wfdb_folder, cache=False).beats
    assert not np.array_equal(plain.windows, trained.windows)


def test_an_annotated_and_a_detected_beat_have_one_window(wfdb_folder):
    """Centred on the QRS, nearly all windows of detected beats are those of the reference."""
    reference, detected = Keep(), Keep()
    for keep, annotator in ((reference, "atr"), (detected, None)):
        classify_record(open_signal(wfdb_folder / "s01"), keep, annotator=annotator, centring="qrs")
    first, second = (
        {window.tobytes() for window in BeatSet.concat(keep.seen).windows}
        for keep in (reference, detected)
    )
    assert len(first & second) > 0.97 * len(first)


def test_silence_has_no_beats_and_says_so(tmp_path):
    """A flat record is an input error that names lead and record, not a crash."""
    import wfdb

    wfdb.wrsamp(
        "flat", fs=360, units=["mV"], sig_name=["MLII"], d_signal=np.zeros((7200, 1), np.int64),
        fmt=["16"], adc_gain=[200.0], baseline=[0], write_dir=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(InputError, match="flat has no beat that is found in MLII") as error:
        classify_record(open_signal(tmp_path / "flat"), fingerprint)
    assert str(error.value).count("flat") == 1
    assert "seen: 20.00 s of MLII missing" in str(error.value)


def test_a_piece_too_short_to_be_judged_is_said(tmp_path):
    """Less than a second of a signal without beats: the error does not pretend to see something."""
    place = write_wfdb(tmp_path, "s", 0.2 * np.random.default_rng(0).normal(size=(200, 1)))
    with pytest.raises(InputError, match="seen: nothing, or too little to tell"):
        classify_record(open_signal(place), fingerprint)


def test_fibrillation_without_beats_is_described(tmp_path):
    """The error states file, lead, length, what is seen (waves without QRS), and what to do."""
    waves = fibrillation(60, 1)
    place = write_wfdb(tmp_path, "vf", np.stack([waves, 0 * waves], 1), lead=("II", "V1"))
    with pytest.raises(InputError) as error:
        classify_record(open_signal(place), fingerprint)
    said = str(error.value)
    assert f"record {place} has no beat that is found in II (60.0 s)" in said
    assert "seen: waves of 1.00 mV in which no QRS complex is found, strongest at " in said
    assert "as in ventricular flutter or fibrillation" in said
    assert "its other leads are V1: name one" in said


def test_damage_is_one_sentence(wfdb_folder, tmp_path):
    """Missing record, missing signal file, wrong checksum, wrong lead: each an input error."""
    with pytest.raises(InputError, match=r"there is no recording .*s77"):
        open_signal(wfdb_folder / "s77")
    with pytest.raises(InputError, match="no lead channel:7"):
        open_signal(wfdb_folder / "s01", "channel:7")
    for path in wfdb_folder.glob("s01.*"):
        shutil.copy(path, tmp_path)
    data = bytearray((tmp_path / "s01.dat").read_bytes())
    data[300] ^= 1
    (tmp_path / "s01.dat").write_bytes(data)
    with pytest.raises(InputError, match="corrupt"):
        classify_record(open_signal(tmp_path / "s01"), fingerprint, annotator="atr")
    (tmp_path / "s01.dat").write_bytes(data[:1000])
    with pytest.raises(InputError, match="truncated"):
        open_signal(tmp_path / "s01")
    (tmp_path / "s01.dat").unlink()
    with pytest.raises(InputError, match=r"lacks s01\.dat"):
        open_signal(tmp_path / "s01")


def test_answers_of_a_wrong_shape_are_refused(wfdb_folder):
    """A classifier must give a row a beat."""
    with pytest.raises(InputError, match="one row"):
        classify_record(
            open_signal(wfdb_folder / "s01"), lambda beats: np.zeros(3), annotator="atr"
        )


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_blocks_have_a_length(seconds, wfdb_folder):
    """Blocks of no or no finite length are refused by value."""
    signal = open_signal(wfdb_folder / "s01")
    with pytest.raises(InputError, match=f"blocks of {seconds} s; give a number of seconds"):
        classify_record(signal, fingerprint, annotator="atr", block_seconds=seconds)


def test_a_class_without_symbol_is_refused():
    """Only classes with a WFDB symbol can be written."""
    with pytest.raises(InputError, match="no WFDB symbol for class 'odd'"):
        symbols_of(np.zeros(1, int), np.ones(1, bool), ("normal", "odd"))

"""Classifying a record as a stream: the same beats, features and answers as in training."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ecgphoton.ecg import annotate, detect
from ecgphoton.ecg.annotate import UNDECIDED, classify_record, decide_symbols
from ecgphoton.ecg.annotations import read_annotations, write_annotations
from ecgphoton.ecg.beats import load_records
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.detect import detect_peaks
from ecgphoton.ecg.reading import read_recording
from ecgphoton.ecg.resample import nearest_filled, ratio, resample
from ecgphoton.ecg.score import score_record
from ecgphoton.ecg.signal import open_signal
from ecgphoton.errors import InputError


def fingerprint(beats: BeatSet) -> np.ndarray:
    """Probabilities that every bit of every feature has a say in."""
    rng = np.random.default_rng(0)
    score = sum(
        part.astype(float) @ rng.normal(size=part.shape[1])
        for part in (
            beats.windows,
            beats.rhythm_causal,
            beats.rhythm_full,
            beats.shape,
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
    """Windows, both rhythms and residuals equal those of `load_records` to the bit."""
    for name in ("s01", "s03"):
        keep = Keep()
        calls = classify_record(
            open_signal(wfdb_folder / name), keep, annotator="atr", block_seconds=11
        )
        streamed = BeatSet.concat(keep.seen)
        trained = load_records([name], data=wfdb_folder, cache=False)
        for column in ("windows", "rhythm_causal", "rhythm_full", "shape", "residual", "sample"):
            np.testing.assert_array_equal(getattr(streamed, column), getattr(trained, column))
        assert streamed.synthetic
        assert calls.classified.sum() == len(trained)


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


def test_beats_at_edges_and_in_gaps_are_counted_not_dropped(tmp_path):
    """A beat without a whole window keeps its place, gets no probability and says why."""
    record = at_rate(tmp_path, 360, gap=(10.0, 12.0))
    calls = classify_record(open_signal(record), fingerprint, annotator="atr")
    assert len(calls) == len(read_annotations(record, "atr").beats.sample)
    assert "window has missing samples" in calls.reason
    assert np.isnan(calls.probability[~calls.classified]).all()
    assert np.isfinite(calls.probability[calls.classified]).all()
    called = calls.probability.argmax(1)
    symbols = decide_symbols(calls, called, ("normal", "abnormal"))
    assert set(symbols[~calls.classified]) == {UNDECIDED}
    assert set(symbols[calls.classified]) <= {"N", "Q"}


def test_detection_does_not_depend_on_blocks_and_finds_the_beats(tmp_path):
    """R peaks found in pieces are those found at once, and match the annotation."""
    record = at_rate(tmp_path, 360, seconds=60)
    signal = open_signal(record)
    whole, parts = (
        detect_peaks(signal.blocks(seconds), signal.length_360, signal.gain)
        for seconds in (1e6, 4.3)
    )
    np.testing.assert_array_equal(whole, parts)
    calls = classify_record(signal, fingerprint)
    write_annotations(tmp_path, "r", "eph", calls.sample, ["N"] * len(calls), fs=360)
    found = score_record(record, start=0).detection
    assert found.se > 0.95
    assert found.ppv > 0.95


def test_searches_meet_without_losing_or_doubling_beats(tmp_path, monkeypatch):
    """With searches of 12 s each the beats at their seams are found once."""
    signal = open_signal(at_rate(tmp_path, 360, seconds=60))
    once = detect_peaks(signal.blocks(), signal.length_360, signal.gain)
    monkeypatch.setattr(detect, "BLOCK", 12 * 360)
    monkeypatch.setattr(detect, "OVERLAP", 10 * 360)
    seams = detect_peaks(signal.blocks(5), signal.length_360, signal.gain)
    assert np.abs(once[np.searchsorted(once, seams).clip(0, len(once) - 1)] - seams).min() <= 2
    assert abs(len(once) - len(seams)) <= 1
    assert np.diff(seams).min() >= detect.REFRACTORY


@pytest.mark.parametrize("rate", [128, 250, 360, 1000])
def test_fast_peak_search_is_that_of_wfdb(rate):
    """On noise, steps, plateaus at both ends and single spikes every local peak is wfdb's."""
    from wfdb.processing import XQRS
    from wfdb.processing.peaks import find_local_peaks

    rng = np.random.default_rng(rate)
    waves = [
        rng.normal(size=3000),
        np.rint(rng.normal(size=3000)),
        np.repeat(rng.integers(0, 3, 60), 50).astype(float),
        np.concatenate([np.full(90, 9.0), np.zeros(900), np.full(90, 9.0)]),
        (np.arange(2000) == 700).astype(float),
        np.cumsum(rng.normal(size=3000)),
    ]
    for wave in waves:
        for radius in (1, 2, int(0.05 * rate)):
            np.testing.assert_array_equal(
                detect.local_peaks(wave, radius), find_local_peaks(wave, radius)
            )
    assert not len(detect.local_peaks(np.ones(50), 3))
    slow, fast = (kind(sig=np.tile(waves[0], 4), fs=rate) for kind in (XQRS, detect.faster_xqrs()))
    slow.detect(verbose=False)
    fast.detect(verbose=False)
    np.testing.assert_array_equal(slow.qrs_inds, fast.qrs_inds)
    assert XQRS is not detect.faster_xqrs()
    assert type(fast)._mwi is not XQRS._mwi, "wfdb no longer searches peaks where it did"


@pytest.mark.mitdb
@pytest.mark.parametrize("name", ["104", "200", "203", "207", "231"])
def test_detection_is_that_of_wfdb_on_recordings(mitdb, name):
    """On noisy, arrhythmic and fluttering leads the R peaks are those of wfdb's own XQRS."""
    import wfdb
    from wfdb.processing import XQRS

    for lead in wfdb.rdrecord(str(mitdb / name), sampto=120 * 360).p_signal.T:
        slow, fast = (kind(sig=lead, fs=360) for kind in (XQRS, detect.faster_xqrs()))
        slow.detect(verbose=False)
        fast.detect(verbose=False)
        np.testing.assert_array_equal(slow.qrs_inds, fast.qrs_inds)


def test_silence_has_no_beats_and_says_so(tmp_path):
    """A flat record is an input error that names lead and record, not a crash."""
    import wfdb

    wfdb.wrsamp(
        "flat", fs=360, units=["mV"], sig_name=["MLII"], d_signal=np.zeros((7200, 1), np.int64),
        fmt=["16"], adc_gain=[200.0], baseline=[0], write_dir=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(InputError, match="flat has no beat that XQRS finds in MLII"):
        classify_record(open_signal(tmp_path / "flat"), fingerprint)


def test_nearest_measured_value_fills_a_gap():
    """Each missing sample takes its nearest neighbour, the earlier of two; ends are held."""
    nan = np.nan
    signal = np.array([nan, 1, nan, nan, nan, 5, nan], np.float32)
    assert nearest_filled(signal).tolist() == [1, 1, 1, 1, 5, 5, 5]
    assert nearest_filled(np.full(3, nan, np.float32)).tolist() == [0, 0, 0]


def test_resampling_keeps_a_slow_wave():
    """A 1 Hz sine at 250 Hz is a 1 Hz sine at 360 Hz, away from the ends."""
    t = np.arange(2500) / 250
    out = resample(np.sin(2 * np.pi * t).astype(np.float32), ratio(250, "r"))
    assert len(out) == 3600
    expected = np.sin(2 * np.pi * np.arange(3600) / 360)
    assert np.abs(out - expected)[100:-100].max() < 2e-3


def test_written_annotation_is_what_rdann_reads(tmp_path):
    """Samples, symbols, rate and the comment survive the file; other readers see a plain beat."""
    import wfdb

    write_annotations(tmp_path, "x", "eph", np.array([0, 5, 9]), list("NQ?"), fs=250, note="by us")
    read = wfdb.rdann(str(tmp_path / "x"), "eph")
    assert read.fs == 250
    assert read.sample.tolist() == [0, 1, 5, 9]
    assert read.symbol == ["N", '"', "Q", "?"]
    assert read.aux_note[1] == "by us"
    assert [path.name for path in tmp_path.iterdir()] == ["x.eph"]


@pytest.mark.parametrize(
    ("name", "annotator", "samples"),
    [
        ("a/b", "eph", [1]),
        ("x", "../e", [1]),
        ("x", "eph2", [1]),
        ("x", "eph", [5, 3]),
        ("x", "eph", [-1]),
    ],
)
def test_names_and_times_wfdb_cannot_hold_are_refused(tmp_path, name, annotator, samples):
    """Nothing is written outside the folder, and no times that run backwards."""
    with pytest.raises(InputError):
        write_annotations(
            tmp_path, name, annotator, np.array(samples), ["N"] * len(samples), fs=360
        )
    assert list(tmp_path.iterdir()) == []


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


def test_a_class_without_symbol_is_refused(wfdb_folder):
    """Only classes with a WFDB symbol can be written."""
    calls = classify_record(open_signal(wfdb_folder / "s01"), fingerprint, annotator="atr")
    with pytest.raises(InputError, match="no WFDB symbol for class 'odd'"):
        decide_symbols(calls, np.zeros(len(calls), int), ("normal", "odd"))

"""The R-peak detector: what it finds, what it sleeps through, and that pieces change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ecgphoton.ecg.annotations import Annotations, duration, read_annotations
from ecgphoton.ecg.detect import Detector, centred, r_peaks
from ecgphoton.ecg.patients import GAIN, patient, synthesise
from ecgphoton.ecg.reading import open_signal
from ecgphoton.ecg.resample import scaled
from ecgphoton.ecg.score import compare
from ecgphoton.ecg.tally import aggregate

RATE = 360


def found(signal, step=10**9, gain=1.0):
    """Beats of a signal that comes in pieces of `step` samples."""
    detector = Detector(gain)
    pieces = [signal[at : at + step] for at in range(0, len(signal), step)]
    parts = [detector.push(piece) for piece in pieces]
    return np.concatenate([*parts, detector.push(np.empty(0, np.float32), last=True)])


def ecg(seconds, rate=75, width=0.012, height=1.0, noise=0.005, seed=0):
    """A made-up lead in mV: narrow beats with a T wave, and where they are."""
    rng = np.random.default_rng(seed)
    beats = np.arange(0.7, seconds - 0.5, 60 / rate)
    beats += rng.uniform(-0.02, 0.02, len(beats))
    t = np.arange(round(seconds * RATE)) / RATE
    wave = rng.normal(0, noise, len(t))
    for at in beats:
        near = slice(max(0, int((at - 0.7) * RATE)), int((at + 0.7) * RATE))
        wave[near] += height * np.exp(-0.5 * ((t[near] - at) / width) ** 2)
        wave[near] += 0.25 * height * np.exp(-0.5 * ((t[near] - at - 0.25) / 0.045) ** 2)
    return wave.astype(np.float32), np.rint(beats * RATE).astype(np.int64)


def missed_and_extra(peaks, beats, within=36):
    """Beats without a peak near, and peaks without a beat near."""
    far = np.abs(peaks[:, None] - beats[None]) > within
    return int(far.all(axis=0).sum()), int(far.all(axis=1).sum())


@pytest.mark.parametrize("rate", [35, 75, 150, 200])
@pytest.mark.parametrize("height", [0.15, 1.0, 4.0, -1.0])
def test_plain_beats_are_found_and_nothing_else(rate, height):
    """From 35 to 200 a minute, small, large or upside down: each beat once, no T wave."""
    signal, beats = ecg(60, rate, height=height)
    assert missed_and_extra(found(signal), beats) == (0, 0)


@pytest.mark.parametrize("rate", [20, 25, 30, 33])
@pytest.mark.parametrize("seconds", [20, 120])
def test_a_slow_rhythm_is_found_from_its_first_beats(rate, seconds):
    """Of a block with 20 to 33 beats a minute every beat, though most seconds have none."""
    signal, beats = ecg(seconds, rate)
    missed, extra = missed_and_extra(found(signal), beats)
    assert (missed <= (rate < 25), extra) == (True, 0)


def test_a_loud_noise_hides_no_beats_behind_it():
    """What stands out at its end is not learnt from: beats of a third of it are found at once."""
    signal, beats = ecg(60)
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(0, 3, 120 * RATE).astype(np.float32)
        peaks = found(np.concatenate([signal, noise, signal])) - len(signal) - len(noise)
        assert missed_and_extra(peaks[peaks > RATE], beats[beats > RATE]) == (0, 0)


def test_wide_beats_are_found():
    """A beat three times as wide, and little higher, is a beat among narrow ones."""
    signal, beats = ecg(60)
    wide = beats[10::7] + 130
    t = np.arange(len(signal))
    for at in wide:
        signal += (1.3 * np.exp(-0.5 * ((t - at) / 14) ** 2)).astype(np.float32)
    assert missed_and_extra(found(signal), np.concatenate([beats, wide])) == (0, 0)


@pytest.mark.parametrize("level", [0.0, 0.005, 0.05, 0.5])
def test_an_unplugged_electrode_has_no_beats(level):
    """After the plug is pulled there is noise of any strength, and no beat for ten minutes."""
    signal, beats = ecg(60)
    noise = np.random.default_rng(1).normal(0, level, 600 * RATE).astype(np.float32)
    peaks = found(np.concatenate([signal, noise]))
    assert (peaks > len(signal) + 36).sum() <= (4 if level > 0.1 else 0)
    assert missed_and_extra(peaks[peaks < len(signal)], beats) == (0, 0)
    assert len(found(noise)) == 0


def test_a_plug_put_back_is_noticed():
    """After a silence, and at a fifth of the old height, beats are found again within seconds."""
    first, _ = ecg(30, height=2.0)
    again, beats = ecg(60, height=0.4, seed=1)
    silence = np.random.default_rng(2).normal(0, 0.004, 60 * RATE).astype(np.float32)
    start = len(first) + len(silence)
    peaks = found(np.concatenate([first, silence, again])) - start
    late = beats[beats > 5 * RATE]
    assert missed_and_extra(peaks[peaks > 5 * RATE], late) == (0, 0)


def test_a_gap_is_no_beat():
    """Missing samples, and the step that follows them, are none; beats around them are found."""
    signal, beats = ecg(60)
    signal[5000:7000] = np.nan
    signal[7000:] += 3.0
    near = (beats < 5000 - 60) | (beats > 7000 + 60)
    peaks = found(signal)
    assert ((peaks < 5000) | (peaks >= 7000)).all()
    assert missed_and_extra(peaks, beats[near], within=60) == (0, 0)


@given(st.integers(1, 4000), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_pieces_change_nothing(step, seed):
    """With gaps, noise and a silence, any cut of the signal gives the same beats to the sample."""
    rng = np.random.default_rng(seed)
    signal, _ = ecg(40, noise=0.05, seed=seed)
    signal[6000:6400] = np.nan
    signal[9000:13000] = rng.normal(0, 0.003, 4000)
    np.testing.assert_array_equal(found(signal, max(step, 25)), found(signal))


def test_units_change_nothing():
    """A signal in digital units with its gain has the beats of the same in mV."""
    record = synthesise(patient(3), beats=60)
    digital = record.digital[:, 0].astype(np.float32)
    np.testing.assert_array_equal(found(digital, gain=GAIN), found(digital / np.float32(GAIN)))


def test_centring_brings_near_marks_together_and_stays():
    """Marks within 0.08 s of a beat move to one sample; a second time nothing moves."""
    signal, beats = ecg(30)
    once = centred(signal, beats)
    for shift in (-25, 12, 28):
        np.testing.assert_array_equal(centred(signal, beats + shift), once)
    np.testing.assert_array_equal(centred(signal, once), once)
    np.testing.assert_array_equal(centred(-3 * signal + 7, beats), once)
    outside = np.array([-5, 10**6])
    np.testing.assert_array_equal(centred(signal, outside), outside)


def test_r_peaks_are_where_annotators_put_them():
    """The R peak of an upright and of an upside-down beat is its tip."""
    for height in (1.0, -1.0):
        signal, beats = ecg(30, height=height, noise=0.001)
        assert np.abs(r_peaks(signal, centred(signal, beats)) - beats).max() <= 2


@pytest.mark.mitdb
@pytest.mark.slow
def test_detection_reaches_its_goal(mitdb):
    """Gross from 5:00, first lead, on five hard and five plain records: Se and +P as published."""
    rows = []
    for name in ["100", "106", "108", "119", "200", "203", "208", "214", "223", "233"]:
        signal = open_signal(mitdb / name, "channel:0")
        detector = Detector(signal.lead.gain)
        whole = np.concatenate([piece for _, piece in signal.blocks()])
        peaks = scaled(r_peaks(whole, detector.push(whole, last=True)), 1 / signal.factor)
        test = Annotations(peaks, np.full(len(peaks), "N"), signal.lead.fs)
        reference = read_annotations(mitdb / name, "atr")
        rows.append(compare(reference, test, record=name, end=duration(mitdb / name)))
    gross = aggregate(rows).gross
    assert gross.rates["QRS"].se > 0.998
    assert gross.rates["QRS"].ppv > 0.998
    assert gross.count("V", "OX") < 0.005 * gross.count("V", "NSVFQUOX")

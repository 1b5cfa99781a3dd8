"""Missing signal: it is never classified, and it changes no beat beside it."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import ecg

import ecgphoton as ep
from ecgphoton.ecg.detect import centred
from ecgphoton.ecg.missing import Moving
from ecgphoton.ecg.patients import GAIN, patient, synthesise
from ecgphoton.ecg.rhythm import Rhythm

FS = 360


@pytest.fixture(scope="module")
def lead():
    """A generated lead of 70 s in mV with normal beats, and their R samples."""
    made = synthesise(patient(6, seed=3), beats=90)
    return ((made.digital[:, 0] - 1024) / GAIN).astype(np.float32), made.samples


def with_gap(signal, value, seconds, at=30.0):
    """Return the lead with one value for some seconds."""
    out = signal.copy()
    out[round(at * FS) : round((at + seconds) * FS)] = value
    return out


@pytest.mark.parametrize("fs", [128, 360, 1000])
def test_samples_that_stand_still_are_missing(fs):
    """A run of a second and more becomes NaN, a shorter one stays; pieces of any size agree."""
    signal = np.random.default_rng(0).normal(size=8 * fs).astype(np.float32)
    signal[fs : 2 * fs], signal[3 * fs : 4 * fs - 1], signal[7 * fs - 1 :] = 0.5, 0.5, 2.0
    expected = signal.copy()
    expected[fs : 2 * fs] = expected[7 * fs - 1 :] = np.nan
    for step in (fs // 128, 97, fs, 10 * fs):
        moving = Moving(fs)
        pieces = [moving.push(signal[at : at + step]) for at in range(0, len(signal), step)]
        found = np.concatenate([*pieces, moving.push(signal[:0], last=True)])
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [(np.nan, 0.3), (np.nan, 2.0), (np.nan, 15.0), (0.0, 2.0), (-5.0, 15.0), (1e20, 0.3)],
)
def test_a_gap_makes_no_beat_abnormal(lead, value, seconds, known):
    """Beats are undecided where signal is missing, and the others are called as without the gap."""
    signal, peaks = lead
    given = {"peaks": peaks} if known else {}
    calls = ep.annotate(with_gap(signal, value, seconds), FS, student="inter-patient-4", **given)
    whole = ep.annotate(signal, FS, student="inter-patient-4", **given)
    as_before = dict(zip(whole.sample.tolist(), whole.called.tolist(), strict=True))
    changed = [
        time
        for sample, time, called in zip(calls.sample, calls.time, calls.called, strict=True)
        if called != "?" and called != as_before.get(int(sample), "N")
    ]
    assert changed == []
    assert not known or (calls.called == "?").sum() >= max(1, int(seconds / 0.9))


def test_a_beat_beside_missing_samples_is_not_moved(lead):
    """The middle of a QRS of which a part is missing is not looked for."""
    signal, peaks = lead
    beat = peaks[40:41]
    cut = signal.copy()
    cut[beat[0] + 5 : beat[0] + 700] = np.nan
    assert centred(cut, beat) == beat


def test_an_interval_that_may_hide_a_beat_is_not_there():
    """Long and with missing signal: unknown, for the beats around it and for every average."""
    samples = np.arange(0, 40 * 290, 290)
    samples[20:] += 600
    breaks = np.where(np.arange(40) >= 20, 5, 0)
    rhythm, plain = Rhythm.of(samples, breaks=breaks), Rhythm.of(samples)
    assert np.isnan([rhythm.pre[20], rhythm.post[19], rhythm.previous[21]]).all()
    assert not rhythm.regular[[19, 20]].any()
    np.testing.assert_allclose(rhythm.long_run[21:], np.log(290 / 360))
    assert (plain.long_run[21:] > rhythm.long_run[21:]).all()
    usual = Rhythm.of(np.arange(0, 40 * 290, 290), breaks=breaks)  # a short gap hides nothing
    assert np.isfinite(usual.pre[1:]).all()


def test_an_interval_to_what_may_be_no_beat_is_not_there():
    """However long it is: what noise was taken for is neither compared nor compared with."""
    samples = np.delete(np.arange(0, 40 * 290, 290), 21)
    breaks = np.where(np.arange(39) == 20, np.nan, 0.0)
    rhythm = Rhythm.of(samples + 60 * (np.arange(39) == 20), breaks=breaks)
    assert np.isnan([rhythm.pre[20], rhythm.pre[21], rhythm.post[19], rhythm.post[20]]).all()
    np.testing.assert_allclose(rhythm.usual[22:], np.log(290 / 360))
    np.testing.assert_allclose(rhythm.scatter[24:], 0, atol=1e-12)


@pytest.mark.parametrize("seed", [3, 8])
def test_beats_after_noise_are_called_as_without_it(seed):
    """Ten peaks of noise that were taken for beats make no beat after them early."""
    signal, _ = ecg(60, FS)
    noise = np.random.default_rng(seed).standard_normal(120 * FS)
    calls = ep.annotate(np.concatenate([signal, noise, signal]), FS, student="inter-patient-4")
    assert set(calls.symbol.tolist()) == {"N", "?"}


@pytest.mark.slow
@pytest.mark.parametrize("step", [97, 4000])
def test_pieces_of_a_lead_with_gaps_give_the_same(lead, step):
    """A stream counts missing samples as a whole lead does."""
    signal = with_gap(with_gap(with_gap(lead[0], np.nan, 4.0, 12.0), 1.0, 3.0), np.nan, 0.5, 50.0)
    whole = ep.annotate(signal, FS, student="inter-patient-4")
    annotator = ep.Annotator(FS, student="inter-patient-4")
    parts = [annotator.push(signal[at : at + step]) for at in range(0, len(signal), step)]
    found = ep.Beats.concat([*parts, annotator.finish()])
    np.testing.assert_array_equal(found.sample, whole.sample)
    np.testing.assert_array_equal(found.called, whole.called)
    np.testing.assert_allclose(found.probability, whole.probability, atol=1e-5)

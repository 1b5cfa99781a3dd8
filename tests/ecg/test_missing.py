"""Gaps: which samples were not measured, which gaps are bridged, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import ecg, write_wfdb

from ecgphoton.ecg.annotate import classify_record
from ecgphoton.ecg.detect import Detector
from ecgphoton.ecg.missing import BRIDGED, Gaps, Moving, bridged
from ecgphoton.ecg.reading import open_signal

FS = 360


def normal(beats):
    """Answer of a student that calls every beat normal."""
    return np.tile(np.float32([1, 0]), (len(beats), 1))


def marked(signal, fs, step=10**9, gain=1.0):
    """Return which samples are missing, from pieces of `step` samples."""
    moving = Moving(fs, gain)
    signal = np.asarray(signal, np.float32)
    pieces = [moving.push(signal[at : at + step]) for at in range(0, len(signal), step)]
    return np.isnan(np.concatenate([*pieces, moving.push(signal[:0], last=True)]))


@pytest.mark.parametrize("fs", [128, 360, 1000])
@pytest.mark.parametrize("ends", [(-0.31, 0.47), (0.2, 0.203), (0.1, 0.1)])
@pytest.mark.parametrize("rounded", [0.0, 1e-4, 0.005, 0.04])
def test_an_interpolated_gap_is_missing(fs, ends, rounded):
    """A line of 3 s between any two values, in any precision, is missing; what is beside is not."""
    signal, _ = ecg(10, fs)
    first, last = 4 * fs, 7 * fs
    signal[first:last] = np.linspace(*ends, last - first)
    if rounded:
        signal = np.round(signal / rounded) * rounded
    found = marked(signal, fs)
    assert found[first + 2 : last - 2].all()
    assert not found[: first - fs // 10].any()
    assert not found[last + fs // 10 :].any()
    np.testing.assert_array_equal(found, marked(signal / 0.005, fs, gain=200.0))


@pytest.mark.parametrize("step", [1, 97, 360, 4000])
def test_pieces_of_lines_are_the_whole(step):
    """Lines of every length, rounded or not, are the same for any cut of the signal."""
    rng = np.random.default_rng(1)
    signal = rng.normal(0, 0.1, 4000)
    for first, length in ((300, 359), (900, 360), (1500, 900), (3000, 361)):
        signal[first : first + length] = np.round(np.linspace(0, 0.7, length), 2 + first % 7)
    signal[2450:2460] = np.nan
    np.testing.assert_array_equal(marked(signal, FS, step), marked(signal, FS))


def test_a_curve_and_a_short_line_are_a_signal():
    """A slow parabola of few steps, noise of one step, and a line under a second stay."""
    at = np.arange(FS) / FS
    made = np.concatenate([np.round(40 * at**2), np.round(np.random.default_rng(0).random(FS))])
    line = np.linspace(0, 1, FS - 8) + 3
    made = np.concatenate([made, np.resize([0, 1], 2 * FS)]) / 200  # a converter between two codes
    assert not marked(np.concatenate([made, line, [9, 1, 5]]), FS).any()


def test_gaps_are_counted_in_pieces():
    """Spans do not depend on the cut, and a gap at either end is one."""
    signal = np.ones(50, np.float32)
    signal[[0, 1, 7, 20, 21, 22, 48, 49]] = np.nan
    for step in (1, 3, 50):
        gaps = Gaps()
        for at in range(0, 50, step):
            gaps.push(signal[at : at + step])
        assert gaps.spans.tolist() == [[0, 2], [7, 8], [20, 23], [48, 50]]


def test_short_gaps_between_measured_samples_are_bridged():
    """A straight line stands in a short gap; long ones and those at the ends stay."""
    nan = np.nan
    piece = np.array([nan, 1, nan, nan, 4, *[nan] * (BRIDGED + 1), 5, nan], np.float32)
    filled = bridged(piece, 3.0)
    assert filled[:5].tolist() == [2, 1, 2, 3, 4]
    assert np.isnan(filled[5:-2]).all()
    assert np.isnan(filled[-1])
    assert np.isnan(bridged(piece, nan)[0])


@pytest.mark.parametrize(
    ("milliseconds", "step"),
    [
        pytest.param(20, 1, marks=pytest.mark.slow),
        *((length, step) for length in (3, 20, 30) for step in (7, 1800)),
    ],
)
def test_a_beat_with_a_short_gap_is_found(milliseconds, step):
    """Missing R peaks lose no beat, however the signal is cut, and move none by over 20 ms."""
    signal, beats = ecg(10, FS)
    signal = signal.astype(np.float32)
    whole = Detector().push(signal, last=True)
    length = round(milliseconds * FS / 1000)
    for at in beats[2::3]:
        signal[at - length // 2 : at - length // 2 + length] = np.nan
    detector = Detector()
    parts = [detector.push(signal[at : at + step]) for at in range(0, len(signal), step)]
    found = np.concatenate([*parts, detector.push(signal[:0], last=True)])
    assert len(found) == len(whole)
    assert np.abs(found - whole).max() <= 7


def test_what_is_missing_is_said_and_counted(tmp_path):
    """Short gaps on R peaks leave their beats undecided; a longer one may hide a beat."""
    signal, beats = ecg(40, FS)
    for at in beats[[10, 20]]:
        signal[at - 3 : at + 4] = np.nan
    signal[beats[30] - 40 : beats[30] + 40] = np.nan
    calls = classify_record(open_signal(write_wfdb(tmp_path, "a", signal, fs=FS)), normal)
    found = calls.missing
    assert (found.gaps, found.bridged, found.doubtful_intervals) == (3, 2, 1)
    assert found.seconds == pytest.approx(94 / FS)
    (note,) = calls.notes
    assert "2 of up to 31 ms bridged" in note
    assert "1 interval with a gap may hide a beat" in note
    for at in beats[[10, 20]]:
        near = np.abs(calls.sample - at).argmin()
        assert abs(calls.sample[near] - at) < 10
        assert not calls.classified[near]
    assert len(calls) in (len(beats), len(beats) - 1)

"""Resampling keeps a signal's shape, and gaps are filled by their neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import ecg

from ecgphoton.ecg.resample import Resampler, nearest_filled, ratio, resample


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


@pytest.mark.parametrize("step", [20_000, 700, 33])
@pytest.mark.parametrize(
    ("rate", "offset", "gain"), [(250, 300, 1), (128, -90, 1), (500, 8e6, 2e4)]
)
def test_an_offset_is_no_ripple(rate, offset, gain, step):
    """A recorder without a high-pass filter, or with a middle code, adds nothing but its offset."""
    signal, _ = ecg(20, rate)
    signal[: rate // 2] = np.nan

    def resampled(samples):
        stream = Resampler(ratio(rate, "r"), gain)
        pieces = [samples[at : at + step].astype(np.float32) for at in range(0, len(signal), step)]
        found = [stream.push(piece) for piece in pieces]
        return np.concatenate([*found, stream.push(np.empty(0, np.float32), last=True)]) / gain

    apart = resampled(signal * gain + offset) - resampled(signal * gain)
    assert np.nanmax(np.abs(apart - offset / gain)) < 1e-4  # mV, of float32

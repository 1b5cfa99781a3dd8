"""Normalisation and rhythm features, against slow plain versions."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ecgphoton.ecg.features import (
    WINDOW,
    interval_feature,
    magnitude,
    normalise,
    rhythm_features,
)


def beats(count, seed=0):
    """Random walks, one window each."""
    return np.random.default_rng(seed).normal(size=(count, WINDOW)).cumsum(axis=1)


def r_samples(count, seed=0):
    """R samples of a wild rhythm."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.integers(100, 500, count)).astype(np.int64)


def test_normalised_beats_are_centred_and_touch_one():
    """Every beat has mean near 0 before clipping, largest magnitude 1, and keeps its shape."""
    out = normalise(beats(50))
    assert out.dtype == np.float32
    np.testing.assert_allclose(np.abs(out).max(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-5)


@given(gain=st.floats(0.1, 1000), offset=st.floats(-1000, 1000), flip=st.booleans())
def test_units_do_not_matter(gain, offset, flip):
    """Gain and offset of the recorder cancel; a reversed electrode only changes the sign."""
    one = beats(3)
    sign = -1 if flip else 1
    np.testing.assert_allclose(
        normalise(sign * gain * one + offset), sign * normalise(one), atol=2e-3
    )


@pytest.mark.parametrize("level", [0.0, 1.0, 0.1, -1023.7, 1e6])
def test_flat_beats_become_zeros(level):
    """A flat beat is zeros at any level, never NaN and never amplified rounding."""
    assert not normalise(np.full((2, WINDOW), level)).any()


def plain_rhythm(samples):
    """Features by their definition, one beat at a time."""
    rr = [None, *np.clip(np.diff(samples) / 360, 0.2, 3.0)]
    causal, full = [], []
    for i in range(len(samples)):
        past = rr[1:i]
        row = [0.0, 0.0, 0.0]
        if past:
            row[0] = np.tanh(4 * np.log(rr[i] / np.median(past[-10:])))
            row[1] = np.tanh(4 * np.log(rr[i] / np.mean(past[-250:])))
            row[2] = np.tanh(4 * np.log(rr[i] / past[-1]))
        causal.append(row)
        both = 0 < i < len(samples) - 1
        full.append([*row[:2], np.tanh(4 * np.log(rr[i + 1] / rr[i])) if both else 0.0])
    return np.reshape(causal, (-1, 3)), np.reshape(full, (-1, 3))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 10, 11, 12, 300])
def test_rhythm_features_are_as_defined(count):
    """The vectorised features equal the definition, also for the first and last beats."""
    samples = r_samples(count)
    for found, wanted in zip(rhythm_features(samples), plain_rhythm(samples), strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_rhythm_is_causal():
    """What comes later changes no causal feature; the full ones see one interval ahead."""
    samples = r_samples(100)
    whole, ahead = rhythm_features(samples)
    cut, cut_ahead = rhythm_features(samples[:60])
    np.testing.assert_array_equal(whole[:60], cut)
    np.testing.assert_array_equal(ahead[:59], cut_ahead[:59])


def test_a_premature_beat_shows():
    """A regular rhythm gives zero ratios, a premature beat negative ones, its pause positive."""
    samples = np.arange(40) * 288
    np.testing.assert_allclose(rhythm_features(samples)[0], 0, atol=1e-12)
    samples[20] -= 100
    causal, full = rhythm_features(samples)
    assert (causal[20] < -0.8).all()
    assert (causal[21] > 0.8).all()
    assert full[20, 2] > 0.9


def test_sampling_rate_is_respected():
    """The same rhythm counted at another rate has the same features."""
    samples = r_samples(50) * 2
    np.testing.assert_allclose(
        rhythm_features(samples, 720)[0], rhythm_features(samples // 2, 360)[0], atol=1e-6
    )


def test_strange_intervals_stay_bounded():
    """Two annotations on one sample, or a minute without any, give finite bounded features."""
    samples = np.array([10, 10, 10, 300, 30_000, 30_001, 30_200])
    for features in rhythm_features(samples):
        assert np.isfinite(features).all()
        assert np.abs(features).max() <= 1


def test_an_interval_is_measured_in_seconds():
    """An interval of 0.8 s is 0, shorter ones negative, the first beat has none."""
    samples = np.cumsum([0, 288, 144, 576])
    found = interval_feature(samples)
    np.testing.assert_allclose(found, [0, 0, np.tanh(-0.8), np.tanh(1.6)], atol=1e-6)
    np.testing.assert_allclose(interval_feature(samples * 2, 720), found, atol=1e-6)
    for count in (0, 1):
        assert interval_feature(samples[:count]).shape == (count,)


def test_magnitude_is_in_the_unit_of_the_signal():
    """A beat's magnitude is its largest distance from its mean, whatever the offset."""
    one = beats(4)
    np.testing.assert_allclose(magnitude(3 * one + 5), 3 * magnitude(one), rtol=1e-5)
    np.testing.assert_allclose(
        normalise(one) * magnitude(one)[:, None], one - one.mean(axis=1, keepdims=True), atol=1e-4
    )

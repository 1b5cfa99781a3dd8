"""Beats against their patient's usual beat: residual, deviation and shape features."""

import numpy as np
import pytest

from ecgphoton.ecg.features import QRS, WINDOW, magnitude, normalise
from ecgphoton.ecg.shape import SHAPE, compare


def beats(count, seed=0):
    """Random walks, one window each."""
    return np.random.default_rng(seed).normal(size=(count, WINDOW)).cumsum(axis=1)


def steady(count, noise=0.0, seed=3):
    """One beat over and over, with white noise relative to its size."""
    one = beats(1)[0]
    rng = np.random.default_rng(seed)
    return one + noise * np.abs(one).max() * rng.normal(size=(count, WINDOW))


def described(raw, history=None, interval=None):
    """Compare raw windows."""
    interval = np.zeros(len(raw), np.float32) if interval is None else interval
    return compare(normalise(raw), magnitude(raw), interval, history)


def column(shape, name):
    """One shape feature of every beat."""
    return shape.features[:, SHAPE.index(name)]


def plain(raw):
    """Everything by its definition, one beat at a time."""
    windows, size = normalise(raw).astype(float), magnitude(raw).astype(float)
    p_part = windows[:, 60:140].reshape(-1, 16, 5).mean(2)
    t_part = windows[:, 220:340].reshape(-1, 24, 5).mean(2)
    rows, seen = [], []
    for i in range(len(raw)):
        past = slice(max(0, i - 32), i + 1)
        template = np.median(windows[past, QRS], axis=0)
        residual = np.clip(windows[i, QRS] - template, -1, 1)
        p = np.abs(p_part[i] - np.median(p_part[past], axis=0)).mean()
        t = np.abs(t_part[i] - np.median(t_part[past], axis=0)).mean()
        w = np.abs(windows[i, QRS] - np.median(windows[i])).mean()
        d = np.abs(residual).mean()
        seen.append((d, t, np.log(size[i]), w))
        usual = np.median(seen[past], axis=0)
        qrs = windows[i, QRS]
        cosine = qrs @ template / (np.linalg.norm(qrs) * np.linalg.norm(template))
        ratio = np.log(np.array([d, t]) + 0.03) - np.log(usual[:2] + 0.03)
        features = (
            np.tanh(8 * d - 1),
            np.tanh(3 * (np.log(size[i]) - usual[2])),
            np.tanh(2 * np.log((w + 0.02) / (usual[3] + 0.02))),
            0.0,
            np.tanh(np.log(np.abs(residual).max() + 0.05) + 1),
            np.tanh(ratio[1]),
            np.tanh(8 * p - 1),
            np.tanh(2 * np.log(1.02 - min(cosine, 1)) + 4),
        )
        rows.append((residual, np.tanh(ratio[0]), features))
    return rows


@pytest.mark.parametrize("count", [1, 2, 32, 33, 34, 100])
def test_every_column_is_as_defined(count):
    """The fast numbers equal the definitions, taken one beat at a time."""
    raw = beats(count)
    found = described(raw)
    for i, (residual, deviation, features) in enumerate(plain(raw)):
        np.testing.assert_allclose(found.residual[i], residual, atol=1e-6)
        np.testing.assert_allclose(found.deviation[i], deviation, atol=1e-5)
        np.testing.assert_allclose(found.features[i], features, atol=1e-5)


def test_no_beats_give_empty_columns():
    """A record without beats, and a block without beats, are no special case."""
    found = described(np.empty((0, WINDOW)))
    assert found.residual.shape == (0, 120)
    assert found.features.shape == (0, 8)
    kept = described(beats(5)).history
    again = described(np.empty((0, WINDOW)), kept).history
    np.testing.assert_array_equal(again.waves, kept.waves)
    np.testing.assert_array_equal(again.sizes, kept.sizes)


@pytest.mark.parametrize("step", [1, 7, 40])
def test_a_stream_gives_the_same_numbers(step):
    """Block by block, with the last 32 beats remembered, every bit equals the whole record's."""
    raw = beats(90)
    whole, history, at = described(raw), None, 0
    while at < len(raw):
        part = described(raw[at : at + step], history)
        history = part.history
        assert len(history.waves) <= 32
        for name in ("residual", "deviation", "features"):
            np.testing.assert_array_equal(
                getattr(part, name), getattr(whole, name)[at : at + step], err_msg=name
            )
        at += step


def test_all_is_bounded_and_finite():
    """Wild, flat and tiny beats give finite numbers in [-1, 1]."""
    raw = beats(60)
    raw[10], raw[20] = 0.0, 1e-7 * raw[20]
    raw[30] *= 1e9
    found = described(raw)
    for part in (found.residual, found.deviation, found.features):
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
        assert np.abs(part).max() <= 1


def test_a_steady_patient_leaves_nothing():
    """Equal beats have no residual; one odd beat leaves itself minus the usual, and no echo."""
    raw = steady(50)
    assert not described(raw).residual.any()
    raw[40] = -raw[40]
    residual = described(raw).residual
    wanted = np.clip(2 * normalise(raw)[40, QRS], -1, 1)
    np.testing.assert_allclose(residual[40], wanted, atol=1e-6)
    assert not residual[41:].any()


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_only_the_odd_beat_deviates(noise):
    """A patient's usual beats deviate by about 0 however noisy the lead, another shape by more."""
    raw = steady(60, noise)
    raw[50] = beats(1, seed=9)[0]
    found = described(raw)
    assert np.abs(np.delete(found.deviation, 50)).max() < 0.4 < found.deviation[50]
    unlike = column(found, "unlikeness")
    assert unlike[50] > np.delete(unlike, 50).max() + 0.3


def test_size_and_width_are_against_the_usual():
    """Twice the size shows in the amplitude alone; a wider QRS in the width; both settle."""
    t = np.arange(WINDOW) - 180
    usual = np.exp(-0.5 * (t / 8.0) ** 2)
    raw = np.tile(usual, (80, 1))
    raw[40] *= 2
    raw[60] = np.exp(-0.5 * (t / 24.0) ** 2)
    found = described(raw)
    amplitude, width = column(found, "amplitude/usual"), column(found, "width/usual")
    assert amplitude[40] == pytest.approx(np.tanh(3 * np.log(2)), abs=1e-4)
    assert abs(width[40]) < 1e-4
    assert width[60] > 0.5
    assert not amplitude[[39, 41, 79]].any()


def test_each_wave_is_watched_by_its_own_column():
    """A missing P wave moves the P column, another T wave the T column, neither the QRS."""
    t = np.arange(WINDOW) - 180
    p, q, w = (
        a * np.exp(-0.5 * ((t - m) / s) ** 2)
        for a, m, s in ((0.3, -75, 12), (1.0, 0, 7), (0.4, 90, 18))
    )
    raw = np.tile(p + q + w, (60, 1))
    raw[40], raw[50] = q + w, p + q - w
    found = described(raw)
    for name, odd, same in (("P deviation", 40, 50), ("T deviation/usual", 50, 40)):
        values = column(found, name)
        assert values[odd] > values[30] + 0.25
        assert values[same] < values[odd]


def test_the_interval_is_passed_on():
    """The interval column is the one given."""
    given = np.linspace(-1, 1, 6).astype(np.float32)
    np.testing.assert_array_equal(column(described(beats(6), interval=given), "interval"), given)

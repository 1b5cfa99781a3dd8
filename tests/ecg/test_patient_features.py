"""Patient features: each as it is defined, causal or one beat late, bounded, and one list."""

import numpy as np
import pytest
from plain_features import plain_features
from walks import beats, steady

from ecgphoton import registry
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.features import WINDOW
from ecgphoton.ecg.patient_features import FEATURES, Feature
from ecgphoton.ecg.rhythm import Rhythm
from ecgphoton.ecg.windows import describe
from ecgphoton.errors import InputError

LATE = [name for name, feature in FEATURES.items() if feature.delay]


def r_samples(count, seed=0):
    """R samples of a wild rhythm, some intervals equal."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.integers(10, 50, count) * 10).astype(np.int64)


def features(samples, raw=None, fs=360.0):
    """All features by name."""
    raw = steady(len(samples)) if raw is None else raw
    found = describe(raw.astype(np.float32), Rhythm.of(samples, fs), np.arange(len(raw)))[0]
    return dict(zip(FEATURES, found["patient"].T, strict=True))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 31, 34, 100, 300])
def test_every_feature_is_as_defined(count):
    """The fast numbers equal the definitions; what is not there yet, or not any more, is 0."""
    samples, raw = r_samples(count), beats(count)
    found, wanted = features(samples, raw), plain_features(samples, raw)
    for name, values in found.items():
        plain = [row.get(name, 0.0) for row in wanted]
        np.testing.assert_allclose(values, plain, atol=2e-5, err_msg=name)


def test_what_comes_later_changes_only_what_is_late():
    """A record that ends earlier has the same features, but for the last beat's late ones."""
    samples, raw = r_samples(100), beats(100)
    whole, cut = features(samples, raw), features(samples[:60], raw[:60])
    for name in FEATURES:
        until = 59 if name in LATE else 60
        np.testing.assert_array_equal(whole[name][:until], cut[name][:until], err_msg=name)
        if not name.endswith("/regular"):  # late because it waits for the beats before
            assert (cut[name][59] == 0) == (name in LATE)


@pytest.mark.parametrize("first", [1, 64, 65, 66, 200, 299])
def test_a_rhythm_of_the_last_beats_is_that_of_all(first):
    """Beats that come later in a stream have the same bits as in a whole record."""
    samples = r_samples(300)
    whole, part = Rhythm.of(samples), Rhythm.of(samples, first=first)
    for name, values in vars(part).items():
        np.testing.assert_array_equal(values[first:], vars(whole)[name][first:], err_msg=name)


@pytest.mark.parametrize("step", [1, 7, 40])
def test_a_stream_gives_the_same_numbers(step):
    """Block by block, with the history kept and one beat ahead, every bit is the record's."""
    samples, raw = r_samples(90), beats(90).astype(np.float32)
    rhythm, rows = Rhythm.of(samples), np.arange(90)
    whole, history = describe(raw, rhythm, rows)[0], None
    for at in range(0, 90, step):
        seen = slice(at, at + step + 1)
        part, history = describe(raw[seen], rhythm, rows[seen], history, count=step)
        assert len(history.running.waves) <= 32
        assert len(history.regular.waves) <= 65
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][at : at + step], err_msg=name)


def test_a_premature_beat_shows():
    """A regular rhythm is 0 in every ratio; a beat that comes early is negative, its pause not."""
    samples = np.arange(60) * 288
    regular = features(samples)
    ratios = ("pre/recent", "pre/previous", "post/pre", "post/usual", "interval z", "interval rank")
    for name in ratios:
        np.testing.assert_allclose(regular[name], 0, atol=1e-6, err_msg=name)
    samples[40] -= 100
    odd = features(samples)
    for name in ("pre/recent", "pre/long-run", "pre/previous", "interval z", "interval rank"):
        assert odd[name][40] < -0.8, name
        assert odd[name][41] > 0.8, name
    for name in ("post/pre", "post/usual", "next interval z"):
        assert odd[name][40] > 0.8, name
    assert odd["next interval z"][39] < -0.8


def test_only_what_does_not_repeat_is_irregular():
    """Bigeminy repeats itself and is regular; intervals at random are not."""
    pairs = np.cumsum(np.tile([200, 340], 40))
    random = np.cumsum(np.random.default_rng(0).integers(150, 400, 80))
    bigeminy, fibrillation = (features(x)["irregularity"][40:] for x in (pairs, random))
    assert bigeminy.max() < -0.8
    assert fibrillation.min() > 0.2


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_only_the_odd_beat_deviates(noise):
    """A patient's usual beats deviate by about 0 however noisy the lead, another shape by more."""
    raw = steady(60, noise)
    raw[50] = beats(1, seed=9)[0]
    found = features(r_samples(60), raw)
    assert np.abs(np.delete(found["deviation"], 50)).max() < 0.4 < found["deviation"][50]
    assert found["unlikeness"][50] > np.delete(found["unlikeness"], 50).max() + 0.3
    unlike = found["unlikeness to next"][:-1]
    assert unlike[[49, 50]].min() > np.delete(unlike, [49, 50]).max() + 0.3


def test_size_width_and_slope_are_against_the_usual():
    """Twice the size shows in size and slope; a wider QRS in width and slope; all settle."""
    t = np.arange(WINDOW) - 180
    raw = np.tile(np.exp(-0.5 * (t / 8.0) ** 2), (80, 1))
    raw[40] *= 2
    raw[60] = np.exp(-0.5 * (t / 24.0) ** 2)
    found = features(r_samples(80), raw)
    amplitude, width = found["amplitude/usual"], found["width/usual"]
    slope, relative = found["steepness"], found["steepness/usual"]
    assert amplitude[40] == pytest.approx(np.tanh(3 * np.log(2)), abs=1e-4)
    assert relative[40] == pytest.approx(np.tanh(2 * np.log(2)), abs=1e-4)
    assert abs(width[40]) < 1e-4
    assert slope[40] == pytest.approx(slope[39], abs=1e-4)
    assert width[60] > 0.5
    assert slope[60] < slope[59] - 0.3
    assert relative[60] < -0.5
    assert not amplitude[[39, 41, 79]].any()


def test_each_wave_is_watched_by_its_own_feature():
    """A missing P wave moves the P feature, another T wave the T feature, neither the QRS."""
    t = np.arange(WINDOW) - 180
    p, q, w = (
        a * np.exp(-0.5 * ((t - m) / s) ** 2)
        for a, m, s in ((0.3, -75, 12), (1.0, 0, 7), (0.4, 90, 18))
    )
    raw = np.tile(p + q + w, (60, 1))
    raw[40], raw[50] = q + w, p + q - w
    found = features(r_samples(60), raw)
    for name, odd, same in (("P deviation", 40, 50), ("T deviation/usual", 50, 40)):
        assert found[name][odd] > found[name][30] + 0.25
        assert found[name][same] < found[name][odd]


def test_units_do_not_matter():
    """Another gain of the recorder, and the same rhythm counted at another rate, change nothing."""
    samples, raw = r_samples(50), beats(50)
    one, other = features(samples, raw), features(samples * 2, raw * 200, fs=720.0)
    for name in FEATURES:
        np.testing.assert_allclose(other[name], one[name], atol=1e-4, err_msg=name)


def test_all_is_bounded_and_finite():
    """Wild, flat and tiny beats, beats on one sample and a long silence stay in [-1, 1]."""
    raw = beats(60)
    raw[10], raw[20] = 0.0, 1e-7 * raw[20]
    raw[30] *= 1e9
    samples = r_samples(60)
    samples[5:8] = samples[5]
    samples[40:] += 30_000
    for name, values in features(samples, raw).items():
        assert values.dtype == np.float32
        assert np.isfinite(values).all(), name
        assert np.abs(values).max() <= 1, name


@pytest.fixture
def added():
    """Add features, and forget them afterwards."""
    names = []

    def add(feature):
        names.append(FEATURES.add(feature).name)
        registry._MODULES.pop(__name__, None)

    yield add
    for name in names:
        FEATURES._values.pop(name)


def test_a_feature_of_another_module_is_a_column(added, wfdb_folder):
    """It is computed for every record, also where the cache holds beats without it."""
    before = load_all(["s01"], data=wfdb_folder).beats
    added(Feature("long", "1 after a pause.", lambda b: np.where(b.rhythm.pre > 0.1, 1.0, 0.0)))
    after = load_all(["s01"], data=wfdb_folder).beats
    assert after.patient.shape[1] == before.patient.shape[1] + 1 == len(FEATURES)
    np.testing.assert_array_equal(after.patient[:, :-1], before.patient)


def test_a_feature_that_cannot_be_one_is_refused(added):
    """Another delay, another shape, values beyond [-1, 1] and a name that is taken."""
    with pytest.raises(InputError, match="must be 0 or 1"):
        Feature("x", "", lambda b: b.rhythm.rank, delay=2)
    with pytest.raises(InputError, match="exists already"):
        FEATURES.add(Feature("interval", "", lambda b: b.rhythm.rank))
    added(Feature("seconds", "Too large.", lambda b: b.rhythm.seconds * 10))
    with pytest.raises(InputError, match=r"'seconds': its law gives .* outside \[-1, 1\]"):
        features(r_samples(5))


@pytest.mark.parametrize(
    ("law", "why"),
    [
        (lambda b: b.rhythm.rank * 1j, "complex128"),
        (lambda b: b.rhythm.rank[:, None], r"shape \(5, 1\)"),
        (lambda b: np.ma.masked_less(b.rhythm.rank, 2), "values are masked"),
        (lambda b: b.rythm, "no attribute 'rythm'"),
    ],
)
def test_a_law_that_gives_no_feature_is_named(added, law, why):
    """Its error, or what it gives."""
    added(Feature("theirs", "", law))
    with pytest.raises(InputError, match=f"feature 'theirs'.*{why}"):
        features(r_samples(5))

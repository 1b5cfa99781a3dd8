"""Traits of recordings: what each measures, on beats that are made for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.features import normalise
from ecgphoton.ecg.patient_features import columns_of
from ecgphoton.ecg.patients import GAIN, patient, synthesise
from ecgphoton.ecg.synthetic import recording
from ecgphoton.ecg.traits import Traits, rows_of, traits_of


@pytest.fixture(scope="module")
def beats() -> BeatSet:
    """A made-up patient of normal beats."""
    return extract(recording(synthesise(patient(6), beats=80)), source="x").beats


def of(beats: BeatSet) -> Traits:
    """Traits with a student that calls every fourth beat abnormal."""
    abnormal = (np.arange(len(beats)) % 4 == 0).astype(float)
    probability = np.column_stack([1 - abnormal, abnormal])
    return traits_of(rows_of(beats, ["interval"]), probability, OperatingPoint(0.4, ()))


def test_amplitude_is_in_millivolts(beats):
    """Whatever the unit of the samples."""
    counts = recording(synthesise(patient(6), beats=80))
    same = replace(counts, signal=counts.signal / GAIN, gain=1.0)
    np.testing.assert_allclose(extract(same, source="x").beats.size, beats.size, rtol=1e-4)
    assert 0.5 < of(beats).values["amplitude"] < 2.5


def test_noise_wander_and_spikes_are_apart(beats):
    """Each disturbance raises its own value by more than half, and the others less."""
    at, rng = np.arange(360), np.random.default_rng(0)
    slopes = rng.normal(0, 1 / 400, (len(beats), 1))
    made = {
        "noise": 0.05 * rng.normal(size=beats.windows.shape),
        "baseline": slopes * (at - 180),
        "spikes": np.where(np.abs(at - 170) <= 1, 1.2, 0.0),
    }
    before = of(beats).values
    for name, added in made.items():
        values = of(spoilt(beats, added)).values
        grown = {key: values[key] / before[key] for key in made}
        assert grown[name] > 1.5, (name, grown)
        assert max(grown, key=grown.get) == name


def spoilt(beats: BeatSet, added: np.ndarray) -> BeatSet:
    """Add a disturbance to windows."""
    return replace(beats, windows=normalise(beats.windows + added))


def test_the_own_slope_of_a_patient_is_no_wander(beats):
    """What every beat has alike; nor are the beats that are called abnormal."""
    at, before = np.arange(360) - 180, of(beats).values["baseline"]
    assert of(spoilt(beats, at / 400)).values["baseline"] < 1.2 * before
    every_fourth = np.where(np.arange(len(beats)) % 4 == 0, 1.0, 0.0)[:, None]
    assert of(spoilt(beats, every_fourth * at / 400)).values["baseline"] == pytest.approx(before)


def test_rates_are_a_minute_and_a_lasting_fast_rhythm_is_seen(beats):
    """The usual rate stays that of most beats; single early beats are no fast rhythm."""
    columns = columns_of(["interval"])

    def rates(seconds: np.ndarray) -> tuple[float, float]:
        patient = beats.patient.copy()
        patient[:, columns] = np.tanh(2 * (seconds[:, None] - 0.8))
        values = of(replace(beats, patient=patient)).values
        return values["rate"], values["fast rate"]

    usual = np.full(len(beats), 1.0)
    assert rates(usual) == pytest.approx((60, 60), rel=1e-4)
    single = np.where(np.arange(len(beats)) % 4 == 0, 0.5, 1.0)
    assert rates(single) == pytest.approx((60, 60), rel=1e-4)
    lasting = np.where(np.arange(len(beats)) < len(beats) // 3, 0.5, 1.0)
    assert rates(lasting) == pytest.approx((60, 120), rel=1e-4)


def test_shares_of_calls(beats):
    """A quarter is abnormal; sure calls are not doubtful, those near the threshold are."""
    values = of(beats).values
    assert values["abnormal"] == pytest.approx(0.25, abs=0.02)
    assert values["abnormal in rhythm"] == pytest.approx(0.25, abs=0.03)
    assert values["doubtful"] == 0
    near = np.full((len(beats), 2), [0.59, 0.41])
    rows = rows_of(beats, [])
    assert traits_of(rows, near, OperatingPoint(0.4, ())).values["doubtful"] == 1
    four = np.full((len(beats), 4), [0.4, 0.3, 0.2, 0.1])
    values = traits_of(rows, four, LargestProbability()).values
    assert (values["abnormal"], values["doubtful"]) == (0, 1)

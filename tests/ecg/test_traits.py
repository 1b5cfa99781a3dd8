"""Traits of recordings: what each measures, on beats that are made for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.features import normalise
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
    at = np.arange(360)
    spike = np.where(np.abs(at - 150) <= 1, 1.2, 0.0)
    made = {
        "noise": 0.05 * np.random.default_rng(0).normal(size=beats.windows.shape),
        "wander": np.broadcast_to((at - 180) / 300, beats.windows.shape),
        "spikes": np.broadcast_to(spike, beats.windows.shape),
    }
    before = of(beats).values
    for name, added in made.items():
        values = of(replace(beats, windows=normalise(beats.windows + added))).values
        grown = {key: values[key] / before[key] for key in made}
        assert grown[name] > 1.5, (name, grown)
        assert max(grown, key=grown.get) == name


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

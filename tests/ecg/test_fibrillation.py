"""Copies of normal beats in a made-up rhythm of atrial fibrillation."""

import numpy as np
import pytest
from made_splits import synthetic_splits

from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.fibrillation import HISTORY, INTERVALS, fibrillating
from ecgphoton.ecg.patient_features import columns_of


@pytest.fixture(scope="module")
def beats() -> BeatSet:
    """Beats of a few made-up patients."""
    return synthetic_splits(labels="aami-svf", patients=9, beats=150).train


def test_copies_are_normal_beats_of_the_same_shape(beats: BeatSet) -> None:
    """Every copy has the window of a normal beat of its record, and another place in time."""
    copies = fibrillating(beats, 0.5, seed=3)
    assert set(copies.label) == {0}
    assert set(copies.record) <= set(beats.record)
    assert 0.2 < len(copies) / len(beats) < 0.5
    for name in np.unique(copies.record)[:3]:
        windows = {row.tobytes() for row in beats.windows[beats.record == name]}
        own = copies.take(copies.record == name)
        close = [row for row in own.windows if row.tobytes() in windows]
        assert len(close) > 0.9 * len(own)  # the others differ in the last bit


def test_rhythm_is_irregular_and_within_limits(beats: BeatSet) -> None:
    """Intervals scatter by a fifth to a third, and the features of the rhythm see it."""
    copies = fibrillating(beats, 1.0, seed=3)
    irregularity = columns_of(["irregularity"])
    assert copies.patient[:, irregularity].mean() > beats.patient[:, irregularity].mean() + 0.2
    for name in np.unique(copies.record).tolist():
        own = copies.sample[copies.record == name] / copies.fs
        steps = np.diff(own)
        assert steps.min() >= INTERVALS[0] - 0.01
        usual = np.log(np.median(steps))
        assert 0.1 < np.median(np.abs(np.log(steps) - usual)) < 0.35


def test_a_copy_depends_on_its_record_and_the_seed_alone(beats: BeatSet) -> None:
    """The same copies come out whatever other records are there; another seed gives others."""
    names = np.unique(beats.record)[:2]
    both = fibrillating(beats.take(np.isin(beats.record, names)), 0.3, seed=1)
    alone = fibrillating(beats.take(beats.record == names[1]), 0.3, seed=1)
    np.testing.assert_array_equal(both.take(both.record == names[1]).sample, alone.sample)
    other = fibrillating(beats.take(beats.record == names[1]), 0.3, seed=2)
    assert not np.array_equal(other.sample, alone.sample)


def test_short_records_give_no_copies(beats: BeatSet) -> None:
    """Beats without enough of them before are not copied."""
    assert len(fibrillating(beats.take(slice(HISTORY)), 1.0, seed=0)) == 0
    assert len(fibrillating(beats.take(slice(1)), 1.0, seed=0)) == 0

"""Beats against their patient's usual beat: residual, history and likeness."""

import numpy as np
from walks import beats, steady

from ecgphoton.ecg.features import QRS, WINDOW, magnitude, normalise
from ecgphoton.ecg.shape import compare, to_next


def described(raw, history=None):
    """Compare raw windows."""
    windows, steady = normalise(raw), np.ones(len(raw), bool)
    likeness = to_next(windows, np.arange(len(raw)))
    return compare(windows, magnitude(raw), likeness, steady, history)


def test_no_beats_leave_the_history():
    """A block without beats is no special case."""
    kept = described(beats(5)).history
    again = described(np.empty((0, WINDOW)), kept).history
    for before, after in ((kept.running, again.running), (kept.regular, again.regular)):
        assert len(before.waves) == 5
        np.testing.assert_array_equal(after.waves, before.waves)
        np.testing.assert_array_equal(after.sizes, before.sizes)


def test_a_steady_patient_leaves_nothing():
    """Equal beats have no residual; one odd beat leaves itself minus the usual, and no echo."""
    raw = steady(50)
    assert not described(raw).running.residual.any()
    raw[40] = -raw[40]
    residual = described(raw).running.residual
    wanted = np.clip(2 * normalise(raw)[40, QRS], -1, 1)
    np.testing.assert_allclose(residual[40], wanted, atol=1e-6)
    assert not residual[41:].any()


def test_only_the_very_next_beat_is_compared_with():
    """Where the next beat of the record has no window, there is no likeness to it."""
    windows = normalise(steady(4))
    found = to_next(windows, np.array([0, 1, 3, 4]))
    np.testing.assert_allclose(found, [1, np.nan, 1, np.nan], atol=1e-6)

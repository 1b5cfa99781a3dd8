"""Normalisation, sizes and running medians."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from walks import beats

from ecgphoton.ecg.features import WINDOW, magnitude, normalise, running_median


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


def test_magnitude_is_in_the_unit_of_the_signal():
    """A beat's magnitude is its largest distance from its mean, whatever the offset."""
    one = beats(4)
    np.testing.assert_allclose(magnitude(3 * one + 5), 3 * magnitude(one), rtol=1e-5)
    np.testing.assert_allclose(
        normalise(one) * magnitude(one)[:, None], one - one.mean(axis=1, keepdims=True), atol=1e-4
    )


@pytest.mark.parametrize("length", [1, 2, 10, 33])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 80])
@pytest.mark.parametrize("columns", [(), (1,), (3,)])
def test_a_running_median_is_the_median_of_what_was_so_far(count, length, columns):
    """Odd and even lengths, few rows and many, one column and several; also the last rows alone."""
    values = np.random.default_rng(count).normal(size=(count, *columns))
    wanted = [np.median(values[max(0, i + 1 - length) : i + 1], axis=0) for i in range(count)]
    found = running_median(values, length)
    np.testing.assert_array_equal(found, np.reshape(wanted, values.shape))
    for first in {0, 1, count // 2, count - 1, count} & set(range(count + 1)):
        np.testing.assert_array_equal(running_median(values, length, first), found[first:])

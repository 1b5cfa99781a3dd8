"""Ranges of activations set amplifiers and converters."""

import numpy as np
import pytest

from ecgphoton.calibration.ranges import calibrate_ranges, converter_gains, overshoot, ranges_of
from ecgphoton.errors import InputError


def test_a_converter_is_filled_and_not_more(student, inputs) -> None:
    """Gain and offset map the range exactly to the converter's full scale."""
    ranges = calibrate_ranges(student, inputs, method="percentile")
    gain, offset = converter_gains(ranges, 0.8)
    np.testing.assert_allclose(gain * ranges[:, 0] + offset, -0.8)
    np.testing.assert_allclose(gain * ranges[:, 1] + offset, 0.8)


def test_min_max_clips_nothing_and_tighter_ranges_do(student, inputs) -> None:
    """Beats stay inside their own extremes; half of that range is overshot by as much."""
    widest = calibrate_ranges(student, inputs, method="minmax", beats=len(inputs))
    assert overshoot(student, inputs, widest).max() < 1e-6
    middle, half = widest.mean(1, keepdims=True), np.diff(widest, axis=1) / 2
    tight = np.concatenate([middle - half / 2, middle + half / 2], 1)
    np.testing.assert_allclose(overshoot(student, inputs, tight), 1.0, atol=1e-6)


def test_a_program_tells_its_ranges(program) -> None:
    """Low and high of every block."""
    assert ranges_of(program).shape == (len(program.blocks), 2)
    assert (np.diff(ranges_of(program)) > 0).all()


def test_impossible_ranges_are_refused() -> None:
    """A range upside down, or no full scale, is a user error."""
    for ranges, scale in (([[1.0, 0.0]], 1.0), ([[0.0, 1.0]], 0.0)):
        with pytest.raises(InputError, match="converter ranges"):
            converter_gains(ranges, scale)

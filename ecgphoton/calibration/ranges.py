"""Activation ranges from training beats, and what they mean for amplifiers and converters.

`calibrate_ranges` is the one home of the range methods (min/max, percentile, least mean squared
error); quantisation calls it when a bundle is made. Here the same ranges set the hardware: the
analog gain that fills a converter, and how far beats reach beyond it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.export.ranges import RangeMethod, calibrate_ranges

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ecgphoton.program.program import MeshProgram
    from ecgphoton.student.network import SegmentStudent
    from ecgphoton.student.propagate import Inputs

    Floats = NDArray[np.float64]

__all__ = ["RangeMethod", "calibrate_ranges", "converter_gains", "overshoot", "ranges_of"]


def ranges_of(program: MeshProgram) -> Floats:
    """(K, 2) converter ranges a program was made with, low and high of every block."""
    return np.array([(block.adc_low, block.adc_high) for block in program.blocks])


def converter_gains(ranges: ArrayLike, full_scale: float = 1.0) -> tuple[Floats, Floats]:
    """Analog gain and offset between activation input and converter of every block.

    ``volts = gain * value + offset`` maps low and high to -full_scale and full_scale.

    Parameters
    ----------
    ranges
        (K, 2) low and high, of `calibrate_ranges` or `ranges_of`.
    full_scale
        Volts the converter takes in either direction.

    Returns
    -------
    gain, offset
        (K,) volts per unit, (K,) volts.

    Raises
    ------
    InputError
        If a range is not ascending, or the full scale not above 0.
    """
    low, high = np.asarray(ranges, float).reshape(-1, 2).T
    if not (high > low).all() or not full_scale > 0:
        raise InputError(
            f"converter ranges {np.asarray(ranges).tolist()} with full scale {full_scale!r}: every "
            "low must be below its high, and the full scale above 0"
        )
    gain = 2 * full_scale / (high - low)
    return gain, -gain * (low + high) / 2


def overshoot(student: SegmentStudent, inputs: Inputs, ranges: ArrayLike) -> Floats:
    """(K,) how far beats reach beyond the ranges, in units of half a range; 0 where none does."""
    low, high = np.asarray(ranges, float).reshape(-1, 2).T
    least, most = calibrate_ranges(student, inputs, method="minmax", beats=len(inputs)).T
    beyond = np.maximum(low - least, most - high)
    return np.asarray(np.maximum(beyond, 0) / ((high - low) / 2))

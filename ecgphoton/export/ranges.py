"""Ranges of the converters behind the amplifiers, from training beats."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.program.blocks import largest_code, nearest_codes
from ecgphoton.student.activations import Activation
from ecgphoton.student.architecture import Branch
from ecgphoton.student.network import RANGES, SegmentStudent
from ecgphoton.student.propagate import Block, IdealDetector, Inputs, Tapped, evenly

RangeMethod = Literal["minmax", "percentile", "mse"]
RANGE_BEATS, CUT = 2048, 0.1


@torch.no_grad()
def calibrate_ranges(
    student: SegmentStudent,
    inputs: Inputs,
    *,
    method: RangeMethod = "mse",
    bits: int = 8,
) -> AnyArray:
    """Range of every block's converter, after the gain, from training beats.

    Parameters
    ----------
    inputs
        Training beats; at most `RANGE_BEATS` of them are used, evenly spread.
    method
        ``minmax``; ``percentile`` cuts `CUT` per cent on each side; ``mse`` shrinks the
        minmax range until the mean squared error of the activation at `bits` bits is smallest.

    Returns
    -------
    ndarray of shape (blocks, 2)
        Low and high of each block in `Architecture.blocks`.
    """
    if len(inputs) == 0:
        raise InputError("ranges cannot be calibrated on no beats; give at least one")
    rows = evenly(len(inputs), RANGE_BEATS)
    seen: list[Tensor] = []

    def record(block: Block, x: Tensor, branch: Branch | None) -> None:
        seen.append((block.gain[0] * block.detected(x, branch)).flatten())

    ideal = IdealDetector(student.architecture.response)
    student.run(inputs.finite().rows(rows), detector=Tapped(ideal, record))
    ranges = []
    for value in seen:
        v = value.double().numpy()
        low, high = float(v.min()), float(v.max())
        if method == "percentile":
            low, high = np.percentile(v, [CUT, 100 - CUT])
        elif method == "mse":
            low, high = _best_range(v, student.architecture.response, bits)
        elif method != "minmax":
            raise InputError(f"range method is {method!r}; use 'minmax', 'percentile' or 'mse'")
        middle, half = (low + high) / 2, max((high - low) / 2, 1e-3)
        ranges.append((middle - half, middle + half))
    return np.array(ranges)


def _best_range(v: AnyArray, activation: Activation, bits: int) -> tuple[float, float]:
    v = v[:: max(1, len(v) // 20_000)]
    exact, top = activation.numpy(v), largest_code(bits)
    best = (np.inf, 0.0, 0.0)
    for shrink in np.linspace(1.0, 0.2, 33):
        low, high = float(v.min()) * shrink, float(v.max()) * shrink
        middle, half = (low + high) / 2, max((high - low) / 2, 1e-6 * top)
        codes = nearest_codes(v, bits, middle - half, middle + half)
        error = float(np.mean((activation.numpy(middle + codes * half / top) - exact) ** 2))
        best = min(best, (error, low, high))
    return best[1:]


def ranges_of(
    student: SegmentStudent,
    arrays: Mapping[str, AnyArray],
    calibration: Inputs | None,
    beats_are: str,
    *,
    method: RangeMethod,
    bits: int,
) -> tuple[AnyArray, str]:
    """Return the (K, 2) ranges for a student, and where they come from.

    Parameters
    ----------
    arrays
        Of the checkpoint: ranges in it come first.
    calibration
        Training beats; synthetic ones are used where there are none.
    beats_are
        What `calibration` is, in words.
    """
    if set(RANGES) <= set(arrays):
        return np.stack([arrays[name] for name in RANGES], -1), "checkpoint"
    if calibration is None:
        calibration, beats_are = synthetic_inputs(student.architecture), "synthetic beats"
    ranges = calibrate_ranges(student, calibration, method=method, bits=bits)
    return ranges, f"{beats_are} (method {method})"

"""Ranges of the converters behind the amplifiers, from training beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from ecgphoton.errors import InputError
from ecgphoton.export.quantize import activation_value
from ecgphoton.program.blocks import largest_code
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import IdealDetector, Inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ecgphoton.student.network import SegmentStudent

    Array = NDArray[Any]

RangeMethod = Literal["minmax", "percentile", "mse"]


class _Recorder(IdealDetector):
    """An ideal detector that keeps what every block sends to its converter."""

    def __init__(self, activation: Any) -> None:  # noqa: ANN401
        super().__init__(activation)
        self.values: list[Tensor] = []

    def pooled(
        self,
        block: int,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        segment: Tensor,
        branch: Branch,
    ) -> Tensor:
        windows = segment[:, : branch.positions + WIDTH - 1].unfold(1, WIDTH, 1)
        self.values.append((gain[0] * (windows @ weight[0].t() + bias[0])).flatten())
        return super().pooled(block, weight, bias, gain, segment, branch)

    def layer(self, block: int, weight: Tensor, bias: Tensor, gain: Tensor, x: Tensor) -> Tensor:
        self.values.append((gain[..., None] * (weight @ x + bias[..., None])).flatten())
        return super().layer(block, weight, bias, gain, x)


@torch.no_grad()
def calibrate_ranges(
    student: SegmentStudent,
    inputs: Inputs,
    *,
    method: RangeMethod = "mse",
    bits: int = 8,
    percentile: float = 0.1,
    beats: int = 2048,
) -> Array:
    """Range of every block's converter, after the gain, from training beats.

    Parameters
    ----------
    inputs
        Training beats; at most `beats` of them are used, evenly spread.
    method
        ``minmax``; ``percentile`` cuts `percentile` per cent on each side; ``mse`` shrinks the
        minmax range until the mean squared error of the activation at `bits` bits is smallest.

    Returns
    -------
    ndarray of shape (blocks, 2)
        Low and high of each block in `Architecture.blocks`.
    """
    if len(inputs) == 0:
        raise InputError("ranges cannot be calibrated on no beats; give at least one")
    rows = torch.linspace(0, len(inputs) - 1, min(beats, len(inputs))).long()
    recorder = _Recorder(student.architecture.activation)
    student.run(inputs.rows(rows), detector=recorder)
    ranges = []
    for value in recorder.values:
        v = value.double().numpy()
        low, high = float(v.min()), float(v.max())
        if method == "percentile":
            low, high = np.percentile(v, [percentile, 100 - percentile])
        elif method == "mse":
            low, high = _best_range(v, student.architecture.activation, bits)
        elif method != "minmax":
            raise InputError(f"range method is {method!r}; use 'minmax', 'percentile' or 'mse'")
        middle, half = (low + high) / 2, max((high - low) / 2, 1e-3)
        ranges.append((middle - half, middle + half))
    return np.array(ranges)


def _best_range(v: Array, activation: str, bits: int) -> tuple[float, float]:
    v = v[:: max(1, len(v) // 20_000)]
    exact, codes = activation_value(v, activation), largest_code(bits)
    best = (np.inf, 0.0, 0.0)
    for shrink in np.linspace(1.0, 0.2, 33):
        low, high = float(v.min()) * shrink, float(v.max()) * shrink
        middle, step = (low + high) / 2, max((high - low) / (2 * codes), 1e-6)
        seen = middle + step * np.clip(np.rint((v - middle) / step), -codes, codes)
        error = float(np.mean((activation_value(seen, activation) - exact) ** 2))
        best = min(best, (error, low, high))
    return best[1:]

"""The electronics between two blocks: converters, pooling and the device's own saturation.

``analog``: the activated signal is integrated, and one conversion is made per token.
``digital``: every sample is converted (after the amplifier, before the activation), activation and
pooling happen on codes. Codes are symmetric: b bits have full scale ``2^(b-1) - 1``.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.intake import read_text
from ecgphoton.program.blocks import TABLE_BITS, largest_code
from ecgphoton.student.propagate import Activation, activate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.program.program import MeshProgram

Pooling = Literal["analog", "digital"]
GRID = 4096  # intervals a measured curve is resampled to
LARGEST_VOLTAGE, LEAST_STEP = 1e6, 1e-9  # of a measured curve
DEFAULT_RANGE = (-4.0, 4.0)
"""Where tanh has saturated to 0.07 %: the converter range without a calibrated one."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A measured saturation curve: amplifier output -> activation, linear between points."""

    voltage: NDArray[np.float64]
    """(n,) ascending amplifier outputs, in units of the program (gain times detector value)."""
    response: NDArray[np.float64]
    """(n,) activation, in [-1, 1]."""

    def __post_init__(self) -> None:
        x, y = np.asarray(self.voltage, float), np.asarray(self.response, float)
        if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
            raise InputError(f"a curve needs two columns of at least 2 rows, got {x.shape}")
        if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) > 0).all()):
            raise InputError("a curve needs finite numbers and a strictly ascending first column")
        if np.abs(x).max() > LARGEST_VOLTAGE or np.diff(x).min() < LEAST_STEP:
            raise InputError(
                f"a curve's first column runs from {x[0]:g} to {x[-1]:g} in steps down to "
                f"{np.diff(x).min():g}; values up to {LARGEST_VOLTAGE:g} in steps from "
                f"{LEAST_STEP:g} on are meant"
            )
        if np.abs(y).max() > 1:
            raise InputError(
                f"a curve's response reaches {np.abs(y).max():.4g}; scale it into [-1, 1]"
            )

    @cached_property
    def samples(self) -> Tensor:
        """(GRID + 1,) the curve on a uniform grid over its own range, float32."""
        grid = np.linspace(self.voltage[0], self.voltage[-1], GRID + 1)
        return torch.as_tensor(np.interp(grid, self.voltage, self.response), dtype=torch.float32)

    def __call__(self, z: Tensor) -> Tensor:
        """Interpolate; outside its range the curve keeps its end values."""
        low, high = float(self.voltage[0]), float(self.voltage[-1])
        place = ((z - low) * (GRID / (high - low))).clamp(0, GRID)
        left = place.detach().floor().clamp_max(GRID - 1)
        index = left.long()
        table = self.samples.to(z.dtype)
        return torch.lerp(table[index], table[index + 1], place - left)


def read_curve(path: Path | str) -> Curve:
    """Read a two-column CSV (amplifier output, activation); one header line is allowed.

    Raises
    ------
    InputError
        If the file is missing or not such a table.
    """
    text = read_text(path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error as error:
        raise InputError(f"activation curve {path} cannot be read: {error}") from error
    try:
        float(rows[0][0])
    except (ValueError, IndexError):
        rows = rows[1:]
    try:
        table = np.array([[float(cell) for cell in row] for row in rows])
        if table.ndim != 2 or table.shape[1] != 2:
            raise ValueError(f"shape {table.shape}")
    except ValueError as error:
        raise InputError(
            f"activation curve {path} is not two columns of numbers ({error})"
        ) from error
    return Curve(table[:, 0], table[:, 1])


@dataclass(frozen=True, eq=False)
class Readout:
    """How a block's light becomes the next block's input.

    Raises
    ------
    InputError
        If a bit width is outside 2 to 16 or the pooling is unknown.
    """

    activation: Activation | Curve = "tanh"
    pooling: Pooling = "analog"
    input_bits: int | None = None
    """DAC of the 4 inputs, range [-1, 1]; None converts exactly."""
    adc_bits: int | None = None
    """ADC; analog pooling: of tokens in [-1, 1]; digital: of samples in `ranges`."""
    ranges: tuple[tuple[float, float], ...] | None = None
    """(low, high) of every block's converter after the gain (digital pooling only)."""

    def __post_init__(self) -> None:
        if self.pooling not in ("analog", "digital"):
            raise InputError(f"readout {self.pooling!r} is unknown; use 'analog' or 'digital'")
        for name in ("input_bits", "adc_bits"):
            bits = getattr(self, name)
            if bits is not None and not 2 <= bits <= 16:
                raise InputError(f"readout.{name} is {bits!r}; it must be from 2 to 16, or absent")

    @classmethod
    def of(cls, program: MeshProgram) -> Readout:
        """Return the electronics a program asks for: every sample converted, tables on codes."""
        bits = {block.adc_bits for block in program.blocks}
        if len(bits) != 1:
            raise InputError(f"blocks use different ADC widths {sorted(bits)}; use one")
        return cls(
            program.architecture.activation,
            "digital",
            program.blocks[0].input_bits,
            bits.pop(),
            tuple((block.adc_low, block.adc_high) for block in program.blocks),
        )

    @property
    def digital(self) -> bool:
        """Whether every sample is converted on its own."""
        return self.pooling == "digital" and self.adc_bits is not None

    @property
    def explicit(self) -> bool:
        """Whether every sample has to be formed: converted one by one, or no polynomial fits."""
        return self.digital or self.activation != "tanh"

    def drive(self, x: Tensor) -> Tensor:
        """Convert inputs in [-1, 1] through the DAC."""
        return x if self.input_bits is None else quantize(x, self.input_bits)

    def respond(self, block: int, z: Tensor) -> Tensor:
        """Amplifier output -> activation of every sample.

        If digital, the sample is converted first and the activation is a table over codes, with
        16-bit entries as in `ecgphoton.program.program`.
        """
        if self.digital and self.adc_bits is not None:
            low, high = DEFAULT_RANGE if self.ranges is None else self.ranges[block]
            z = quantize(z, self.adc_bits, low, high)
        if isinstance(self.activation, Curve):
            value = self.activation(z)
        else:
            value = activate(z, self.activation)
        return quantize(value, TABLE_BITS) if self.digital else value

    def collect(self, tokens: Tensor) -> Tensor:
        """Convert what leaves a block; with digital pooling it is a code already."""
        if self.pooling == "analog" and self.adc_bits is not None:
            return quantize(tokens, self.adc_bits)
        return tokens


def quantize(x: Tensor, bits: int, low: float = -1.0, high: float = 1.0) -> Tensor:
    """Round to the nearest of 2^b - 1 levels over [low, high], clipping; ties to even.

    Gradients pass straight through inside the range.
    """
    top = largest_code(bits)
    middle, scale = (low + high) / 2, 2 * top / (high - low)
    codes = ((x.detach() - middle) * scale).round().clamp_(-top, top)
    rounded = codes.div_(scale).add_(middle)
    if not x.requires_grad:
        return rounded
    exact = x.clamp(low, high)
    return exact + (rounded - exact).detach()

"""The electronics between two blocks: converters, pooling and the device's own saturation.

``analog``: the activated signal is integrated, and one conversion is made per token.
``digital``: every sample is converted (after the amplifier, before the activation), activation and
pooling happen on codes. Codes are symmetric: b bits have full scale ``2^(b-1) - 1``.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import ArrayLike, Floats
from ecgphoton.program.blocks import TABLE_BITS, largest_code, nearest_codes
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import Settings, setting
from ecgphoton.student.activations import TANH, Activation

Pooling = Literal["analog", "digital"]
GRID = 4096  # intervals a measured curve is resampled to
LARGEST_VOLTAGE, LEAST_STEP = 1e6, 1e-9  # of a measured curve
DEFAULT_RANGE = (-4.0, 4.0)
"""Where tanh has saturated to 0.07 %: the converter range without a calibrated one."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A measured saturation curve on a uniform grid, linear between points."""

    low: float
    """First amplifier output, in units of the program (gain times detector value)."""
    high: float
    """Last amplifier output."""
    samples: Floats
    """(GRID + 1,) activation from `low` to `high`."""

    def __call__(self, z: Tensor) -> Tensor:
        """Interpolate; outside its range the curve keeps its end values."""
        place = ((z - self.low) * (GRID / (self.high - self.low))).clamp(0, GRID)
        left = place.detach().floor().clamp_max(GRID - 1)
        index = left.long()
        table = torch.as_tensor(self.samples, dtype=torch.float32).to(z.dtype)
        return torch.lerp(table[index], table[index + 1], place - left)

    def exact(self, z: Floats) -> Floats:
        """Interpolate in double precision."""
        return np.interp(z, np.linspace(self.low, self.high, GRID + 1), self.samples)


def measured(voltage: ArrayLike, response: ArrayLike) -> Activation:
    """Return the activation of a measured curve: amplifier output -> activation.

    Parameters
    ----------
    voltage
        (n,) ascending amplifier outputs, in units of the program (gain times detector value).
    response
        (n,) activation, in [-1, 1].

    Raises
    ------
    InputError
        If the two are not such columns.
    """
    x, y = np.asarray(voltage, float), np.asarray(response, float)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise InputError(f"a curve needs two columns of at least 2 rows, got {x.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) > 0).all()):
        raise InputError("a curve needs finite numbers and a strictly ascending first column")
    if np.abs(x).max() > LARGEST_VOLTAGE or np.diff(x).min() < LEAST_STEP:
        raise InputError(
            f"a curve's first column runs from {x[0]:g} to {x[-1]:g} in steps down to "
            f"{np.diff(x).min():g}; values up to {LARGEST_VOLTAGE:g} in steps from "
            f"{LEAST_STEP:g} on are allowed"
        )
    if np.abs(y).max() > 1:
        raise InputError(f"a curve's response reaches {np.abs(y).max():.4g}; scale it into [-1, 1]")
    low, high = float(x[0]), float(x[-1])
    curve = Curve(low, high, np.interp(np.linspace(low, high, GRID + 1), x, y))
    slopes = np.diff(curve.samples) * (GRID / (high - low))
    ends = min(0.0, float(slopes.min())), max(0.0, float(slopes.max()))
    return Activation("measured curve", torch=curve, numpy=curve.exact, slope=ends)


@dataclass(frozen=True, eq=False)
class Readout(Settings, section="readout"):
    """How a block's light becomes the next block's input.

    Raises
    ------
    InputError
        If a bit width is outside 2 to 16 or the pooling is unknown.
    """

    activation: Activation = TANH
    pooling: Pooling = setting("analog", "Where the activations of a token are averaged.")
    input_bits: int | None = setting(
        None, "DAC of the 4 inputs, range [-1, 1]; None converts exactly.", low=2, high=16
    )
    adc_bits: int | None = setting(
        None,
        "ADC; analog pooling: of tokens in [-1, 1]; digital: of samples in `ranges`.",
        low=2,
        high=16,
    )
    ranges: tuple[tuple[float, float], ...] | None = None
    """(low, high) of every block's converter after the gain (digital pooling only)."""
    depth: float = 0.0
    """Phase (rad) of a modulator at an input of 1, driven in proportion to it; 0 for a linear one.
    """

    @classmethod
    def of(cls, program: MeshProgram) -> "Readout":
        """Return the electronics a program asks for: every sample converted, tables on codes."""
        bits = {block.adc_bits for block in program.blocks}
        if len(bits) != 1:
            raise InputError(f"blocks use different ADC widths {sorted(bits)}; use one")
        return cls(
            program.architecture.response,
            "digital",
            program.blocks[0].input_bits,
            bits.pop(),
            tuple((block.adc_low, block.adc_high) for block in program.blocks),
        )

    @property
    def digital(self) -> bool:
        """Whether every sample is converted on its own."""
        return self.pooling == "digital" and self.adc_bits is not None

    def drive(self, x: Tensor) -> Tensor:
        """Convert inputs in [-1, 1] through the DAC and the modulators: ``sin(d x) / sin d``."""
        x = x if self.input_bits is None else quantize(x, self.input_bits)
        return torch.sin(self.depth * x) / math.sin(self.depth) if self.depth else x

    def respond(self, block: int, z: Tensor) -> Tensor:
        """Amplifier output -> activation of every sample.

        If digital, the sample is converted first and the activation is a table over codes, with
        16-bit entries as in `ecgphoton.program.program`.
        """
        if self.digital and self.adc_bits is not None:
            low, high = DEFAULT_RANGE if self.ranges is None else self.ranges[block]
            z = quantize(z, self.adc_bits, low, high)
        value = self.activation(z)
        return quantize(value, TABLE_BITS) if self.digital else value

    def collect(self, tokens: Tensor) -> Tensor:
        """Convert what leaves a block; with digital pooling it is a code already."""
        bits = self.adc_bits if self.pooling == "analog" else None
        return tokens if bits is None else quantize(tokens, bits)


def quantize(x: Tensor, bits: int, low: float = -1.0, high: float = 1.0) -> Tensor:
    """Round to the nearest of 2^b - 1 levels over [low, high], clipping; ties to even.

    Gradients pass straight through inside the range.
    """
    middle, scale = (low + high) / 2, 2 * largest_code(bits) / (high - low)
    rounded = nearest_codes(x.detach(), bits, low, high).div_(scale).add_(middle)
    if not x.requires_grad:
        return rounded
    exact = x.clamp(low, high)
    return exact + (rounded - exact).detach()

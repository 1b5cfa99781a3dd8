"""The electronics between two blocks: converters and pooling.

``analog``: the activated signal is integrated, and one conversion is made per token.
``digital``: every sample is converted (after the amplifier, before the activation), activation and
pooling happen on codes. Codes are symmetric: b bits have full scale ``2^(b-1) - 1``.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.program.blocks import TABLE_BITS, largest_code, nearest_codes
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import Settings, setting
from ecgphoton.student.activations import TANH, Activation

Pooling = Literal["analog", "digital"]
DEFAULT_RANGE = (-4.0, 4.0)
"""Where tanh has saturated to 0.07 %: the converter range without a calibrated one."""


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

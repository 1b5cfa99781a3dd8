"""A student in integers: the reference every back end is compared with, bit for bit.

Sums of code products are exact integers; each detector code and each re-coded token is one IEEE
double product rounded half to even. So the result does not depend on the order of summation, the
library or the machine. The digital head stays float: its values lie on a 2^-20 grid, which makes
its sums exact in double precision too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.program.blocks import TABLE_BITS, IntegerBlock, Role, largest_code, require
from ecgphoton.student.architecture import WIDTH, Architecture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from ecgphoton.program.program import MeshProgram
    from ecgphoton.student.network import SegmentStudent
    from ecgphoton.student.propagate import Inputs

    Array = NDArray[Any]

HEAD_GRID = 2.0**20


@dataclass(frozen=True)
class Quantisation:
    """Widths of everything that is a code; each from 2 to 16 bits, symmetric about zero."""

    weight_bits: int = 8
    bias_bits: int = 8
    input_bits: int = 8
    """DAC of samples and tokens; its range is [-1, 1]."""
    adc_bits: int = 8
    """ADC behind the amplifier; its range is calibrated per block."""

    def __post_init__(self) -> None:
        for name in ("weight_bits", "bias_bits", "input_bits", "adc_bits"):
            bits = getattr(self, name)
            require(isinstance(bits, int) and 2 <= bits <= 16, name, bits, "from 2 to 16")


def activation_value(z: Array, activation: str) -> Array:
    """tanh, or ReLU clipped to [0, 1], in double precision."""
    value: Array = np.tanh(z) if activation == "tanh" else np.clip(z, 0.0, 1.0)
    return value


def encode(values: Array, bits: int) -> Array:
    """DAC codes of float32 values in [-1, 1]: rint(x n) in single precision, ties to even."""
    clipped = np.clip(np.asarray(values, np.float32), np.float32(-1), np.float32(1))
    codes: Array = np.rint(clipped * np.float32(largest_code(bits))).astype(np.int64)
    return codes


@dataclass(frozen=True, eq=False)
class QuantizedStudent:
    """A student in integer arithmetic (numpy; 30,000 beats take one to two seconds).

    Every method that takes `Inputs` gives the same bits for any batch size.
    """

    architecture: Architecture
    blocks: tuple[IntegerBlock, ...]
    head_weight: Array
    """(classes, 4) float64, multiples of 2^-20."""
    head_bias: Array
    """(classes,) float64, multiples of 2^-20."""

    @classmethod
    def from_program(cls, program: MeshProgram) -> QuantizedStudent:
        """Return the integer student a mesh program carries."""
        return cls(program.architecture, program.blocks, program.head_weight, program.head_bias)

    @property
    def input_bits(self) -> int:
        """Bits of the sample DAC."""
        return self.blocks[0].input_bits

    @property
    def divisor(self) -> int:
        """What turns the sum over tokens of the last block into ``h_pool``."""
        return self.architecture.tokens * largest_code(TABLE_BITS)

    def logits(self, inputs: Inputs, *, block: int = 256) -> tuple[Array, Array]:
        """Classify beats.

        Returns
        -------
        logits, h_pool
            (B, classes) and (B, 4), float32, exact to the bit.
        """
        parts = [trace["h_sum"] for trace in self._traces(inputs, block)]
        total = np.concatenate(parts) if parts else np.zeros((0, WIDTH), np.int64)
        return self.read_out(total)

    def read_out(self, h_sum: Array) -> tuple[Array, Array]:
        """Apply the digital head to the integer sums (B, 4): logits and ``h_pool``, float32."""
        total = h_sum.astype(np.float64)
        logits = (total @ self.head_weight.T + self.divisor * self.head_bias) / self.divisor
        return logits.astype(np.float32), (total / self.divisor).astype(np.float32)

    def predict(self, inputs: Inputs) -> Array:
        """Class probabilities (B, classes), float32."""
        return softmax(self.logits(inputs)[0])

    def trace(self, inputs: Inputs) -> dict[str, Array]:
        """Return every intermediate code, by name; see `docs/formats.md`.

        ``window`` (B, 360), ``rhythm`` (B, 4 k), ``residual`` (B, 120): input codes;
        ``NAME.detector`` (B, positions or tokens, 4); ``NAME.sum`` (B, tokens, 4) of a branch;
        ``NAME.input`` (B, tokens, 4) of an MLP block; ``h_sum`` (B, 4); ``h_pool``, ``logits``.
        """
        parts = list(self._traces(inputs, max(1, len(inputs))))
        trace = parts[0]
        trace["logits"], trace["h_pool"] = self.read_out(trace["h_sum"])
        return trace

    def _traces(self, inputs: Inputs, block: int) -> Iterator[dict[str, Array]]:
        for at in range(0, len(inputs), block):
            yield self._forward(inputs.rows(slice(at, at + block)))

    def _forward(self, inputs: Inputs) -> dict[str, Array]:
        arch, n_x = self.architecture, largest_code(self.input_bits)
        trace: dict[str, Array] = {"window": self._encode(inputs.window, "window")}
        if arch.template:
            trace["residual"] = self._encode(inputs.residual, "residual")
        if arch.patient_blocks:
            trace["rhythm"] = self._encode(inputs.rhythm, "rhythm")
        by_name = {block.name: block for block in self.blocks}
        tokens = []
        for branch in arch.branches:
            block = by_name[branch.name]
            source = trace[branch.source][:, branch.start : branch.stop]
            windows = np.lib.stride_tricks.sliding_window_view(source, WIDTH, axis=1)
            codes = _detect(block, windows[:, : branch.positions])
            total = block.table[codes + largest_code(block.adc_bits)]
            total = total.reshape(len(source), branch.tokens, branch.kernel, WIDTH).sum(2)
            trace[f"{branch.name}.detector"], trace[f"{branch.name}.sum"] = codes, total
            tokens.append(_recode(total, branch.kernel, n_x))
        for index, name in enumerate(arch.patient_blocks):
            block = by_name[name]
            four = trace["rhythm"][:, WIDTH * index : WIDTH * (index + 1)]
            codes = _detect(block, four[:, None])
            trace[f"{name}.detector"] = codes
            tokens.append(_recode(block.table[codes + largest_code(block.adc_bits)], 1, n_x))
        x = np.concatenate(tokens, axis=1)
        for block in self.blocks[-arch.layers :]:
            trace[f"{block.name}.input"] = x
            trace[f"{block.name}.detector"] = codes = _detect(block, x)
            value = block.table[codes + largest_code(block.adc_bits)]
            x = _recode(value, 1, n_x)
        trace["h_sum"] = value.sum(1)
        return trace

    def _encode(self, values: Tensor | None, name: str) -> Array:
        if values is None:
            raise InputError(f"this student reads {name} features, but none were given")
        array = values.detach().numpy()
        if not np.isfinite(array).all():
            raise InputError(f"{name} holds NaN or infinity; leave such beats out")
        return encode(array, self.input_bits)


def _detect(block: IntegerBlock, x: Array) -> Array:
    """Detector codes (..., 4) of input codes (..., 4): exact integers, one rounding."""
    weight = (largest_code(block.bias_bits) * block.weight_codes).astype(np.float64)
    # Integers below 2^53 are exact in double precision, in any order of summation.
    total = np.ascontiguousarray(x, np.float64) @ weight.T
    total += block.offset
    total *= block.multiplier
    limit = largest_code(block.adc_bits)
    np.rint(total, out=total)
    return np.clip(total, -limit, limit, out=total).astype(np.int64)


def _recode(total: Array, kernel: int, n_x: int) -> Array:
    """Input codes of the next block from sums of `kernel` table values."""
    return np.rint(total * (n_x / (kernel * largest_code(TABLE_BITS)))).astype(np.int64)


def softmax(logits: Array) -> Array:
    """Class probabilities, float32."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True), np.float32)


def quantize(
    student: SegmentStudent,
    ranges: Array,
    quantisation: Quantisation | None = None,
) -> QuantizedStudent:
    """Round a student to integers (post-training).

    Parameters
    ----------
    ranges
        (blocks, 2) converter ranges, from `calibrate_ranges`.
    """
    q, arch = quantisation or Quantisation(), student.architecture
    ranges = np.asarray(ranges, float)
    require(ranges.shape == (len(arch.blocks), 2), "ranges", ranges.shape, "(blocks, 2)")
    stack = student.stack()
    matrices, biases, gains = (part.detach().double().numpy()[0] for part in stack)
    codes = np.arange(-largest_code(q.adc_bits), largest_code(q.adc_bits) + 1)
    blocks = []
    for index, name in enumerate(arch.blocks):
        scale = full_scale_of(arch, matrices[index], biases[index])
        low, high = map(float, ranges[index])
        empty = IntegerBlock(
            name=name,
            role=role_of(name, arch),
            weight_codes=_codes(matrices[index] / scale, q.weight_bits),
            bias_codes=_codes(biases[index] / scale, q.bias_bits),
            weight_bits=q.weight_bits,
            bias_bits=q.bias_bits,
            full_scale=scale,
            gain=float(gains[index]),
            input_bits=q.input_bits,
            adc_low=low,
            adc_high=high,
            adc_bits=q.adc_bits,
            table=np.zeros(len(codes), np.int64),
        )
        seen = activation_value((low + high) / 2 + codes * empty.adc_step, arch.activation)
        table = np.rint(seen * largest_code(TABLE_BITS)).astype(np.int64)
        blocks.append(replace(empty, table=table))
    head = [
        np.rint(part.detach().double().numpy() * HEAD_GRID) / HEAD_GRID for part in student.head()
    ]
    return QuantizedStudent(arch, tuple(blocks), head[0], head[1])


def _codes(values: Array, bits: int) -> Array:
    limit = largest_code(bits)
    codes: Array = np.clip(np.rint(values * limit), -limit, limit).astype(np.int64)
    return codes


def full_scale_of(architecture: Architecture, weight: Array, bias: Array) -> float:
    """Value of the largest weight code: the bound, or the largest magnitude when unbounded."""
    if architecture.bounded:
        return architecture.scale
    return max(float(np.abs(weight).max()), float(np.abs(bias).max()), 1e-6)


def role_of(name: str, architecture: Architecture) -> Role:
    """Return what a block does: slide over a beat, read rhythm or shape, or map tokens."""
    if name in architecture.patient_blocks:
        return "rhythm"
    return "branch" if name in {branch.name for branch in architecture.branches} else "mlp"

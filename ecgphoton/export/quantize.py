"""A student in integers: the reference every back end is compared with, bit for bit.

The integer student is `ecgphoton.student.propagate.walk` with the arithmetic of
`ecgphoton.export.integers`. Its result does not depend on the order of summation, the library or
the machine. The digital head stays float: its values lie on a 2^-20 grid, which makes
its sums exact in double precision too.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import require
from ecgphoton.export.integers import IntegerDetector
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.program.blocks import TABLE_BITS, IntegerBlock, Role, largest_code, nearest_codes
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import Settings, setting
from ecgphoton.student.architecture import WIDTH, Architecture, Branch
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Block, Detector, Inputs, Stack, Tapped, walk

HEAD_GRID = 2.0**20


@dataclass(frozen=True)
class Quantization(Settings, section="quantization"):
    """Widths of everything that is a code, symmetric about zero."""

    weight_bits: int = setting(8, "Weights.", low=2, high=16, unit="bits")
    bias_bits: int = setting(8, "Biases.", low=2, high=16, unit="bits")
    input_bits: int = setting(
        8, "DAC of samples and tokens; its range is [-1, 1].", low=2, high=16, unit="bits"
    )
    adc_bits: int = setting(
        8,
        "ADC behind the amplifier; its range is calibrated per block.",
        low=2,
        high=16,
        unit="bits",
    )


@dataclass(frozen=True, eq=False)
class QuantizedStudent:
    """A student in integer arithmetic (numpy; 30,000 beats take one to two seconds).

    Every method that takes `Inputs` gives the same bits for any batch size.
    """

    architecture: Architecture
    blocks: tuple[IntegerBlock, ...]
    head_weight: AnyArray
    """(classes, 4) float64, multiples of 2^-20."""
    head_bias: AnyArray
    """(classes,) float64, multiples of 2^-20."""

    @classmethod
    def from_program(cls, program: MeshProgram) -> "QuantizedStudent":
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

    @cached_property
    def detector(self) -> IntegerDetector:
        """The arithmetic of these blocks."""
        tables = (torch.as_tensor(block.table.astype(np.float64)) for block in self.blocks)
        return IntegerDetector(tuple(tables), self.input_bits)

    def stack(self, matrices: AnyArray | None = None) -> Stack:
        """Return the accumulators as blocks of one chip.

        Parameters
        ----------
        matrices
            (K, 4, 4) real matrices of a chip, instead of the programmed codes.
        """
        n_x = largest_code(self.input_bits)
        weights = [largest_code(block.bias_bits) * block.weight_codes for block in self.blocks]
        if matrices is not None:
            weights = [m / (n_x * b.unit) for m, b in zip(matrices, self.blocks, strict=True)]
        parts = (weights, [b.offset for b in self.blocks], [b.multiplier for b in self.blocks])
        return Stack(*(torch.as_tensor(np.array(part, np.float64))[None] for part in parts))

    def encode(self, inputs: Inputs) -> Inputs:
        """Codes of the sample DAC, rounded in single precision, as integers in double precision.

        Raises
        ------
        InputError
            If a beat holds NaN or infinity.
        """
        parts = vars(inputs.finite())
        codes = {
            name: nearest_codes(parts[name].detach().float(), self.input_bits).double()
            for name in self.architecture.reads
            if parts[name] is not None
        }
        return Inputs(**codes)

    @torch.no_grad()
    def _sums(self, codes: Inputs, stack: Stack, detector: Detector) -> AnyArray:
        """(B, 4) sums over tokens of the last block's activations."""
        return np.asarray(walk(stack, codes, self.architecture, detector)[0].sum(1).long())

    def logits(
        self, inputs: Inputs, *, block: int = 256, matrices: AnyArray | None = None
    ) -> tuple[AnyArray, AnyArray]:
        """Classify beats.

        Parameters
        ----------
        matrices
            (K, 4, 4) what the optics of a chip perform, instead of the programmed codes.

        Returns
        -------
        logits, h_pool
            (B, classes) and (B, 4), float32, exact to the bit.

        Raises
        ------
        InputError
            If a beat holds NaN or infinity, or inputs of the student are missing.
        """
        codes, stack = self.encode(inputs), self.stack(matrices)
        cuts = (slice(at, at + block) for at in range(0, len(inputs), block))
        parts = [self._sums(codes.rows(cut), stack, self.detector) for cut in cuts]
        return self.read_out(np.concatenate(parts) if parts else np.zeros((0, WIDTH), np.int64))

    def read_out(self, h_sum: AnyArray) -> tuple[AnyArray, AnyArray]:
        """Apply the digital head to the integer sums (B, 4): logits and ``h_pool``, float32."""
        total = h_sum.astype(np.float64)
        logits = (total @ self.head_weight.T + self.divisor * self.head_bias) / self.divisor
        return logits.astype(np.float32), (total / self.divisor).astype(np.float32)

    def predict(self, inputs: Inputs) -> AnyArray:
        """Class probabilities (B, classes), float32."""
        return softmax(self.logits(inputs)[0])

    def trace(self, inputs: Inputs) -> dict[str, AnyArray]:
        """Return every intermediate code, by name; see `docs/formats.md`.

        ``window`` (B, 360), ``rhythm`` (B, 4 k), ``residual`` (B, 120): input codes;
        ``NAME.detector`` (B, positions or tokens, 4); ``NAME.sum`` (B, tokens, 4) of a branch;
        ``NAME.input`` (B, tokens, 4) of an MLP block; ``h_sum`` (B, 4); ``h_pool``, ``logits``.
        """
        codes, detector = self.encode(inputs), self.detector
        trace: dict[str, AnyArray] = {
            name: getattr(codes, name).long().numpy()
            for name in ("window", "residual", "rhythm")
            if name in self.architecture.reads
        }

        def keep(name: str, value: Tensor) -> None:
            """(1, 4, ...) in light order of the beats -> (B, ..., 4)."""
            trace[name] = value[0].reshape(WIDTH, len(inputs), -1).permute(1, 2, 0).long().numpy()

        def note(block: Block, x: Tensor, branch: Branch | None) -> None:
            name = self.blocks[block.index].name
            if branch is not None:
                seen = detector.windows(block, x, branch)
                keep(f"{name}.detector", seen)
                keep(f"{name}.sum", detector.table(block, seen).sum(-1))
                return
            if self.blocks[block.index].role == "mlp":
                keep(f"{name}.input", x)
            keep(f"{name}.detector", detector.codes(block, x))

        trace["h_sum"] = self._sums(codes, self.stack(), Tapped(detector, note))
        trace["logits"], trace["h_pool"] = self.read_out(trace["h_sum"])
        return trace


def softmax(logits: AnyArray) -> AnyArray:
    """Class probabilities, float32."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True), np.float32)


def widths_of(program: MeshProgram) -> Quantization:
    """Return the widths of a program's codes: the same in all blocks."""
    block = program.blocks[0]
    return Quantization(block.weight_bits, block.bias_bits, block.input_bits, block.adc_bits)


def quantize(
    student: SegmentStudent,
    ranges: AnyArray,
    quantization: Quantization | None = None,
) -> QuantizedStudent:
    """Round a student to integers (post-training).

    Parameters
    ----------
    ranges
        (blocks, 2) converter ranges, from `calibrate_ranges`.
    """
    q, arch = quantization or Quantization(), student.architecture
    ranges = np.asarray(ranges, float)
    require(ranges.shape == (len(arch.blocks), 2), "ranges", ranges.shape, "(blocks, 2)")
    matrices, biases, gains = (part.detach().double().numpy()[0] for part in student.stack())
    limit = largest_code(q.adc_bits)
    codes = np.arange(-limit, limit + 1)
    roles: dict[str, Role] = {one.name: "branch" for one in arch.sliding}
    roles |= {one.name: "rhythm" for one in arch.patient}
    blocks = []
    for index, name in enumerate(arch.blocks):
        scale = full_scale_of(arch, matrices[index], biases[index])
        low, high = map(float, ranges[index])
        empty = IntegerBlock(
            name=name,
            role=roles.get(name, "mlp"),
            weight_codes=nearest_codes(matrices[index] / scale, q.weight_bits).astype(int),
            bias_codes=nearest_codes(biases[index] / scale, q.bias_bits).astype(int),
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
        seen = arch.response.numpy((low + high) / 2 + codes * empty.adc_step)
        blocks.append(replace(empty, table=nearest_codes(seen, TABLE_BITS).astype(int)))
    head = [
        np.rint(part.detach().double().numpy() * HEAD_GRID) / HEAD_GRID for part in student.head()
    ]
    return QuantizedStudent(arch, tuple(blocks), head[0], head[1])


def full_scale_of(architecture: Architecture, weight: AnyArray, bias: AnyArray) -> float:
    """Value of the largest weight code: the bound, or the largest magnitude when unbounded."""
    if architecture.bounded:
        return architecture.scale
    return max(float(np.abs(weight).max()), float(np.abs(bias).max()), 1e-6)

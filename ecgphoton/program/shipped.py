"""What is shipped: the matrices that a program's DAC codes perform, and decisions they change."""

from typing import NamedTuple

import numpy as np
import torch

from ecgphoton.mesh.arrays import Floats, Integers
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.propagate import Head, IdealDetector, Inputs, Stack, read_out, walk
from ecgphoton.wording import percent


class Shipped(NamedTuple):
    """How far the DAC codes of a program are from what it asks for."""

    matrix_error: float
    """Largest relative Frobenius error of a block's matrix."""
    changed_decisions: int
    """Beats that are called otherwise than with the exact matrices."""
    beats: int

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"matrices off by at most {percent(self.matrix_error, 3)}, "
            f"{self.changed_decisions:,} of {self.beats:,} decisions changed"
        )


def carried(program: MeshProgram, matrices: Floats | None = None) -> tuple[Stack, Head]:
    """Return a program's blocks and head in double precision.

    Parameters
    ----------
    program
        Its quantized matrices are taken unless others are given.
    matrices
        (K, 4, 4).
    """
    blocks = program.blocks
    parts = (
        program.targets if matrices is None else matrices,
        np.array([block.bias for block in blocks]),
        np.array([block.gain for block in blocks]),
    )
    stack = Stack(*(torch.as_tensor(part, dtype=torch.float64)[None] for part in parts))
    head = (program.head_weight, program.head_bias)
    return stack, Head(*(torch.tensor(part, dtype=torch.float64) for part in head))


@torch.no_grad()
def _decided(program: MeshProgram, matrices: Floats, inputs: Inputs) -> Integers:
    """Class index (B,) of every beat with these matrices and no converters."""
    stack, head = carried(program, matrices)
    architecture = program.architecture
    tokens = walk(stack, inputs, architecture, IdealDetector(architecture.response))
    return program.operating_point.classify(read_out(head, tokens.mean(2))[0].softmax(-1).numpy())


def shipped(program: MeshProgram, inputs: Inputs) -> Shipped:
    """Compare what an ideal chip performs at the DAC codes with the program's matrices.

    Parameters
    ----------
    program
        Its codes are compared with its quantized weights.
    inputs
        Beats whose decisions are compared.
    """
    wanted, found = program.targets, program.performed
    size = np.maximum(np.linalg.norm(wanted, axis=(1, 2)), 1e-12)
    error = float((np.linalg.norm(found - wanted, axis=(1, 2)) / size).max())
    double = inputs.mapped(torch.Tensor.double)
    calls = [_decided(program, matrices, double) for matrices in (wanted, found)]
    return Shipped(error, int((calls[0] != calls[1]).sum()), len(inputs))

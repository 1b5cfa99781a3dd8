"""The one propagation: beats through 4x4 blocks, for one student or for many chips at once.

A block is ``activation(gain * (W x + b))``. The sliding blocks (branches) average the activation
over windows of positions, which gives tokens; the MLP blocks act on every token; the mean over
tokens is ``h_pool``. What happens between ``W x + b`` and the next block is a `Detector`: the
ideal one here, noisy and quantised ones in ``ecgphoton.hwsim``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.student.architecture import WIDTH, Architecture, Branch

if TYPE_CHECKING:
    from ecgphoton.ecg.beats import BeatSet

Activation = Literal["tanh", "relu"]


@dataclass(frozen=True)
class Inputs:
    """Beats as tensors, one row a beat."""

    window: Tensor
    """(B, 360), normalised samples in [-1, 1]."""
    rhythm: Tensor | None = None
    """(B, 4 k), four features in [-1, 1] for each of the k blocks of `patient_blocks`."""
    residual: Tensor | None = None
    """(B, 120), QRS part of beat minus running template, in [-1, 1]."""

    def __len__(self) -> int:
        """Return the number of beats."""
        return int(self.window.shape[0])

    def rows(self, index: slice | Tensor) -> Inputs:
        """Return a subset of the beats."""
        rhythm = None if self.rhythm is None else self.rhythm[index]
        residual = None if self.residual is None else self.residual[index]
        return Inputs(self.window[index], rhythm, residual)


def inputs_of(beats: BeatSet, architecture: Architecture) -> Inputs:
    """Return the tensors a student of this architecture reads from a `BeatSet`."""
    rhythm = {"causal": [beats.rhythm_causal], "full": [beats.rhythm_full]}
    parts = rhythm.get(architecture.rhythm, [])
    if architecture.shape_tokens:
        parts = [*parts, beats.shape[:, : WIDTH * architecture.shape_tokens]]
    return Inputs(
        torch.as_tensor(beats.windows),
        torch.cat([torch.as_tensor(part) for part in parts], 1) if parts else None,
        torch.as_tensor(beats.residual) if architecture.template else None,
    )


class Stack(NamedTuple):
    """The matrices of C chips (C = 1 for a student), block by block in `Architecture.blocks`."""

    matrices: Tensor
    """(C, K, 4, 4)."""
    biases: Tensor
    """(C, K, 4), added electronically after detection."""
    gains: Tensor
    """(C, K) or (1, K), amplifier gain between detection and activation."""

    def block(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return matrix (C, 4, 4), bias (C, 4) and gain (C, 1) of one block."""
        gain = self.gains[:, index, None].expand(self.matrices.shape[0], 1)
        return self.matrices[:, index], self.biases[:, index], gain


class Head(NamedTuple):
    """The digital read-out layer, one for all chips (C absent) or one each."""

    weight: Tensor
    """(classes, 4) or (C, classes, 4)."""
    bias: Tensor
    """(classes,) or (C, classes)."""


class Detector(Protocol):
    """What happens between the optical product and the next block."""

    def pooled(
        self,
        block: int,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        segment: Tensor,
        branch: Branch,
    ) -> Tensor:
        """Slide a kernel over a segment, activate and average.

        `weight` (C, 4, 4), `bias` (C, 4), `gain` (C, 1), `segment` (B, S) -> (C, 4, B, tokens).
        """
        ...

    def layer(self, block: int, weight: Tensor, bias: Tensor, gain: Tensor, x: Tensor) -> Tensor:
        """Apply a block to token vectors.

        `weight` (C, 4, 4), `bias` (C, 4), `gain` (C, 1), `x` (C or 1, 4, N) -> (C, 4, N).
        """
        ...


def activate(z: Tensor, activation: Activation) -> Tensor:
    """Saturating activation: tanh, or ReLU clipped to [0, 1]."""
    if activation == "relu":
        return z.clamp(0, 1)
    return torch.sigmoid(2 * z).mul(2).sub(1)  # tanh, several times faster than torch.tanh


def unfold(segment: Tensor, positions: int) -> Tensor:
    """Return the 4 shifted copies of a segment: (B, S) -> (4, B, positions)."""
    rows, _ = segment.shape
    return segment.as_strided(
        (WIDTH, rows, positions), (1, segment.stride(0), 1), segment.storage_offset()
    ).contiguous()


class _PooledActivation(torch.autograd.Function):
    """mean over windows of activation(w . x + b): one gemm, one in-place pass, one reduction.

    Ten times fewer memory passes than convolution, tanh and pooling apart. ``tanh(z)`` is
    ``2 sigmoid(2 z) - 1``, so the factors go into the weights.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch gives it no public type
        weight: Tensor,
        bias: Tensor,
        segment: Tensor,
        branch: Branch,
        activation: Activation,
    ) -> Tensor:
        shifted = unfold(segment, branch.positions)
        rows, beats = weight.shape[0], segment.shape[0]
        product = torch.addmm(bias[:, None], weight, shifted.view(WIDTH, -1))
        value = product.sigmoid_() if activation == "tanh" else product.clamp_(0, 1)
        value = value.view(rows, beats, branch.tokens, branch.kernel)
        ctx.save_for_backward(shifted, value)
        ctx.activation, ctx.kernel = activation, branch.kernel
        return value.mean(-1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        shifted, value = ctx.saved_tensors
        if ctx.activation == "tanh":
            slope = torch.addcmul(value, value, value, value=-1)
        else:
            slope = ((value > 0) & (value < 1)).to(value.dtype)
        slope = slope.mul_(grads[0].unsqueeze(-1) / ctx.kernel).view(value.shape[0], -1)
        return slope @ shifted.view(WIDTH, -1).t(), slope.sum(1), None, None, None


def pooled_activation(
    weight: Tensor, bias: Tensor, segment: Tensor, branch: Branch, activation: Activation
) -> Tensor:
    """Average of ``activation(weight @ x + bias)`` over each window of kernel positions.

    Parameters
    ----------
    weight, bias
        (M, 4) and (M,); M may stack the rows of many chips.
    segment
        (B, S) samples.

    Returns
    -------
    Tensor
        (M, B, tokens). Differentiable in weight and bias, not in the samples.
    """
    if activation == "tanh":
        mean: Tensor = _PooledActivation.apply(  # type: ignore[no-untyped-call]
            2 * weight, 2 * bias, segment, branch, activation
        )
        return mean.mul(2).sub(1)
    clipped: Tensor = _PooledActivation.apply(  # type: ignore[no-untyped-call]
        weight, bias, segment, branch, activation
    )
    return clipped


class IdealDetector:
    """No noise, no quantisation: the student as trained."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation

    def pooled(
        self,
        block: int,
        weight: Tensor,
        bias: Tensor,
        gain: Tensor,
        segment: Tensor,
        branch: Branch,
    ) -> Tensor:
        """See `Detector.pooled`."""
        del block
        chips = weight.shape[0]
        tokens = pooled_activation(
            (gain[..., None] * weight).reshape(chips * WIDTH, WIDTH),
            (gain * bias).reshape(chips * WIDTH),
            segment,
            branch,
            self.activation,
        )
        return tokens.view(chips, WIDTH, segment.shape[0], branch.tokens)

    def layer(self, block: int, weight: Tensor, bias: Tensor, gain: Tensor, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        del block
        chips = weight.shape[0]
        z = torch.baddbmm(
            (gain * bias)[..., None], gain[..., None] * weight, x.expand(chips, -1, -1)
        )
        return activate(z, self.activation)


def _need(part: Tensor | None, name: str, columns: int) -> Tensor:
    if part is None:
        raise InputError(
            f"this student reads {name} features (beats, {columns}), but none were given; "
            "pass BeatSet inputs made with the same architecture"
        )
    return part


def patient_features(inputs: Inputs, architecture: Architecture) -> tuple[Tensor, ...]:
    """Return the (B, 4) features of each of the `patient_blocks`.

    Raises
    ------
    InputError
        If they are missing, or of another width.
    """
    count = len(architecture.patient_blocks)
    if not count:
        return ()
    given = _need(inputs.rhythm, "rhythm", count * WIDTH)
    if given.shape[1] != count * WIDTH:
        raise InputError(
            f"this student reads {count * WIDTH} rhythm and shape features a beat, "
            f"{given.shape[1]} were given; pass BeatSet inputs made with the same architecture"
        )
    return tuple(given[:, WIDTH * at : WIDTH * (at + 1)] for at in range(count))


def features(
    stack: Stack, inputs: Inputs, architecture: Architecture, detector: Detector
) -> Tensor:
    """Return ``h_pool`` (C, B, 4) of B beats on C chips."""
    chips, beats = stack.matrices.shape[0], len(inputs)
    parts: list[Tensor] = []
    for index, branch in enumerate(architecture.branches):
        source = inputs.window
        if branch.source == "residual":
            source = _need(inputs.residual, "template residual", branch.stop)
        segment = source[:, branch.start : branch.stop]
        parts.append(detector.pooled(index, *stack.block(index), segment, branch))
    block = len(architecture.branches)
    for four in patient_features(inputs, architecture):
        x = four.t().unsqueeze(0)  # (1, 4, B)
        parts.append(detector.layer(block, *stack.block(block), x).unsqueeze(-1))
        block += 1
    x = torch.cat(parts, dim=-1).view(chips, WIDTH, -1)  # (C, 4, B * tokens)
    for index in range(block, len(architecture.blocks)):
        x = detector.layer(index, *stack.block(index), x)
    return x.view(chips, WIDTH, beats, architecture.tokens).mean(-1).transpose(1, 2)


def read_out(head: Head, h_pool: Tensor) -> Tensor:
    """Apply the digital head: (C, B, 4) -> logits (C, B, classes)."""
    weight = head.weight if head.weight.dim() == 3 else head.weight[None]
    bias = head.bias if head.bias.dim() == 2 else head.bias[None]
    return h_pool @ weight.transpose(1, 2) + bias[:, None]

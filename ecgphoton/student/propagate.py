"""The forward pass: beats through 4x4 blocks, for one student or for many chips at once.

One block, and the only formula of the whole student::

    x (4) --->[ W 4x4 ]---> + b --->[ gain g ]---> f( ) ---> y (4)          y = f(g (W x + b))
               optics     detection  amplifier   activation

`walk` alone defines the order of the blocks::

    window   --P------ slide 4x4, f, average --> tokens --+
    (360)    --QRS---- slide 4x4, f, average --> tokens --+
             --T------ slide 4x4, f, average --> tokens --+--> mlp1 --> ... --> mlpL --> mean
             --global- slide 4x4, f, average --> token  --+    on every token          h_pool (4)
    residual --templ.- slide 4x4, f, average --> tokens --+                               |
    rhythm, shape ---- 4x4, f per feature group -> token -+                         digital head

What happens between ``W x`` and the next block is the arithmetic of a `Detector`: exact here, with
noise and converters in `ecgphoton.hwsim.propagate`, in integers in `ecgphoton.export.integers`,
with bounds in `ecgphoton.hwsim.certify`. Two independent copies of the order exist to check it: the
ONNX writer `ecgphoton.export.onnx_graph` and the numpy checker of a bundle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.student.activations import Activation, Fused
from ecgphoton.student.architecture import WIDTH, Architecture, Branch
from ecgphoton.student.inputs import Inputs as Inputs, evenly as evenly, inputs_of as inputs_of


@dataclass(frozen=True, eq=False)
class Block:
    """One 4x4 block of C chips."""

    index: int
    """Place in `Architecture.blocks`."""
    weight: Tensor
    """(C, 4, 4)."""
    bias: Tensor
    """(C, 4), added electronically after detection."""
    gain: Tensor
    """(C, 1), amplifier gain between detection and activation."""

    def double(self) -> "Block":
        """Return the block in double precision."""
        return Block(self.index, self.weight.double(), self.bias.double(), self.gain.double())

    def rows(self) -> tuple[Tensor, Tensor]:
        """Weights (4 C, 4) and biases (4 C,) with the gain in them: all chips in one product."""
        weight = (self.gain[..., None] * self.weight).reshape(-1, WIDTH)
        return weight, (self.gain * self.bias).reshape(-1)

    def amplified(self, x: Tensor) -> Tensor:
        """``g (W x + b)``: `x` (C or 1, 4, N) -> (C, 4, N)."""
        return torch.baddbmm(
            (self.gain * self.bias)[..., None],
            self.gain[..., None] * self.weight,
            x.expand(self.weight.shape[0], -1, -1),
        )

    def detected(self, x: Tensor, branch: Branch | None) -> Tensor:
        """``W x + b`` of chip 0 for the input of a `Tap`: (B, positions, 4), or (1, 4, N)."""
        if branch is None:
            return self.weight[:1] @ x + self.bias[:1, :, None]
        windows = x[:, : branch.positions + WIDTH - 1].unfold(1, WIDTH, 1)
        return windows @ self.weight[0].t() + self.bias[0]


class Stack(NamedTuple):
    """The matrices of C chips (C = 1 for a student), block by block in `Architecture.blocks`."""

    matrices: Tensor
    """(C, K, 4, 4)."""
    biases: Tensor
    """(C, K, 4), added electronically after detection."""
    gains: Tensor
    """(C, K) or (1, K), amplifier gain between detection and activation."""

    def block(self, index: int) -> Block:
        """Return one block of every chip."""
        gain = self.gains[:, index, None].expand(self.matrices.shape[0], 1)
        return Block(index, self.matrices[:, index], self.biases[:, index], gain)

    def moved(self, errors: Tensor) -> "Stack":
        """Add errors (C, K, 4, 5), four weight columns and the bias."""
        errors = errors.to(self.matrices.dtype)
        matrices, biases = self.matrices + errors[..., :WIDTH], self.biases + errors[..., WIDTH]
        return Stack(matrices, biases, self.gains)

    def minus(self, other: "Stack") -> Tensor:
        """(C, K, 4, 5) errors that turn `other` into this stack."""
        biases = (self.biases - other.biases)[..., None]
        return torch.cat([self.matrices - other.matrices, biases], -1)

    def clamped(self, bound: float) -> "Stack":
        """Return the stack with weights and biases in [-bound, bound]."""
        return Stack(
            self.matrices.clamp(-bound, bound), self.biases.clamp(-bound, bound), self.gains
        )


class Head(NamedTuple):
    """The digital read-out layer, one for all chips (C absent) or one each."""

    weight: Tensor
    """(classes, 4) or (C, classes, 4)."""
    bias: Tensor
    """(classes,) or (C, classes)."""


class Detector(Protocol):
    """The arithmetic of a block: what happens between the optical product and the next block."""

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """Slide a kernel over a segment, activate, average: (B, S) -> (C, 4, B, tokens)."""

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """Apply a block to token vectors: (C or 1, 4, N) -> (C, 4, N)."""


Tap = Callable[[Block, Tensor, Branch | None], None]
"""Called before every block with its input: the segment (B, S) of a branch, or token vectors
(C or 1, 4, N) with no branch."""


def shifts(segment: Tensor, positions: int) -> Tensor:
    """Return the 4 shifted views of a segment of any layout: (B, S) -> (4, B, positions)."""
    row, column = segment.stride()
    return segment.as_strided(
        (WIDTH, len(segment), positions), (column, row, column), segment.storage_offset()
    )


def unfold(segment: Tensor, positions: int) -> Tensor:
    """Return the 4 shifted copies of a segment: (B, S) -> (4, B, positions)."""
    return shifts(segment, positions).contiguous()


class WindowMeans(torch.autograd.Function):
    """mean over windows of g(w . x + b)^k for k = 1 ... powers: (powers, M, B, tokens).

    One product, one pass in place and one reduction a power: ten times fewer memory passes than
    convolution, activation and pooling apart.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch gives it no public type
        weight: Tensor,
        bias: Tensor,
        segment: Tensor,
        branch: Branch,
        form: Fused,
        powers: int,
    ) -> Tensor:
        """Return the means."""
        shifted = unfold(segment, branch.positions)
        product = torch.addmm(bias[:, None], weight, shifted.view(WIDTH, -1))
        value = form.in_place(product).view(len(weight), -1, branch.tokens, branch.kernel)
        ctx.save_for_backward(shifted, value)
        ctx.form, ctx.kernel = form, branch.kernel
        means, power = [value.mean(-1)], value
        for _ in range(1, powers):
            power = power * value
            means.append(power.mean(-1))
        return torch.stack(means)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """Return the gradients of weight and bias."""
        shifted, value = ctx.saved_tensors
        grad = grads[0].unsqueeze(-1) / ctx.kernel
        inner = len(grad) * grad[-1]
        for k in range(len(grad) - 1, 0, -1):  # Horner for sum_k k g_k y^(k-1)
            inner = inner * value + k * grad[k - 1]
        slope = ctx.form.slope(value).mul_(inner).view(value.shape[0], -1)
        return slope @ shifted.view(WIDTH, -1).t(), slope.sum(1), None, None, None, None


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
    form = activation.fused
    if form is None:
        shifted = unfold(segment, branch.positions).view(WIDTH, -1)
        value = activation(torch.addmm(bias[:, None], weight, shifted))
        return value.view(len(weight), len(segment), branch.tokens, branch.kernel).mean(-1)
    means: Tensor = WindowMeans.apply(  # type: ignore[no-untyped-call]
        form.factor * weight, form.factor * bias, segment, branch, form, 1
    )
    return means[0].mul(form.scale).add(form.shift)


@dataclass(frozen=True)
class IdealDetector:
    """No noise, no quantization: the student as trained."""

    activation: Activation

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """See `Detector.pooled`."""
        tokens = pooled_activation(*block.rows(), segment, branch, self.activation)
        return tokens.view(-1, WIDTH, len(segment), branch.tokens)

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        return self.activation(block.amplified(x))


@dataclass(frozen=True)
class Tapped:
    """A `Detector` that shows what every block reads."""

    detector: Detector
    tap: Tap

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """See `Detector.pooled`."""
        self.tap(block, segment, branch)
        return self.detector.pooled(block, segment, branch)

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """See `Detector.layer`."""
        self.tap(block, x, None)
        return self.detector.layer(block, x)


def walk(stack: Stack, inputs: Inputs, architecture: Architecture, detector: Detector) -> Tensor:
    """Run B beats through every block: branches, patient tokens, then the MLP on all tokens.

    Returns
    -------
    Tensor
        (C, B, tokens, 4), what the last block makes of each token; ``h_pool`` is its mean over
        tokens.

    Raises
    ------
    InputError
        If a part of the inputs is missing or has another width.
    """
    given = {name: getattr(inputs, name) for name in architecture.reads}
    for name, width in architecture.reads.items():
        if given[name] is None or given[name].shape[1] != width:
            found = "none were" if given[name] is None else f"{given[name].shape[1]} were"
            raise InputError(
                f"this student reads {width} {name} values a beat, but {found} given; pass inputs "
                "made with the same architecture"
            )
    tokens: list[Tensor] = []
    for branch in architecture.sliding:
        segment = given[branch.source][:, branch.start : branch.stop]
        tokens.append(detector.pooled(stack.block(len(tokens)), segment, branch))
    for four in given["rhythm"].split(WIDTH, 1) if "rhythm" in given else ():
        tokens.append(detector.layer(stack.block(len(tokens)), four.t()[None]).unsqueeze(-1))
    x = torch.cat(tokens, dim=-1).flatten(2)
    for index in range(len(tokens), len(architecture.blocks)):
        x = detector.layer(stack.block(index), x)
    return x.view(*x.shape[:2], len(inputs), architecture.tokens).permute(0, 2, 3, 1)


def read_out(head: Head, h_pool: Tensor) -> Tensor:
    """Apply the digital head: (C, B, 4) -> logits (C, B, classes)."""
    return h_pool @ head.weight[None].transpose(1, 2) + head.bias

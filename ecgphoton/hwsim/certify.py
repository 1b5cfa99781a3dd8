"""What no chip can flip: certified beats beside the Monte Carlo column.

Interval arithmetic through the student: every weight and bias may lie anywhere within epsilon of
its program (and within its own bounds), each position of a kernel even independently, so the bound
is safe, not tight. A beat whose whole margin interval lies on one side of the threshold is decided
alike by *every* chip within epsilon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.hwsim.montecarlo import single_threaded
from ecgphoton.hwsim.sensitivity import threshold_margin
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import Activation, Inputs, activate, patient_features, unfold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.hwsim.montecarlo import Trial
    from ecgphoton.hwsim.weights import Carrier

BLOCK = 256

Interval = tuple[Tensor, Tensor]


def _bounds(value: Tensor, epsilon: float, scale: float) -> Interval:
    """Centre and radius of ``[value - epsilon, value + epsilon]`` cut to [-scale, scale]."""
    low = (value - epsilon).clamp(-scale, scale).minimum(value)
    high = (value + epsilon).clamp(-scale, scale).maximum(value)
    return (low + high) / 2, (high - low) / 2


def _affine(weight: Interval, bias: Interval, centre: Tensor, radius: Tensor) -> Interval:
    """Bounds of ``W x + b`` for x = centre +- radius, both (4, n), over all W and b allowed."""
    (w, dw), (b, db) = weight, bias
    middle = w @ centre + b[:, None]
    spread = w.abs() @ radius + dw @ (centre.abs() + radius) + db[:, None]
    return middle - spread, middle + spread


class _Chain:
    """The blocks of a carrier with their uncertainty."""

    def __init__(self, carrier: Carrier, epsilon: float, activation: Activation) -> None:
        stack = carrier.stack
        self.weights = [_bounds(w, epsilon, carrier.scale) for w in stack.matrices[0]]
        self.biases = [_bounds(b, epsilon, carrier.scale) for b in stack.biases[0]]
        self.gains = stack.gains[0]
        self.activation: Activation = activation

    def answer(self, block: int, centre: Tensor, radius: Tensor) -> Interval:
        """Bounds (4, n) of the activation of a block."""
        bounds = _affine(self.weights[block], self.biases[block], centre, radius)
        low, high = (activate(self.gains[block] * side, self.activation) for side in bounds)
        return low, high

    def pooled(self, block: int, segment: Tensor, branch: Branch) -> Interval:
        """Bounds (4, B, tokens) of a branch."""
        shifted = unfold(segment, branch.positions).view(WIDTH, -1)
        shape = (WIDTH, len(segment), branch.tokens, branch.kernel)
        low, high = self.answer(block, shifted, torch.zeros_like(shifted))
        return low.view(shape).mean(-1), high.view(shape).mean(-1)


@torch.no_grad()
def margin_bounds(trial: Trial, epsilon: float) -> NDArray[np.float64]:
    """(2, B) lowest and highest margin of every beat over all chips within epsilon.

    Raises
    ------
    InputError
        If epsilon is negative, or the activation is a measured curve.
    """
    if not (np.isfinite(epsilon) and epsilon >= 0):
        raise InputError(f"epsilon is {epsilon!r}; it must be a finite number of at least 0")
    activation = trial.readout.activation
    if not isinstance(activation, str):
        raise InputError("certified bounds need tanh or relu, not a measured activation curve")
    chain = _Chain(trial.carrier, epsilon, activation)
    cuts = [slice(at, at + BLOCK) for at in range(0, len(trial.inputs), BLOCK)]
    with single_threaded():
        parts = [_block_bounds(trial, chain, trial.inputs.rows(cut)) for cut in cuts]
    return np.concatenate(parts, 1) - threshold_margin(trial.point)


def _block_bounds(trial: Trial, chain: _Chain, inputs: Inputs) -> NDArray[np.float64]:
    architecture = trial.carrier.architecture
    sides: tuple[list[Tensor], list[Tensor]] = ([], [])
    for index, branch in enumerate(architecture.branches):
        source = inputs.residual if branch.source == "residual" else inputs.window
        if source is None:
            raise InputError("this student reads template residuals, but none were given")
        bounds = chain.pooled(index, source[:, branch.start : branch.stop], branch)
        for side, value in zip(sides, bounds, strict=True):
            side.append(value)
    block = len(architecture.branches)
    for four in patient_features(inputs, architecture):
        x = four.t()
        for side, value in zip(sides, chain.answer(block, x, torch.zeros_like(x)), strict=True):
            side.append(value[..., None])
        block += 1
    low, high = (torch.cat(side, -1).reshape(WIDTH, -1) for side in sides)
    for index in range(block, len(architecture.blocks)):
        low, high = chain.answer(index, (low + high) / 2, (high - low) / 2)
    low, high = (side.view(WIDTH, len(inputs), -1).mean(-1) for side in (low, high))
    return _head_bounds(trial.carrier, low, high)


def _head_bounds(carrier: Carrier, low: Tensor, high: Tensor) -> NDArray[np.float64]:
    """Bounds (2, B) of the margin from bounds (4, B) of h_pool; the head is exact."""
    weight, bias = carrier.head
    centre, radius = (low + high) / 2, (high - low) / 2
    # logsumexp grows with each difference of logits, so bounding the differences bounds it.
    w, b = weight[1:] - weight[:1], bias[1:] - bias[:1]
    middle, spread = w @ centre + b[:, None], w.abs() @ radius
    ends = [torch.logsumexp(middle + sign * spread, 0) for sign in (-1, 1)]
    return np.asarray(torch.stack(ends).double())


def certify(trial: Trial, epsilons: tuple[float, ...]) -> list[dict[str, Any]]:
    """Share of beats that no chip within epsilon can flip, and the rates that follow.

    Returns
    -------
    list of dict
        ``epsilon``, ``certified`` (share of beats), ``worst_miss`` and ``worst_fpr`` (no chip
        within epsilon can be worse; per-shot noise is not included).
    """
    rows = []
    for epsilon in epsilons:
        low, high = margin_bounds(trial, epsilon)
        label = trial.label
        rows.append(
            {
                "epsilon": epsilon,
                "certified": float(((low >= 0) | (high < 0)).mean()),
                "worst_miss": float((low[label] < 0).mean()) if label.any() else None,
                "worst_fpr": float((high[~label] >= 0).mean()) if not label.all() else None,
            }
        )
    return rows

"""Certified beats: the beats whose decision no chip within a given error can change.

Interval arithmetic through the student's walk: every weight and bias may lie anywhere within
epsilon of its program (and within its own limits), independently at each position of a kernel, so
the bounds hold but are not the tightest. A beat whose margin interval lies on one side of the
threshold is decided alike by *every* chip within epsilon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.meshchips import MeshChips
from ecgphoton.hwsim.montecarlo import Trial
from ecgphoton.hwsim.sensitivity import threshold_margin
from ecgphoton.hwsim.weights import FULL_SCALE, Carrier, ChipSource
from ecgphoton.mesh.arrays import Floats
from ecgphoton.settings import Setting
from ecgphoton.student.activations import Activation
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import Block, unfold, walk

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


@dataclass(frozen=True)
class IntervalDetector:
    """The arithmetic of bounds; values are (2, 4, ...), lowest and highest.

    A block's weights and biases lie within epsilon of its own, and in [-scale, scale].
    """

    activation: Activation
    epsilon: float
    scale: float

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """See `ecgphoton.student.propagate.Detector.layer`; one row of `x` is exact."""
        weight, bias = (
            _bounds(part[0], self.epsilon, self.scale) for part in (block.weight, block.bias)
        )
        low, high = _affine(weight, bias, (x[0] + x[-1]) / 2, (x[-1] - x[0]) / 2)
        return torch.stack(self.activation.bounds(block.gain[0] * low, block.gain[0] * high))

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """See `ecgphoton.student.propagate.Detector.pooled`."""
        value = self.layer(block, unfold(segment, branch.positions).view(1, WIDTH, -1))
        return value.view(2, WIDTH, len(segment), branch.tokens, branch.kernel).mean(-1)


def check_linear(source: ChipSource, done: str) -> None:
    """Refuse chips whose readings have a part besides a matrix and a bias.

    Raises
    ------
    InputError
        With what is to blame, and what to choose so that the chips can be `done`.
    """
    if not isinstance(source, MeshChips):
        return
    if source.perfect.receiver.keys:
        raise InputError(
            f"the receiver {source.perfect.receiver.name!r} leaves constants and squares in its "
            f"readings, which errors of weights do not include; chips read by homodyne can be "
            f"{done}: --set receiver.kind=homodyne"
        )
    for effect in source.foundry.profile.active:
        if effect.law_at("input") is not None:
            raise InputError(
                f"{effect.name} adds light that errors of weights do not include; chips without it "
                f"can be {done}: --set {effect.name}=0"
            )


@torch.no_grad()
def margin_bounds(trial: Trial, epsilon: float) -> Floats:
    """(2, B) lowest and highest margin of every beat over all chips within epsilon.

    Raises
    ------
    InputError
        If epsilon is not from 0 to 1, or the receiver is one from physics.
    """
    check_linear(trial.source, "certified")
    check_epsilons([epsilon])
    carrier = trial.carrier
    detector = IntervalDetector(trial.readout.activation, epsilon, carrier.scale)
    parts = []
    with single_threaded():
        for at in range(0, len(trial.inputs), BLOCK):
            part = trial.inputs.rows(slice(at, at + BLOCK))
            low, high = walk(carrier.stack, part, carrier.architecture, detector).mean(2).mT
            parts.append(_head_bounds(carrier, low, high))
    return np.concatenate(parts, 1) - threshold_margin(trial.point)


def _head_bounds(carrier: Carrier, low: Tensor, high: Tensor) -> Floats:
    """Bounds (2, B) of the margin from bounds (4, B) of h_pool; the head is exact."""
    weight, bias = carrier.head
    centre, radius = (low + high) / 2, (high - low) / 2
    # logsumexp grows with each difference of logits, so bounding the differences bounds it.
    w, b = weight[1:] - weight[:1], bias[1:] - bias[:1]
    middle, spread = w @ centre + b[:, None], w.abs() @ radius
    ends = [torch.logsumexp(middle + sign * spread, 0) for sign in (-1, 1)]
    return np.asarray(torch.stack(ends).double())


def check_epsilons(epsilons: Sequence[float]) -> None:
    """Refuse an error outside of full scale, and none at all."""
    require(epsilons, "epsilon", epsilons, "one or more numbers from 0 to 1")
    for epsilon in epsilons:
        Setting(0.0, "", low=0, high=FULL_SCALE).read(epsilon, float, "epsilon")


def certify(trial: Trial, epsilons: tuple[float, ...]) -> list[dict[str, Any]]:
    """Share of beats that no chip within epsilon can flip, and the rates that follow.

    Returns
    -------
    list of dict
        ``epsilon``, ``certified`` (share of beats), ``worst_miss`` and ``worst_fpr`` (no chip
        within epsilon can be worse; per-shot noise is not included).

    Raises
    ------
    InputError
        If there is none, or `margin_bounds` refuses one.
    """
    check_epsilons(epsilons)
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

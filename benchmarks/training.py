"""One training epoch: this package's loop, and a plain Dataset, DataLoader and Conv1d loop.

Both train a student of the shape of `reference-8` on the same random beats with the same optimiser;
`benchmarks.peers` times them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.fit import fit
from ecgphoton.training.parts import Examples, Parts, Schedule, Shuffled


class Beats(Dataset[tuple[Tensor, Tensor]]):
    """Per-item access, as most training scripts have it."""

    def __init__(self, window: Tensor, label: Tensor) -> None:
        self.window, self.label = window, label

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.window[index][None], self.label[index]


class Bounded(nn.Module):
    """A layer whose weight and bias pass through tanh."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.rand(shape) - 0.5)
        self.raw_bias = nn.Parameter(torch.zeros(shape[0]))

    def weights(self) -> tuple[Tensor, Tensor]:
        return torch.tanh(self.raw), torch.tanh(self.raw_bias)


class PlainStudent(nn.Module):
    """The reference student in stock layers: conv1d, tanh, avg_pool1d, linear."""

    SEGMENTS = ((0, 120, 58), (120, 240, 39), (240, 360, 58), (0, 360, 357))

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(Bounded(4, 1, 4) for _ in self.SEGMENTS)
        self.layers = nn.ModuleList(Bounded(4, 4) for _ in range(3))
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        tokens = []
        for (start, stop, kernel), branch in zip(self.SEGMENTS, self.branches, strict=True):
            y = torch.tanh(nn.functional.conv1d(x[:, :, start:stop], *branch.weights()))
            tokens.append(nn.functional.avg_pool1d(y, kernel, kernel))
        h = torch.cat(tokens, -1).transpose(1, 2)
        for layer in self.layers:
            h = torch.tanh(nn.functional.linear(h, *layer.weights()))
        return self.head(h.mean(1))


def plain_epoch(window: Tensor, label: Tensor, batch: int) -> Callable[[], None]:
    """An epoch of the stock loop."""
    model = PlainStudent()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(Beats(window, label), batch_size=batch, shuffle=True)

    def run() -> None:
        for x, y in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()

    return run


def our_epoch(window: Tensor, label: Tensor, batch: int) -> Callable[[], None]:
    """An epoch of `fit` (with 200 beats to judge on, so that learning is what is timed)."""
    record = np.full(len(label), "random")
    training = Examples(Inputs(window), label, record)
    few = Examples(Inputs(window[:200]), label[:200], record[:200])
    student = SegmentStudent()
    schedule = Schedule(epochs=1, batch=batch, kind="constant", learning_rate=1e-3)

    def run() -> None:
        parts = Parts(Shuffled(len(label)))
        fit(student, training, {"few": few}, schedule, ThresholdPolicy(), parts, seed=0)

    return run

"""Samplers: which training beats an epoch draws, and how often."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ecgphoton.legacy.guards import Memory, share_of
from ecgphoton.training.balance import Ramp
from ecgphoton.training.parts import Control, Shuffled


@dataclass(frozen=True, eq=False)
class WeightedSampler:
    """Draws beats with replacement, those of some classes more often."""

    label: Tensor
    rate: tuple[float, ...]
    """How often a beat of each class is drawn at full ramp, relative to class 0."""
    ramp: Ramp
    share_cap: float = 0.5
    """Largest expected share of abnormal beats."""

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the beats of an epoch."""
        share = share_of(self.ramp, epoch, control)
        if share == 0:
            return Shuffled(len(self.label))(epoch, control, generator)
        rate = torch.tensor(self.rate, dtype=torch.float32)
        rate[1:] *= Memory.of(control).boost_scale
        rate = 1 + share * (rate - 1)
        drawn = rate * torch.bincount(self.label, minlength=len(rate))
        room = self.share_cap / (1 - self.share_cap) * drawn[0] / drawn[1:].sum().clamp_min(1e-9)
        rate[1:] *= room.clamp(max=1.0)
        return _draw(rate[self.label], generator)


@dataclass(frozen=True, eq=False)
class PatientSampler:
    """Draws beats with replacement, each (record, class) about as often as any other."""

    weight: Tensor
    """(n,), see `training.balance.patient_weights`."""
    ramp: Ramp

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the beats of an epoch."""
        share = share_of(self.ramp, epoch, control)
        if share == 0:
            return Shuffled(len(self.weight))(epoch, control, generator)
        return _draw(1 + share * (self.weight - 1), generator)


def _draw(weight: Tensor, generator: torch.Generator) -> Tensor:
    return torch.multinomial(weight, len(weight), replacement=True, generator=generator)


@dataclass(frozen=True, eq=False)
class BalancedBatches:
    """Draws beats so that every batch, of any size, holds the classes in equal shares.

    That is at full ramp. Beats of a rare class are drawn several times an epoch, each of them
    before any is drawn again; of a common class another part is left out every epoch. The classes
    are spread evenly over the order.
    """

    label: Tensor
    classes: int
    ramp: Ramp

    def __call__(self, epoch: int, control: Control, generator: torch.Generator) -> Tensor:
        """Return the beats of an epoch."""
        size, share = len(self.label), share_of(self.ramp, epoch, control)
        if share == 0:
            return Shuffled(size)(epoch, control, generator)
        chosen, place = [], []
        groups = [torch.nonzero(self.label == index)[:, 0] for index in range(self.classes)]
        groups = [group for group in groups if len(group)]
        for group in groups:
            count = round((1 - share) * len(group) + share * size / len(groups))
            rounds = -(-count // len(group))
            order = [torch.randperm(len(group), generator=generator) for _ in range(rounds)]
            chosen.append(group[torch.cat(order)[:count]])
            start = torch.rand(1, generator=generator, dtype=torch.float32)
            place.append((torch.arange(count) + start) / count)
        return torch.cat(chosen)[torch.cat(place).argsort(stable=True)]

"""Losses on labels: cross-entropy, weighted by class and by beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ecgphoton.training.parts import Batch


def each_cross_entropy(batch: Batch) -> Tensor:
    """Return the (B,) cross-entropy of every beat."""
    return nn.functional.cross_entropy(batch.logits, batch.label, reduction="none")


@dataclass(frozen=True, eq=False)
class WeightedLoss:
    """Mean of a loss per beat, weighted by the class weights of the epoch and by beat."""

    beat_weight: Tensor | None = None
    """(n,) weight of every training beat; None weighs all alike."""
    each: Callable[[Batch], Tensor] = each_cross_entropy
    """Loss of every beat of a batch, (B,)."""

    def __call__(self, batch: Batch) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the loss of a batch."""
        each = self.each(batch)
        weight = each.new_ones(len(each))
        if batch.class_weight is not None:
            weight = batch.class_weight[batch.label]
        if self.beat_weight is not None:
            weight = weight * self.beat_weight[batch.index]
        return (weight * each).sum() / weight.sum(), {}

"""From settings to the callables `fit` runs with, and the losses on labels among them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ecgphoton.training.augment import Augmentation, Augmented
from ecgphoton.training.balance import Balance, RampedWeights, beat_weights, class_weights
from ecgphoton.training.parts import (
    AfterStep,
    Batch,
    Examples,
    Forward,
    Parts,
    Shuffled,
    cross_entropy,
    nothing,
    plain_forward,
    unchanged,
    uniform_weights,
)


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
        share = batch.class_weight
        weight = each.new_ones(len(each)) if share is None else share[batch.label]
        if self.beat_weight is not None:
            weight = weight * self.beat_weight[batch.index]
        return (weight * each).sum() / weight.sum(), {}


def assemble(
    balance: Balance,
    augmentation: Augmentation,
    *,
    examples: Examples,
    classes: int,
    forward: Forward = plain_forward,
    after_step: AfterStep = nothing,
) -> Parts:
    """Return the pieces of a training run that the settings ask for.

    Parameters
    ----------
    balance, augmentation
        Settings; with the defaults every piece is the null object (more than two classes have
        class weights).
    examples
        Training beats: their labels and records decide the weights.
    classes
        Outputs of the model.
    forward
        How beats run through the model, for instance on a noisy chip.
    after_step
        What happens after every step, for instance tracking gains.
    """
    target = class_weights(balance, examples.label, classes)
    beat_weight = beat_weights(balance, examples)
    return Parts(
        Shuffled(len(examples)),
        forward=forward,
        loss=cross_entropy if beat_weight is None else WeightedLoss(beat_weight),
        class_weights=uniform_weights
        if balance.mode(classes) == "none"
        else RampedWeights(tuple(target.tolist()), balance.cap(classes), balance.ramp_for(classes)),
        augment=unchanged if augmentation == Augmentation() else Augmented(augmentation),
        after_step=after_step,
    )

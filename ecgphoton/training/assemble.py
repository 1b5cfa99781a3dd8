"""From settings to the callables `fit` runs with."""

from __future__ import annotations

from ecgphoton.training.augment import Augmentation, Augmented
from ecgphoton.training.balance import Balance, RampedWeights, beat_weights, class_weights
from ecgphoton.training.losses import WeightedLoss
from ecgphoton.training.parts import (
    AfterStep,
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

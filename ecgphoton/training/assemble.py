"""From settings to the objects `fit` runs with."""

from __future__ import annotations

from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance
from ecgphoton.training.guards import GuardSettings
from ecgphoton.training.losses import LossSettings
from ecgphoton.training.parts import (
    AfterStep,
    Examples,
    Forward,
    Parts,
    Shuffled,
    nothing,
    plain_forward,
)


def assemble(
    balance: Balance,
    guards: GuardSettings,
    augmentation: Augmentation,
    loss: LossSettings,
    *,
    examples: Examples,
    classes: int,
    forward: Forward = plain_forward,
    after_step: AfterStep = nothing,
) -> Parts:
    """Return the pieces of a training run that the settings ask for."""
    del balance, guards, augmentation, loss, classes
    return Parts(Shuffled(len(examples)), forward=forward, after_step=after_step)

"""A recipe comes in, and the pieces of its training runs go out."""

from typing import cast

from torch import nn

from ecgphoton.hwsim.aware import noisy_forward
from ecgphoton.recipe import Recipe
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.parts import Examples, Parts, nothing, plain_forward


def parts_of(recipe: Recipe, training: Examples, architecture: Architecture) -> Parts:
    """Assemble the strategies of a recipe, with the hardware noise it trains under."""
    noise = recipe.noise
    silent = noise.weight == 0 and noise.detector == 0
    return recipe.parts(
        training,
        architecture.classes,
        forward=plain_forward if silent else noisy_forward(noise.weight, noise.detector),
        after_step=track_gains if architecture.gains == "tracked" else nothing,
    )


def track_gains(model: nn.Module, inputs: Inputs) -> None:
    """Let a student follow the detector peaks of the batch it has just seen."""
    cast("SegmentStudent", model).track_gains(inputs)

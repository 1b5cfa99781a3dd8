"""The state of a run between two epochs: packed into arrays, and restored from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ecgphoton.errors import InputError
from ecgphoton.progress import Progress
from ecgphoton.training.parts import Control, EpochRecord, Parts


@dataclass(frozen=True)
class FitState:
    """Everything needed to resume after an epoch with bit-identical results."""

    arrays: Mapping[str, np.ndarray]
    """Current, averaged and best weights, and the optimiser's moments."""
    control: Control
    history: tuple[EpochRecord, ...]
    rate: float
    """Learning rate after the plateau rule."""


def telling(progress: Progress, stage: str, epochs: int) -> Callable[[FitState], None]:
    """Return what reports the last epoch of a state as progress of a stage."""

    def tell(state: FitState) -> None:
        last = state.history[-1]
        progress(f"{stage}, score {last.score:.4f}", last.epoch, epochs)

    return tell


def weights_of(model: nn.Module) -> dict[str, np.ndarray]:
    """Copy a model's state as numpy arrays."""
    return {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}


def pack(
    model: nn.Module,
    averaged: nn.Module,
    parts: Parts,
    optimiser: torch.optim.Optimizer,
    best: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Everything `restore` needs, as arrays."""
    groups = {"best": best, "model": weights_of(model), "averaged": weights_of(averaged)}
    packed = {f"{group}.{k}": v for group, held in groups.items() for k, v in held.items()}
    packed |= {f"extra.{i}": p.detach().numpy().copy() for i, p in enumerate(parts.extra)}
    for index, slots in optimiser.state_dict()["state"].items():
        packed |= {f"adam.{index}.{key}": value.numpy().copy() for key, value in slots.items()}
    return packed


def packed_as(group: str, arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return one group of packed arrays (``model``, ``averaged``, ...) by its own names."""
    return {
        name.removeprefix(f"{group}."): torch.tensor(value)
        for name, value in arrays.items()
        if name.startswith(f"{group}.")
    }


def restore(
    arrays: Mapping[str, np.ndarray],
    model: nn.Module,
    averaged: nn.Module,
    parts: Parts,
    optimiser: torch.optim.Optimizer,
) -> dict[str, np.ndarray]:
    """Load packed arrays into models and optimiser; return the best weights so far.

    Raises
    ------
    InputError
        If the arrays are not those of such a run.
    """
    try:
        model.load_state_dict(packed_as("model", arrays))
        if averaged is not model:
            averaged.load_state_dict(packed_as("averaged", arrays))
        with torch.no_grad():
            for index, value in packed_as("extra", arrays).items():
                parts.extra[int(index)].copy_(value)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in packed_as("adam", arrays).items():
            index, key = name.split(".")
            state.setdefault(int(index), {})[key] = value
        optimiser.load_state_dict(
            {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
        )
        return {name: value.numpy() for name, value in packed_as("best", arrays).items()}
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"the saved state is not one of this recipe ({str(error).splitlines()[0]}); delete it "
            "to begin anew"
        ) from error

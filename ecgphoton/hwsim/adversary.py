"""The worst chip within tolerances, found by gradient ascent; Monte Carlo rarely draws it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.montecarlo import Trial, rates
from ecgphoton.hwsim.sensitivity import threshold_margin
from ecgphoton.hwsim.weights import WeightChips
from ecgphoton.mesh.arrays import Floats
from ecgphoton.student.propagate import IdealDetector, read_out, walk

STEPS = 40
BEATS = 2048
"""Beats of each class at most on which the search descends; the result is judged on all."""


@dataclass(frozen=True, eq=False)
class WorstChip:
    """A chip within tolerance, found by projected gradient ascent."""

    errors: Floats
    """(K, 4, 5) errors of weights and biases."""
    miss: float
    fpr: float
    bound: float
    """Largest error allowed, in units of a weight."""
    names: tuple[str, ...]
    """Names of the K blocks."""

    @property
    def use(self) -> dict[str, float]:
        """Mean size of the errors of every block over the bound, largest first."""
        share = np.abs(self.errors).mean((1, 2)) / (self.bound or 1.0)
        return dict(sorted(zip(self.names, share.tolist(), strict=True), key=lambda pair: -pair[1]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the blocks by how much of the bound their errors use."""
        return {"miss": self.miss, "fpr": self.fpr, "bound": self.bound, "use": self.use}


@torch.enable_grad()
def worst_chip(
    trial: Trial, *, sigmas: float = 3.0, weight: float = 0.5, steps: int = STEPS
) -> WorstChip:
    """Search for the worst chip without noise, with all errors within ``sigmas`` deviations.

    Projected sign-gradient ascent on a smooth miss rate and FPR, through the one propagation.

    Parameters
    ----------
    trial
        A weights-level trial; its sigma sets the tolerance.
    weight
        Weight of the miss rate against the FPR: 1 looks for missed beats only, 0 for false alarms.

    Raises
    ------
    InputError
        If the trial is not at weights level or a number is outside its range.
    """
    source = trial.source
    if not isinstance(source, WeightChips):
        raise InputError("the adversarial chip is searched at weights level: leave out --profile")
    if sigmas <= 0 or not 0 <= weight <= 1:
        raise InputError(
            f"sigmas is {sigmas!r} and weight {weight!r}; sigmas must be above 0, weight in [0, 1]"
        )
    bound = sigmas * source.sigma
    stack = source.nominal().stack
    activation = trial.carrier.architecture.response
    rows, side = _few(trial)
    inputs = trial.inputs.rows(rows)
    share = torch.where(side > 0, weight / (side > 0).sum(), (1 - weight) / (side < 0).sum())
    errors = torch.zeros(1, *stack.biases.shape[1:], 5, dtype=torch.float32, requires_grad=True)
    best, found = -np.inf, errors.detach().clone()
    with single_threaded():
        for step in range(steps):
            detector = IdealDetector(activation)
            tokens = walk(stack.moved(errors), inputs, trial.carrier.architecture, detector)
            logits = read_out(trial.carrier.head, tokens.mean(2))[0]
            margins = (
                torch.logsumexp(logits[:, 1:], -1) - logits[:, 0] - threshold_margin(trial.point)
            )
            wrong = (share * torch.sigmoid(-4 * side * margins)).sum()
            if float(wrong.detach()) > best:
                best, found = float(wrong.detach()), errors.detach().clone()
            (slope,) = torch.autograd.grad(wrong, errors)
            pace = bound * (1 - step / steps) / 4
            errors = (errors + pace * slope.sign()).detach().clamp(-bound, bound)
            errors.requires_grad_(True)
    chips = source.nominal()._replace(stack=stack.moved(found).clamped(source.carrier.scale))
    miss, fpr, _ = rates(trial.score(chips, None), trial.label, trial.point)[0]
    names = trial.carrier.architecture.blocks
    return WorstChip(np.asarray(found[0].double()), float(miss), float(fpr), bound, names)


def _few(trial: Trial) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of a few beats of each class, spread evenly, and +1 for abnormal, -1 for normal."""
    picked = []
    for wanted in (True, False):
        index = np.flatnonzero(trial.label == wanted)
        places = np.linspace(0, len(index) - 1, min(BEATS, len(index))).astype(int)
        picked.append(index[places] if len(index) else index)
    rows = np.sort(np.concatenate(picked))
    side = np.where(trial.label[rows], 1.0, -1.0)
    return torch.as_tensor(rows), torch.as_tensor(side, dtype=torch.float32)

"""The worst chip within tolerances, found by gradient ascent; Monte Carlo rarely draws it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ecgphoton.hwsim.certify import check_linear
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.montecarlo import Trial, rates
from ecgphoton.hwsim.sensitivity import threshold_margin
from ecgphoton.hwsim.weights import WeightChips
from ecgphoton.mesh.arrays import Floats
from ecgphoton.settings import Setting
from ecgphoton.student.propagate import IdealDetector, read_out, walk

STEPS = 40
BEATS = 2048
"""Beats of each class at most on which the search descends; the result is judged on all."""
DRAWN = 200
"""Chips of a profile of which the spread of every weight and bias is taken: known to 5 %."""


def tolerance_of(trial: Trial) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation of the errors of a trial's chips, in units of a weight.

    Both are (K, 4, 5) tensors, of every weight and bias: those of the noise, or of the profile.
    Those of a profile are measured on `DRAWN` chips, and taken as independent of one another.

    Raises
    ------
    InputError
        If readings of the chips are not linear in the inputs.
    """
    source = trial.source
    perfect = source.nominal().stack
    if isinstance(source, WeightChips):
        none = torch.zeros(*perfect.biases.shape[1:], 5, dtype=torch.float32)
        return none, none + source.sigma
    check_linear(source, "searched")
    errors = source.draw(trial.seed, 0, DRAWN).stack.minus(perfect)
    return errors.mean(0), errors.std(0)


@dataclass(frozen=True, eq=False)
class WorstChip:
    """A chip within tolerance, found by projected gradient ascent."""

    errors: Floats
    """(K, 4, 5) errors of weights and biases, in units of a weight."""
    share: Floats
    """(K, 4, 5) of their tolerance that they use, from -1 to 1."""
    miss: float
    fpr: float
    sigmas: float
    """Tolerance, in standard deviations."""
    bound: float
    """Largest error allowed, in units of a weight."""
    names: tuple[str, ...]
    """Names of the K blocks."""

    @property
    def use(self) -> dict[str, float]:
        """Mean share of the tolerance that the errors of every block use, largest first."""
        share = np.abs(self.share).mean((1, 2))
        return dict(sorted(zip(self.names, share.tolist(), strict=True), key=lambda pair: -pair[1]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the blocks by how much of the bound their errors use."""
        names = ("miss", "fpr", "sigmas", "bound", "use")
        return {name: getattr(self, name) for name in names}


def check_search(sigmas: float, weight: float) -> None:
    """Refuse a tolerance that is not above 0, and a weight that is not from 0 to 1."""
    Setting(3.0, "", above=0).read(sigmas, float, "sigmas")
    Setting(0.5, "", low=0, high=1).read(weight, float, "weight")


@torch.enable_grad()
def worst_chip(trial: Trial, *, sigmas: float = 3.0, weight: float = 0.5) -> WorstChip:
    """Search for the worst chip without noise, with all errors within ``sigmas`` deviations.

    Projected sign-gradient ascent on a smooth miss rate and FPR, through the one propagation.

    Parameters
    ----------
    trial
        Its noise, or the chips of its profile, set the tolerance.
    weight
        Weight of the miss rate against the FPR: 1 looks for missed beats only, 0 for false alarms.

    Raises
    ------
    InputError
        If a number is outside its range, or readings of the chips are not linear in the inputs.
    """
    check_search(sigmas, weight)
    perfect, (centre, spread) = trial.source.nominal(), tolerance_of(trial)
    stack, reach = perfect.stack, sigmas * spread
    detector = IdealDetector(trial.carrier.architecture.response)
    rows, side = _few(trial)
    inputs = trial.inputs.rows(rows)
    share = torch.where(side > 0, weight / (side > 0).sum(), (1 - weight) / (side < 0).sum())
    shares = torch.zeros(1, *spread.shape, dtype=torch.float32, requires_grad=True)
    best, found = -np.inf, shares.detach().clone()
    with single_threaded():
        for step in range(STEPS):
            moved = stack.moved(centre + reach * shares)
            tokens = walk(moved, inputs, trial.carrier.architecture, detector)
            logits = read_out(trial.carrier.head, tokens.mean(2))[0]
            margins = (
                torch.logsumexp(logits[:, 1:], -1) - logits[:, 0] - threshold_margin(trial.point)
            )
            wrong = (share * torch.sigmoid(-4 * side * margins)).sum()
            if float(wrong.detach()) > best:
                best, found = float(wrong.detach()), shares.detach().clone()
            (slope,) = torch.autograd.grad(wrong, shares)
            pace = (1 - step / STEPS) / 4
            shares = (shares + pace * slope.sign()).detach().clamp(-1, 1).requires_grad_(True)
    errors = centre + reach * found
    moved = stack.moved(errors)
    if isinstance(trial.source, WeightChips):
        moved = moved.clamped(trial.carrier.scale)
    score = trial.score(perfect._replace(stack=moved), None)
    miss, fpr, _ = rates(score, trial.label, trial.point)[0]
    return WorstChip(
        np.asarray(errors[0].double()),
        np.asarray(found[0].double()),
        float(miss),
        float(fpr),
        sigmas,
        float((centre.abs() + reach).max()),
        trial.carrier.architecture.blocks,
    )


def _few(trial: Trial) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of a few beats of each class, spread evenly, and +1 for abnormal, -1 for normal."""
    classes = [np.flatnonzero(trial.label == wanted) for wanted in (True, False)]
    places = [np.linspace(0, len(each) - 1, min(BEATS, len(each))).astype(int) for each in classes]
    rows = np.sort(np.concatenate([each[at] for each, at in zip(classes, places, strict=True)]))
    side = np.where(trial.label[rows], 1.0, -1.0)
    return torch.as_tensor(rows), torch.as_tensor(side, dtype=torch.float32)

"""A Taylor surrogate of a student's margins in its weight errors, for wide sweeps.

Margins of all beats are expanded in the errors of weights and biases: the first order exactly, the
second along the directions that matter most (the leading singular vectors of the slopes). A chip
then costs a matrix product a beat instead of a thousand activations. The error of the expansion is
measured on a few exact chips each time, and printed beside the numbers.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.montecarlo import Trial, rates, run
from ecgphoton.hwsim.sensitivity import (
    STEP,
    Sensitivity,
    analog,
    margins,
    sensitivity,
    threshold_margin,
)
from ecgphoton.hwsim.streams import shot_generator
from ecgphoton.hwsim.weights import WeightChips
from ecgphoton.mesh.arrays import Floats

DIRECTIONS = 10
"""Directions with second-order terms: 55 products, 200 exact chips to set them up."""
CURVE_STEP = 4 * STEP  # second differences need a longer one in single precision


@dataclass(frozen=True, eq=False)
class Surrogate:
    """Margins of every beat as a polynomial in weight errors, for `WeightChips` trials."""

    trial: Trial
    slopes: Sensitivity
    linear: torch.Tensor
    """(P, B) float32."""
    directions: torch.Tensor
    """(P, r) orthonormal, r = 0 for first order."""
    curvature: torch.Tensor
    """(r (r + 1) / 2, B) float32."""

    def margins(self, errors: Floats) -> torch.Tensor:
        """Silent margins (C, B) of chips with errors (C, K, 4, 5)."""
        flat = torch.as_tensor(errors.reshape(len(errors), -1), dtype=torch.float32)
        answer = torch.addmm(
            torch.as_tensor(self.slopes.margin, dtype=torch.float32), flat, self.linear
        )
        if self.directions.shape[1]:
            answer.addmm_(_products(flat @ self.directions), self.curvature)
        return answer

    def rates(self, chips: int, sigma: float, detector: float, *, first: int = 0) -> Any:  # noqa: ANN401
        """Rates (chips, 3) at a noise level, chips numbered as in the exact simulation.

        Static errors are those of the very same chips, clamped; per-shot noise is Gaussian with
        the variance measured at the trial's own level, scaled with its square.
        """
        source = self.trial.source
        assert isinstance(source, WeightChips)
        level = source.detector
        ratio = (detector / level) ** 2 if level else 0.0
        shift = torch.as_tensor(self.slopes.shot_shift * ratio, dtype=torch.float32)
        spread = torch.as_tensor(np.sqrt(self.slopes.shot_variance * ratio), dtype=torch.float32)
        own = WeightChips(source.carrier, sigma)
        ideal = source.nominal().stack
        parts = []
        with single_threaded():
            for at in range(first, first + chips, 16):
                count = min(16, first + chips - at)
                change = own.draw(self.trial.seed, at, count).stack.minus(ideal)
                value = self.margins(np.asarray(change))
                if ratio:
                    draw = shot_generator(self.trial.seed, at, 0)
                    noise = torch.randn(value.shape, generator=draw, dtype=torch.float32)
                    value = value + shift + spread * noise
                score = torch.sigmoid(value + threshold_margin(self.trial.point)).numpy()
                parts.append(rates(score, self.trial.label, self.trial.point))
        return np.concatenate(parts)

    def error(self, sigma: float, detector: float, *, chips: int = 8) -> dict[str, float]:
        """Largest and root-mean-square error of miss and FPR against exact chips."""
        source = self.trial.source
        assert isinstance(source, WeightChips)
        here = replace(self.trial, source=replace(source, sigma=sigma, detector=detector))
        exact = np.concatenate([*run(here, chips)])
        gap = self.rates(chips, sigma, detector)[:, :2] - exact[:, :2]
        return {
            "rms": float(np.sqrt((gap**2).mean())),
            "worst": float(np.abs(gap).max()),
            "bias": float(gap.mean()),
        }


def _products(x: torch.Tensor) -> torch.Tensor:
    """(C, r) -> (C, r (r + 1) / 2), all x_i x_j with i <= j."""
    i, j = torch.triu_indices(x.shape[1], x.shape[1])
    return x[:, i] * x[:, j]


def surrogate(trial: Trial, *, order: int = 2, directions: int = DIRECTIONS) -> Surrogate:
    """Expand a weights-level trial around its perfect chip.

    Parameters
    ----------
    order
        1, or 2 for second-order terms along the leading `directions`.

    Raises
    ------
    InputError
        If the trial is not at weights level.
    """
    if not isinstance(trial.source, WeightChips):
        raise InputError(
            "the expansion is in errors of weights and biases, so it knows neither a profile nor "
            "its receiver; leave out the profile"
        )
    slopes = sensitivity(trial)
    flat = slopes.slope.reshape(len(slopes.margin), -1)
    linear = torch.as_tensor(flat.T.copy(), dtype=torch.float32)
    count = directions if order == 2 else 0
    axes = np.linalg.svd(flat, full_matrices=False)[2][:count]
    return Surrogate(
        trial,
        slopes,
        linear,
        torch.as_tensor(axes.T.copy(), dtype=torch.float32),
        torch.as_tensor(_curvature(analog(trial), slopes, axes), dtype=torch.float32),
    )


def _curvature(trial: Trial, slopes: Sensitivity, axes: Floats) -> Floats:
    stack = trial.source.nominal().stack
    shape = slopes.slope.shape[1:]
    count, h = len(axes), CURVE_STEP
    if count == 0:
        return np.zeros((0, len(slopes.margin)))
    probes = []
    for i in range(count):
        for j in range(i, count):
            step = axes[i] if i == j else axes[i] + axes[j]
            probes += [h * step.reshape(shape), -h * step.reshape(shape)]
    ends = margins(trial, stack.moved(torch.as_tensor(np.stack(probes))))
    table = (ends[0::2] + ends[1::2] - 2 * slopes.margin) / (2 * h * h)
    # Along (i, j) the half second difference holds i i, j j and i j terms; leave i j alone.
    place = {
        pair: k for k, pair in enumerate((i, j) for i in range(count) for j in range(i, count))
    }
    answer = table.copy()
    for (i, j), k in place.items():
        if i != j:
            answer[k] = table[k] - table[place[i, i]] - table[place[j, j]]
    return np.asarray(answer)

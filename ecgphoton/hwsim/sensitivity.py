"""How every beat's margin depends on every programmed number, and margins expanded in them.

The margin of a beat is its log-odds of abnormal minus those of the threshold: its sign is the
decision. Central differences through the one propagation give its derivative by each weight and
bias: the gradients behind `blame`. With them, any small error of a chip becomes a Gaussian shift of
every beat's margin, and a rate becomes a mean of normal tail areas.

A `Surrogate` expands the margins in the errors of weights and biases, for wide sweeps: the first
order exactly, the second along the directions that matter most (the leading singular vectors of the
slopes). A chip then costs a matrix product a beat instead of a thousand activations. The error of
the expansion is measured on a few exact chips each time, and printed beside the numbers.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.distributed import computed, single_threaded
from ecgphoton.hwsim.montecarlo import Trial, margin, rates, run
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.streams import shot_generator
from ecgphoton.hwsim.weights import WeightChips
from ecgphoton.mesh.arrays import Bools, Floats, Singles
from ecgphoton.student.architecture import WIDTH
from ecgphoton.student.propagate import Stack

STEP = 0.02
"""Of the central differences: truncation and single-precision rounding are both near 1e-4."""
CURVE_STEP = 4 * STEP  # second differences need a longer one in single precision
DIRECTIONS = 10
"""Directions with second-order terms: 55 products, 200 exact chips to set them up."""
BATCH = 8
SHOTS = 16
"""Noisy runs of the perfect chip from which the effect of per-shot noise is taken."""
EXACT = 8
"""Chips whose rates are compared with those of an expansion."""


def threshold_margin(point: OperatingPoint) -> float:
    """Log-odds of the threshold."""
    p = min(max(point.threshold, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))


def analog(trial: Trial) -> Trial:
    """Return the trial without converters: rounding has no derivative."""
    return replace(trial, readout=Readout(trial.readout.activation))


def margins(trial: Trial, stack: Stack, *, threads: int | None = None) -> Floats:
    """Silent margins (C, B) of chips."""
    nominal = trial.source.nominal()

    def score(number: int) -> Singles:
        at = number * BATCH
        part = Stack(stack.matrices[at : at + BATCH], stack.biases[at : at + BATCH], stack.gains)
        return trial.score(nominal._replace(stack=part), None, margin)

    answers = [*computed(score, -(-len(stack.matrices) // BATCH), threads=threads)]
    return np.concatenate(answers).astype(float) - threshold_margin(trial.point)


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Margins of the perfect chip and their first derivatives."""

    margin: Floats
    """(B,), positive is called abnormal."""
    slope: Floats
    """(B, K, 4, 5): by every weight (four columns) and bias (last)."""
    label: Bools
    shot_variance: Floats
    """(B,) of the margin, by the trial's per-shot noise."""
    shot_shift: Floats
    """(B,) mean shift of the margin by the trial's per-shot noise."""

    def rates(self, shift: Floats | float, variance: Floats | float) -> tuple[float, float]:
        """Return the expected miss rate and FPR when margins move by N(shift, variance)."""
        from scipy.special import ndtr

        spread = np.sqrt(np.broadcast_to(variance, self.margin.shape))
        centre = self.margin + shift
        silent = np.where(centre >= 0, 1.0, 0.0)
        safe = np.where(spread > 0, spread, 1.0)
        called = np.where(spread > 0, ndtr(centre / safe), silent)
        miss = 1 - called[self.label].mean() if self.label.any() else 0.0
        return float(miss), float(called[~self.label].mean() if not self.label.all() else 0.0)

    def lost(self, shift: Floats | float, variance: Floats | float) -> tuple[float, float]:
        """Return the expected rise of miss rate (lost sensitivity) and of FPR."""
        perfect, moved_ = self.perfect, self.rates(shift, variance)
        return moved_[0] - perfect[0], moved_[1] - perfect[1]

    @cached_property
    def perfect(self) -> tuple[float, float]:
        """Miss rate and FPR of the perfect chip without noise."""
        return self.rates(0.0, 0.0)

    def moves(self, errors: Floats) -> Floats:
        """(C, B) changes of the margin of chips with errors (C, K, 4, 5)."""
        return errors.reshape(len(errors), -1) @ self.slope.reshape(len(self.margin), -1).T


def sensitivity(trial: Trial, *, threads: int | None = None) -> Sensitivity:
    """Differentiate every margin of a trial by every weight and bias.

    Parameters
    ----------
    threads
        Threads of this process to use; default as many as torch uses.
    """
    quiet = analog(trial)
    stack = trial.source.nominal().stack
    blocks = stack.matrices.shape[1]
    count = blocks * WIDTH * (WIDTH + 1)
    probe = STEP * torch.eye(count, dtype=torch.float32).view(count, blocks, WIDTH, WIDTH + 1)
    up = margins(quiet, stack.moved(probe), threads=threads)
    down = margins(quiet, stack.moved(-probe), threads=threads)
    slope = ((up - down) / (2 * STEP)).T.reshape(-1, blocks, WIDTH, WIDTH + 1)
    centre = margins(quiet, stack)[0]
    shift, variance = shot_moments(quiet, centre)
    return Sensitivity(centre, slope, trial.label, variance, shift)


def shot_moments(trial: Trial, centre: Floats) -> tuple[Floats, Floats]:
    """Shift and variance (B,) of the margin over noisy runs of the perfect chip."""
    chips = trial.source.nominal()
    if not chips.noisy:
        return np.zeros_like(centre), np.zeros_like(centre)
    matrices, biases, gains = chips.stack
    many = Stack(matrices.expand(SHOTS, -1, -1, -1), biases.expand(SHOTS, -1, -1), gains)
    noisy = trial.score(chips._replace(stack=many), 0, margin).astype(float)
    noisy -= threshold_margin(trial.point)
    return noisy.mean(0) - centre, noisy.var(0, ddof=1)


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

    def rates(self, chips: int, sigma: float, detector: float) -> Any:  # noqa: ANN401
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
            for at in range(0, chips, 16):
                count = min(16, chips - at)
                change = own.draw(self.trial.seed, at, count).stack.minus(ideal)
                value = self.margins(np.asarray(change))
                if ratio:
                    draw = shot_generator(self.trial.seed, at, 0)
                    noise = torch.randn(value.shape, generator=draw, dtype=torch.float32)
                    value = value + shift + spread * noise
                score = torch.sigmoid(value + threshold_margin(self.trial.point)).numpy()
                parts.append(rates(score, self.trial.label, self.trial.point))
        return np.concatenate(parts)

    def error(self, sigma: float, detector: float) -> float:
        """Root-mean-square error of miss and FPR against exact chips."""
        source = self.trial.source
        assert isinstance(source, WeightChips)
        here = replace(self.trial, source=replace(source, sigma=sigma, detector=detector))
        exact = np.concatenate([*run(here, EXACT)])[:, :2]
        gap = self.rates(EXACT, sigma, detector)[:, :2] - exact
        return float(np.sqrt((gap**2).mean()))


def _products(x: torch.Tensor) -> torch.Tensor:
    """(C, r) -> (C, r (r + 1) / 2), all x_i x_j with i <= j."""
    i, j = torch.triu_indices(x.shape[1], x.shape[1])
    return x[:, i] * x[:, j]


def surrogate(trial: Trial, *, order: int = 2) -> Surrogate:
    """Expand a weights-level trial around its perfect chip.

    Parameters
    ----------
    order
        1, or 2 for second-order terms along the `DIRECTIONS` leading directions.

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
    count = DIRECTIONS if order == 2 else 0
    axes = np.linalg.svd(flat, full_matrices=False)[2][:count]
    return Surrogate(
        trial,
        slopes,
        linear,
        torch.as_tensor(axes.T.copy(), dtype=torch.float32),
        torch.as_tensor(_curvature(analog(trial), slopes, axes), dtype=torch.float32),
    )


def _curvature(trial: Trial, slopes: Sensitivity, axes: Floats) -> Floats:
    """Return the products of two directions, (r (r + 1) / 2, B), in the order of `_products`."""
    if not len(axes):
        return np.zeros((0, len(slopes.margin)))
    i, j = np.triu_indices(len(axes))
    own = (i == j)[:, None]
    steps = CURVE_STEP * np.where(own, axes[i], axes[i] + axes[j])
    probes = np.stack([steps, -steps], 1).reshape(-1, *slopes.slope.shape[1:])
    ends = margins(trial, trial.source.nominal().stack.moved(torch.as_tensor(probes)))
    table = (ends[0::2] + ends[1::2] - 2 * slopes.margin) / (2 * CURVE_STEP**2)
    # Along (i, j) the half second difference holds i i, j j and i j terms; leave i j alone.
    squares = table[own[:, 0]]
    return np.where(own, table, table - squares[i] - squares[j])

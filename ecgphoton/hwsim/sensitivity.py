"""How every beat's margin depends on every programmed number: the gradients behind `blame`.

The margin of a beat is its log-odds of abnormal minus those of the threshold: its sign is the
decision. Central differences through the one propagation give its derivative by each weight and
bias; with them, any small error of a chip becomes a Gaussian shift of every beat's margin, and a
rate becomes a mean of normal tail areas.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.montecarlo import Trial, margin
from ecgphoton.hwsim.readout import Readout
from ecgphoton.mesh.arrays import Bools, Floats
from ecgphoton.student.architecture import WIDTH
from ecgphoton.student.propagate import Stack

STEP = 0.02
"""Of the central differences: truncation and single-precision rounding are both near 1e-4."""
BATCH = 8


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

    def score(at: int) -> NDArray[np.float32]:
        part = Stack(stack.matrices[at : at + BATCH], stack.biases[at : at + BATCH], stack.gains)
        return trial.score(nominal._replace(stack=part), None, margin)

    with single_threaded() as available, ThreadPoolExecutor(threads or available) as pool:
        answers = list(pool.map(score, range(0, len(stack.matrices), BATCH)))
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
        from scipy.stats import norm

        spread = np.sqrt(np.broadcast_to(variance, self.margin.shape))
        centre = self.margin + shift
        silent = np.where(centre >= 0, 1.0, 0.0)
        safe = np.where(spread > 0, spread, 1.0)
        called = np.where(spread > 0, norm.cdf(centre / safe), silent)
        miss = 1 - called[self.label].mean() if self.label.any() else 0.0
        return float(miss), float(called[~self.label].mean() if not self.label.all() else 0.0)

    def lost(self, shift: Floats | float, variance: Floats | float) -> tuple[float, float]:
        """Return the expected rise of miss rate (lost sensitivity) and of FPR."""
        perfect, moved_ = self.rates(0.0, 0.0), self.rates(shift, variance)
        return moved_[0] - perfect[0], moved_[1] - perfect[1]

    def of_errors(self, errors: Floats) -> tuple[Floats, Floats]:
        """Mean and variance (B,) of the margin over chips with errors (C, K, 4, 5)."""
        moves = self.slope.reshape(len(self.margin), -1) @ errors.reshape(len(errors), -1).T
        return moves.mean(1), moves.var(1)


def sensitivity(trial: Trial, *, shots: int = 16, threads: int | None = None) -> Sensitivity:
    """Differentiate every margin of a trial by every weight and bias.

    Parameters
    ----------
    shots
        Noisy runs of the perfect chip from which the effect of per-shot noise is taken.
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
    shift, variance = shot_moments(quiet, centre, shots)
    return Sensitivity(centre, slope, trial.label, variance, shift)


def shot_moments(trial: Trial, centre: Floats, shots: int) -> tuple[Floats, Floats]:
    """Shift and variance (B,) of the margin over noisy runs of the perfect chip."""
    chips = trial.source.nominal()
    if not chips.noisy:
        return np.zeros_like(centre), np.zeros_like(centre)
    stack = chips.stack
    many = Stack(
        stack.matrices.expand(shots, -1, -1, -1), stack.biases.expand(shots, -1, -1), stack.gains
    )
    noisy = trial.score(chips._replace(stack=many), 0, margin).astype(float)
    noisy -= threshold_margin(trial.point)
    return noisy.mean(0) - centre, noisy.var(0, ddof=1)

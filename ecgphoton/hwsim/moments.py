"""Mean and variance of a pooled activation whose every sample carries its own noise.

A token is the mean over n >= 39 positions of ``tanh(g (v + e) + g b)`` with fresh noise ``e`` at
every position. The n numbers of a token need not be drawn: the token is Gaussian to high accuracy
(a mean of n independent bounded variables), with mean ``mean_t E(y_t)`` and variance
``mean_t V(y_t) / n``, where ``y = tanh(g (v + b))`` is the activation without noise. E and V are
smooth functions of y alone, so they are fitted once by polynomials (Gauss-Hermite quadrature, least
squares on Chebyshev nodes), and all that is needed of a window is its power sums ``mean_t y^k``.
"""

import threading
from functools import cache

import numpy as np
import torch
from torch import Tensor

from ecgphoton.mesh.arrays import Floats
from ecgphoton.student.activations import Fused
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import WindowMeans, shifts

NODES, QUADRATURE = 64, 48
MEAN_ERROR, VARIANCE_ERROR = 1e-5, 3e-3
"""Allowed fit error: of the mean (absolute), of the variance (share of its maximum)."""
LARGEST_POWER = 10
"""Above it, drawing every sample is cheaper."""
REACH = 6.0
"""Largest |W x|: 4 weights and inputs of at most 1, with a margin for chip errors."""


@cache
def _grid() -> tuple[Floats, Floats, Floats]:
    """Chebyshev nodes y in (-1, 1), Gauss-Hermite abscissae and weights of N(0, 1)."""
    nodes: Floats = np.cos((np.arange(NODES) + 0.5) / NODES * np.pi)
    rule = np.polynomial.hermite_e.hermegauss(QUADRATURE)
    abscissae, weights = (np.asarray(part, np.float64) for part in rule)
    return nodes, abscissae, weights / weights.sum()


@cache
def _solver(powers: int) -> tuple[Floats, Floats]:
    """Vandermonde matrix in t = y / 2 and its pseudo-inverse."""
    vandermonde: Floats = np.vander(_grid()[0] / 2, powers + 1, increasing=True)
    return vandermonde, np.asarray(np.linalg.pinv(vandermonde), np.float64)


def noisy_tanh(sigma: Floats, silent: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of ``tanh(z + sigma N)`` by quadrature, for ``silent = tanh(z)``."""
    _, abscissae, weights = _grid()
    value = np.tanh(np.arctanh(silent)[..., None] + sigma[..., None] * abscissae)
    mean: Floats = value @ weights
    variance: Floats = (value - mean[..., None]) ** 2 @ weights
    return mean, variance


def fit(
    gain: Floats, bias: Floats, additive: Floats, relative: float, powers: int
) -> tuple[Floats, Floats]:
    """Polynomials of noise-induced shift and variance of tanh, one row per detector.

    Parameters
    ----------
    gain, bias, additive
        (M,): amplifier gain, electronic bias, and detector noise in units of ``W x``.
    relative
        Noise proportional to the detected value (laser RIN).
    powers
        Degree.

    Returns
    -------
    shift, variance
        (M, powers + 1), coefficients of ascending powers of t = y / 2.
    """
    nodes = _grid()[0]
    value = np.clip(np.arctanh(nodes) / gain[:, None] - bias[:, None], -REACH, REACH)
    sigma = gain[:, None] * np.hypot(additive[:, None], relative * value)
    if relative == 0 and np.ptp(gain * additive) == 0:
        sigma = sigma[:1]
    mean, variance = noisy_tanh(sigma, np.broadcast_to(nodes, sigma.shape))
    solve = _solver(powers)[1].T
    rows = (len(gain), powers + 1)
    return (
        np.broadcast_to((mean - nodes) @ solve, rows),
        np.broadcast_to(variance @ solve, rows),
    )


@cache
def powers_needed(sigma: float) -> int | None:
    """Smallest degree that fits tanh under noise `sigma` (after the gain), None if too large."""
    nodes = _grid()[0]
    mean, variance = noisy_tanh(np.array([sigma]), nodes[None])
    for powers in range(3, LARGEST_POWER + 1):
        vandermonde, solve = _solver(powers)
        shift = mean[0] - nodes
        worst = np.abs(vandermonde @ (solve @ shift) - shift).max()
        ripple = np.abs(vandermonde @ (solve @ variance[0]) - variance[0]).max()
        if worst <= MEAN_ERROR and ripple <= VARIANCE_ERROR * variance.max():
            return powers
    return None


class Workspace(threading.local):
    """Buffers of one thread: fresh ones cost more in page faults than the arithmetic on them."""

    def __init__(self) -> None:
        self.buffers: dict[str, Tensor] = {}

    def take(self, name: str, count: int, like: Tensor) -> Tensor:
        """Return the first `count` numbers of the buffer of that name, type of `like`."""
        found = self.buffers.get(name)
        if found is None or found.numel() < count or found.dtype != like.dtype:
            found = self.buffers[name] = like.new_empty(count)
        return found[:count]


workspace = Workspace()
HALF_TANH = Fused(lambda z: z.sigmoid_().sub_(0.5), lambda t: 0.25 - t * t, factor=2)
"""t = tanh(z) / 2 = sigmoid(2 z) - 1/2, whose powers are summed."""
CHUNK = 1 << 20
"""Largest number of detector values held at a time (two buffers of 4 MB)."""


def power_sums(
    weight: Tensor, bias: Tensor, segment: Tensor, branch: Branch, powers: int
) -> Tensor:
    """Window means of ``(tanh(weight @ x + bias) / 2)^k``: (powers, M, B, tokens).

    `weight` (M, 4) and `bias` (M,) hold the rows of many chips, `segment` is (B, S).
    Differentiable in weight and bias.
    """
    weight, bias, rows, beats = 2 * weight, 2 * bias, len(weight), len(segment)
    if weight.requires_grad or bias.requires_grad:
        means: Tensor = WindowMeans.apply(  # type: ignore[no-untyped-call]
            weight, bias, segment, branch, HALF_TANH, powers
        )
        return means
    sums = weight.new_empty(powers, rows, beats, branch.tokens)
    ones = weight.new_full((branch.kernel,), 1 / branch.kernel)
    step = max(1, CHUNK // (rows * branch.positions))
    for at in range(0, beats, step):
        part = segment[at : at + step]
        view = (WIDTH, len(part), branch.positions)
        shifted = workspace.take("shifted", WIDTH * len(part) * branch.positions, part).view(view)
        shifted.copy_(shifts(part, branch.positions))
        value = workspace.take("value", rows * len(part) * branch.positions, part).view(rows, -1)
        torch.addmm(bias[:, None], weight, shifted.view(WIDTH, -1), out=value)
        HALF_TANH.in_place(value)
        power = workspace.take("power", value.numel(), part).view_as(value)
        for index, out in enumerate(sums[:, :, at : at + step]):
            if index == 1:
                torch.mul(value, value, out=power)
            elif index > 1:
                power.mul_(value)
            wave = power if index else value
            out.copy_(torch.mv(wave.view(-1, branch.kernel), ones).view(out.shape))
    return sums

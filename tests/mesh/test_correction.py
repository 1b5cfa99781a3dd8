"""Known splitter errors vanish wherever they can, and never do more harm than before."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, strategies as st

from ecgphoton.mesh.clements import Phases, decompose, recompose
from ecgphoton.mesh.correction import EDGE, attenuators, correct, margin
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.mzi import transfer


def beyond(theta, alpha, beta):
    """Whether an MZI is out of reach."""
    return margin(theta, alpha, beta) < -EDGE


@given(
    st.sampled_from(["clements", "reck"]),
    st.integers(2, 9),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-6, 0.02, 0.1, 0.3]),
)
def test_correction_is_exact_wherever_it_is_possible(architecture, n, seed, sigma) -> None:
    """A chip with its splitter errors performs the ideal matrix to 1e-12 if nothing is clipped."""
    rng = np.random.default_rng(seed)
    layout = MeshLayout(architecture, n)
    k = len(layout.mzis)
    alpha, beta = rng.normal(0, sigma, (2, 8, k))
    # Reachable by construction: theta drawn inside the range of each MZI.
    low, high = 2 * np.abs(alpha + beta), math.pi - 2 * np.abs(alpha - beta)
    theta = low + rng.uniform(0, 1, (8, k)) * np.maximum(high - low, 0)
    phases = Phases(theta, rng.uniform(0, 6, (8, k)), rng.uniform(0, 6, (8, n)))
    corrected, clipped = correct(layout, phases, alpha, beta), beyond(theta, alpha, beta)
    np.testing.assert_array_equal(clipped, low > high)
    error = np.abs(recompose(layout, corrected, alpha, beta) - recompose(layout, phases))
    assert (error.max((-1, -2)) <= 1e-12)[~clipped.any(-1)].all()
    assert (corrected.phi >= 0).all()
    assert (corrected.phi < 2 * math.pi).all()
    assert (corrected.output < 2 * math.pi).all()


def test_perfect_chips_keep_their_phases() -> None:
    """Without errors nothing changes, also at bar, cross and theta = 0."""
    rng = np.random.default_rng(0)
    layout = MeshLayout("clements", 4)
    orthogonal = np.linalg.qr(rng.normal(size=(50, 4, 4)))[0]
    for matrix in (orthogonal, np.eye(4), np.eye(4)[::-1], np.diag([1.0, -1, -1, 1])):
        phases = decompose(matrix)
        corrected = correct(layout, phases, 0.0, 0.0)
        assert not beyond(phases.theta, 0.0, 0.0).any()
        for before, after in zip(phases, corrected, strict=True):
            np.testing.assert_allclose(after, before, atol=1e-12)


def test_one_chip_may_meet_many_matrices_and_many_chips_one() -> None:
    """Leading axes broadcast, and every pair is as if it were alone."""
    rng = np.random.default_rng(1)
    layout = MeshLayout("clements", 4)
    phases = decompose(np.linalg.qr(rng.normal(size=(3, 4, 4)))[0])
    alpha, beta = rng.normal(0, 0.05, (2, 5, 1, 6))
    corrected = correct(layout, phases, alpha, beta)
    assert corrected.output.shape == (5, 3, 4)
    one = Phases(*(value[2] for value in phases))
    alone = correct(layout, one, alpha[4, 0], beta[4, 0])
    for batched, single in zip(corrected, alone, strict=True):
        np.testing.assert_allclose(batched[4, 2], single, atol=1e-13)


def test_out_of_reach_takes_the_nearest_power() -> None:
    """A clipped MZI stops at the edge of the range; no theta comes closer."""
    layout = MeshLayout("clements", 2)
    alpha, beta = np.array([0.1]), np.array([0.05])
    for theta, edge in ((0.01, 0.0), (3.14, math.pi)):
        phases = Phases(np.array([theta]), np.array([0.4]), np.zeros(2))
        corrected = correct(layout, phases, alpha, beta)
        assert beyond(theta, alpha, beta).all()
        assert corrected.theta[0] == edge
        wanted = recompose(layout, phases)
        got = np.abs(recompose(layout, corrected, alpha, beta) - wanted).max()
        assert got < np.abs(recompose(layout, phases, alpha, beta) - wanted).max()


@given(st.floats(0, math.pi), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_range_is_that_of_all_powers_an_mzi_can_have(theta, alpha, beta) -> None:
    """The sign of `margin` agrees with the bar powers found by turning theta of the real MZI."""
    sweep = np.abs(transfer(np.linspace(0, math.pi, 181), 0.0, alpha, beta)[:, 0, 0]) ** 2
    power = math.sin(theta / 2) ** 2
    slack = margin(theta, alpha, beta)
    if abs(slack) > 1e-5:
        inside = sweep.min() - 1e-12 <= power <= sweep.max() + 1e-12
        assert inside == bool(slack > 0)


def test_margin_is_an_angle() -> None:
    """Pi/4 at best, 0 at cross and bar, the same for theta and -theta."""
    theta = np.array([0, math.pi / 2, math.pi, 3 * math.pi / 2, -0.2])
    wanted = [0, math.pi / 4, 0, math.pi / 4, 0.1]
    np.testing.assert_allclose(margin(theta), wanted, atol=1e-15)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.1]))
def test_attenuators_pass_what_is_asked_for(seed, sigma) -> None:
    """In the phase stated, the real part of the field is the attenuation, also below the leak.

    Above what their splitters let through at most, all of that is passed.
    """
    rng = np.random.default_rng(seed)
    wanted = np.r_[0.0, 1.0, rng.uniform(0, 0.05, 9), rng.uniform(0, 1, 9)]
    alpha, beta = rng.normal(0, sigma, (2, len(wanted)))
    theta, turn = attenuators(wanted, alpha, beta)
    field = transfer(theta, 0.0, alpha, beta)[..., 0, 0] * np.exp(-1j * turn)
    np.testing.assert_allclose(field.real, np.minimum(wanted, np.cos(alpha - beta)), atol=1e-12)
    assert (np.abs(field) <= np.maximum(wanted, np.abs(np.sin(alpha + beta))) + 1e-12).all()

"""A matrix has many equal ways into light; the best one is found and it is still that matrix."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import Phases, recompose
from ecgphoton.mesh.correction import correct, margin
from ecgphoton.mesh.factors import factorise
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.mzi import transfer
from ecgphoton.mesh.svd import (
    heater_power,
    real_part_lowered,
    search_orders,
    search_real_part,
    svd_lowered,
)

SIGMA = 0.02
ARCHITECTURES = ("clements", "reck")


def awkward(n, rng):
    """Zero, rank one, repeated singular values, a permutation, a huge and a tiny matrix."""
    plain = rng.uniform(-1, 1, (n, n))
    return np.stack(
        [
            np.zeros((n, n)),
            np.ones((n, n)),
            np.eye(n),
            np.linalg.qr(plain)[0],
            np.diag(np.arange(n)),
            np.eye(n)[rng.permutation(n)],
            1e9 * plain,
            1e-9 * plain,
        ]
    )


def passed(lowered):
    """Fields that the attenuators pass: bar ports of MZIs without external phase."""
    return transfer(2 * np.arcsin(lowered.attenuation), 0.0)[..., 0, 0]


def close(lowered, matrix):
    """The real part is the matrix, to 1e-12 of its scale; return the imaginary part's size."""
    scale = np.maximum(np.abs(matrix).max((-1, -2)), 1e-300)[..., None, None]
    field = recompose(lowered.layout, lowered.u)
    if lowered.v is not None:
        field = field * passed(lowered)[..., None, :] @ recompose(lowered.layout, lowered.v)
    field = lowered.scale[..., None, None] * field / scale
    assert np.abs(field.real - matrix / scale).max() <= 1e-12
    return np.abs(field.imag).max()


@given(st.integers(2, 5), st.integers(0, 2**32 - 1), st.sampled_from(ARCHITECTURES))
def test_every_way_is_the_same_matrix(n, seed, architecture) -> None:
    """All orders, all signs, the best and the default: the real part is W, for any real W."""
    rng = np.random.default_rng(seed)
    matrix = np.concatenate([rng.uniform(-1, 1, (3, n, n)), awkward(n, rng)])
    order = rng.permutation(n)
    assert close(svd_lowered(matrix, order, architecture), matrix) <= 1e-12
    close(real_part_lowered(matrix, rng.choice([-1, 1], n), architecture), matrix)
    for way in search_orders(matrix, architecture):
        assert close(way, matrix) <= 1e-12
        assert (way.attenuation.max(-1) <= 1).all()
        assert way.v.output is None
    for way in search_real_part(matrix, architecture):
        close(way, matrix)


@given(st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_factors_are_orthogonal_and_their_signs_canonical(n, seed) -> None:
    """W = scale u diag(attenuation) vt in any order; -W only turns vt."""
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-1, 1, (4, n, n))
    order = rng.permutation(n)
    u, attenuation, vt, scale = factorise(matrix, order)
    rebuilt = scale[..., None, None] * (u * attenuation[..., None, :]) @ vt
    np.testing.assert_allclose(rebuilt, matrix, atol=1e-13)
    assert (np.argsort(-attenuation, -1)[:, 0] == np.argmin(order)).all()
    minus = factorise(-matrix, order)
    np.testing.assert_allclose(minus.u, u, atol=1e-12)
    np.testing.assert_allclose(minus.vt, -vt, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_search_equals_trying_every_order_by_hand(architecture) -> None:
    """Least power among the orders that keep the margin, else the largest margin."""
    matrix = np.random.default_rng(0).uniform(-1, 1, (20, 4, 4))
    orders = [*itertools.permutations(range(4))]
    every = [[svd_lowered(single, p, architecture) for p in orders] for single in matrix]
    for wanted in (0.05, 0.15, 0.7):
        best, default = search_orders(matrix, architecture, wanted_margin=wanted)
        for index, ways in enumerate(every):
            met = [way for way in ways if way.margin >= wanted]
            if met:
                winner = min(met, key=lambda way: round(float(way.power), 9))
            else:
                winner = max(ways, key=lambda way: round(float(way.margin), 12))
            np.testing.assert_array_equal(best.order[index], winner.order)
            np.testing.assert_allclose(best.power[index], winner.power)
            np.testing.assert_allclose(best.margin[index], winner.margin)
            np.testing.assert_allclose(default.power[index], ways[0].power)
            np.testing.assert_array_equal(default.order[index], range(4))


def test_orders_make_correction_exact_where_the_default_often_fails() -> None:
    """Sigma 0.02: about three quarters correctable in LAPACK's order, at least 98 % in the best."""
    rng = np.random.default_rng(1)
    matrix = rng.uniform(-1, 1, (1000, 4, 4))
    errors = rng.normal(0, SIGMA, (4, 1000, 6))
    best, default = search_orders(matrix, u_errors=errors[:2], v_errors=errors[2:])
    assert 0.68 <= (default.margin >= 0).mean() <= 0.82
    assert (best.margin >= 0).mean() >= 0.98
    assert best.power.mean() < 0.9 * default.power.mean()
    unknown = search_orders(matrix, wanted_margin=3 * math.sqrt(2) * SIGMA).best
    slack = [
        margin(mesh.theta, *pair).min(-1)
        for mesh, pair in ((unknown.u, errors[:2]), (unknown.v, errors[2:]))
    ]
    assert (np.minimum(*slack) >= 0).mean() >= 0.97


def test_corrected_chips_perform_the_matrix() -> None:
    """Every chip gets its own order; where the margin is positive the result is W to 1e-12."""
    rng = np.random.default_rng(2)
    matrix = rng.uniform(-1, 1, (10, 4, 4))
    errors = rng.normal(0, 0.05, (4, 30, 10, 6))
    best = search_orders(matrix, u_errors=errors[:2], v_errors=errors[2:]).best
    assert best.power.shape == (30, 10)
    behind = correct(best.layout, best.v, *errors[2:])
    before = correct(best.layout, best.u, *errors[:2], behind.output)
    u = recompose(best.layout, before, *errors[:2])
    v = recompose(best.layout, behind._replace(output=None), *errors[2:])
    got = best.scale[..., None, None] * (u * passed(best)[..., None, :] @ v).real
    error = np.abs(got - matrix).max((-1, -2))
    assert (error[best.margin >= 0] <= 1e-12).all()
    assert (error[best.margin < -1e-3] > 1e-6).all()
    alone = search_orders(matrix[7], u_errors=errors[:2, 4, 7], v_errors=errors[2:, 4, 7]).best
    np.testing.assert_array_equal(alone.order, best.order[4, 7])
    np.testing.assert_allclose(alone.u.phi, best.u.phi[4, 7], atol=1e-12)


def test_homodyne_readout_makes_phi_second_order_and_theta_first() -> None:
    """Phases behind V moved into U do not change that: d Re(W) / d phi = 0 at the program."""
    layout = MeshLayout("clements", 4)
    lowered = svd_lowered(np.random.default_rng(3).uniform(-1, 1, (4, 4)))
    values = [torch.from_numpy(part.copy()) for part in (*lowered.u, *lowered.v[:2])]
    attenuation = torch.from_numpy(passed(lowered))

    def read(*phases):
        u, v = Phases(*phases[:3]), Phases(*phases[3:])
        return (recompose(layout, u) * attenuation @ recompose(layout, v)).real

    jacobian = torch.autograd.functional.jacobian(read, tuple(values))
    theta_u, phi_u, out_u, theta_v, phi_v = (part.abs().max() for part in jacobian)
    assert max(phi_u, out_u, phi_v) < 1e-14
    assert min(theta_u, theta_v) > 0.1


def test_power_counts_every_heater_in_units_of_p_pi() -> None:
    """A phase of pi takes one P_pi."""
    phases = Phases(np.full(6, math.pi), np.full(6, math.pi / 2), np.full(4, math.pi / 4))
    assert heater_power(phases) == pytest.approx(10.0)


def test_bad_matrices_and_orders_are_refused() -> None:
    """Complex, non-square, NaN, not a permutation, too large to search: one clear error."""
    for matrix, message in (
        (np.ones((2, 3)), "shape"),
        (np.eye(2) * 1j, "real"),
        (np.full((2, 2), np.nan), "NaN"),
        (np.eye(7), "up to order 6"),
    ):
        with pytest.raises(InputError, match=message):
            search_orders(matrix)
    with pytest.raises(InputError, match="permutation"):
        svd_lowered(np.eye(4), (0, 1, 2, 2))

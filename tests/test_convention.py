"""The optics convention is pinned here; whoever changes it breaks every mesh file."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from ecgphoton.mesh.clements import Phases, recompose
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.mzi import transfer, wrap
from ecgphoton.mesh.paths import field_transmission

angles = st.floats(-7, 7)
errors = st.floats(-0.7, 0.7)


def phase(angle):
    """Phase shifter on the upper of two modes."""
    return np.diag([np.exp(1j * angle), 1])


def splitter(error):
    """Splitter whose power coupling is ``sin(pi / 4 + error)^2``."""
    cos, sin = math.cos(math.pi / 4 + error), 1j * math.sin(math.pi / 4 + error)
    return np.array([[cos, sin], [sin, cos]])


def test_theta_zero_is_cross_and_pi_is_bar() -> None:
    """Theta = 0 exchanges the modes, theta = pi keeps them apart."""
    np.testing.assert_allclose(transfer(0, 0), [[0, 1j], [1j, 0]], atol=1e-15)
    np.testing.assert_allclose(transfer(math.pi, 0), [[-1, 0], [0, 1]], atol=1e-15)


def test_phi_turns_the_upper_input_forward() -> None:
    """Phi multiplies what enters the upper port by exp(+i phi), and nothing else."""
    np.testing.assert_allclose(transfer(1.0, 0.7), transfer(1.0, 0) @ phase(0.7), atol=1e-15)


@given(angles, angles, errors, errors)
def test_closed_form_is_the_product_of_the_parts(theta, phi, alpha, beta) -> None:
    """Light meets phi, splitter alpha, theta, splitter beta, in this order."""
    product = splitter(beta) @ phase(theta) @ splitter(alpha) @ phase(phi)
    np.testing.assert_allclose(transfer(theta, phi, alpha, beta), product, atol=1e-14)


@given(angles, angles)
def test_ideal_form_is_the_documented_one(theta, phi) -> None:
    """T = i exp(i theta/2) [[exp(i phi) S, C], [exp(i phi) C, -S]]."""
    s, c, p = math.sin(theta / 2), math.cos(theta / 2), np.exp(1j * phi)
    wanted = 1j * np.exp(0.5j * theta) * np.array([[p * s, c], [p * c, -s]])
    np.testing.assert_allclose(transfer(theta, phi), wanted, atol=1e-14)


@given(angles, angles, errors, errors)
def test_no_light_is_lost_or_made(theta, phi, alpha, beta) -> None:
    """An MZI with any splitter errors is unitary; 0 dB conserves power, 3.01 dB halves it."""
    t = transfer(theta, phi, alpha, beta)
    np.testing.assert_allclose(t.conj().T @ t, np.eye(2), atol=1e-14)
    lossy = t * field_transmission(10 * math.log10(2))
    np.testing.assert_allclose(lossy.conj().T @ lossy, np.eye(2) / 2, atol=1e-14)
    assert field_transmission(0.0) == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_and_numpy_share_one_formula_and_keep_precision(dtype) -> None:
    """The same values, and complex numbers of twice the input's width."""
    values = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(dtype)
    ours = transfer(*values)
    theirs = transfer(*map(torch.from_numpy, values))
    assert ours.shape == (5, 3, 2, 2)
    assert ours.dtype == np.result_type(dtype, 1j)
    assert theirs.numpy().dtype == ours.dtype
    np.testing.assert_allclose(theirs.numpy(), ours, atol=20 * np.finfo(dtype).eps)


def test_wrapping_never_asks_for_a_needless_full_turn() -> None:
    """-1e-16 is 0, not 2 pi; everything is in [0, 2 pi)."""
    wrapped = wrap(np.array([-1e-16, 0.0, 2 * math.pi, -1.0, 7.0]))
    np.testing.assert_allclose(wrapped, [0, 0, 0, 2 * math.pi - 1, 7 - 2 * math.pi], atol=1e-15)
    assert (wrapped < 2 * math.pi).all()


def test_mesh_order_is_light_order_with_the_output_phases_last() -> None:
    """Q = diag(exp(i output)) T_last ... T_0, T on modes (m, m+1) counted from 0."""
    rng = np.random.default_rng(1)
    layout = MeshLayout("clements", 4)
    assert layout.mzis == ((0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (3, 1))
    phases = Phases(rng.uniform(0, 6, 6), rng.uniform(0, 6, 6), rng.uniform(0, 6, 4))
    product = np.eye(4, dtype=complex)
    for k, (_, m) in enumerate(layout.mzis):
        step = np.eye(4, dtype=complex)
        step[m : m + 2, m : m + 2] = transfer(phases.theta[k], phases.phi[k])
        product = step @ product
    product = np.diag(np.exp(1j * phases.output)) @ product
    np.testing.assert_allclose(recompose(layout, phases), product, atol=1e-14)

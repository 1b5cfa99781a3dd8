"""Meshes reproduce every unitary, whatever its shape, and always in the same way."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import Phases, decompose, recompose
from ecgphoton.mesh.layout import MeshLayout

ARCHITECTURES = ("clements", "reck")
architectures = st.sampled_from(ARCHITECTURES)
orders = st.integers(2, 9)
seeds = st.integers(0, 2**32 - 1)


def haar(rng, shape, n, *, real):
    """Random orthogonal or unitary matrices."""
    a = rng.normal(size=(*shape, n, n))
    return np.linalg.qr(a if real else a + 1j * rng.normal(size=a.shape))[0]


def exact(matrix, architecture) -> Phases:
    """Decompose, check every promise, return the phases."""
    phases = decompose(matrix, architecture)
    layout = MeshLayout(architecture, np.shape(matrix)[-1])
    assert np.abs(recompose(layout, phases) - matrix).max() <= 1e-12
    assert (phases.theta >= 0).all()
    assert (phases.theta <= math.pi).all()
    for turn in (phases.phi, phases.output):
        assert (turn >= 0).all()
        assert (turn < 2 * math.pi).all()
    meaningless = (phases.theta == 0) | (phases.theta == math.pi)
    assert (phases.phi[meaningless] == 0).all()
    return phases


@given(architectures, orders, seeds, st.booleans())
def test_random_matrices_are_exact(architecture, n, seed, real) -> None:
    """Orthogonal and unitary matrices of order 2 to 9, batched over two axes."""
    matrix = haar(np.random.default_rng(seed), (2, 3), n, real=real)
    phases = exact(matrix, architecture)
    one = decompose(matrix[1, 2], architecture)
    for batched, alone in zip(phases, one, strict=True):
        np.testing.assert_array_equal(batched[1, 2], alone)


@given(architectures, orders, seeds)
def test_signed_permutations_are_exact(architecture, n, seed) -> None:
    """Identity, permutations and diagonals of +-1 use only bar and cross states."""
    rng = np.random.default_rng(seed)
    signed = np.eye(n)[rng.permutation(n)] * rng.choice([-1, 1], n)
    for matrix in (np.eye(n), -np.eye(n), np.eye(n)[::-1], np.diag(rng.choice([-1, 1], n)), signed):
        phases = exact(matrix, architecture)
        assert np.isin(phases.theta, [0, math.pi]).all()
        assert (phases.phi == 0).all()


@given(architectures, st.integers(4, 9), seeds, st.booleans())
def test_blocks_are_exact(architecture, n, seed, real) -> None:
    """Block-diagonal matrices, also with permuted rows."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, n))
    matrix = np.zeros((n, n), float if real else complex)
    matrix[:size, :size] = haar(rng, (), size, real=real)
    matrix[size:, size:] = haar(rng, (), n - size, real=real)
    exact(matrix, architecture)
    exact(matrix[rng.permutation(n)], architecture)


@given(architectures, orders, seeds)
def test_singular_vectors_of_awkward_matrices_are_exact(architecture, n, seed) -> None:
    """Repeated singular values, rank one, zero: singular vectors are arbitrary but unitary."""
    rng = np.random.default_rng(seed)
    rank_one = np.outer(rng.normal(size=n), rng.normal(size=n))
    for matrix in (np.zeros((n, n)), np.ones((n, n)), rank_one, 3 * np.eye(n)):
        u, _, vt = np.linalg.svd(matrix)
        exact(u, architecture)
        exact(vt, architecture)


@given(architectures, orders, seeds)
@settings(max_examples=25)
def test_rounding_never_decides_a_phase(architecture, n, seed) -> None:
    """Matrices equal up to rounding have equal phases, also at bar and cross."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(n)[rng.permutation(n)]
    noisy = matrix + 1e-16 * rng.normal(size=(n, n))
    for clean, disturbed in zip(
        decompose(matrix, architecture), decompose(noisy, architecture), strict=True
    ):
        np.testing.assert_allclose(disturbed, clean, atol=1e-13)


def test_four_modes_take_six_mzis_in_four_columns() -> None:
    """Every MZI of a rectangle stands in n columns, of a triangle in 2 n - 3; all pairs differ."""
    assert MeshLayout("clements", 4).depth == 4
    assert MeshLayout("reck", 4).depth == 5
    for architecture in ARCHITECTURES:
        for n in range(2, 10):
            layout = MeshLayout(architecture, n)
            assert len(set(layout.mzis)) == n * (n - 1) // 2
            assert list(layout.mzis) == sorted(layout.mzis)
            assert layout.depth == (1 if n == 2 else n if architecture == "clements" else 2 * n - 3)
            assert len(np.unique(layout.positions(), axis=0)) == len(layout.positions()) == n * n


def test_torch_equals_numpy_with_errors_and_loss() -> None:
    """One formula for both, with leading axes that broadcast."""
    rng = np.random.default_rng(0)
    layout = MeshLayout("clements", 4)
    phases = decompose(haar(rng, (3,), 4, real=True))
    alpha, beta = rng.normal(0, 0.05, (2, 7, 1, 6))
    loss = rng.uniform(0.8, 1, (7, 1, 6))
    ours = recompose(layout, phases, alpha, beta, loss)
    assert ours.shape == (7, 3, 4, 4)
    tensors = [torch.from_numpy(value) for value in (*phases, alpha, beta, loss)]
    theirs = recompose(layout, Phases(*tensors[:3]), *tensors[3:])
    np.testing.assert_allclose(theirs.numpy(), ours, atol=1e-14)
    single = [value.float() for value in tensors]
    lighter = recompose(layout, Phases(*single[:3]), *single[3:])
    assert lighter.dtype == torch.complex64
    np.testing.assert_allclose(lighter.numpy(), ours, atol=2e-6)


def test_power_is_conserved_and_loss_scales_the_field() -> None:
    """Any chip without loss is unitary; the same loss everywhere in a 2x2 mesh is a factor."""
    rng = np.random.default_rng(1)
    for n in (2, 5):
        layout = MeshLayout("clements", n)
        k = len(layout.mzis)
        phases = Phases(rng.normal(size=(9, k)), rng.normal(size=(9, k)), rng.normal(size=(9, n)))
        alpha, beta = rng.normal(0, 0.2, (2, 9, k))
        matrix = recompose(layout, phases, alpha, beta)
        gram = matrix.conj().swapaxes(-1, -2) @ matrix
        np.testing.assert_allclose(gram, np.broadcast_to(np.eye(n), gram.shape), atol=1e-13)
        lossy = recompose(layout, phases, alpha, beta, 0.5)
        assert (np.linalg.norm(lossy, axis=(-2, -1)) < np.linalg.norm(matrix, axis=(-2, -1))).all()
        if n == 2:
            np.testing.assert_allclose(lossy, 0.5 * matrix, atol=1e-15)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_are_those_of_finite_differences(architecture) -> None:
    """Recompose is differentiable in every phase, splitter error and loss."""
    generator = torch.Generator().manual_seed(0)
    layout = MeshLayout(architecture, 3)
    shapes = ((2, 3), (2, 3), (2, 3), (2, 3), (2, 3), (2, 3))
    values = [
        torch.rand(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]

    def matrix(theta, phi, output, *errors):
        return torch.view_as_real(recompose(layout, Phases(theta, phi, output), *errors))

    assert torch.autograd.gradcheck(matrix, values)


def test_what_is_not_unitary_is_refused() -> None:
    """Wrong shapes, sizes, NaN and non-unitary matrices give one clear error."""
    for matrix, message in (
        (np.ones((2, 3)), "shape"),
        (np.ones(4), "shape"),
        (np.ones((2, 2)), "not unitary"),
        (np.full((2, 2), np.nan), "NaN"),
        (np.eye(1), "order"),
    ):
        with pytest.raises(InputError, match=message):
            decompose(matrix)
    with pytest.raises(InputError, match="architecture"):
        decompose(np.eye(4), "butterfly")

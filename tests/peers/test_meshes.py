"""Other people's interferometers, set with our phases, perform the same matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ecgphoton.mesh.clements import decompose
from ecgphoton.mesh.layout import MeshLayout

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("architecture", ["clements", "reck"])
@pytest.mark.parametrize("n", range(2, 10))
def test_interferometer_agrees(architecture, n) -> None:
    """Their beam splitter [[e^iphi cos, -sin], [e^iphi sin, cos]] is ours up to output phases."""
    itf = pytest.importorskip("interferometer")
    rng = np.random.default_rng(n)
    matrix = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))[0]
    phases = decompose(matrix, architecture)
    theirs = itf.Interferometer()
    residue = np.zeros(n)  # ours = diag(exp(i residue)) theirs, behind every MZI
    for k, (_, m) in enumerate(MeshLayout(architecture, n).mzis):
        theta, phi = phases.theta[k], phases.phi[k] + residue[m] - residue[m + 1]
        theirs.add_BS(itf.Beamsplitter(m + 1, m + 2, theta / 2 - math.pi / 2, phi))
        residue[m] = residue[m + 1] + math.pi / 2 + theta / 2
        residue[m + 1] = residue[m] + math.pi
    for mode, phase in enumerate(phases.output + residue):
        theirs.add_phase(mode + 1, phase)
    assert np.abs(theirs.calculate_transformation() - matrix).max() <= 1e-12
    decomposed = itf.square_decomposition(matrix)
    assert len(decomposed.BS_list) == phases.theta.size

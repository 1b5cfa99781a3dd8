"""Other people's interferometers, set with our phases, perform the same matrices."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from ecgphoton.mesh.clements import decompose, recompose
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


def parts(layout, phases, alpha, beta):
    """Yield ('phase', mode, rad) and ('splitter', mode, angle) in the order light meets them."""
    for k, (_, m) in enumerate(layout.mzis):
        yield "phase", m, phases.phi[k]
        yield "splitter", m, math.pi / 4 + alpha[k]
        yield "phase", m, phases.theta[k]
        yield "splitter", m, math.pi / 4 + beta[k]
    for mode, phase in enumerate(phases.output):
        yield "phase", mode, phase


@pytest.mark.parametrize("sigma", [0.0, 0.05])
@pytest.mark.parametrize("peer", ["lightworks", "perceval"])
def test_circuits_of_single_parts_agree(peer, sigma) -> None:
    """Phase shifters and splitters one by one, with and without errors, in their simulators."""
    rng = np.random.default_rng(0)
    layout = MeshLayout("clements", 4)
    phases = decompose(np.linalg.qr(rng.normal(size=(4, 4)))[0])
    alpha, beta = rng.normal(0, sigma, (2, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip(peer)
        if peer == "lightworks":
            circuit = module.PhotonicCircuit(4)
            for kind, mode, value in parts(layout, phases, alpha, beta):
                if kind == "phase":
                    circuit.ps(mode, value)
                else:
                    circuit.bs(mode, reflectivity=math.cos(value) ** 2, convention="Rx")
            matrix = circuit.U
        else:
            circuit = module.Circuit(4)
            for kind, mode, value in parts(layout, phases, alpha, beta):
                part = module.PS(value) if kind == "phase" else module.BS.Rx(theta=2 * value)
                circuit.add(mode, part)
            matrix = np.array(circuit.compute_unitary())
    assert np.abs(matrix - recompose(layout, phases, alpha, beta)).max() <= 1e-9

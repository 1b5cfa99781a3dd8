"""Somebody else's circuit simulator finds the same fields."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import decompose, recompose
from ecgphoton.mesh.gds_netlist import gdsfactory_netlist
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.netlist import (
    SAX_MODELS,
    attenuator,
    coupler,
    phase_shifter,
    sax_layer,
    sax_mesh,
)
from ecgphoton.mesh.svd import svd_lowered


def simulate(netlist, n):
    """Matrix of fields from in_j to out_i, by SAX's default back end, after a JSON round trip."""
    sax = pytest.importorskip("sax")
    circuit, _ = sax.circuit(json.loads(json.dumps(netlist)), dict(SAX_MODELS))
    fields = circuit()
    return np.array([[complex(fields[f"in{j}", f"out{i}"]) for j in range(n)] for i in range(n)])


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "n", "sigma"), [("clements", 4, 0.0), ("reck", 5, 0.05)])
def test_sax_agrees_on_a_mesh(architecture, n, sigma) -> None:
    """With and without splitter errors, to 1e-9."""
    rng = np.random.default_rng(0)
    layout = MeshLayout(architecture, n)
    matrix = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))[0]
    phases = decompose(matrix, architecture)
    alpha, beta = rng.normal(0, sigma, (2, len(layout.mzis)))
    fields = simulate(sax_mesh(layout, phases, alpha, beta), n)
    assert np.abs(fields - recompose(layout, phases, alpha, beta)).max() <= 1e-9
    assert sigma or np.abs(fields - matrix).max() <= 1e-9


@pytest.mark.slow
def test_sax_agrees_on_a_whole_layer() -> None:
    """Meshes and attenuators: the real part times scale is the matrix; errors change it alike."""
    rng = np.random.default_rng(1)
    matrix = rng.uniform(-1, 1, (4, 4))
    lowered = svd_lowered(matrix)
    settings = (lowered.layout, lowered.u, lowered.v, lowered.attenuation)
    fields = simulate(sax_layer(*settings), 4)
    assert np.abs(lowered.scale * fields.real - matrix).max() <= 1e-9
    errors = rng.normal(0, 0.02, (4, 6))
    fields = simulate(sax_layer(*settings, tuple(errors[:2]), tuple(errors[2:])), 4)
    u = recompose(lowered.layout, lowered.u, *errors[:2])
    v = recompose(lowered.layout, lowered.v, *errors[2:])
    assert np.abs(fields - u * lowered.attenuation @ v).max() <= 1e-9


def test_every_waveguide_is_connected_once() -> None:
    """Each port of each instance appears exactly once, so light goes nowhere twice."""
    for architecture in ("clements", "reck"):
        for n in range(2, 10):
            layout = MeshLayout(architecture, n)
            mesh = sax_mesh(layout, decompose(np.eye(n), architecture))["mesh"]
            ends = [*mesh["connections"], *mesh["connections"].values(), *mesh["ports"].values()]
            assert len(ends) == len(set(ends)) == 4 * len(layout.mzis) + 2 * n
            assert sorted(mesh["ports"]) == sorted(
                f"{p}{m}" for p in ("in", "out") for m in range(n)
            )


def test_models_conserve_power() -> None:
    """Phase shifters and couplers lose nothing, attenuators what they should."""
    assert abs(phase_shifter(1.2)["in0", "out0"]) == pytest.approx(1)
    split = coupler(0.3)
    assert abs(split["in0", "out0"]) ** 2 == pytest.approx(0.7)
    assert abs(split["out1", "in0"]) ** 2 == pytest.approx(0.3)
    assert attenuator(0.25)["in0", "out0"] == 0.25


def test_layout_netlist_names_every_cell_once_and_places_it() -> None:
    """The text is YAML; cells, places and ports fit together; phases are those of the program."""
    yaml = pytest.importorskip("yaml")
    layout = MeshLayout("clements", 4)
    phases = decompose(np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0])
    read = yaml.safe_load(gdsfactory_netlist(layout, phases, "mesh_u"))
    assert read["name"] == "mesh_u"
    assert set(read["instances"]) == set(read["placements"])
    assert len(read["instances"]) == 2 * 6 + 4
    assert read["instances"]["mzi3"]["info"]["phase"] == phases.theta[3]
    assert read["instances"]["phi3"]["info"]["phase"] == phases.phi[3]
    ends = [
        end for route in read["routes"].values() for pair in route["links"].items() for end in pair
    ]
    ends += read["ports"].values()
    assert len(ends) == len(set(ends)) == 6 * 6 + 2 * 4
    assert {end.split(",")[0] for end in ends} == set(read["instances"])
    with pytest.raises(InputError, match="at least"):
        gdsfactory_netlist(layout, phases, mode_pitch=24)

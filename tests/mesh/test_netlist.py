"""Somebody else's circuit simulator finds the same fields."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import decompose, recompose
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.gds_netlist import gdsfactory_netlist
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.netlist import (
    SAX_MODELS,
    coupler,
    phase_shifter,
    sax_block,
    sax_mesh,
    waveguide,
)
from ecgphoton.mesh.paths import Losses, field_transmission, path_loss
from ecgphoton.mesh.svd import svd_lowered


def simulate(netlist, n):
    """Matrix of fields from in_j to out_i, by SAX's default back end, after a JSON round trip."""
    sax = pytest.importorskip("sax")
    circuit, _ = sax.circuit(json.loads(json.dumps(netlist)), dict(SAX_MODELS))
    fields = circuit()
    return np.array([[complex(fields[f"in{j}", f"out{i}"]) for j in range(n)] for i in range(n)])


@pytest.mark.slow
@pytest.mark.sax
def test_sax_agrees_on_a_mesh() -> None:
    """Five modes with splitter errors, to 1e-9."""
    rng = np.random.default_rng(0)
    layout = MeshLayout("reck", 5)
    matrix = np.linalg.qr(rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5)))[0]
    phases = decompose(matrix, "reck")
    alpha, beta = rng.normal(0, 0.05, (2, len(layout.mzis)))
    fields = simulate(sax_mesh(layout, phases, alpha, beta), 5)
    assert np.abs(fields - recompose(layout, phases, alpha, beta)).max() <= 1e-9


@pytest.mark.slow
@pytest.mark.sax
@pytest.mark.parametrize("kind", ["svd-reck", "real-part"])
def test_sax_agrees_on_a_whole_block(kind) -> None:
    """Errors change the fields as they change a device's, whose matrix is the one lowered.

    Lossy couplers, arms, dummies and output phase shifters lose on every path what `path_loss`
    says, to 0.01 dB and far below.
    """
    rng = np.random.default_rng(1)
    device, matrix = Device(kind), rng.uniform(-1, 1, (4, 4))
    phases = rng.uniform(0, 6, device.drivers)
    if device.two:
        lowered = svd_lowered(matrix, None, device.layout.architecture)
        attenuators = 2 * np.arcsin(lowered.attenuation)
        phases = device.pack(lowered.u, lowered.v, attenuators)
        assert np.abs(lowered.scale * device.field(phases).real - matrix).max() <= 1e-9
    alpha, beta, more = rng.normal(0, 0.05, (3, len(device.mzis)))
    losses = Losses(mzi=0.9, shifter=0.2)
    lossy = simulate(sax_block(device, phases, alpha, beta, losses=losses, more_db=more), 4)
    wanted = device.field(phases, alpha, beta, field_transmission(more))
    loss = path_loss(device, losses)
    np.testing.assert_allclose(-20 * np.log10(np.abs(lossy / wanted)), loss, atol=1e-9)
    assert np.abs(lossy - wanted * field_transmission(loss)).max() <= 1e-9


def test_every_waveguide_is_connected_once() -> None:
    """Each port of each instance appears exactly once, so light goes nowhere twice."""
    for architecture in ("clements", "reck"):
        for n in range(2, 10):
            layout = MeshLayout(architecture, n)
            mesh = sax_mesh(layout, decompose(np.eye(n), architecture))["mesh"]
            ends = [*mesh["connections"], *mesh["connections"].values(), *mesh["ports"].values()]
            dummies = n * layout.depth - 2 * len(layout.mzis)
            assert len(ends) == len(set(ends)) == 4 * len(layout.mzis) + 2 * (n + dummies)
            assert sorted(mesh["ports"]) == sorted(
                f"{p}{m}" for p in ("in", "out") for m in range(n)
            )


def test_models_conserve_power() -> None:
    """Phase shifters and couplers lose nothing, or what they should."""
    assert abs(phase_shifter(1.2)["in0", "out0"]) == pytest.approx(1)
    split = coupler(0.3)
    assert abs(split["in0", "out0"]) ** 2 == pytest.approx(0.7)
    assert abs(split["out1", "in0"]) ** 2 == pytest.approx(0.3)
    assert abs(waveguide(3.0)["in0", "out0"]) ** 2 == pytest.approx(10**-0.3)
    lossy = coupler(0.3, 1.0)
    assert abs(lossy["in0", "out0"]) ** 2 == pytest.approx(0.7 * 10**-0.1)


def test_layout_netlist_names_every_cell_once_and_places_it() -> None:
    """The text is YAML; cells, places and ports fit together, in the order of the drivers."""
    yaml = pytest.importorskip("yaml")
    device = Device()
    read = yaml.safe_load(gdsfactory_netlist(device, "chip"))
    assert read["name"] == "chip"
    names = [name.replace(".", "_") for name in device.driver_names]
    assert list(read["instances"]) == list(read["placements"]) == names
    ends = [
        end for route in read["routes"].values() for pair in route["links"].items() for end in pair
    ]
    ends += read["ports"].values()
    mzis, heaters = 16, 16
    assert len(ends) == len(set(ends)) == 4 * mzis + 2 * heaters
    assert {end.split(",")[0] for end in ends} == set(read["instances"])
    assert sorted({name[:-1] for name in read["ports"]}) == ["dark", "dump", "in", "out"]
    with pytest.raises(InputError, match="at least"):
        gdsfactory_netlist(Device(mode_pitch=24))

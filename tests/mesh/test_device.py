"""One description of a block's hardware: order of the drivers, places, codes and fields."""

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import recompose
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.mzi import transfer

KINDS = ("svd-clements", "svd-reck", "real-part")


def phases_of(device, *shape, seed=0):
    """Any phases of all drivers."""
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, (*shape, device.drivers))


@pytest.mark.parametrize("kind", KINDS)
def test_field_is_that_of_meshes_and_attenuators(kind) -> None:
    """U diag(a) V, a the bar ports of lossy attenuators with bad splitters; numpy and torch."""
    device = Device(kind)
    phases = phases_of(device, 3, 2)
    draw = np.random.default_rng(1)
    alpha, beta, loss = draw.normal(0, 0.05, (3, 3, 2, len(device.mzis)))
    kept = np.exp(-np.abs(loss))

    def mesh(k):
        at = device.mzis_of(k)
        errors = alpha[..., at], beta[..., at], kept[..., at]
        return recompose(device.layout, device.mesh_phases(phases, k), *errors)

    wanted = mesh(device.meshes - 1)
    if device.two:
        at = device.attenuating
        bar = transfer(phases[..., device.attenuators], 0.0, alpha[..., at], beta[..., at])
        wanted = wanted * (bar[..., 0, 0] * kept[..., at])[..., None, :] @ mesh(0)
    given = (phases, alpha, beta, kept)
    np.testing.assert_allclose(device.field(*given), wanted, atol=1e-15)
    np.testing.assert_allclose(device.field(*map(torch.from_numpy, given)), wanted, atol=1e-14)
    alone = device.field(phases, alpha=0.0, beta=np.zeros(len(device.mzis)))
    np.testing.assert_allclose(device.field(torch.from_numpy(phases)), alone, atol=1e-14)
    assert device.field(torch.from_numpy(phases).float()).dtype is torch.complex64


@pytest.mark.parametrize("kind", KINDS)
def test_packed_phases_come_back(kind) -> None:
    """`pack` and `mesh_phases` agree on the order of the drivers."""
    device = Device(kind)
    phases = phases_of(device, 2)
    between = (device.mesh_phases(phases, 0), phases[..., device.attenuators]) if device.two else ()
    packed = device.pack(device.mesh_phases(phases, device.meshes - 1), *between)
    np.testing.assert_array_equal(packed, phases)


@pytest.mark.parametrize(
    ("kind", "drivers", "mzis"), [(KINDS[0], 32, 16), (KINDS[1], 32, 16), (KINDS[2], 16, 6)]
)
def test_every_mzi_knows_its_drivers(kind, drivers, mzis) -> None:
    """Names and places are unique; an MZI has the drivers of its name, an attenuator theta alone.

    Counting attenuators as MZIs with one driver, a block of two meshes has 32 drivers: no phase
    shifter lies between mesh V and the attenuators.
    """
    device = Device(kind)
    drivers, mzis = (16, 6) if kind == "real-part" else (32, 16)
    assert len(device.driver_names) == len(set(device.driver_names)) == device.drivers == drivers
    assert len(device.mzis) == mzis
    seen = set()
    for mzi in device.mzis:
        names = [device.driver_names[driver] for driver in mzi.drivers]
        parts = ("theta",) if mzi.name.startswith("att") else ("theta", "phi")
        assert names == [f"{mzi.name}.{part}" for part in parts]
        x = device.positions[mzi.drivers[0]]
        np.testing.assert_allclose(x, ((mzi.column + 0.75) * 300, mzi.mode * 120))
        seen |= {*mzi.drivers}
    outputs = [device.driver_names[k] for k in range(drivers) if k not in seen]
    assert outputs == [f"U.out{k}" for k in range(4)]


@pytest.mark.parametrize("kind", KINDS)
def test_crosstalk_falls_with_distance(kind) -> None:
    """No two heaters share a place; one pitch away arrives the share, farther less, itself 0."""
    device = Device(kind)
    coupled = device.crosstalk(0.01, 150.0)
    assert (np.diag(coupled) == 0).all()
    assert np.array_equal(coupled, coupled.T)
    apart = device.distances[~np.eye(device.drivers, dtype=bool)]
    assert apart.min() > 0
    assert coupled.max() <= 0.01
    near = (device.distances > 119) & (device.distances < 121)
    np.testing.assert_allclose(coupled[near], 0.01, rtol=1e-6)
    order = np.argsort(device.distances[0])[1:]
    assert (np.diff(coupled[0, order]) <= 0).all()


def test_codes_are_integers_and_exact_volts_are_not_rounded() -> None:
    """A phase becomes an integer code; without a DAC its voltage is exact."""
    device = Device(dac=HeaterDac(bits=10))
    phases = phases_of(device)
    codes = device.dac.codes_for(phases)
    assert codes.dtype == np.int64
    off = np.abs(device.dac.voltage_of(codes) - device.dac.volts_for(phases))
    assert 0 < off.max() <= 0.5001 * device.dac.v_max / device.dac.top
    np.testing.assert_allclose(
        device.dac.v_pi**2 * phases / np.pi, device.dac.volts_for(phases) ** 2
    )
    np.testing.assert_array_equal(device.dac.codes_for(device.dac.phase_of(codes)), codes)


@pytest.mark.parametrize("pitch", [0.0, -1.0, np.inf, np.nan])
def test_a_layout_needs_a_pitch(pitch) -> None:
    """Distances that no layout can have are refused."""
    with pytest.raises(InputError, match="mode_pitch"):
        Device(mode_pitch=pitch)

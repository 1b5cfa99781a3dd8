"""One description of a block's hardware: order of the drivers, places, codes and fields."""

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import recompose
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.heater import HeaterDac

KINDS = ("svd-clements", "svd-reck", "real-part")


def phases_of(device, *shape, seed=0):
    """Any phases of all drivers."""
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, (*shape, device.drivers))


@pytest.mark.parametrize("kind", KINDS)
def test_field_is_that_of_meshes_and_attenuators(kind) -> None:
    """U diag(sin(a/2)) V with the phases of `mesh_phases`, in numpy and in torch."""
    device = Device(kind)
    phases = phases_of(device, 3, 2)
    meshes = [recompose(device.layout, device.mesh_phases(phases, k)) for k in range(device.meshes)]
    wanted = meshes[-1]
    if device.two:
        wanted = wanted * device.passed(phases)[..., None, :] @ meshes[0]
    np.testing.assert_allclose(device.field(phases), wanted, atol=1e-15)
    np.testing.assert_allclose(device.field(torch.from_numpy(phases)).numpy(), wanted, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_packed_phases_come_back(kind) -> None:
    """`pack` and `mesh_phases` agree on the order, and the names count the drivers."""
    device = Device(kind)
    phases = phases_of(device, 2) / 4
    v = device.mesh_phases(phases, 0) if device.two else None
    packed = device.pack(v, device.passed(phases), device.mesh_phases(phases, device.meshes - 1))
    np.testing.assert_allclose(packed, phases, atol=1e-14)
    assert len(device.driver_names) == len(set(device.driver_names)) == device.drivers
    theta, phi = device.heaters_of(device.meshes - 1, 5)
    assert (device.driver_names[theta], device.driver_names[phi]) == ("U.theta[5]", "U.phi[5]")


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
    """A phase becomes the nearest integer code; without a DAC its voltage is exact."""
    device = Device(dac=HeaterDac(bits=10))
    phases = phases_of(device)
    codes = device.codes(phases)
    assert codes.dtype == np.int64
    off = np.abs(device.volts(codes) - device.exact_volts(phases))
    assert 0 < off.max() <= 0.5001 * device.dac.v_max / device.dac.top
    np.testing.assert_allclose(device.dac.v_pi**2 * phases / np.pi, device.exact_volts(phases) ** 2)
    np.testing.assert_array_equal(device.codes(device.phases(codes)), codes)


@pytest.mark.parametrize("pitch", [0.0, -1.0, np.inf, np.nan])
def test_a_layout_needs_a_pitch(pitch) -> None:
    """Distances that no layout can have are refused."""
    with pytest.raises(InputError, match="mode_pitch"):
        Device(mode_pitch=pitch)

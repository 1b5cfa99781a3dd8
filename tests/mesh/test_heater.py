"""Codes become phases as the heater law says, and crosstalk can be undone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import Phases, decompose
from ecgphoton.mesh.heater import HeaterDac, phase_of_voltage, voltage_of_phase
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.thermal import (
    crosstalk_by_distance,
    crosstalk_of_neighbours,
    flatten,
    heat_coupling,
    precompensate,
    unflatten,
)

BENT = np.array([1.2, -0.08, 0.004])


def test_phase_follows_the_square_of_the_voltage() -> None:
    """V_pi gives pi, twice V_pi four times as much; the inverse returns the voltage."""
    assert phase_of_voltage(4.36) == pytest.approx(math.pi)
    assert phase_of_voltage(8.72) == pytest.approx(4 * math.pi)
    assert voltage_of_phase(np.array(math.pi)) == pytest.approx(4.36)


@given(st.integers(0, 2**32 - 1))
def test_bent_laws_are_inverted_heater_by_heater(seed) -> None:
    """Every heater of every chip has its own v_pi and curve, also in torch."""
    rng = np.random.default_rng(seed)
    v_pi = rng.uniform(4, 5, (3, 16))
    curve = BENT * rng.uniform(0.9, 1.1, (3, 16, 1))
    phase = rng.uniform(0, 2 * math.pi, (3, 16))
    voltage = voltage_of_phase(phase, v_pi, curve)
    np.testing.assert_allclose(phase_of_voltage(voltage, v_pi, curve), phase, atol=1e-12)
    tensors = [torch.from_numpy(value) for value in (voltage, v_pi, curve)]
    np.testing.assert_allclose(phase_of_voltage(*tensors).numpy(), phase, atol=1e-12)


@given(st.integers(4, 16), st.integers(0, 2**32 - 1))
def test_codes_are_the_nearest_in_voltage(bits, seed) -> None:
    """Half a code of voltage error at most; codes of code phases are the codes."""
    dac = HeaterDac(bits=bits)
    phase = np.random.default_rng(seed).uniform(0, 2 * math.pi, 50)
    codes = dac.codes_for(phase)
    error = np.abs(dac.voltage_of(codes) - voltage_of_phase(phase))
    assert error.max() <= 0.5001 * dac.v_max / dac.top
    np.testing.assert_array_equal(dac.codes_for(dac.phase_of(codes)), codes)
    np.testing.assert_array_equal(dac.codes_for(dac.phase_of(codes, curve=BENT), curve=BENT), codes)


def test_phase_steps_grow_with_the_phase() -> None:
    """A DAC linear in voltage is fine near 0 and coarse near 2 pi: 0.086 rad at 8 bits."""
    dac = HeaterDac()
    assert dac.top == 255
    steps = np.diff(dac.phase_of(np.arange(dac.top + 1)))
    assert (np.diff(steps) > 0).all()
    at_turn = steps[dac.codes_for(2 * math.pi)]
    assert at_turn == pytest.approx(0.086, abs=0.001)


def test_unreachable_phases_and_bad_dacs_are_refused() -> None:
    """Negative, infinite and too large phases; voltages below 2 pi; silly bits."""
    dac = HeaterDac()
    for phase in (-0.1, 20.0, math.inf, math.nan):
        with pytest.raises(InputError, match="out of reach"):
            dac.codes_for(np.array([1.0, phase]))
    for bad in ({"v_max": 5.0}, {"bits": 1}, {"v_pi": 0.0}, {"v_max": math.nan}):
        with pytest.raises(InputError):
            HeaterDac(**bad)


def test_flat_order_is_that_of_positions() -> None:
    """Theta, phi, output; there and back, in numpy and torch."""
    layout = MeshLayout("clements", 4)
    phases = decompose(np.linalg.qr(np.random.default_rng(0).normal(size=(3, 4, 4)))[0])
    flat = flatten(phases)
    assert flat.shape == (3, layout.heaters)
    for before, after in zip(phases, unflatten(layout, flat), strict=True):
        np.testing.assert_array_equal(before, after)
    tensors = Phases(*map(torch.from_numpy, phases))
    np.testing.assert_array_equal(flatten(tensors).numpy(), flat)


def test_coupling_falls_with_distance() -> None:
    """All at the heater itself, 10 % at 10 um, 1.6 % at 20 um, nothing far away."""
    np.testing.assert_allclose(
        heat_coupling([0, 10, 20, 50]), [1, 0.101, 0.0156, 3.7e-4], rtol=0.02
    )
    assert (np.diff(heat_coupling(np.arange(0, 200.0))) < 2e-3).all()  # two fits meet at 23 um
    assert heat_coupling(np.inf) == 0


def test_crosstalk_matrices_are_identity_plus_what_positions_say() -> None:
    """Ones on the diagonal, symmetric without arms, nothing between heaters far apart."""
    layout = MeshLayout("clements", 4)
    tight = crosstalk_by_distance(layout.positions(48, 24))
    np.testing.assert_array_equal(np.diag(tight), 1)
    np.testing.assert_allclose(tight, tight.T)
    assert 0.001 < (tight - np.eye(16)).max() < 0.02
    assert np.abs(crosstalk_by_distance(layout.positions()) - np.eye(16)).max() < 1e-6
    armed = crosstalk_by_distance(layout.positions(48, 24), np.repeat([10, np.inf], [6, 10]))
    np.testing.assert_array_equal(armed[6:], tight[6:])
    below = layout.mzis.index((0, 2))
    above = layout.mzis.index((0, 0))
    assert armed[above, below] < 0 < armed[below, above]  # the lower arm is nearer to what is below
    neighbours = crosstalk_of_neighbours(layout.positions(), 0.005)
    assert set(np.unique(neighbours)) == {0.0, 0.005, 1.0}
    assert neighbours[0, 6] == 0.005  # theta and phi of one MZI
    assert ((neighbours > 0).sum(1) > 1).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.005, 0.03]))
def test_precompensation_gives_the_wanted_phases_without_cooling(seed, strength) -> None:
    """K @ P is the target modulo 2 pi and P >= 0, for many chips at once."""
    rng = np.random.default_rng(seed)
    k = np.eye(16) + strength * rng.normal(size=(5, 1, 16, 16))
    target = rng.uniform(0, 2 * math.pi, (5, 20, 16)) * rng.integers(0, 2, (5, 20, 16))
    power = precompensate(k, target)
    assert (power >= 0).all()
    got = (k @ power[..., None])[..., 0]
    np.testing.assert_allclose(np.abs(np.exp(1j * got) - np.exp(1j * target)), 0, atol=1e-10)
    assert power.mean() < 1.5 * math.pi
    if strength == 0:
        np.testing.assert_array_equal(power, target)


def test_hopeless_crosstalk_is_refused() -> None:
    """Two heaters that do the same cannot be told apart."""
    with pytest.raises(InputError, match="singular"):
        precompensate(np.ones((2, 2)), np.ones(2))

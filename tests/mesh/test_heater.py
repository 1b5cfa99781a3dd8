"""Codes become phases as the heater law says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.mesh.heater import HeaterDac, phase_of_voltage, voltage_of_phase

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
    volts = torch.from_numpy(dac.voltage_of(codes))
    np.testing.assert_array_equal(dac.code_of(volts).numpy(), codes)
    np.testing.assert_array_equal(dac.code_of(np.array([-1.0, 99.0])), [0, dac.top])


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

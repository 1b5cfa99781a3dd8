"""Codes become phases as the law of the driver says, and phases become codes again."""

from __future__ import annotations

import math
from dataclasses import replace

import effects_moments as oracle
import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.mesh.heater import HeaterDac, bent_phase, drive_of_bent

BENT = np.array([1.2, -0.08, 0.004])
TABLE = ((0.0, 0.1), (2.0, 0.9), (3.0, 2.0), (5.0, 4.5), (6.0, 6.6))
DRIVERS = {
    "quadratic": HeaterDac(),
    "linear": HeaterDac(2.5, 5.2, 8, "linear"),
    "both signs": HeaterDac(4.0, 4.4, 8, "linear", -4.4),
    "table": HeaterDac.of_table(TABLE),
}
FAR = {  # tables, from the reach of which a turn is further than 2 pi away
    "below": HeaterDac.of_table([[-8.0, -9.0], [0.0, -2.0], [1.0, -1.5]]),
    "above": HeaterDac.of_table([[0.0, 7.0], [6.0, 14.0]]),
}


def test_a_table_begins_where_code_0_lies() -> None:
    """One of positive voltages alone is refused by its own name, not by that of another setting."""
    with pytest.raises(InputError, match=r"driver\.table begins at 1 V; it must begin at 0 V"):
        HeaterDac.of_table([[1.0, 0.5], [6.0, 7.5]])


def test_phase_follows_the_square_of_the_voltage() -> None:
    """V_pi gives pi, twice V_pi four times as much; the inverse returns the voltage."""
    dac = HeaterDac()
    assert dac.phase_at(4.36) == pytest.approx(math.pi)
    assert dac.phase_at(8.72) == pytest.approx(4 * math.pi)
    assert dac.volts_for(math.pi) == pytest.approx(4.36)


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize("bits", [2, 8, 12, 16])
def test_every_code_of_every_law_comes_back(name, bits) -> None:
    """Codes of the phases of all codes are the codes; voltages and phases are those of the law."""
    driver = DRIVERS[name]
    dac = HeaterDac(driver.v_pi, driver.v_max, bits, driver.law, driver.v_min, driver.table)
    codes = np.arange(dac.top + 1)
    phases = dac.phase_of(codes)
    np.testing.assert_array_equal(dac.codes_for(phases), codes)
    volts = oracle.volts(codes, bits, dac.v_min, dac.v_max)
    np.testing.assert_allclose(dac.voltage_of(codes), volts, atol=1e-12)
    wanted = oracle.phase(dac.law, volts, dac.v_pi, TABLE)
    np.testing.assert_allclose(phases, wanted, atol=1e-12)
    tensor = torch.from_numpy(codes)
    np.testing.assert_allclose(dac.phase_of(tensor).numpy(), phases, atol=1e-12)
    np.testing.assert_array_equal(dac.code_of(dac.voltage_of(tensor)).numpy(), codes)


@pytest.mark.parametrize("name", [*DRIVERS, *FAR])
def test_every_phase_of_a_turn_is_reached(name) -> None:
    """Exactly without rounding; a driver of both signs reaches the upper half from below.

    A table that begins above 0 rad reaches what lies before it by turns later.
    """
    dac = {**DRIVERS, **FAR}[name]
    phase = np.linspace(0, 2 * math.pi, 500)
    volts = dac.volts_for(phase)
    assert volts.min() >= dac.v_min - 1e-12
    assert volts.max() <= dac.v_max + 1e-12
    turned = np.exp(1j * dac.phase_at(volts)) - np.exp(1j * phase)
    assert np.abs(turned).max() < 1e-12


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_no_other_code_is_nearer(name, bits) -> None:
    """On the circle, by trying every code; a heater keeps to those of one turn, which are coldest.

    A phase of nearly a turn is code 0 where the codes around it are farther.
    """
    dac = replace(DRIVERS[name], bits=bits)
    low, _ = dac.reach
    phase = np.linspace(0, 2 * math.pi - 1e-6, 2001)
    codes = dac.codes_for(phase)
    given = dac.phase_of(np.arange(dac.top + 1))
    allowed = given if low < 0 else given[given <= low + 2 * math.pi]
    away = np.abs(np.angle(np.exp(1j * (allowed - phase[:, None])))).min(1)
    found = np.abs(np.angle(np.exp(1j * (given[codes] - phase))))
    assert (found <= away + 1e-8).all()
    if low >= 0:  # never beyond the first code of a turn
        assert codes.max() <= np.searchsorted(given, low + 2 * math.pi)
    np.testing.assert_array_equal(dac.codes_for(torch.from_numpy(phase)).numpy(), codes)


def test_a_turn_is_code_0() -> None:
    """Two bits of a heater give 0, 2.1, 8.6 and 19.3 rad: 6.2 rad is nearest to 0."""
    dac = HeaterDac(bits=2)
    assert dac.codes_for([0.0, 2.0, 6.2]).tolist() == [0, 1, 0]
    assert dac.codes_for(6.2) == 0
    with pytest.raises(InputError, match=r"driver\.bits is 1; it must be"):
        HeaterDac(bits=1)


@given(st.integers(0, 2**32 - 1))
def test_bent_laws_are_inverted_shifter_by_shifter(seed) -> None:
    """Every shifter of every chip has its own curve, of both signs of the drive, also in torch."""
    rng = np.random.default_rng(seed)
    law = BENT * rng.uniform(0.9, 1.1, (3, 16, 1)) - [1, 0, 0]
    phase = rng.uniform(-math.pi, 2 * math.pi, (3, 16))
    drive = drive_of_bent(phase, law, -1.5, 2.5)
    np.testing.assert_allclose(bent_phase(drive, law), phase, atol=1e-12)
    tensors = [torch.from_numpy(value) for value in (drive, law)]
    np.testing.assert_allclose(bent_phase(*tensors).numpy(), phase, atol=1e-12)


def test_codes_out_of_range_are_the_outermost() -> None:
    """Voltages beyond those of the DAC give its first and last code."""
    dac = DRIVERS["both signs"]
    np.testing.assert_array_equal(dac.code_of(np.array([-9.0, 99.0])), [0, dac.top])


@pytest.mark.parametrize("code", [-1, 256])
def test_codes_of_another_width_have_no_phase(code: int) -> None:
    """A code that the DAC does not have is refused, also of torch and alone."""
    for codes in (np.array([3, code]), torch.tensor([3, code]), np.int64(code)):
        with pytest.raises(InputError, match=f"code {code} is not from 0 to 255"):
            HeaterDac(bits=8).phase_of(codes)


def test_phase_steps_grow_with_the_phase() -> None:
    """A DAC linear in voltage is fine near 0 and coarse near 2 pi: 0.086 rad at 8 bits."""
    dac = HeaterDac()
    assert dac.top == 255
    steps = np.diff(dac.phase_of(np.arange(dac.top + 1)))
    assert (np.diff(steps) > 0).all()
    at_turn = steps[dac.code_of(dac.volts_for(2 * math.pi))]
    assert at_turn == pytest.approx(0.086, abs=0.001)


@pytest.mark.parametrize("name", DRIVERS)
def test_unreachable_phases_are_refused(name) -> None:
    """Far too small or large, infinite, no number."""
    for phase in (-20.0, 20.0, math.inf, math.nan):
        with pytest.raises(InputError, match="out of reach"):
            DRIVERS[name].codes_for(np.array([1.0, phase]))


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        ({"v_max": 5.0}, "v_max"),
        ({"bits": 1}, "bits"),
        ({"v_pi": 0.0}, "v_pi"),
        ({"v_max": math.nan}, "v_max"),
        ({"v_min": -1.0}, "v_min"),
        ({"law": "linear", "v_max": 4.4}, "v_max"),
        ({"law": "cubic"}, "law"),
        ({"law": "table"}, "table"),
        ({"table": ((0.0, 0.0), (1.0, 7.0))}, "table"),
        ({"law": "table", "table": ((0.0, 1.0), (2.0, 0.5), (4.0, 9.0))}, "table"),
        ({"law": "table", "table": ((0.0, 1.0), (2.0,))}, "table"),
    ],
)
def test_drivers_that_cannot_be_are_refused(bad, key) -> None:
    """With the key, what it is and what it must be."""
    with pytest.raises(InputError, match=rf"driver\.{key} is .*; it must be"):
        HeaterDac(**bad)

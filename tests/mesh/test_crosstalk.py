"""What heaters give themselves undoes crosstalk, as far as heaters that cannot cool do."""

from __future__ import annotations

from dataclasses import replace

import block_oracle as oracle
import numpy as np
import pytest
from hypothesis import given, strategies as st

from ecgphoton.errors import InputError
from ecgphoton.mesh.crosstalk import COOL, NO_CROSSTALK, Crosstalk, undo
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.heater import HeaterDac

LAWS = (
    HeaterDac(),
    HeaterDac(4.0, 4.4, 8, "linear", -4.4),
    HeaterDac.of_table([[0, 0], [1, 0.3], [3, 2.2], [4, 3.8], [6, 7.2]]),
)
KNOWN = Crosstalk(0.01, 150.0)


def short(device, phases):
    """Return what the phases reached have too much, within half a turn."""
    given = device.phases_at(device.shifts_for(phases)) - phases
    return np.remainder(given + np.pi, 2 * np.pi) - np.pi


@pytest.mark.parametrize("dac", LAWS, ids=lambda dac: dac.law)
@given(seed=st.integers(0, 10**6), share=st.floats(1e-4, 0.02), length=st.floats(10, 300))
def test_phases_are_those_wanted_but_where_a_heater_would_cool(dac, seed, share, length) -> None:
    """Every shift is within reach; a phase is right, or its shifter is at its lowest.

    It is then too large by what it would have to cool, at most 0.1 rad.
    """
    device = Device(dac=dac, undoes=Crosstalk(share, length))
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (3, device.drivers))
    phases[:, ::5] = 0.0
    shifts, (low, high) = device.shifts_for(phases), dac.reach
    lowest = high - 2 * np.pi if low < 0 else low
    assert (shifts >= lowest).all()
    assert (shifts <= high).all()
    left = short(device, phases)
    on = shifts > lowest
    assert on.all() or low >= 0  # a driver of both signs can always be a turn further
    np.testing.assert_allclose(left[on], 0, atol=1e-9)
    assert (left[~on] > -1e-9).all()
    assert (left[~on] <= COOL + 1e-9).all()


@pytest.mark.parametrize("kind", oracle.KINDS)
def test_shifts_are_those_of_the_oracle(kind) -> None:
    """Found by turns in numpy, one heater after the other, off heaters among them."""
    device = Device(kind, undoes=KNOWN)
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, (4, device.drivers))
    phases[:, ::5] = 0.0
    shifts = device.shifts_for(phases)
    for own, wanted in zip(shifts, phases, strict=True):
        found = oracle.undone(kind, wanted, share=0.01, length=150.0, cool=COOL)
        np.testing.assert_allclose(own, found, rtol=0, atol=1e-9)
    assert (shifts == 0).any()


def test_a_heater_that_lacks_more_takes_a_turn() -> None:
    """Of two heaters that warm each other, the cold one stays off or is a turn hotter."""
    k = np.array([[1.0, 0.05], [0.05, 1.0]])
    np.testing.assert_allclose(undo(k, np.array([0.0, 1.0]), cool=0.1), [0, 1])
    for cool, first in ((0.01, 0.0), (0.1, 0.01)):
        turned = undo(k, np.array([first, 5.0]), cool=cool)
        assert turned[0] > 6
        np.testing.assert_allclose(np.exp(1j * (k @ turned)), np.exp(1j * np.array([first, 5.0])))


def test_without_crosstalk_nothing_changes() -> None:
    """Shifts are the phases, to the last bit; those of a driver of both signs a turn lower."""
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 32))
    for dac in LAWS:
        device = Device(dac=dac)
        assert device.undoes == NO_CROSSTALK
        np.testing.assert_array_equal(device.shifts_for(phases), dac.wrapped(phases))
        np.testing.assert_array_equal(device.phases_at(phases), phases)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_crosstalk_that_cannot_be_undone_leaves_shifts_within_reach(share) -> None:
    """However strong it is; what is left can then be read from the phases."""
    device = Device(undoes=Crosstalk(share, 1e4))
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 32))
    shifts = device.shifts_for(phases)
    assert np.isfinite(shifts).all()
    assert (shifts >= 0).all()
    assert (shifts <= device.dac.reach[1]).all()


@pytest.mark.parametrize("dac", LAWS, ids=lambda dac: dac.law)
def test_codes_are_near_the_shifts_themselves(dac) -> None:
    """A turn more or less would change what arrives at the neighbours, however coarse the codes."""
    device = Device(dac=replace(dac, bits=5), undoes=KNOWN)
    phases = np.random.default_rng(2).uniform(0, 2 * np.pi, (20, device.drivers))
    shifts = device.shifts_for(phases)
    given = device.dac.phase_of(device.codes_for(shifts))
    step = np.diff(device.dac.phase_of(np.arange(device.dac.top + 1))).max()
    assert np.abs(given - shifts).max() <= step / 2 + 1e-9


@pytest.mark.parametrize("wrong", [(-0.1, 10.0), (0.6, 10.0), (0.1, -1.0), (0.1, np.inf)])
def test_crosstalk_that_cannot_be_is_refused(wrong) -> None:
    """A share from 0 to 0.5 and a finite length; without a share there is no length."""
    with pytest.raises(
        InputError, match=r"crosstalk\.(share|length) is .* must be (from|at least)"
    ):
        Crosstalk(*wrong)
    assert Crosstalk(0.0, 150.0) == NO_CROSSTALK

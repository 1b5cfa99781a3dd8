"""Calibration begins with codes that undo the crosstalk of the layout, and its model knows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.calibration.bench import RecordingBench
from ecgphoton.calibration.phases import Correct
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile
from ecgphoton.mesh.heater import HeaterDac

HEAT = Profile({"dac.bits": 12, "heater.crosstalk": 0.01, "heater.crosstalk_length": 150.0})


@pytest.fixture(scope="module")
def start(program):
    """Return the table of a chip of the layout before any measurement."""
    return DriveTable.start(HEAT.driving(program).with_bits(12), 1)


def performed(table):
    """Return what such a chip does at the codes of a table."""
    chip = Foundry(HEAT).chips(0, 0, 1, table.program)
    return chip.matrices(table.device.dac.voltage_of(table.codes)).numpy()


def test_the_model_of_a_chip_as_designed_has_its_crosstalk(start) -> None:
    """Without any estimate it predicts the matrices of such a chip, near those wanted."""
    np.testing.assert_allclose(start.predicted(), performed(start), rtol=0, atol=1e-9)
    assert start.error(performed(start)).max() < 0.03


def test_codes_chosen_without_estimates_undo_it(start) -> None:
    """Down to rounding, also where heaters of the program's own codes would have to cool."""
    bench = RecordingBench(SimulatedBench(Foundry(HEAT).chips(0, 0, 1, start.program)))
    table = Correct()(bench, start)
    assert start.error(performed(table)).max() < 0.002
    assert bench.cost.readings == 0


def test_drivers_of_both_signs_keep_what_neighbours_feel(program) -> None:
    """A phase that they reach a turn lower is undone with the turn."""
    profile = replace(HEAT, driver=HeaterDac(4.0, 4.4, 12, "linear", -4.4))
    table = DriveTable.start(profile.driving(program).with_bits(12), 1)
    phases = table.program.phases[None]
    own = table.device.dac.phase_at(table.volts_for(phases))
    away = np.exp(1j * table.device.phases_at(own)) - np.exp(1j * phases)
    assert np.abs(away).max() < 1e-9


def test_a_table_for_other_crosstalk_is_refused(start, program, tmp_path) -> None:
    """Its estimates are of what goes beyond that of the layout."""
    start.save(tmp_path / "table.npz")
    again, _ = DriveTable.load(tmp_path / "table.npz", start.program)
    assert np.array_equal(again.codes, start.codes)
    with pytest.raises(InputError, match=r"another program: undoes is \[0.01, 150.0\], here"):
        DriveTable.load(tmp_path / "table.npz", program.with_bits(12))

"""Self-configuration with photodiodes alone, and laws from powers alone."""

import numpy as np
import pytest

from ecgphoton.calibration.heaters import SweepHeaters
from ecgphoton.calibration.nulling import NullMeshes
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile

pytestmark = pytest.mark.slow

THETA = np.r_[0:6, 12:22]


def found(program, profile, step, bits=16):
    """Offsets found and hidden of one chip, and the bench."""
    chip = Foundry(profile).chips(1, 0, 1, program)
    bench = SimulatedBench(chip, bits=bits)
    table = step(bench, DriveTable.start(program.with_bits(bits), 1))
    return table, chip, bench


def test_nulling_finds_bar_and_cross_from_powers(program) -> None:
    """Offsets of 0.1 rad are found to 1e-6 with perfect splitters, with powers alone."""
    profile = Profile({"phase.offset": 0.1})
    table, chip, bench = found(program, profile, NullMeshes())
    hidden = 0.1 * chip.normals["phase.offset"].numpy()
    assert np.abs(table.beliefs.offset - hidden)[..., THETA].max() < 1e-6
    assert bench.cost.settings == bench.cost.readings


def test_stray_light_of_bad_splitters_averages_away(program) -> None:
    """With 52:48 splitters nobody knows of, bar and cross are still found to a milliradian."""
    profile = Profile({"phase.offset": 0.1, "splitter.sigma": 0.02})
    table, chip, _ = found(program, profile, NullMeshes())
    hidden = 0.1 * chip.normals["phase.offset"].numpy()
    left = (table.beliefs.offset - hidden)[..., THETA]
    assert np.sqrt((left**2).mean()) < 3e-4
    assert np.abs(left).max() < 2e-3


def test_relative_phases_are_right_up_to_the_outputs(program) -> None:
    """After nulling, powers at any codes are those the beliefs predict: a gauge alone is left."""
    profile = Profile({"phase.offset": 0.1})
    table, _, bench = found(program, profile, NullMeshes())
    codes = table.settings
    seen = bench.read(codes, np.eye(4), "power")[0].swapaxes(-1, -2)
    fields = table.model.at(table.rows, table.power(codes))[:, 0]
    np.testing.assert_allclose(seen[0], fields.abs().square().numpy(), atol=1e-4)


def test_heater_laws_from_powers(program) -> None:
    """A sweep read by photodiodes gives the same bent laws as a homodyne one."""
    profile = Profile({"heater.spread": 0.02, "heater.curvature": 0.02})
    table, chip, _ = found(program, profile, SweepHeaters(kind="power"))
    law = table.beliefs.law[..., :2]
    names = ("heater.spread", "heater.curvature")
    hidden = 0.02 * np.stack([chip.normals[name].numpy() for name in names], -1)
    # Phases of the outputs, and of light that comes in at one port, leave no trace in power.
    dark = ("U.out", "V.mzi0.phi", "V.mzi1.phi")
    seen = [k for k, name in enumerate(table.device.driver_names) if not name.startswith(dark)]
    assert np.abs(law - hidden)[..., seen, :].max() < 1e-5
    assert not table.findings

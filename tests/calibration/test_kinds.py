"""Calibration does not care which mesh carries a matrix."""

import numpy as np
import pytest

from ecgphoton.calibration.calibrate import calibrate, steps_of
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import LargestProbability
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import quantize
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile


def lowered(student, mesh):
    """The student's program on another kind of mesh."""
    ranges = np.tile([-4.0, 4.0], (len(student.architecture.blocks), 1))
    quantized = quantize(student, ranges)
    return lower(quantized, operating_point=LargestProbability(), classes=["n", "a"], mesh=mesh)[0]


@pytest.mark.slow
@pytest.mark.parametrize("mesh", ["svd-reck", "real-part"])
def test_other_meshes_are_calibrated_too(student, truth, mesh) -> None:
    """Triangles and single meshes end as near their program as the rectangles do."""
    program = lowered(student, mesh)
    profile = Profile({"splitter.sigma": 0.02, "phase.offset": 0.03, "heater.spread": 0.01})
    chip = Foundry(profile).chips(0, 0, 1, program)
    table = calibrate(SimulatedBench(chip, bits=16), program).table
    before = truth(chip, DriveTable.start(table.program, 1))
    assert np.median(truth(chip, table)) < 1e-4
    assert np.median(before) > 1e-2
    assert not table.findings


@pytest.mark.slow
def test_triangles_are_nulled_too(student) -> None:
    """The order of nulling holds for triangles."""
    program = lowered(student, "svd-reck")
    chip = Foundry(Profile({"phase.offset": 0.1})).chips(0, 0, 1, program)
    table = calibrate(SimulatedBench(chip, bits=16), program, steps_of(["null"])).table
    theta = np.r_[0:6, 16:22]
    hidden = 0.1 * chip.normals["phase.offset"].numpy()
    assert np.abs(table.beliefs.offset - hidden)[..., theta].max() < 1e-5


def test_drivers_have_the_names_of_their_place(student) -> None:
    """Names count in light order: mesh V, attenuators, mesh U; one mesh alone is U."""
    names = lowered(student, "svd-clements").device.driver_names
    assert names[:7] == (*(f"V.mzi{k}.theta" for k in range(6)), "V.mzi0.phi")
    assert names[12:17] == (*(f"att{k}.theta" for k in range(4)), "U.mzi0.theta")
    assert names[-1] == "U.out3"
    assert lowered(student, "real-part").device.driver_names[0] == "U.mzi0.theta"

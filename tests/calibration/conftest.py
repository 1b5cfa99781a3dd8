"""A small program, chips that carry it, and what only the simulator knows of them."""

import numpy as np
import pytest
import torch

from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint
from ecgphoton.hwsim.chip import Chip
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.architecture import BRANCHES, TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import Inputs


@pytest.fixture(scope="session")
def student() -> SegmentStudent:
    """A student of five matrices, random weights: time goes with their number."""
    small = Architecture(branches=BRANCHES[:2], patient=TOKENS[:1], layers=2)
    return SegmentStudent(small, seed=1).eval()


@pytest.fixture(scope="session")
def program(student) -> MeshProgram:
    """Its mesh program."""
    return program_of(student)


@pytest.fixture(scope="session")
def whole() -> MeshProgram:
    """A program of all branches, for what is said of the share of matrices."""
    return program_of(SegmentStudent(Architecture(patient=TOKENS[:1]), seed=1).eval())


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    """Random beats."""
    draw = torch.Generator().manual_seed(0)
    walk = torch.randn(300, 360, generator=draw).cumsum(1) * 0.3
    return Inputs(walk.sin(), torch.rand(300, 4, generator=draw) * 2 - 1)


@pytest.fixture(scope="session")
def task(program, student, inputs) -> tuple[MeshProgram, Inputs, np.ndarray, OperatingPoint]:
    """A program, beats, and the student's own decisions as labels."""
    score = predict(student, inputs)[:, 1]
    point = OperatingPoint(float(np.median(score)), ("validation",))
    return program, inputs, point.decide(score), point


def true_errors(chip: Chip, table: DriveTable) -> np.ndarray:
    """(C, K) relative errors of the matrices that chips really perform."""
    volts = table.device.dac.voltage_of(table.reaching(table.settings)[0])
    matrices = chip.matrices(torch.as_tensor(volts)).numpy() * table.row_gain[..., None]
    return table.error(matrices)


@pytest.fixture(scope="session")
def truth():
    """Return `true_errors`."""
    return true_errors

import numpy as np
import pytest
import torch

from ecgphoton.decision import OperatingPoint
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import Inputs


def make_inputs(beats: int, seed: int = 0) -> Inputs:
    """Smooth random beats with rhythm features, so every branch sees something."""
    draw = torch.Generator().manual_seed(seed)
    walk = torch.randn(beats, 360, generator=draw).cumsum(1) * 0.3
    return Inputs(walk.sin(), torch.rand(beats, 4, generator=draw) * 2 - 1)


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    """Three hundred random beats."""
    return make_inputs(300)


@pytest.fixture(scope="session")
def student() -> SegmentStudent:
    """A student with the rhythm token, random weights."""
    return SegmentStudent(Architecture(patient=TOKENS[:1]), seed=1).eval()


@pytest.fixture(scope="session")
def program(student) -> MeshProgram:
    """The student as a program."""
    return program_of(student)


@pytest.fixture(scope="session")
def volts(program) -> np.ndarray:
    """Its voltages before they are rounded to codes."""
    return program.device.dac.volts_for(program.phases)[None]


@pytest.fixture(scope="session")
def point(student, inputs) -> OperatingPoint:
    """Its median probability as threshold."""
    return OperatingPoint(float(np.median(predict(student, inputs)[:, 1])), ("validation",))


@pytest.fixture(scope="session")
def label(student, inputs, point) -> np.ndarray:
    """Decisions of the student itself with a few flipped: it is good, not perfect."""
    called = point.decide(predict(student, inputs)[:, 1])
    called[::17] ^= True
    return called

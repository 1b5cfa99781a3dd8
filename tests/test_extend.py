"""A stranger's addition: one module of under 30 lines, and nothing of the package is touched.

Each module adds one thing and the whole way is walked with it, on made-up beats: train, export,
verify, simulate with one and with two processes, calibrate where a device is involved. What the
device alone has to know begins with a student that was trained, exported and verified before.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecgphoton as ep
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.hwsim.effects import EFFECTS
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.program.program_file import read_program
from ecgphoton.registry import _MODULES
from ecgphoton.student.activations import ACTIVATIONS

MODULES = {
    "their_activation": """
import numpy as np

from ecgphoton.student.activations import ACTIVATIONS, Activation

ACTIVATIONS.add(
    Activation(
        "their-softsign",
        torch=lambda z: z / (1 + z.abs()),
        numpy=lambda z: z / (1 + np.abs(z)),
        onnx=lambda graph, z, block: graph.add("Softsign", z, name=f"{block}.softsign"),
    )
)
""",
    "their_effect": '''
import torch

from ecgphoton.hwsim.effects import EFFECTS, Effect, Number


def turned(field, errors, site):
    """The local oscillator arrives at each detector with another phase."""
    return field * torch.polar(torch.ones_like(errors), errors)[..., None]


EFFECTS.add(
    Effect(
        "oscillator.phase",
        Number("Phase error of the local oscillator at every detector.", 1.0, "rad"),
        stage="field",
        law=turned,
        place="path",
        source="unequal path lengths of the oscillator",
    )
)
''',
    "their_feature": """
import numpy as np

from ecgphoton.ecg.patient_features import FEATURES, Feature

FEATURES.add(
    Feature(
        "their-pause",
        "Interval after the beat, to the largest that a regular rhythm has.",
        lambda beats: np.tanh(beats.rhythm.post - np.fmax(beats.rhythm.usual, 0.2)),
        delay=1,
    )
)
""",
    "their_receiver": '''
from ecgphoton.hwsim.receivers import RECEIVERS, Receiver


def bent(field, reading):
    """A homodyne receiver whose amplifier is not linear."""
    return field.real + 0.05 * field.real**2


RECEIVERS.add(Receiver("bent", "Re E + 0.05 (Re E)^2", bent))
''',
    "their_bench": '''
import numpy as np

from ecgphoton.calibration.bench import Cost
from ecgphoton.mesh.heater import HeaterDac


class Bench:
    """One chip whose heaters all stand 0.1 rad too far, and whose detectors lose 3 %."""

    kinds, bits, cost = ("field",), 12, Cost()

    def __init__(self, program):
        self.device, self.dac = program.device, HeaterDac(bits=12)
        self.shape = (1, len(program.names), self.device.drivers)

    def read(self, codes, vectors, kind="field"):
        phases = 0.1 + self.dac.phase_of(np.broadcast_to(codes, (len(codes), *self.shape)))
        return np.swapaxes(0.97 * self.device.field(phases) @ vectors.T, -1, -2)
''',
}
T_OF_THREE = (
    "student.branches=["
    '{name="P",start=0,stop=120,tokens=2,kernel=58},'
    '{name="QRS",start=120,stop=240,tokens=3,kernel=39},'
    '{name="T",start=240,stop=360,tokens=3,kernel=39},'
    '{name="global",start=0,stop=360,tokens=1,kernel=357}]'
)
THEIR_TOKEN = (
    'student.patient=[{name="pause",features=["their-pause","interval","deviation","steepness"]}]'
)
TWO_FOLDS = """train = ["s01", "s02", "s03"]
test = ["s04"]
labels = "aami"
folds = 2
"""
ADDED = (
    (ACTIVATIONS, "their-softsign"),
    (EFFECTS, "oscillator.phase"),
    (FEATURES, "their-pause"),
    (RECEIVERS, "bent"),
)


@pytest.fixture(autouse=True)
def somebody(
    short_records: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Work in a folder of somebody's, with their modules on the path; forget them afterwards."""
    for name, source in MODULES.items():
        assert len(source.strip().splitlines()) < 30, f"{name} takes more than 30 lines"
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for registry, added in ADDED:
        registry._values.pop(added, None)
    for name in MODULES:
        sys.modules.pop(name, None)
        _MODULES.pop(name, None)


def walk(
    *settings: str, data: str = "synthetic", epochs: int = 1, batch: int = 256, **others: Any
) -> None:
    """Train for an epoch, export and verify, and simulate with one process and with two."""
    quick = (f"training.epochs={epochs}", "training.min_epochs=1", f"training.batch={batch}")
    ep.run.train("reference-8", data=data, settings=(*quick, *settings), out=Path("run"), **others)
    ep.run.export(Path("run"), mesh=True, out=Path("bundle"))
    assert ep.run.verify(Path("bundle"), sax=False).ok
    simulated(Path("bundle"))


def simulated(bundle: Path, **device: object) -> ep.run.Outcome:
    """Simulate with one process and with two, and return what both find."""
    one, two = (
        ep.run.simulate(bundle, chips=8, workers=workers, out=Path(f"{workers}"), **device)
        for workers in (1, 2)
    )
    assert np.array_equal(one.report.auc, two.report.auc)
    return one


@pytest.mark.slow
def test_an_activation(wfdb_folder: Path) -> None:
    """A saturation of another device trains in two processes, is exported and simulated."""
    importlib.import_module("their_activation")
    Path("folds.toml").write_text(TWO_FOLDS)
    theirs = 'student.activation="their-softsign"'
    walk(theirs, data=str(wfdb_folder), epochs=10, batch=32, protocol="folds.toml", workers=2)
    assert read_program(Path("bundle/mesh.json")).architecture.activation == "their-softsign"


@pytest.mark.slow
def test_a_branch_of_three_tokens() -> None:
    """A T branch of three tokens is one line of settings, and the files hold it."""
    walk(T_OF_THREE)
    branches = read_program(Path("bundle/mesh.json")).architecture.branches
    assert [branch.tokens for branch in branches] == [2, 3, 3, 1]
    assert ep.load(Path("run")).student.architecture.tokens == 9


@pytest.mark.slow
def test_a_patient_feature() -> None:
    """A feature of their own, known a beat late, is trained on, exported and simulated."""
    importlib.import_module("their_feature")
    walk(THEIR_TOKEN)
    architecture = read_program(Path("bundle/mesh.json")).architecture
    assert architecture.features[0] == "their-pause"
    assert not Path("bundle/features.py").exists()  # which knows the features of this package
    assert architecture.delay == 1


@pytest.mark.slow
def test_an_effect_and_a_receiver(house: Path) -> None:
    """An error of another process and a receiver of another bench are named in a profile's file."""
    importlib.import_module("their_effect")
    importlib.import_module("their_receiver")
    text = "[oscillator]\nphase = 0.2\n[dac]\nbits = 10\n[receiver]\nkind = 'bent'\n"
    Path("mine.toml").write_text(text)
    found = simulated(house / "bundles" / "b", profile="mine.toml")
    assert found.numbers["profile_values"]["oscillator.phase"] == 0.2
    assert found.numbers["receiver"] == "bent"
    assert len(np.unique(found.report.auc)) > 1
    done = ep.run.calibrate(
        house / "bundles" / "b", profile="mine.toml", chips=1, steps="dark,correct",
        out=Path("calibrated"),
    )  # fmt: skip
    assert "oscillator.phase" in str(done.numbers)


@pytest.mark.slow
def test_a_bench(house: Path) -> None:
    """Instruments of somebody calibrate a chip by name, and the answer is a verdict."""
    bundle = house / "bundles" / "b"
    done = ep.run.calibrate(bundle, bench="their_bench:Bench", out=Path("calibrated"))
    assert Path("calibrated/table.npz").is_file()
    before, after = (np.median(done.report.errors[name]) for name in ("uncalibrated", "measured"))
    assert after < 0.02 < before

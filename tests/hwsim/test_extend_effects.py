"""An effect and a receiver from outside the package, and what knows them without being told."""

import sys

import numpy as np
import pytest

from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.errors import InputError
from ecgphoton.hwsim.blame import blame
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.distributed import computed
from ecgphoton.hwsim.effects import EFFECTS
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.hwsim.sweep import parse_sweep, run_sweep
from ecgphoton.registry import _MODULES, load

pytestmark = pytest.mark.slow

EXTENSION = '''
import torch

from ecgphoton.hwsim.effects import EFFECTS, Effect, Number
from ecgphoton.hwsim.receivers import RECEIVERS, Receiver


def turned(field, errors, site):
    """The local oscillator of each detector has another phase."""
    return field * torch.polar(torch.ones_like(errors), errors)[..., None]


EFFECTS.add(
    Effect(
        "oscillator.phase",
        Number("Phase error of the local oscillator at every detector.", 1.0, "rad"),
        stage="field",
        law=turned,
        place="path",
        source="path lengths of the reference",
    )
)


def bent(field, reading):
    """A homodyne receiver whose amplifier bends."""
    return field.real + 0.05 * field.real**2


RECEIVERS.add(Receiver("bent", "Re E + 0.05 (Re E)^2", bent))
'''


@pytest.fixture(scope="module", autouse=True)
def extension(tmp_path_factory):
    """A module of somebody else, imported once and forgotten afterwards."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "other_lab.py").write_text(EXTENSION)
    sys.path.insert(0, str(folder))
    import other_lab  # noqa: F401 - it adds to the registries

    yield
    sys.path.remove(str(folder))
    for registry, name in ((EFFECTS, "oscillator.phase"), (RECEIVERS, "bent")):
        del registry._values[name]
    _MODULES.pop("other_lab")  # no worker of another test has to import it


def test_they_run_the_same_on_workers(student, inputs, label, point, tmp_path):
    """Both take part in a simulation by name and TOML key, and two workers give the same bits."""
    path = tmp_path / "mine.toml"
    path.write_text("[oscillator]\nphase = 0.2\n[detector]\nnoise = 0.01\n[dac]\nbits = 0\n")
    subject = (student, inputs, label, point)
    settings = {"chips": 8, "profile": str(path), "settings": ["receiver.kind=bent"]}
    one, two = (simulate(*subject, **settings, workers=n) for n in (1, 2))
    assert np.array_equal(one.miss, two.miss)
    assert np.array_equal(one.auc, two.auc)
    assert len(np.unique(one.auc)) > 1
    assert one.settings["profile_values"]["oscillator.phase"] == 0.2
    assert one.settings["receiver"] == "bent"
    plain = simulate(*subject, chips=8, profile=str(path))
    assert plain.perfect != one.perfect


def test_studies_know_the_effect(student, inputs, label, point):
    """The error budget lists it, and it can be swept."""
    profile = Profile({"oscillator.phase": 0.2, "dac.bits": 0})
    shares = blame(trial_of(student, inputs, label, point, profile=profile), chips=4, by_mzi=False)
    assert [share.name for share in shares if share.kind == "source"] == ["oscillator.phase"]
    assert shares[0].lost_sensitivity + shares[0].added_fpr > 0
    report = run_sweep(
        parse_sweep("oscillator.phase=0,0.5"), student, inputs, label, point, chips=4
    )
    assert report.to_dict()["unit"] == "rad"
    assert report.reports[1].miss.mean() > report.reports[0].miss.mean()
    with pytest.raises(
        InputError, match=r"oscillator\.phase is 2\.0; it must be a number from 0 to"
    ):
        parse_sweep("oscillator.phase=0,2")


def test_a_bench_reads_with_the_receiver(student):
    """Field readings of a simulated bench come from the chips' own receiver."""
    program = program_of(student)
    codes = program.device.dac.codes_for(program.phases)[None, None]
    light = np.eye(4)
    foundries = (Foundry(load_profile("ideal").read_by(name)) for name in ("homodyne", "bent"))
    readings = [
        SimulatedBench(foundry.chip(0, 0, program), bits=program.dac.bits).read(codes, light)
        for foundry in foundries
    ]
    assert np.allclose(readings[1].real, readings[0].real + 0.05 * readings[0].real ** 2)


def test_an_extension_that_workers_cannot_import():
    """A module that a worker does not find is named, with what to do."""
    with pytest.raises(InputError, match="extension nowhere_to_be_found cannot be imported"):
        load(("nowhere_to_be_found",))


def test_a_worker_that_cannot_import_an_extension_says_so(monkeypatch, capfd):
    """What is wrong is in the error; no worker prints a traceback, or is said to have died."""
    monkeypatch.setitem(_MODULES, "nowhere_to_be_found", None)
    with pytest.raises(InputError, match="extension nowhere_to_be_found cannot be imported"):
        list(computed(abs, 2, workers=2))
    assert "Traceback" not in capfd.readouterr().err

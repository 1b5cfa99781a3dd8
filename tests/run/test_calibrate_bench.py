"""`ecgphoton calibrate --bench` calibrates the chips of a bench from outside the package."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from ecgphoton.calibration.calibrate import PHOTODIODES, steps_of
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.cli import main
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import load_bundle
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile
from ecgphoton.models import bundle
from ecgphoton.run.chips import TABLE, calibrate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_records")]

MODULE = '''
from ecgphoton.calibration.bench import Cost, cost_of
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.hwsim.chip import Foundry


class MyBench:
    """Asks another program for readings, here a simulated chip."""

    def __init__(self, program):
        self.chip = SimulatedBench(Foundry.of("pessimistic").chip(0, 5, program), bits=12)
        self.shape, self.bits, self.kinds, self.cost = self.chip.shape, 12, ("field",), Cost()

    def read(self, codes, vectors, kind="field"):
        self.cost += cost_of(codes, vectors, kind)
        return self.chip.read(codes, vectors, kind)
'''


def bench_of(program, **options):
    """A quiet chip behind a bench."""
    chip = Foundry(Profile({"splitter.sigma": 0.02})).chip(0, 1, program)
    return SimulatedBench(chip, bits=12, **options)


@pytest.mark.slow
def test_the_command_takes_a_bench(tmp_path, monkeypatch) -> None:
    """Table, report and a verdict from a bench of a module in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_lab_.py").write_text(MODULE)
    words = ["calibrate", "reference-8", "--bench", "my_lab_:MyBench", "--data", "synthetic"]
    words += ["--steps", "dark,sweep,fit,correct", "--out", "done", "--json"]
    result = CliRunner().invoke(main, words)
    del sys.modules["my_lab_"]
    numbers = json.loads(result.stdout)
    assert result.exit_code == (0 if numbers["verdict"] == "pass" else 1)
    assert numbers["verdict"] in ("pass", "fail")
    assert numbers == json.loads((tmp_path / "done" / "calibration.json").read_text())
    assert numbers["cost_per_chip"]["settings"] == 96 + 512 + 96
    program = load_bundle(bundle("reference-8")).program
    table, _ = DriveTable.load(tmp_path / "done" / TABLE, program.with_bits(12))
    assert len(table) == 1
    assert (table.codes != table.program.codes).any()
    assert "measured_error" in (tmp_path / "done" / "calibrated_chips.csv").read_text()


def test_without_a_verdict_the_command_says_why(tmp_path, monkeypatch) -> None:
    """From Python a function is enough; where nothing was estimated there is no verdict."""
    monkeypatch.chdir(tmp_path)
    found = calibrate("reference-8", bench=bench_of, steps="dark,correct", data="synthetic")
    assert found.folder.name == "calibrate-bench"
    assert not found.report.passed
    assert found.numbers["verdict"] == "none"


@pytest.mark.slow
def test_photodiodes_get_codes_and_no_verdict(tmp_path, monkeypatch) -> None:
    """Steps for photodiodes run by themselves; the command says why it judges nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_diodes_.py").write_text(MODULE.replace('("field",)', '("power",)'))
    words = ["calibrate", "reference-8", "--bench", "my_diodes_:MyBench", "--data", "synthetic"]
    result = CliRunner().invoke(main, [*words, "--out", "done"])
    del sys.modules["my_diodes_"]
    assert result.exit_code == 1
    assert "NONE, because no step estimates all errors" in " ".join(result.stdout.split())
    assert "as read afterwards" not in result.stdout
    found = json.loads((tmp_path / "done" / "calibration.json").read_text())
    assert found["steps"] == [repr(step) for step in steps_of(PHOTODIODES)]
    program = load_bundle(bundle("reference-8")).program
    table, _ = DriveTable.load(tmp_path / "done" / TABLE, program.with_bits(12))
    assert table.codes.shape == (1, *program.phases.shape)
    assert np.abs(table.beliefs.offset).max() > 0.03


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"chips": 3}, "chips of simulated chips and a bench"),
        ({"profile": "pessimistic", "seed": 1}, "profile, seed of simulated chips"),
        ({"settings": ["dac.bits=9"]}, "--set of simulated chips"),
        ({"steps": "null,correct"}, "needs 'power'"),
        ({"steps": "dark"}, "add correct or trim"),
        ({"bench": "nowhere_:bench"}, "cannot be opened"),
        ({"bench": "nowhere"}, "MODULE:FUNCTION"),
    ],
)
def test_what_a_bench_cannot_take_is_refused(tmp_path, monkeypatch, asked, message) -> None:
    """Numbers of simulated chips, steps it cannot do, and names that lead nowhere."""
    monkeypatch.chdir(tmp_path)
    field = {"bench": lambda program: bench_of(program, kinds=("field",))}
    with pytest.raises(InputError, match=message):
        calibrate("reference-8", data="synthetic", **{**field, **asked})

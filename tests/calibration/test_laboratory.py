"""A bench of one's own is opened by name, calibrated, and judged only by what is known of it."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.calibration.bench import Session
from ecgphoton.calibration.calibrate import calibrate, check_bench, steps_of
from ecgphoton.calibration.judge import Labelled, PredictedChips
from ecgphoton.calibration.laboratory import calibrate_bench, open_bench
from ecgphoton.calibration.report import AFTER, BEFORE, OWN
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.propagate import plan_powers
from ecgphoton.hwsim.weights import Carrier
from ecgphoton.student.network import predict

pytestmark = pytest.mark.slow

PROFILE = Profile({"splitter.sigma": 0.02, "phase.offset": 0.03, "detector.noise": 1e-3})


def hidden(program, kinds=("field", "power")):
    """Two chips behind a bench."""
    return SimulatedBench(Foundry(PROFILE).chips(3, 0, 2, program), bits=12, kinds=kinds)


@pytest.fixture(scope="module")
def judged(student, inputs):
    """Beats, labels and operating point."""
    probability = predict(student, inputs)[:, 1]
    point = OperatingPoint(float(np.median(probability)), ("validation",))
    return inputs, point.decide(probability), point


def test_predictions_are_what_the_chips_do(program, judged, truth) -> None:
    """Predicted, read and true errors of the matrices agree, and calibration has lowered them."""
    bench = hidden(program)
    labelled = Labelled(*judged[:2])
    table, report = calibrate_bench(bench, program, *judged, validation=labelled)
    assert list(report.stages) == [BEFORE, AFTER, OWN]
    true = truth(Foundry(PROFILE).chips(3, 0, 2, program), table)
    for errors in (report.errors[AFTER], report.errors["measured"]):
        assert np.abs(errors - true).max() < 3e-3
    assert np.median(true) < 0.1 * np.median(report.errors[BEFORE])
    assert report.verdict in ("pass", "fail")
    assert report.to_dict()["no_verdict_because"] is None
    assert len(report.chip_rows()) == 2
    assert report.settings["dac_bits"] == 12


def test_predicted_noise_is_that_of_each_chip(program) -> None:
    """It does not depend on the other chips of a table, and is drawn with enough powers."""
    table = replace(DriveTable.start(program, 3), noise=np.array([[0.01], [0.02], [0.05]]))
    table = replace(table, noise=np.broadcast_to(table.noise, (3, len(program.names))))
    carrier = Carrier.of(program)
    chips, one = (PredictedChips(carrier, some) for some in (table, table.chips(slice(1, 2))))
    assert torch.equal(chips.draw(0, 0, 4).additive[1:2], one.draw(0, 0, 1).additive)
    nominal = chips.nominal()
    assert torch.equal(nominal.additive[0], chips.draw(0, 2, 1).additive[0])
    assert min(plan_powers(nominal.stack, nominal.additive)) >= 3


def test_no_verdict_where_nothing_is_known(program, judged) -> None:
    """Without a fit, or with one that fits badly, there is no verdict, and the reason is said."""
    _, report = calibrate_bench(hidden(program), program, *judged, steps=["dark", "correct"])
    assert not report.passed
    assert report.to_dict()["verdict"] == "none"
    assert "fit" in report.to_dict()["no_verdict_because"]


def test_photodiodes_are_not_asked_for_fields(program) -> None:
    """Steps that need fields are refused by name, before anything is read."""
    bench = hidden(program, kinds=("power",))
    with pytest.raises(InputError, match=r"step dark needs 'field' .* sweep-power,null,correct"):
        calibrate(bench, program, steps_of(["dark", "null"]))
    assert bench.cost.settings == 0


def test_steps_that_change_nothing_are_refused(program, judged) -> None:
    """A list that only measures would leave every chip as it is."""
    with pytest.raises(InputError, match=r"steps null measure .* add correct or trim"):
        calibrate_bench(hidden(program), program, *judged, steps=["null"])


def test_beats_of_one_kind_are_refused(program, judged) -> None:
    """They have no miss rate or no FPR, so there is nothing to judge chips by."""
    inputs, label, point = judged
    with pytest.raises(InputError, match="normal, so there is no miss rate"):
        calibrate_bench(hidden(program), program, inputs, np.zeros_like(label), point)


def test_a_bench_is_opened_by_name(program, tmp_path, monkeypatch) -> None:
    """MODULE:FUNCTION in the working folder; what goes wrong there is one sentence."""
    (tmp_path / "my_bench_.py").write_text(
        "from ecgphoton.calibration.bench import ReplayBench, Session\n"
        "def make(program):\n"
        "    return ReplayBench(Session((1, *program.phases.shape), 12, ()))\n"
        "def fail(program):\n    raise OSError('no instrument')\n"
        "def nothing(program):\n    return None\n"
        "def eye(program):\n"
        "    bench = make(program)\n    bench.kinds = ('eye',)\n    return bench\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert open_bench("my_bench_:make", program).shape == (1, len(program.names), 32)
    assert sys.path == before
    for name, message in (
        ("my_bench_", "must be MODULE:FUNCTION"),
        ("my_bench_:fail", "OSError: no instrument"),
        ("my_bench_:missing", "no attribute 'missing'"),
        ("not_there_:make", "No module named"),
        ("my_bench_:eye", r"kinds .*:eye is \('eye',\); it must be .* 'field', 'power'"),
        ("my_bench_:nothing", "lacks shape, bits, kinds, cost, read"),
    ):
        with pytest.raises(InputError, match=message):
            open_bench(name, program)
    del sys.modules["my_bench_"]


def test_a_bench_of_another_design_is_refused(program) -> None:
    """The numbers of blocks and drivers must be the program's."""
    bench = hidden(program)
    assert check_bench(bench) is bench
    other = SimulatedBench(Foundry(PROFILE).chips(0, 0, 1, program))
    other.shape = (1, 3, 32)
    with pytest.raises(InputError, match="3 blocks with 32 drivers"):
        calibrate(other, replace(program))
    with pytest.raises(InputError, match="lacks kinds"):
        check_bench(Session((1, 2, 3), 8, ()))

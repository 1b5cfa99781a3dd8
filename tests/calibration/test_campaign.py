"""A campaign wins back what fabrication lost, says so, and can be interrupted."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from ecgphoton import artifacts
from ecgphoton.calibration.calibrate import Step
from ecgphoton.calibration.campaign import KIND, calibrate_chips
from ecgphoton.calibration.judge import Labelled
from ecgphoton.calibration.phases import Correct
from ecgphoton.calibration.probing import ReadDark
from ecgphoton.calibration.report import AFTER, BEFORE, OWN
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.report.chips import draw_calibration
from ecgphoton.report.style import save
from ecgphoton.student.network import predict

pytestmark = pytest.mark.slow

QUICK: tuple[Step, ...] = (ReadDark(shots=8), Correct(polish=False, place=False))
PROFILE = "foundry-thermo-optic"


@pytest.fixture(scope="module")
def judged(student, inputs):
    """Beats, labels the student gets mostly right, and its operating point."""
    probability = predict(student, inputs)[:, 1]
    point = OperatingPoint(float(np.median(probability)), ("validation",))
    label = point.decide(probability)
    label[::17] ^= True
    return inputs, label, point


@pytest.fixture(scope="module")
def report(program, judged):
    """Four chips, calibrated by the standard steps, with thresholds of their own."""
    return calibrate_chips(
        program, *judged, profile=PROFILE, chips=3, validation=Labelled(*judged[:2])
    )


@pytest.mark.slow
def test_calibrated_chips_decide_as_the_perfect_one(report) -> None:
    """After calibration errors are small and rates near those of the perfect chip."""
    assert np.median(report.errors[AFTER]) < 0.1 * np.median(report.errors[BEFORE])
    after, before = report.stages[AFTER], report.stages[BEFORE]
    worst = [
        max(np.abs(one.miss - one.perfect[0]).max(), np.abs(one.fpr - one.perfect[1]).max())
        for one in (before, after)
    ]
    assert worst[1] < worst[0]
    assert list(report.stages) == [BEFORE, AFTER, OWN]
    assert report.thresholds is not None
    assert report.thresholds.shape == (3,)
    assert report.cost.settings > 500
    assert not report.findings


def test_the_state_before_is_what_simulate_reports(report, program, judged) -> None:
    """Uncalibrated chips are the chips of `simulate`, to the bit."""
    alone = simulate(program, *judged, chips=3, profile=PROFILE)
    assert np.array_equal(report.stages[BEFORE].miss, alone.miss)
    assert np.array_equal(report.stages[BEFORE].fpr, alone.fpr)


@pytest.mark.pictures
def test_report_is_json_and_a_picture(report, tmp_path) -> None:
    """Rows, chips and provenance are plain values; the picture is a PNG."""
    numbers = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert numbers["verdict"] == ("pass" if report.passed else "fail")
    assert [row["stage"] for row in numbers["table"]] == [BEFORE, AFTER, OWN]
    assert len(report.chip_rows()) == 3
    found = {**report.to_dict(), "limits": asdict(report.final.limits)}
    save(draw_calibration(found, report.chip_rows()), tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_an_interrupted_campaign_goes_on_and_gives_the_same(
    program, judged, tmp_path, monkeypatch
) -> None:
    """Finished ranges are kept, damaged ones made anew, others' never taken."""
    monkeypatch.setattr("ecgphoton.calibration.campaign.RANGE", 2)

    def go(folder=tmp_path, **changed):
        settings = {"profile": PROFILE, "steps": QUICK, **changed}
        return calibrate_chips(program, *judged, chips=3, folder=folder, **settings)

    whole = go(tmp_path / "whole")
    stopped: list[int] = []

    def stop(what: str, done: int, chips: int) -> None:
        stopped.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(progress=stop)
    assert stopped == [2]
    resumed = go()
    assert resumed.settings["chips_calibrated_now"] <= 1
    for name in (BEFORE, AFTER):
        assert np.array_equal(resumed.errors[name], whole.errors[name])
        assert np.array_equal(resumed.stages[name].miss, whole.stages[name].miss)
    assert artifacts.check_manifest(tmp_path / "tables", kind=KIND) == []
    path = tmp_path / "tables" / "chips-000000-000001.npz"
    path.write_bytes(path.read_bytes()[:100])
    assert len(artifacts.check_manifest(tmp_path / "tables", kind=KIND)) == 1
    assert go().settings["chips_calibrated_now"] == 2
    assert go(seed=5).settings["chips_calibrated_now"] == 3


def test_a_chip_is_calibrated_alike_in_any_batch(program, judged) -> None:
    """Chip 0 gets the same table alone and among others."""
    from ecgphoton.calibration.calibrate import STANDARD, steps_of
    from ecgphoton.calibration.campaign import Campaign

    campaign = Campaign(program, Foundry.of("pessimistic"), steps_of(STANDARD[:3]), seed=4)
    alone, among = campaign.calibrate(1, 1), campaign.calibrate(0, 3)
    for name, part in among.arrays().items():
        assert np.allclose(alone.arrays()[name][0], part[1], rtol=0, atol=1e-9), name
    assert np.array_equal(alone.noise[0], among.noise[1])


def test_what_makes_no_sense_is_refused(program, judged) -> None:
    """No chips and unknown steps are user errors that say what is allowed."""
    with pytest.raises(InputError, match="at least 1"):
        calibrate_chips(program, *judged, chips=0)
    with pytest.raises(InputError, match="no calibration step 'magic'; allowed: dark, "):
        calibrate_chips(program, *judged, chips=1, steps=["magic"])
    inputs, label, point = judged
    with pytest.raises(InputError, match="abnormal, so there is no FPR"):
        calibrate_chips(program, inputs, np.ones_like(label), point, chips=1)

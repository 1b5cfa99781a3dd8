"""The largest size that passes: alone and all together."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from ecgphoton.calibration.requirements import (
    ALL,
    Line,
    Sheet,
    idle,
    lines_of,
    number_for,
    parameters_of,
    times,
)
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.mesh.crosstalk import NO_CROSSTALK, Crosstalk
from ecgphoton.run.provenance import taken_by
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent, predict

STATED = {"dac.bits": 12, "splitter.sigma": 0.02, "phase.offset": 0.02, "loss.mzi_db": 0.3}


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    """Eight chips of a student, judged against its own decisions on made-up beats."""
    student = SegmentStudent(Architecture(patient=TOKENS[:1]), seed=1).eval()
    inputs = synthetic_inputs(student.architecture)
    abnormal = predict(student, inputs)[:, 1]
    point = OperatingPoint(float(np.median(abnormal)), ("validation",))
    subject = (program_of(student), inputs, point.decide(abnormal), point)
    return Sheet(subject, Profile(STATED), ("splitter.sigma", ALL), ("uncalibrated",), chips=8)


def test_one_error_stands_alone_and_all_are_scaled(sheet: Sheet) -> None:
    """Alone, the others are 0 and losses stay; together, converters keep their width."""
    alone = sheet.at("splitter.sigma", 0.5)
    assert (alone["splitter.sigma"], alone["phase.offset"], alone["loss.mzi_db"]) == (0.5, 0.0, 0.3)
    scaled = sheet.at(ALL, 3.0)
    wanted = {**STATED, "splitter.sigma": 0.06, "phase.offset": 0.06}
    assert dict(scaled.numbers) == pytest.approx(wanted)


def test_every_limit_is_that_asked_for(sheet: Sheet) -> None:
    """Of lines of chips as they are, and of all that takes limits by the names of `simulate`."""
    limits = Limits(0.5, 0.4, 0.3, 0.8)
    asked = replace(sheet, limits=limits, chips=2)
    assert asked.judged(sheet.at("splitter.sigma", 0.01), "uncalibrated").limits == limits
    assert taken_by(simulate, asdict(limits)) == asdict(limits)


def test_other_errors_are_alone_without_undoing(sheet: Sheet) -> None:
    """Codes that undo crosstalk would be an error of chips that have none."""
    undoing = replace(sheet.subject[0], crosstalk=Crosstalk(0.02, 150.0))
    known = replace(sheet, subject=(undoing, *sheet.subject[1:]))
    assert known.alone("splitter.sigma").subject[0].crosstalk == NO_CROSSTALK
    for key in ("heater.crosstalk", ALL):
        assert known.alone(key).subject[0].crosstalk == undoing.crosstalk


@pytest.mark.slow
def test_lines_do_not_depend_on_processes(sheet: Sheet) -> None:
    """A line has value, ratio, yield, interval and chips; two processes find the same."""
    done: list[int] = []
    lines = lines_of(sheet, progress=lambda k, _: done.append(k))
    assert done == [1, 2]
    assert lines_of(replace(sheet, keys=sheet.keys[:1]), workers=2) == lines[:1]
    for line in lines:
        assert line.value is not None
        assert line.failing is not None
        assert line.value < line.failing <= 1.16 * line.value
        assert line.ratio == pytest.approx(line.value / line.stated)
        assert line.share is not None
        assert line.share >= 0.95
    alone, together = (line.ratio for line in lines)
    assert together is not None
    assert alone is not None
    assert together <= alone


@pytest.mark.slow
def test_calibrated_chips_stand_more(sheet: Sheet) -> None:
    """Calibration absorbs splitter errors that no chip stands without it."""
    one, wrong = replace(sheet, chips=1), sheet.at("splitter.sigma", 0.12)
    assert sheet.judged(wrong, "uncalibrated").observed_yield == 0
    assert one.judged(wrong, "calibrated").observed_yield == 1


def test_bits_are_counted_down(sheet: Sheet) -> None:
    """The fewest bits that pass, one more than fail; a spare bit is a ratio above 1."""
    (line,) = lines_of(replace(sheet, keys=("dac.bits",)))
    assert line.value is not None
    assert line.failing == line.value - 1
    assert line.ratio == line.stated / line.value


def test_only_errors_of_the_profile_can_be_asked_for() -> None:
    """A key that is none is refused with the nearest, and a profile without errors at all."""
    assert parameters_of(Profile(STATED)) == ("dac.bits", "phase.offset", "splitter.sigma", ALL)
    with pytest.raises(InputError, match=r"no error .*did you mean splitter.sigma"):
        parameters_of(Profile(STATED), ["splitter.sigm"])
    with pytest.raises(InputError, match="states no error"):
        parameters_of(load_profile("ideal"), ["splitter.sigma"])
    asked = ["splitter.sigma", ALL, "splitter.sigma"]
    assert parameters_of(Profile(STATED), asked) == ("splitter.sigma", ALL)  # each line once


def test_a_sheet_needs_a_process(sheet: Sheet) -> None:
    """No process at all is refused."""
    with pytest.raises(InputError, match="workers is 0; it must be from 1 to 1024"):
        lines_of(sheet, workers=0)


def test_drift_without_time_is_idle(sheet: Sheet) -> None:
    """It changes no chip, whatever its size; with hours it does."""
    program = sheet.subject[0]
    still = Profile({"time.drift": 0.01, "splitter.sigma": 0.02})
    assert idle(still, program) == ("time.drift",)
    assert idle(still.with_value("time.hours", 1.0), program) == ()


def test_what_a_receiver_does_not_have_is_idle(sheet: Sheet) -> None:
    """Nothing is required of a splitter that no receiver has, nor of what acts with others only."""
    program = sheet.subject[0]
    effective = Profile({"detector.splitter_sigma": 0.02, "splitter.sigma": 0.02})
    assert idle(effective, program) == ("detector.splitter_sigma",)
    leaking = replace(effective.read_by("hybrid"), numbers={**effective.read_by("hybrid").numbers,
                      "link.extinction_db": 20.0})  # fmt: skip
    assert idle(leaking, program) == ("link.extinction_db", "receiver.iq_gain", "receiver.iq_phase")


def test_intensity_noise_is_scaled_as_an_amplitude(sheet: Sheet) -> None:
    """A factor of ten on all sizes is 20 dB more noise of the laser, up to the largest."""
    noisy = replace(sheet, profile=Profile({"receiver.rin": -140.0}, receiver="balanced"))
    assert noisy.at(ALL, 10.0)["receiver.rin"] == -120.0
    assert noisy.at(ALL, 0.1)["receiver.rin"] == -160.0
    assert noisy.at(ALL, 1e9)["receiver.rin"] == -80.0
    line = Line("receiver.rin", "uncalibrated", "dB/Hz", -140.0, 4, -120.0, None, 1.0, 0.4, 1.0)
    assert line.ratio == pytest.approx(10.0)


@pytest.mark.parametrize("key", ["receiver.cmrr", "link.extinction_db"])
def test_what_is_rejected_is_compared_as_an_amplitude(key: str) -> None:
    """20 dB less let ten times the field or current through, whatever was stated."""
    line = Line(key, "uncalibrated", "dB", 25.0, 4, 5.0, None, 1.0, 0.4, 1.0)
    assert line.ratio == pytest.approx(10.0)
    assert times(number_for(key), 25.0, 2.0) == pytest.approx(25.0 + 20 * np.log10(2))

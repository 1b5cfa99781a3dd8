"""What a foreign bench does wrong is said in one sentence, and gives no verdict."""

import numpy as np
import pytest

from ecgphoton.calibration.bench import CheckedBench
from ecgphoton.calibration.calibrate import calibrate, steps_of
from ecgphoton.calibration.laboratory import calibrate_bench
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry

CODES, LIGHT = np.zeros((3, 1, 1, 32), np.int64), np.eye(4)


class Foreign:
    """A simulated chip whose readings are changed on their way, or fail."""

    def __init__(self, program, change) -> None:
        chips = Foundry.of("foundry-thermo-optic").chips(0, 0, 1, program)
        self.inner, self.change = SimulatedBench(chips, bits=12), change
        self.shape, self.bits, self.kinds = self.inner.shape, 12, self.inner.kinds

    @property
    def cost(self):
        """Of the chip."""
        return self.inner.cost

    def read(self, codes, vectors, kind="field"):
        """Read and change."""
        return self.change(self.inner.read(codes, vectors, kind))


def raises(error):
    """Return a change that fails."""

    def fail(_):
        raise error

    return fail


def lost(readings):
    """One reading is not there."""
    readings[2, 0, 1, 3, 0] = np.nan
    return readings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (raises(BrokenPipeError(32, "Broken pipe")), r"bench failed .* BrokenPipeError.*pipe"),
        (raises(TimeoutError("timed out")), r"bench failed .* TimeoutError: timed out; check"),
        (raises(KeyError("ch1")), "bench failed .* KeyError"),
        (lambda readings: readings.real, r"complex numbers of shape \(3, 1, \d+, 4, 4\)"),
        (lambda readings: readings[:1], r"of shape \(1, .*\(3, 1, \d+, 4, 4\) are needed"),
        (lambda _: None, "complex numbers of shape"),
        (lambda readings: readings.astype(str), "complex numbers of shape"),
        (lambda readings: np.ma.array(readings, mask=True), r"readings: \d+ .* are masked"),
        (lambda readings: readings + 1e7, r"readings .* beyond 1e\+06 of full scale, the first"),
        (lost, r"1 of \d+ readings .* NaN or infinite, .*first at \[2, 0, 1, 3, 0\]"),
    ],
)
def test_failures_and_unusable_readings_are_errors(program, change, message) -> None:
    """A lost connection is not a failed verdict, and no reading is taken for another."""
    bench = Foreign(program, change)
    with pytest.raises(InputError, match=message):
        CheckedBench(bench).read(CODES, LIGHT)
    with pytest.raises(InputError, match=r"bench|readings"):
        calibrate(bench, program, steps_of(["dark", "correct"]))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("shape", (3, 32), "three whole numbers"),
        ("shape", None, "three whole numbers"),
        ("shape", (1.0, 3.0, 32.0), "three whole numbers"),
        ("shape", (0, 3, 32), "three whole numbers"),
        ("kinds", None, "'field', 'power'"),
        ("kinds", "field", "'field', 'power'"),
    ],
)
def test_a_bench_that_cannot_be_is_refused(program, name, value, allowed) -> None:
    """With what it states, before anything is asked of it."""
    bench = Foreign(program, raises(AssertionError()))
    setattr(bench, name, value)
    with pytest.raises(InputError, match=rf"^{name} of bench .* is .*; it must be .*{allowed}"):
        calibrate(bench, program)


def test_what_counts_no_costs_is_refused(program, monkeypatch) -> None:
    """Before a session, which would be lost at its end."""
    monkeypatch.setattr(Foreign, "cost", None)
    with pytest.raises(InputError, match=r"cost of bench .* is None; it must be a Cost"):
        calibrate(Foreign(program, raises(AssertionError())), program)


@pytest.mark.parametrize(("step", "factor"), [("sweep", 1e-3), ("sweep-power", 12)])
def test_readings_in_another_unit_are_no_dead_heaters(program, step, factor) -> None:
    """Fringes that are all as many times too large or small are named once a block."""
    bench = Foreign(program, lambda readings: factor * readings)
    found = calibrate(bench, program, steps_of([step])).table.findings
    assert [item.block for item in found] == list(program.names)
    for item in found:
        assert (item.kind, item.part) == ("wrong gain", "all readings")
        assert item.detail.startswith("in another unit")
        assert float(item.detail.split()[5]) == pytest.approx(factor, rel=0.1)


def test_a_bench_may_change_what_it_is_given(program) -> None:
    """Codes that it scales in place, and light, stay what they were for the next reading."""

    class Careless(Foreign):
        def read(self, codes, vectors, kind="field"):
            readings = super().read(codes, vectors, kind)
            codes *= 0
            vectors *= 0
            return readings

    asked = CODES + 7, LIGHT.copy()
    CheckedBench(Careless(program, lambda readings: readings)).read(*asked)
    assert (asked[0] == 7).all()
    assert (asked[1] == LIGHT).all()


def test_single_precision_and_lists_are_readings(program) -> None:
    """The type of the numbers does not matter."""
    plain = SimulatedBench(Foreign(program, None).inner._chip, bits=12).read(CODES, LIGHT)
    for change in (np.complex64, np.ndarray.tolist):
        read = CheckedBench(Foreign(program, change)).read(CODES, LIGHT)
        np.testing.assert_allclose(read, plain, atol=1e-6)


@pytest.mark.slow
def test_no_verdict_where_chips_do_not_do_what_is_predicted(program, task) -> None:
    """All detectors saturate, so that the matrices read afterwards are others: no verdict."""

    def clipped(readings):
        return np.clip(readings.real, -0.3, 0.3) + 1j * np.clip(readings.imag, -0.3, 0.3)

    steps = ["dark", "sweep", "fit", "correct"]
    _, report = calibrate_bench(Foreign(program, clipped), *task, steps=steps)
    assert report.errors["measured"].max() > 0.05
    assert report.verdict == "none"
    assert "as read afterwards are not those predicted" in report.unknown

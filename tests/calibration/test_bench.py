"""The bench is the only door to a chip: it counts, refuses the impossible, and is replayed."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ecgphoton.calibration
from ecgphoton.calibration.bench import Cost, RecordingBench, ReplayBench, Session
from ecgphoton.calibration.calibrate import calibrate, steps_of
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile

BASIS = np.eye(4)
STEPS = steps_of(["dark", "sweep", "fit", "correct"])
JUDGES = {"simulated", "campaign", "judge", "laboratory", "report", "drift"}
JUDGES |= {"requirements", "stability"}
"""Modules that fabricate or judge simulated chips; all others know a bench alone."""


def bench_of(program, *, count=2, first=0, bits=12):
    """Noisy chips `first` ... on a bench."""
    chips = Foundry.of("foundry-thermo-optic").chips(0, first, count, program)
    return SimulatedBench(chips, bits=bits, seed=5, first=first)


def test_steps_know_nothing_of_the_simulator() -> None:
    """No step, model or table imports the simulator."""
    for path in Path(ecgphoton.calibration.__file__).parent.glob("*.py"):
        if path.stem not in JUDGES:
            for node in ast.walk(ast.parse(path.read_text())):
                module = getattr(node, "module", None) or ""
                assert not module.startswith("ecgphoton.hwsim"), f"{path.name} imports {module}"


def test_every_operation_is_counted(program) -> None:
    """Settings wait for heaters, a homodyne field takes two readings, a power one."""
    bench = bench_of(program)
    codes = np.zeros((3, 1, 1, 32), np.int64)
    bench.read(codes, BASIS)
    assert bench.cost == Cost(3, 24)
    bench.read(codes[:1], BASIS[:2], "power")
    assert bench.cost == Cost(4, 26)
    assert bench.cost.seconds() == pytest.approx(4 * 10e-6 + 26 * 1e-6)
    assert bench.cost - Cost(3, 24) == Cost(1, 2)


def test_readings_of_a_chip_do_not_depend_on_its_batch(program) -> None:
    """Chip 1 reads the same alone and beside chip 0, noise included."""
    codes = np.random.default_rng(0).integers(0, 2000, (3, 1, 1, 32))
    both, alone = bench_of(program), bench_of(program, count=1, first=1)
    for kind in ("field", "power"):
        beside = both.read(codes, BASIS, kind)[:, 1]
        np.testing.assert_allclose(beside, alone.read(codes, BASIS, kind)[:, 0], atol=1e-12)


def test_fields_are_read_without_the_leak_of_modulators(program) -> None:
    """What leaks is the same for x and -x, so the bench reads both; powers still contain it."""
    stated = {"phase.offset": 0.1, "detector.offset_sigma": 0.01}
    tight, leaking = (
        SimulatedBench(Foundry(Profile(numbers)).chips(0, 0, 1, program))
        for numbers in (stated, {**stated, "link.extinction_db": 15.0})
    )
    codes = np.random.default_rng(0).integers(0, 2000, (2, 1, 1, 32))
    vectors = np.array([[0.3, -0.7, 0.1, 0.9], [0, 0, 0, 0]])
    np.testing.assert_allclose(
        leaking.read(codes, vectors), tight.read(codes, vectors), rtol=0, atol=1e-12
    )
    assert leaking.cost.readings == 3 * tight.cost.readings
    powers = (bench.read(codes, vectors, "power") for bench in (leaking, tight))
    assert np.abs(np.subtract(*powers)).max() > 0.01


def test_squares_leave_the_product_of_signal_and_leak(program) -> None:
    """A receiver that reads k of the square of a field reads 2 k Im(M x conj(M q)) of a leak q."""
    stated = {"phase.offset": 0.1, "receiver.noise": 0.0, "receiver.rin": 0.0,
              "receiver.cmrr": 20.0, "detector.lo_phase": 0.1}  # fmt: skip
    tight, leaking = (
        Foundry(Profile(numbers, receiver="balanced")).chips(0, 0, 1, program)
        for numbers in (stated, {**stated, "link.extinction_db": 15.0})
    )
    codes = np.random.default_rng(0).integers(0, 2000, (2, 1, 1, 32))
    x = np.array([0.3, -0.7, 0.1, 0.9])
    found = SimulatedBench(leaking).read(codes, x[None])[..., 0, :]
    plus, minus, dark = np.moveaxis(
        SimulatedBench(tight).read(codes, np.array([x, -x, 0 * x])), -2, 0
    )
    more = found - (plus - minus) / 2 - dark
    volts = replace(tight.device.dac, bits=12).voltage_of(codes[:, 0])
    sent, reading = leaking.sent(x[:, None])[0].numpy(), leaking.reading
    for setting, one in enumerate(volts):
        field = tight.field(tight.phases(one[None].repeat(len(program.blocks), 1)))[0].numpy()
        light, leak = (field @ part for part in (sent.real + 0j, sent.imag + 0j))
        product = (light * leak.conj()).imag[..., 0]
        factor = leaking.boost * reading.mismatch / (2 * reading.oscillator)
        expected = 2 * factor * product * (1 + 1j)  # both quadratures
        np.testing.assert_allclose(more[setting, 0], expected, atol=1e-12)


def test_power_is_the_squared_field(program) -> None:
    """Without noise a photodiode reads the square of what the homodyne detector reads."""
    bench = SimulatedBench(Foundry.of("ideal").chips(0, 0, 1, program))
    codes = np.random.default_rng(1).integers(0, 2000, (2, 1, 1, 32))
    field = bench.read(codes, BASIS)
    np.testing.assert_allclose(bench.read(codes, BASIS, "power"), np.abs(field) ** 2, atol=1e-12)


@pytest.mark.slow
def test_a_recorded_session_replays_the_same_table(program, tmp_path) -> None:
    """From a file alone, without any chip, the same steps find the same table at the same cost."""
    recording = RecordingBench(bench_of(program, count=1))
    first = calibrate(recording, program, STEPS)
    recording.session.save(tmp_path / "session.npz")
    replayed = calibrate(ReplayBench(Session.load(tmp_path / "session.npz")), program, STEPS)
    assert np.array_equal(first.table.codes, replayed.table.codes)
    assert first.cost == replayed.cost
    for name, part in first.table.beliefs._asdict().items():
        np.testing.assert_allclose(part, replayed.table.beliefs._asdict()[name], atol=1e-12)


def test_a_replay_answers_only_what_was_asked(program, tmp_path) -> None:
    """Another question, one question too many, or a file that is no session: one clear line."""
    recording = RecordingBench(bench_of(program, count=1))
    codes = np.zeros((1, 1, 1, 32), np.int64)
    recording.read(codes, BASIS)
    replay = ReplayBench(recording.session)
    with pytest.raises(InputError, match="other codes"):
        replay.read(codes + 1, BASIS)
    replay.read(codes, BASIS)
    with pytest.raises(InputError, match="ends after 1"):
        replay.read(codes, BASIS)
    (tmp_path / "x.npz").write_bytes(b"no session")
    with pytest.raises(InputError, match="not a recorded bench session"):
        Session.load(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("codes", "vectors", "kind", "message"),
    [
        (np.zeros((1, 1, 1, 35), np.int64), BASIS, "field", "codes have shape"),
        (np.zeros((1, 1, 1, 32)), BASIS, "field", "integers"),
        (np.full((1, 1, 1, 32), 4096), BASIS, "field", "0 to 4095"),
        (np.zeros((1, 1, 1, 32), np.int64), 2 * BASIS, "field", "input vectors"),
        (np.zeros((1, 1, 1, 32), np.int64), BASIS, "phase", "kind of reading"),
    ],
)
def test_what_no_bench_can_do_is_refused(program, codes, vectors, kind, message) -> None:
    """Wrong shapes, codes outside the DAC, fields above full scale and unknown readings."""
    with pytest.raises(InputError, match=message):
        bench_of(program).read(codes, vectors, kind)


def test_the_wrong_bench_or_step_is_refused(program) -> None:
    """A bench of another design and an unknown step are user errors."""
    with pytest.raises(InputError, match="no calibration step 'guess'"):
        steps_of(["fit", "guess"])
    bench = RecordingBench(bench_of(program))
    other = ReplayBench(Session((1, 3, 32), 12, ()))
    with pytest.raises(InputError, match="3 blocks"):
        calibrate(other, program)
    uncounted = ReplayBench(Session((1, 7, 32), 12, ()))
    uncounted.cost = None
    with pytest.raises(InputError, match="cost of bench of that call is None; it must be a Cost"):
        calibrate(uncounted, program)
    table = calibrate(bench, program, steps_of(["dark"])).table
    with pytest.raises(InputError, match="2 chips"):
        calibrate(bench_of(program, count=1), program, start=table)

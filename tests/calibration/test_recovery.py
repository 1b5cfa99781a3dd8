"""What a chip hides is found through the bench, each error alone and all together."""

import numpy as np
import pytest
from faults import Fault, FaultyBench

from ecgphoton.calibration.calibrate import STEPS, calibrate, steps_of
from ecgphoton.calibration.model import matrix
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile

QUIET = Profile({"dac.bits": 16}, name="quiet")


def chips_of(profile, program, count=2, seed=3):
    """Chips of a profile."""
    return Foundry(profile).chips(seed, 0, count, program)


def test_a_perfect_chip_is_left_alone(program, truth) -> None:
    """With a fine DAC nothing is believed of a perfect chip, and its codes stay."""
    chip = chips_of(QUIET, program, 1)
    table = calibrate(SimulatedBench(chip, bits=24), program).table
    start = DriveTable.start(table.program, 1)
    for name, part in table.beliefs._asdict().items():
        assert np.abs(part).max() <= 1e-9, name
    assert np.array_equal(table.codes, start.codes)
    assert np.abs(table.row_gain - 1).max() <= 1e-9
    assert not table.findings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "belief", "size"),
    [
        ({"splitter.sigma": 0.03}, "alpha", 0.03),
        ({"phase.offset": 0.05}, "offset", 0.05),
        ({"heater.spread": 0.02, "heater.curvature": 0.02}, "law", 0.02),
        ({"loss.mzi_sigma_db": 0.2}, "loss", 0.02),
        ({"detector.gain_sigma": 0.02}, "gain", 0.02),
        ({"detector.offset_sigma": 0.01}, "zero", 0.01),
    ],
)
def test_each_error_alone_is_undone(program, truth, profile, belief, size) -> None:
    """Without noise every kind of error leaves less than a thousandth of the matrices' size.

    What is left is rounding to 16 bits, and attenuators that would have to amplify.
    """
    chip = chips_of(Profile({"dac.bits": 16, **profile}), program, 1)
    table = calibrate(SimulatedBench(chip, bits=16), program).table
    assert np.abs(getattr(table.beliefs, belief)).max() > size
    assert truth(chip, table).max() < 1e-3
    assert np.median(truth(chip, table)) < 1e-4


@pytest.mark.slow
def test_crosstalk_is_found(program, truth) -> None:
    """The crosstalk matrix is recovered although its form is not the model's."""
    profile = Profile({"dac.bits": 16, "heater.crosstalk": 0.01, "heater.crosstalk_length": 100.0})
    chip = chips_of(profile, program, 1)
    table = calibrate(SimulatedBench(chip, bits=16), program).table
    hidden = program.device.crosstalk(0.01, 100.0) + np.eye(32)
    believed = matrix(table.device, table.beliefs.coupling)
    assert np.abs(believed - hidden).max() < 5e-4
    assert truth(chip, table).max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("share", "seed"), [(0.05, 8), (0.3, 3)])
def test_strong_crosstalk_of_the_layout_accuses_no_heater(program, truth, share, seed) -> None:
    """Whatever its size on the chip, nothing is reported, and the matrices are as right as ever."""
    profile = load_profile("foundry-thermo-optic").with_value("heater.crosstalk", share)
    driven = profile.driving(program)
    chip = chips_of(profile, driven, seed=seed)
    table = calibrate(SimulatedBench(chip, bits=12), driven).table
    assert not table.findings
    assert truth(chip, table).max() < 0.003


@pytest.mark.slow
def test_strong_crosstalk_spares_the_neighbours_of_a_stuck_bit(program) -> None:
    """The bit that is stuck is named, and nothing else."""
    profile = load_profile("foundry-thermo-optic").with_value("heater.crosstalk", 0.05)
    driven = profile.driving(program).with_bits(12)
    faults = tuple(Fault("stuck bit", 0, block, 7 * block, bit=10) for block in range(3))
    bench = FaultyBench(SimulatedBench(chips_of(profile, driven, 1), bits=12), *faults)
    table = DriveTable.start(driven, 1)
    for name in ("dark", "sweep"):
        table = STEPS[name](bench, table)
    names, drivers = driven.names, driven.device.driver_names
    wanted = [("stuck bit", names[one.block], drivers[one.index]) for one in faults]
    assert sorted((one.kind, one.block, one.part) for one in table.findings) == sorted(wanted)


@pytest.mark.parametrize("name", ["foundry-thermo-optic", "pessimistic"])
def test_laws_that_powers_do_not_show_stay_ideal(program, truth, name) -> None:
    """Codes chosen after a sweep of powers alone are better than those before."""
    profile = load_profile(name)
    driven, bits = profile.driving(program), int(profile["dac.bits"])
    chip = chips_of(profile, driven, 1)
    bench = SimulatedBench(chip, bits=bits, kinds=("power",))
    table = calibrate(bench, driven, steps_of(["sweep-power", "correct"])).table
    before = truth(chip, DriveTable.start(table.program, 1))
    assert np.median(truth(chip, table)) < np.median(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["foundry-thermo-optic", "pessimistic"])
def test_all_errors_together_are_mostly_undone(program, truth, name) -> None:
    """On noisy benches of the shipped profiles at least nine tenths of the error goes."""
    profile = load_profile(name)
    chip = chips_of(profile, program)
    bits = int(profile["dac.bits"])
    table = calibrate(SimulatedBench(chip, bits=bits), program).table
    before = truth(chip, DriveTable.start(table.program, len(chip)))
    assert np.median(truth(chip, table)) < 0.1 * np.median(before)


@pytest.mark.slow
def test_more_noise_gives_gracefully_worse_tables(program, truth) -> None:
    """Error grows with the noise of the readings and stays in proportion to it, never NaN."""
    errors = []
    for noise in (0.0, 0.03, 0.3):
        profile = Profile(
            {"dac.bits": 16, "splitter.sigma": 0.03, "phase.offset": 0.03, "detector.noise": noise}
        )
        chip = chips_of(profile, program, 1)
        table = calibrate(SimulatedBench(chip, bits=16), program).table
        errors.append(np.median(truth(chip, table)))
    assert np.isfinite(errors).all()
    assert errors == sorted(errors)
    assert errors[1] < 0.5 * np.median(truth(chip, DriveTable.start(table.program, 1)))
    assert errors[2] < 0.3  # every single reading was that far off


def test_no_healthy_heater_is_accused(program) -> None:
    """Under the largest errors of a shipped profile no heater is called stuck or poorly fitted."""
    chips = chips_of(load_profile("pessimistic"), program, 8, seed=0)
    bench = SimulatedBench(chips, bits=8)
    table = DriveTable.start(program.with_bits(8), 8)
    for name in ("dark", "sweep"):
        table = STEPS[name](bench, table)
    assert not table.findings


def test_a_bench_of_photodiodes_accuses_the_guilty_alone(program) -> None:
    """No step before measured the noise of such a bench: the sweeps show it themselves."""
    faults = tuple(Fault("stuck bit", chip, chip, 5, bit=7, level=1) for chip in range(4))
    chips = chips_of(load_profile("pessimistic"), program, 4, seed=7)
    bench = FaultyBench(SimulatedBench(chips, bits=8, kinds=("power",)), *faults)
    table = STEPS["sweep-power"](bench, DriveTable.start(program.with_bits(8), 4))
    found = {(one.chip, one.block, one.part, one.detail) for one in table.findings}
    driver = program.device.driver_names[5]
    assert found == {(k, program.names[k], driver, "bit 7 stays on") for k in range(4)}


def test_a_stuck_bit_is_named_with_what_it_is_stuck_at(program) -> None:
    """Every bit whose error exceeds the noise is named, at its level, wherever it is; no other."""
    blocks, bits = len(program.names), (6, 7, 8, 9, 10, 11)
    faults = tuple(
        Fault("stuck bit", at // blocks, at % blocks, 5 * at % 32, bit=bit, level=level)
        for at, (bit, level) in enumerate((bit, level) for bit in bits for level in (0, 1))
    )
    chips = chips_of(load_profile("foundry-thermo-optic"), program, 4)
    bench = FaultyBench(SimulatedBench(chips, bits=12), *faults)
    table = DriveTable.start(program.with_bits(12), 4)
    for name in ("dark", "sweep"):
        table = STEPS[name](bench, table)
    names, drivers = program.names, program.device.driver_names
    wanted = {
        (one.chip, names[one.block], drivers[one.index], f"bit {one.bit} stays {level}")
        for one in faults
        for level in [("off", "on")[int(one.level)]]
    }
    assert {(one.chip, one.block, one.part, one.detail) for one in table.findings} == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("level", "word", "step"), [(0, "off", 0), (1, "on", 7)])
def test_the_highest_bit_is_named(program, level, word, step) -> None:
    """Stuck at 0 it fits another law within the noise: but a law no heater has.

    Stuck at 1 it sweeps large powers alone, where the law that fits is turns away from the ideal.
    """
    first, blocks = program.device.attenuators.start, len(program.names)
    faults = tuple(
        Fault("stuck bit", at // blocks, at % blocks, (first + step * at) % 32, bit=7, level=level)
        for at in range(4 * blocks)
    )
    chips = chips_of(load_profile("pessimistic"), program, 4)
    bench = FaultyBench(SimulatedBench(chips, bits=8), *faults)
    table = DriveTable.start(program.with_bits(8), 4)
    for name in ("dark", "sweep"):
        table = STEPS[name](bench, table)
    assert len(table.findings) == len(faults)
    assert {one.detail for one in table.findings} == {f"bit 7 stays {word}"}


@pytest.mark.slow
def test_no_law_is_read_from_noise(program) -> None:
    """Photodiodes see nothing of the output phases, whose fringes are noise: nothing is accused."""
    profile = load_profile("lithium-niobate")
    driven = profile.driving(program).with_bits(12)
    bench = SimulatedBench(Foundry(profile).chips(0, 0, 8, driven), bits=12)
    steps = (STEPS["dark"], STEPS["sweep-power"])
    assert not calibrate(bench, driven, steps).table.findings


@pytest.mark.slow
def test_what_is_broken_is_named(program) -> None:
    """A dead heater, stuck bits and a clipped detector are named at their places, nothing else."""
    profile = load_profile("foundry-thermo-optic")
    faults = (
        Fault("dead heater", 0, 2, 17),
        Fault("stuck bit", 1, 1, 5, bit=9, level=1),
        Fault("saturated detector", 1, 3, 2, level=0.3),
    )
    bench = FaultyBench(SimulatedBench(chips_of(profile, program), bits=12), *faults)
    table = calibrate(bench, program, steps_of(["dark", "sweep", "fit"])).table
    names, drivers = table.program.names, table.device.driver_names
    found = {(item.kind, item.chip, item.block, item.part) for item in table.findings}
    assert ("dead heater", 0, names[2], drivers[17]) in found
    assert ("stuck bit", 1, names[1], drivers[5]) in found
    assert ("saturated detector", 1, names[3], "detector[2]") in found
    kinds = [item.kind for item in table.findings]
    assert kinds.count("dead heater") == kinds.count("stuck bit") == 1
    assert np.isfinite(table.predicted()).all()

"""Each step alone: what it is for is found within the noise floor, and driven accordingly."""

from dataclasses import replace

import numpy as np
import pytest
from faults import Fault, FaultyBench

from ecgphoton.calibration.calibrate import calibrate
from ecgphoton.calibration.estimate import Fit
from ecgphoton.calibration.heaters import SweepHeaters
from ecgphoton.calibration.model import matrix
from ecgphoton.calibration.phases import Correct, Trim
from ecgphoton.calibration.probing import ReadDark
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile

NOISE = 1e-3


def run(program, profile, *steps, count=1, bits=16, faults=(), start=None):
    """Chips and the table that steps find, alone or after the steps of another table."""
    chip = Foundry(profile).chips(2, 0, count, program)
    bench = FaultyBench(SimulatedBench(chip, bits=bits, seed=1), *faults)
    return chip, calibrate(bench, program, steps, start=start).table


def rms(values) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def test_dark_readings_alone(program) -> None:
    """Offsets and noise of detectors are measured to their statistical error."""
    profile = Profile({"detector.offset_sigma": 0.01, "detector.noise": NOISE})
    chip, table = run(program, profile, ReadDark(shots=64))
    assert rms(table.beliefs.zero - chip.reading.offset[..., 0].numpy()) < 1.5 * NOISE / 8
    assert table.noise.mean() == pytest.approx(NOISE, rel=0.05)
    expected = -table.program.scales[:, None] * table.beliefs.zero
    np.testing.assert_allclose(table.row_offset, expected)


@pytest.mark.parametrize(("noise", "left"), [(0.0, 1e-7), (NOISE, 2e-3)])
def test_heater_sweeps_alone(program, noise, left) -> None:
    """Bent laws are found whatever the splitters do, as phases at half a turn."""
    profile = Profile(
        {
            "heater.spread": 0.02,
            "heater.curvature": 0.02,
            "splitter.sigma": 0.03,
            "detector.noise": noise,
        }
    )
    chip, table = run(program, profile, ReadDark(), SweepHeaters())
    names = ("heater.spread", "heater.curvature")
    hidden = 0.02 * np.stack([chip.normals[name].numpy() for name in names], -1)
    off = table.beliefs.law - np.concatenate([hidden, np.zeros((*hidden.shape[:-1], 1))], -1)
    assert np.median(np.abs(np.pi * off.sum(-1))) < left
    assert not table.findings


@pytest.mark.parametrize(("noise", "left"), [(0.0, 1e-4), (NOISE, 5e-4)])
def test_splitters_alone(program, noise, left) -> None:
    """Splitter angles of every interferometer are found, first and second apart.

    Of an attenuator, whose lower ports are dark and a dump, readings show the sum.
    """
    profile = Profile({"splitter.sigma": 0.03, "detector.noise": noise})
    chip, table = run(program, profile, ReadDark(), Fit(("alpha", "beta")))
    hidden = 0.03 * chip.normals["splitter.sigma"].numpy()
    off = np.stack([table.beliefs.alpha, table.beliefs.beta], -1) - hidden
    between = table.device.attenuating
    assert rms(np.delete(off, between, -2)) < left
    assert rms(off[..., between, :].sum(-1)) < left


@pytest.mark.parametrize(("noise", "left"), [(0.0, 1e-5), (NOISE, 2e-4)])
def test_crosstalk_alone(program, noise, left) -> None:
    """The crosstalk matrix of the whole block is found."""
    profile = Profile(
        {"heater.crosstalk": 0.01, "heater.crosstalk_length": 150.0, "detector.noise": noise}
    )
    _, table = run(program, profile, ReadDark(), Fit(("coupling",)))
    hidden = program.device.crosstalk(0.01, 150.0) + np.eye(32)
    assert np.abs(matrix(table.device, table.beliefs.coupling) - hidden).max() < left


@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "share"), [(0.02, 0.98), (0.05, 0.95)])
def test_the_order_of_singular_values_decides(whole, truth, sigma, share) -> None:
    """With 16 bits and a quiet bench the best order corrects nearly all, the default far fewer."""
    profile = Profile({"splitter.sigma": sigma})
    learnt = (ReadDark(), SweepHeaters(), Fit())
    shares = {}
    table = None
    for name, steps in {
        "default": (*learnt, Correct("default", polish=False, place=False)),
        "all": (Correct(), Trim()),
    }.items():
        chip, table = run(whole, profile, *steps, start=table)
        shares[name] = (truth(chip, table) <= 1e-3).mean()
    assert shares["all"] >= share
    assert shares["default"] < 0.9


def test_local_correction_needs_no_polish_where_it_reaches(program, truth) -> None:
    """Where every interferometer is in range, correction alone is nearly exact to the DAC.

    What splitters of attenuators withhold, half the square of alpha - beta, is taken for losses,
    which `polish` corrects.
    """
    chip, table = run(
        program,
        Profile({"splitter.sigma": 0.02}),
        ReadDark(),
        Fit(),
        Correct(polish=False, place=False),
    )
    assert np.quantile(truth(chip, table), 0.9) < 8e-4


@pytest.mark.slow
def test_paths_of_unequal_loss_are_dimmed_until_all_can_be_met(whole) -> None:
    """However unequal the paths, with errors that are known every block is brought to its matrix.

    A path that loses more than the others would need an attenuator that amplifies.
    """
    program, draw = whole.with_bits(22), np.random.default_rng(0)
    table = DriveTable.start(program, 4)
    sizes = {"alpha": 0.05, "beta": 0.05, "loss": 0.3 * np.log(10) / 20}  # rad, rad, 0.3 dB
    drawn = {name: size * draw.standard_normal(getattr(table.beliefs, name).shape)
             for name, size in sizes.items()}  # fmt: skip
    table = replace(table, beliefs=table.beliefs._replace(**drawn))
    unread = SimulatedBench(Foundry.of("ideal").chips(0, 0, 4, program), bits=22)
    after = Correct(place=False)(unread, table)
    assert after.error(after.predicted()).max() < 1e-4


@pytest.mark.slow
def test_placing_and_trimming_beat_plain_rounding(program, truth) -> None:
    """With 8 bits, codes chosen together leave less than codes rounded one by one."""
    profile = Profile({"splitter.sigma": 0.03, "phase.offset": 0.05})
    learnt = (ReadDark(), SweepHeaters(), Fit())
    chip, rounded = run(program, profile, *learnt, Correct(place=False), bits=8)
    _, placed = run(program, profile, Correct(), bits=8, start=rounded)
    _, trimmed = run(program, profile, Trim(), bits=8, start=placed)
    errors = [truth(chip, table).mean() for table in (rounded, placed, trimmed)]
    assert errors[1] < errors[0]
    assert errors[2] < 0.8 * errors[0]


@pytest.mark.slow
def test_a_chip_with_a_dead_heater_still_gains(program, truth) -> None:
    """What is broken is driven around: the block ends better than it began."""
    profile = Profile({"splitter.sigma": 0.03, "phase.offset": 0.05})
    faults = (Fault("dead heater", 0, 2, 25), Fault("stuck bit", 0, 1, 8, bit=13, level=1))
    steps = (ReadDark(), SweepHeaters(), Fit(), Correct(), Trim())
    chip, table = run(program, profile, *steps, faults=faults)
    before = truth(chip, DriveTable.start(table.program, 1))
    # What reaches the heaters of a chip that is broken and not calibrated.
    broken = replace(DriveTable.start(table.program, 1), keep=table.keep, force=table.force)
    assert table.broken.sum() == 2
    after = truth(chip, table)
    assert (after <= truth(chip, broken)).all()
    assert np.median(after) < 0.1 * np.median(before)


def test_tables_survive_their_file(program, tmp_path) -> None:
    """A saved table comes back to the bit; one of another program or a damaged one is refused."""
    _, table = run(program, Profile({"splitter.sigma": 0.02}), ReadDark(), Fit(), bits=12)
    table.save(tmp_path / "table.npz", note="kept")
    again, header = DriveTable.load(tmp_path / "table.npz", table.program)
    assert header["note"] == "kept"
    assert np.array_equal(again.codes, table.codes)
    assert again.cost == table.cost
    for name, part in table.beliefs._asdict().items():
        assert np.array_equal(part, again.beliefs._asdict()[name])
    with pytest.raises(InputError, match="another program"):
        DriveTable.load(tmp_path / "table.npz", program.with_bits(10))
    (tmp_path / "bad.npz").write_bytes((tmp_path / "table.npz").read_bytes()[:99])
    with pytest.raises(InputError, match="not a drive table"):
        DriveTable.load(tmp_path / "bad.npz", table.program)


def test_a_fit_of_nothing_is_refused() -> None:
    """Unknown parts and no settings are user errors."""
    with pytest.raises(InputError, match="must be one of"):
        Fit(("gamma",))
    with pytest.raises(InputError, match="at least 1"):
        Fit(settings=0)

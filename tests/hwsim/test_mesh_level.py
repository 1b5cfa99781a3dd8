"""Fabricated meshes: perfect ones are the program, bad ones are bad in the way predicted."""

import math

import numpy as np
import pytest
import torch

from ecgphoton.calibration.campaign import Campaign
from ecgphoton.errors import InputError
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import Quantization, QuantizedStudent, quantize
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.effects import EFFECTS
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.profile import FINEST, Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.receivers import PHOTODIODE
from ecgphoton.hwsim.sensitivity import margins, sensitivity
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.student.network import predict


@pytest.fixture(scope="module")
def eight_bit(student, point):
    """The student as a program with 8-bit codes everywhere, single-mesh form included."""
    ranges = np.tile([-3.0, 3.0], (len(student.architecture.blocks), 1))
    codes = quantize(student, ranges, Quantization())
    settings = {"operating_point": point, "classes": ["normal", "abnormal"]}
    return {
        kind: lower(codes, mesh=kind, **settings)[0]
        for kind in ("svd-clements", "svd-reck", "real-part")
    }


EXACT = {"dac.bits": 0}


def exact(program):
    """Voltages of a program, without rounding."""
    return program.device.dac.volts_for(program.phases)[None]


@pytest.mark.parametrize("kind", ["svd-clements", "svd-reck", "real-part"])
def test_a_perfect_chip_performs_its_program(eight_bit, kind):
    """Ideal foundry, exact drivers: matrices of every mesh form to 1e-12."""
    program = eight_bit[kind]
    chip = Foundry.of("ideal").chip(0, 3, program)
    wanted = np.stack([block.matrix for block in program.blocks])
    assert np.abs(chip.matrices(exact(program))[0].numpy() - wanted).max() < 1e-12


def test_no_loss_conserves_power(eight_bit):
    """0 dB: every mesh of every badly made chip is unitary to 1e-12; 3 dB halves the power."""
    bad = Profile(
        {"splitter.sigma": 0.2, "phase.offset": 1.0, "heater.spread": 0.1, "heater.crosstalk": 0.05}
    )
    program = eight_bit["real-part"]
    chip = Foundry(bad).chips(0, 0, 5, program)
    field = chip.field(chip.phases(exact(program)))
    gram = field.mH @ field
    assert (gram - torch.eye(4)).abs().max() < 1e-12
    lossy = Foundry(bad.with_value("loss.mzi_db", 3.0)).chips(0, 0, 5, program)
    light = torch.ones(4, 1)
    volts = exact(program)
    power = [c.respond(volts, light, receiver=PHOTODIODE).sum(-2) for c in (chip, lossy)]
    assert torch.allclose(power[1] / power[0], torch.tensor(10 ** (-0.3 * 4)).double())


def test_matrices_are_what_the_bench_reads(program):
    """Silent homodyne readings of unit vectors, times the amplifier, are the effective matrix."""
    chip = Foundry.of("foundry-thermo-optic").chips(1, 0, 3, program)
    volts = exact(program)
    readings = chip.respond(volts, torch.eye(4)) - chip.reading.offset
    assert torch.allclose(readings * chip.scale[..., None], chip.matrices(volts), atol=1e-12)


@pytest.mark.slow
def test_mesh_level_is_the_weights_level_through_the_jacobian(student, inputs, label, point):
    """Margins scatter over chips by phases as the two Jacobians, mesh and student, predict."""
    sigma = 2e-3
    trial = trial_of(
        student, inputs, label, point, profile=Profile({"phase.offset": sigma, **EXACT})
    )
    chips = 200
    stack = trial.source.draw(0, 0, chips).stack
    exact = margins(trial, stack)
    slopes = sensitivity(trial).slope[..., :4]
    by_normal = trial.source.slopes(EFFECTS["phase.offset"])
    by_phase = np.einsum("bkij,akij->bka", slopes, by_normal.numpy())
    predicted = (by_phase**2).sum((1, 2))
    ratio = np.median(exact.var(0, ddof=1) / predicted)
    assert ratio == pytest.approx(1, abs=5 * math.sqrt(2 / chips))


def test_silent_perfect_mesh_is_the_student(student, inputs, label, point):
    """Ideal profile: probabilities of the student to the precision of 16-bit codes."""
    trial = trial_of(student, inputs, label, point, profile="ideal")
    gap = trial.perfect() - predict(student, inputs)[:, 1]
    assert np.abs(gap).max() < 1e-3
    table = np.concatenate([*run(trial, 4)])
    assert np.ptp(table[:, 0]) == 0


def test_quantized_chip_is_the_integer_student(eight_bit, inputs, label, point):
    """Digital readout of a perfect chip: the integer student's decisions, ties counted apart.

    Heaters of 24 bits, whose codes perform the matrices themselves.
    """
    program = eight_bit["svd-clements"].with_bits(24)
    reference = QuantizedStudent.from_program(program).predict(inputs)[:, 1]
    for settings in ({"noise": 0.0}, {"profile": "ideal"}):
        trial = trial_of(program, inputs, label, point, readout="digital", **settings)
        seen = trial.perfect()
        # A detector value within single precision of a tie may be rounded the other way: one
        # code of one sample, far below one step of the decision.
        ties = np.abs(seen - reference) > 1e-5
        assert ties.mean() < 0.15
        assert np.abs(seen - reference).max() < 2e-3
        near = np.abs(reference - point.threshold) < 2e-3
        assert np.array_equal(point.decide(seen)[~near], point.decide(reference)[~near])


def test_more_driver_bits_are_better(program, inputs):
    """Matrix error falls about fourfold for two more DAC bits, and 0 bits drive exactly."""
    errors = []
    for bits in (8, 10, 12, 0):
        source = mesh_source(program, inputs, Foundry(Profile({"dac.bits": bits})))
        gap = source.draw(0, 0, 1).stack.matrices - source.nominal().stack.matrices
        errors.append(float(gap.square().mean().sqrt()))
    assert errors[0] > 2.5 * errors[1] > 6 * errors[2]
    assert errors[3] == 0


def test_a_profile_without_bits_has_those_of_the_program(eight_bit, inputs, label, point):
    """Simulation and calibration drive with one width: the profile's, else the program's."""
    program = eight_bit["svd-clements"]
    for stated, bits in (({}, program.dac.bits), ({"dac.bits": 10}, 10), ({"dac.bits": 0}, FINEST)):
        profile = Profile(stated)
        campaign = Campaign(program, Foundry(profile), ())
        assert profile.device_of(program).dac.bits == campaign.bits == bits
    stated = Profile({"dac.bits": program.dac.bits})
    seen = [mesh_source(program, inputs, Foundry(p)).draw(0, 0, 1) for p in (Profile(), stated)]
    assert torch.equal(seen[0].stack.matrices, seen[1].stack.matrices)
    chip = Foundry(stated).chip(0, 0, program)
    device = stated.device_of(program)
    codes = device.dac.voltage_of(device.dac.codes_for(program.phases))
    assert np.allclose(chip.driven(exact(program))[0].numpy(), codes, atol=1e-12)


def test_a_chip_is_the_same_in_any_batch_and_profile(program):
    """Chip 4 alone is chip 4 of six, and other sizes of an effect scale the same normals."""
    profile = load_profile("foundry-thermo-optic")
    volts = exact(program)
    batch = Foundry(profile).chips(2, 0, 6, program)
    alone = Foundry(profile).chip(2, 4, program)
    assert all(torch.equal(part[4], alone.normals[name][0]) for name, part in batch.normals.items())
    assert torch.allclose(batch.matrices(volts)[4], alone.matrices(volts)[0], atol=1e-14)
    assert torch.equal(batch[4:5].matrices(volts), alone.matrices(volts))
    other = Foundry(Profile({"splitter.sigma": 0.3})).chip(2, 4, program)
    assert torch.equal(other.normals["splitter.sigma"], alone.normals["splitter.sigma"])
    later = Foundry(profile.with_value("time.hours", 4.0)).chip(2, 4, program)
    assert not torch.equal(later.matrices(volts), alone.matrices(volts))


@pytest.mark.slow
def test_worse_profiles_are_worse(student, inputs, label, point):
    """Ideal, foundry and pessimistic chips make more and more errors, in every readout."""
    subject = (student, inputs, label, point)
    for kind in ("homodyne", "balanced"):
        errors = []
        for name in ("ideal", "foundry-thermo-optic", "pessimistic"):
            report = simulate(*subject, chips=8, profile=name, settings=[f"receiver.kind={kind}"])
            errors.append((report.miss + report.fpr).mean())
        assert errors[0] < errors[1] < errors[2]
    intensity = simulate(*subject, chips=2, profile="ideal", settings=["receiver.kind=intensity"])
    assert intensity.perfect[2] < 1  # the square of the field is left in the reading


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[splitter]\nsigmma = 0.1", "no 'splitter.sigmma' .did you mean splitter.sigma"),
        ("[attenuator]\nsigma = 0.01", "attenuator.sigma .*: an attenuator is an MZI like the"),
        ("[splitter]\nsigma = -0.1", "splitter.sigma is -0.1"),
        ("[splitter]\nsigma = 'much'", "splitter.sigma is 'much'"),
        ("[dac]\nbits = 1.5", "dac.bits is 1.5; it must be 0 or an integer from 2 to 24 bits"),
        ("[dac]\nbits = 1", "dac.bits is 1; it must be 0 or an integer"),
        ("splitter = 1", "splitter is 1; it must be a table"),
        ("[[", "not valid TOML"),
    ],
)
def test_bad_profiles_are_one_clear_line(tmp_path, text, message):
    """Unknown keys, wrong ranges, wrong types and broken files are named."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load_profile(str(path))
    assert "\n" not in str(error.value)


def test_unknown_profile_and_readout(student, inputs, label, point):
    """A profile that is neither name nor file, and an unknown receiver, are refused."""
    with pytest.raises(InputError, match="there is no profile 'gold'"):
        simulate(student, inputs, label, point, profile="gold")
    with pytest.raises(InputError, match="homodyne"):
        simulate(student, inputs, label, point, profile="ideal", settings=["receiver.kind=eye"])
    with pytest.raises(InputError, match=r"did you mean splitter\.sigma"):
        Profile().with_value("spliter.sigma", 1.0)
    with pytest.raises(InputError, match="did you mean balanced"):
        Profile(receiver="balance")
    with pytest.raises(InputError, match="'digital', but a student has no converters"):
        simulate(student, inputs, label, point, readout="digital")


def test_readout_of_a_program(eight_bit):
    """A program brings its converters."""
    readout = Readout.of(eight_bit["svd-clements"])
    assert (readout.input_bits, readout.adc_bits, readout.pooling) == (8, 8, "digital")

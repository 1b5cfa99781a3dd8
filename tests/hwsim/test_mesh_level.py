"""Fabricated meshes: perfect ones are the program, bad ones are bad in the way predicted."""

import math

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import Quantisation, QuantizedStudent, quantize
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import mesh_source, program_of
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.profile import LARGEST, Profile, load_profile, profiles
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.sensitivity import margins, sensitivity
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.hwsim.wiring import Wiring
from ecgphoton.student.network import predict


@pytest.fixture(scope="module")
def program(student):
    """The student as a program with 16-bit codes."""
    return program_of(student)


@pytest.fixture(scope="module")
def eight_bit(student, point):
    """The student as a program with 8-bit codes everywhere, single-mesh form included."""
    ranges = np.tile([-3.0, 3.0], (len(student.architecture.blocks), 1))
    codes = quantize(student, ranges, Quantisation())
    settings = {"operating_point": point, "classes": ["normal", "abnormal"]}
    return {
        kind: lower(codes, mesh=kind, **settings)[0]
        for kind in ("svd-clements", "svd-reck", "real-part")
    }


def exact(program):
    """Unrounded drive of a program."""
    return Wiring(program).codes(0)[None]


@pytest.mark.parametrize("kind", ["svd-clements", "svd-reck", "real-part"])
def test_a_perfect_chip_performs_its_program(eight_bit, kind):
    """Ideal foundry, exact drivers: matrices of every mesh form to 1e-12."""
    program = eight_bit[kind]
    chip = Foundry.of("ideal").chip(0, 3, program)
    wanted = np.stack([block.matrix for block in program.blocks])
    assert np.abs(chip.matrices(exact(program))[0].numpy() - wanted).max() < 1e-12


def test_no_loss_conserves_power(eight_bit):
    """0 dB: every mesh of every badly made chip is unitary to 1e-12; 3 dB halves the power."""
    bad = Profile(splitter_sigma=0.2, phase_offset=1.0, heater_spread=0.1, heater_crosstalk=0.05)
    program = eight_bit["real-part"]
    chip = Foundry(bad).chips(0, 0, 5, program)
    field = chip.field(chip.actual_phases(torch.as_tensor(exact(program))))
    gram = field.mH @ field
    assert (gram - torch.eye(4)).abs().max() < 1e-12
    lossy = Foundry(bad.with_value("loss.mzi_db", 3.0)).chips(0, 0, 5, program)
    light = torch.ones(4, 1)
    codes = exact(program)
    power = [c.respond(codes, light, detection="intensity").sum(-2) for c in (chip, lossy)]
    assert torch.allclose(power[1] / power[0], torch.tensor(10 ** (-0.3 * 4)).double())


def test_matrices_are_what_the_bench_reads(program):
    """Silent homodyne readings of unit vectors, times the amplifier, are the effective matrix."""
    chip = Foundry.of("foundry-thermo-optic").chips(1, 0, 3, program)
    codes = Wiring(program).codes(12)[None]
    readings = chip.respond(codes, torch.eye(4)) - chip.offsets[..., None]
    assert torch.allclose(readings * chip.scale[..., None], chip.matrices(codes), atol=1e-12)


def test_every_distribution_has_the_moments_it_claims(program):
    """Mean and deviation of each drawn quantity within five standard errors, sources apart."""
    profile = load_profile("pessimistic")
    chip = Foundry(profile).chips(0, 0, 200, program)
    alpha, beta = chip.splitters
    for value, sigma in (
        (alpha, profile.splitter_sigma),
        (beta, profile.splitter_sigma),
        (chip.offsets, profile.detector_offset_sigma),
        (chip.responsivity - 1, profile.detector_gain_sigma),
        (chip.luck.offset, 1.0),
        (chip.luck.spread, 1.0),
        (chip.luck.loss, 1.0),
    ):
        count = value.numel()
        assert abs(float(value.mean())) < 5 * sigma / math.sqrt(count)
        assert abs(float(value.std()) / sigma - 1) < 5 / math.sqrt(2 * count)
    together = float((alpha * beta).mean()) / profile.splitter_sigma**2
    assert abs(together) < 5 / math.sqrt(alpha.numel())


def test_bench_noise_moments(program):
    """Repeated readings scatter by the detector noise, around the silent reading."""
    profile = Profile(detector_noise=0.01)
    chip = Foundry(profile).chip(0, 0, program)
    codes, light = exact(program), torch.ones(4, 4000) * 0.5
    noise = chip.respond(codes, light, generator=torch.Generator().manual_seed(0))
    noise = noise - chip.respond(codes, light)
    count = noise.numel()
    assert abs(float(noise.mean())) < 5 * 0.01 / math.sqrt(count)
    assert abs(float(noise.std()) / 0.01 - 1) < 5 / math.sqrt(2 * count)


def test_small_errors_follow_the_jacobian(student, inputs, program):
    """Mesh-level phase errors move weights with the covariance the phase Jacobian predicts."""
    sigma = 1e-3
    source = mesh_source(program, inputs, Foundry(Profile(phase_offset=sigma)))
    chips = source.draw(0, 0, 400).stack.matrices.double()
    error = chips - source.nominal().stack.matrices
    predicted = sigma * source.sensitivity.square().sum(0).sqrt()
    ratio = error.square().mean(0).sqrt() / predicted
    assert (ratio - 1).abs().max() < 5 / math.sqrt(2 * 400) + 0.02
    one = Foundry(Profile(phase_offset=sigma)).chip(0, 7, program)
    linear = sigma * torch.einsum("ka,akij->kij", one.luck.offset[0], source.sensitivity)
    assert (linear - error[7]).abs().max() < 0.02 * error[7].abs().max()


@pytest.mark.slow
def test_mesh_level_is_the_weights_level_through_the_jacobian(student, inputs, label, point):
    """Margins scatter over chips by phases as the two Jacobians, mesh and student, predict."""
    sigma = 2e-3
    trial = trial_of(student, inputs, label, point, profile=Profile(phase_offset=sigma))
    chips = 200
    stack = trial.source.draw(0, 0, chips).stack
    exact = margins(trial, stack)
    slopes = sensitivity(trial).slope[..., :4]
    by_phase = np.einsum("bkij,akij->bka", slopes, trial.source.sensitivity.numpy())
    predicted = sigma**2 * (by_phase**2).sum((1, 2))
    ratio = np.median(exact.var(0, ddof=1) / predicted)
    assert ratio == pytest.approx(1, abs=5 * math.sqrt(2 / chips))


def test_silent_perfect_mesh_is_the_student(student, inputs, label, point):
    """Ideal profile: probabilities of the student to the precision of 16-bit codes."""
    trial = trial_of(student, inputs, label, point, profile="ideal")
    gap = trial.perfect() - predict(student, inputs)[:, 1]
    assert np.abs(gap).max() < 1e-3
    table, _ = run(trial, 4)
    assert np.ptp(table[:, 0]) == 0


def test_quantised_chip_is_the_integer_student(eight_bit, inputs, label, point):
    """Digital readout of a perfect chip: the integer student's decisions, ties counted apart."""
    program = eight_bit["svd-clements"]
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
    """Matrix error falls about fourfold for two more DAC bits."""
    source = mesh_source(program, inputs, Foundry(Profile()))
    wanted = source.nominal().stack.matrices
    chip = Foundry(Profile()).chip(0, 0, program)
    errors = [
        float((chip.matrices(Wiring(program).codes(bits)[None]) - wanted).square().mean().sqrt())
        for bits in (8, 10, 12)
    ]
    assert errors[0] > 2.5 * errors[1] > 6 * errors[2]


def test_chips_keep_their_luck(program):
    """A chip is the same in any batch, and when another number of its profile changes."""
    profile = load_profile("foundry-thermo-optic")
    codes = exact(program)
    batch = Foundry(profile).chips(2, 0, 6, program)
    alone = Foundry(profile).chip(2, 4, program)
    assert torch.equal(batch.luck.alpha[4], alone.luck.alpha[0])
    assert torch.allclose(batch.matrices(codes)[4], alone.matrices(codes)[0], atol=1e-14)
    other = Foundry(profile.with_value("phase.offset", 0.5)).chip(2, 4, program)
    assert torch.equal(other.splitters[0], alone.splitters[0])
    drifted = alone.after(4.0)
    assert not torch.equal(drifted.matrices(codes), alone.matrices(codes))
    assert torch.equal(drifted.after(0.0).matrices(codes), alone.matrices(codes))


def test_worse_profiles_are_worse(student, inputs, label, point):
    """Ideal, foundry and pessimistic chips make more and more errors, in every readout."""
    for detection in ("homodyne", "balanced"):
        errors = []
        for name in ("ideal", "foundry-thermo-optic", "pessimistic"):
            report = simulate(
                student, inputs, label, point, chips=8, profile=name, detection=detection
            )
            errors.append((report.miss + report.fpr).mean())
        assert errors[0] < errors[1] < errors[2]
    intensity = simulate(
        student, inputs, label, point, chips=2, profile="ideal", detection="intensity"
    )
    assert intensity.perfect[2] < 1  # the square of the field is left in the reading


def test_every_shipped_number_has_a_comment():
    """Profiles load, and a comment stands above every section's numbers."""
    from ecgphoton.hwsim.profile import FOLDER

    assert {"ideal", "foundry-thermo-optic", "mems", "pessimistic"} == set(profiles())
    for name in profiles():
        assert load_profile(name).name == name
        assert "#" in (FOLDER / f"{name}.toml").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[splitter]\nsigmma = 0.1", "unknown key 'splitter.sigmma'"),
        ("[splitter]\nsigma = -0.1", "splitter.sigma is -0.1"),
        ("[splitter]\nsigma = 'much'", "splitter.sigma is 'much'"),
        ("[dac]\nbits = 1.5", "dac.bits is 1.5"),
        ("splitter = 1", "not a section"),
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
    """A profile that is neither name nor file, and an unknown detection, are refused."""
    with pytest.raises(InputError, match="there is no profile 'gold'"):
        simulate(student, inputs, label, point, profile="gold")
    with pytest.raises(InputError, match="homodyne"):
        simulate(student, inputs, label, point, profile="ideal", detection="eye")
    with pytest.raises(InputError, match="has no 'colour'"):
        Profile().with_value("colour", 1.0)
    assert set(Profile().to_dict()) - {"name", "description"} == {
        key.replace(".", "_") for key in LARGEST
    }


def test_readout_of_a_program(eight_bit):
    """A program brings its converters."""
    readout = Readout.of(eight_bit["svd-clements"])
    assert (readout.input_bits, readout.adc_bits, readout.pooling) == (8, 8, "digital")

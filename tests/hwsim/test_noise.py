"""Noise has the distribution it claims, and silence is the student."""

import math

import pytest
import torch

from ecgphoton.hwsim.aware import noisy_stack
from ecgphoton.hwsim.noise import shot_noise, thermal_noise
from ecgphoton.hwsim.propagate import ChipDetector, plan_powers
from ecgphoton.hwsim.readout import Readout, quantize
from ecgphoton.hwsim.streams import chip_rng, shot_generator
from ecgphoton.hwsim.weights import Carrier, Chips, WeightChips
from ecgphoton.student.activations import TANH
from ecgphoton.student.propagate import Block, IdealDetector, walk


def detector(student, present, sigma, *, shots=1, sampled=False, first=0, **more):
    """Return a detector of `shots` copies of the student's own chip."""
    stack = student.stack()
    additive = torch.full_like(stack.biases, sigma)
    streams = [shot_generator(0, first + k, 0) for k in range(shots)]
    readout = more.pop("readout", Readout())
    chips = Chips(stack, additive, relative=more.pop("relative", 0.0))
    powers = plan_powers(stack, additive)
    return ChipDetector(readout, chips, powers, present, streams, sampled=sampled, **more)


def copies(student, count):
    """Return that many perfect chips."""
    return noisy_stack(student.stack(), 0.0, torch.Generator(), chips=count, scale=9.0)


@torch.no_grad()
def test_silence_is_the_student(student, inputs):
    """No noise and a perfect chip give the student's features to 1e-6, by either path."""
    ideal = walk(student.stack(), inputs, student.architecture, IdealDetector(TANH))
    for sampled in (False, True):
        quiet = detector(student, len(inputs), 0.0, sampled=sampled)
        seen = walk(student.stack(), inputs, student.architecture, quiet)
        assert (seen - ideal).abs().max() < 1e-6


@torch.no_grad()
@pytest.mark.parametrize(("sigma", "relative"), [(0.02, 0.0), (0.1, 0.0), (0.03, 0.05)])
def test_pooled_noise_has_the_distribution_of_sampled_noise(student, inputs, sigma, relative):
    """Moments of tokens agree with a draw for every sample, within five standard errors."""
    part, shots = inputs.rows(slice(0, 4)), 500
    stack = copies(student, shots)
    pair = []
    for sampled in (False, True):
        noisy = detector(
            student,
            len(part),
            sigma,
            shots=shots,
            sampled=sampled,
            first=shots * sampled,
            relative=relative,
            beats=4,
        )
        branch = student.architecture.sliding[1]
        pair.append(noisy.pooled(stack.block(1), part.window[:, 120:240], branch))
    fast, slow = (tokens.double() for tokens in pair)
    error = slow.std(0) / math.sqrt(shots)
    z = (fast.mean(0) - slow.mean(0)) / (error * math.sqrt(2))
    assert z.abs().max() < 5
    assert z.pow(2).mean() < 1 + 5 * math.sqrt(2 / z.numel())  # mean of squared normals
    # Saturated tokens hardly move; what counts is their deviation against the liveliest token's.
    scale = slow.std(0).max()
    assert ((fast.std(0) - slow.std(0)).abs() / scale).max() < 5 / math.sqrt(shots)
    lively = slow.std(0) > 0.3 * scale
    assert abs((fast.std(0) / slow.std(0))[lively].mean() - 1) < 0.015
    skew = ((slow - slow.mean(0)) / slow.std(0)).pow(3).mean(0)[lively]
    assert skew.abs().max() < 5 * math.sqrt(6 / shots)  # the pooled draw has none


@torch.no_grad()
def test_noise_enters_before_the_gain(student, inputs):
    """Doubling the amplifier gain doubles the noise behind it."""
    stack = copies(student, 400)
    spread = []
    for factor in (1.0, 2.0):
        block = stack.block(6)
        flat = detector(student, 4, 1e-3, shots=400, beats=4)
        dark = Block(6, block.weight * 0, block.bias * 0, factor * block.gain)
        z = flat.layer(dark, torch.zeros(1, 4, 4))
        spread.append(z.std())
    assert spread[1] / spread[0] == pytest.approx(2, rel=0.02)


def test_static_noise_moments_and_clamping(student):
    """Weights move by N(0, sigma) within five standard errors and never leave [-1, 1]."""
    carrier = Carrier.of(student)
    small = WeightChips(carrier, 1e-3).draw(0, 0, 500).stack.matrices - carrier.stack.matrices
    count = small.numel()
    assert abs(float(small.mean())) < 5e-3 / math.sqrt(count)
    assert abs(float(small.std()) / 1e-3 - 1) < 5 / math.sqrt(2 * count)
    wild = WeightChips(carrier, 1.0).draw(0, 0, 50).stack
    assert wild.matrices.abs().max() == 1.0
    assert wild.biases.abs().max() == 1.0


def test_a_chip_is_the_same_chip_in_any_batch(student):
    """Chip 7 alone equals chip 7 of a batch, and differs from chip 8 and from another seed."""
    source = WeightChips(Carrier.of(student), 0.02)
    batch = source.draw(3, 4, 6).stack.matrices
    assert torch.equal(source.draw(3, 7, 1).stack.matrices[0], batch[3])
    assert not torch.equal(batch[3], batch[4])
    assert not torch.equal(source.draw(4, 7, 1).stack.matrices[0], batch[3])
    assert chip_rng(1, 5).normal() == chip_rng(1, 5).normal()


@torch.no_grad()
def test_shot_noise_of_a_beat_does_not_depend_on_what_follows(student, inputs):
    """The first beats of a block see the same noise whether the block is full or not."""
    answers = []
    for beats in (40, 200):
        part = inputs.rows(slice(0, beats))
        noisy = detector(student, beats, 0.05)
        answers.append(walk(student.stack(), part, student.architecture, noisy)[:, :40])
    assert torch.allclose(answers[0], answers[1], atol=1e-6)


@torch.no_grad()
def test_converters_round_and_more_bits_round_less(student, inputs):
    """Error against no converter shrinks about fourfold for two more bits, in both readouts."""
    ideal = walk(student.stack(), inputs, student.architecture, IdealDetector(TANH))
    for pooling in ("analog", "digital"):
        errors = []
        for bits in (6, 8, 10):
            readout = Readout(TANH, pooling, bits, bits)
            quiet = detector(student, len(inputs), 0.0, readout=readout)
            seen = walk(student.stack(), inputs, student.architecture, quiet)
            errors.append((seen - ideal).square().mean().sqrt())
        assert errors[0] > 2.5 * errors[1] > 6 * errors[2]


def test_quantize_is_symmetric_and_clips():
    """Three bits have the seven levels -1, -2/3 ... 1."""
    levels = quantize(torch.linspace(-1.5, 1.5, 301), 3).unique()
    assert torch.allclose(levels, torch.arange(-3, 4) / 3)
    x = torch.tensor([0.3, 2.0], requires_grad=True)
    quantize(x, 4).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


def test_profiles_quote_the_formulas_of_photodetectors():
    """10 uW, 1 MHz, 10 kOhm: SNR about 4500; 100 MHz, 1 kOhm: 225; without an oscillator."""
    for bandwidth, resistance, ratio in ((1e6, 1e4, 4500), (1e8, 1e3, 225)):
        parts = shot_noise(1e-5, bandwidth), thermal_noise(300, resistance, bandwidth)
        assert 1e-5 / math.hypot(*parts) == pytest.approx(ratio, rel=0.05)


def test_noise_aware_gradients(student, inputs):
    """Static and per-shot noise leave finite gradients, close to finite differences."""
    part = inputs.rows(slice(0, 16))
    stack = student.stack()
    chip = noisy_stack(stack, 0.03, torch.Generator().manual_seed(1))
    parts = [part.detach().clone().requires_grad_(True) for part in chip]
    chip = type(chip)(*parts)

    def loss(stack):
        noisy = detector(student, 16, 0.05, beats=16)
        return walk(stack, part, student.architecture, noisy).square().mean()

    loss(chip).backward()
    for index, (tensor, where) in enumerate([(parts[0], (0, 1, 2, 1)), (parts[2], (0, 1))]):
        ends = []
        for step in (1e-2, -1e-2):
            moved = [part.detach().clone() for part in parts]
            moved[2 * index][where] += step
            ends.append(float(loss(type(chip)(*moved)).detach()))
        slope = (ends[0] - ends[1]) / 2e-2
        assert float(tensor.grad[where]) == pytest.approx(slope, rel=0.05, abs=2e-5)

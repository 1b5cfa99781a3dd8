"""Receivers from physics are the two photodiodes of the oracle, on a bench and on beats."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from photocurrents import laser_noise, noise, reading

from ecgphoton.errors import InputError
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import Quantization, quantize
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.noise import received_noise
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.propagate import ChipDetector
from ecgphoton.hwsim.readout import Readout

KINDS = ("balanced", "hybrid", "intensity")
STATE = {"detector.splitter_sigma": 0.03, "detector.lo_phase": 0.2, "dac.bits": 0}
MORE = {"receiver.lo_power": 0.7, "receiver.signal_power": 0.02, "receiver.responsivity": 0.9}
QUIET = {"receiver.noise": 0.0, "receiver.rin": 0.0}


def profile_of(kind, **numbers):
    """Return an imperfect receiver of a kind, with some numbers."""
    return Profile({**STATE, **MORE, **numbers}, receiver=kind)


def oracle_of(chip):
    """Return the state of a chip's receivers (C, K, 4, 1) as the oracle takes it."""
    number, hybrid = chip.profile.__getitem__, chip.profile.receiver == "hybrid"

    def drawn(key):
        return number(key) * chip.normals[key].numpy()[..., None] if key in chip.normals else 0.0

    return {
        "signal": 1e-3 * number("receiver.signal_power"),
        "oscillator": 1e-3 * number("receiver.lo_power"),
        "responsivity": number("receiver.responsivity"),
        "error": drawn("detector.splitter_sigma"),
        "phase": drawn("detector.lo_phase"),
        "cmrr": number("receiver.cmrr") if "receiver.cmrr" in chip.receiver.keys else 0.0,
        "gain": number("receiver.iq_gain") if hybrid else 0.0,
        "skew": number("receiver.iq_phase") if hybrid else 0.0,
    }


def amplifier_of(chip):
    """Return the numbers of a chip's amplifiers as the oracle takes them."""
    number = chip.profile.__getitem__
    keys = {"bandwidth": "bandwidth", "resistance": "resistance", "temperature": "temperature"}
    found = {name: number(f"receiver.{key}") for name, key in (keys | {"bits": "adc_bits"}).items()}
    return found | {"dark": 1e-9 * number("receiver.dark_current")}


def light(count=6):
    """(4, count) complex inputs within the unit square."""
    draw = np.random.default_rng(1)
    return draw.uniform(-1, 1, (4, count)) + 1j * draw.uniform(-1, 1, (4, count))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zero", [0.0, 1.0])
def test_readings_are_two_photocurrents(program, volts, kind, zero):
    """A reading is what the electronics makes of the photocurrents, to 1e-12."""
    chip = Foundry(profile_of(kind, **QUIET, **{"receiver.zero": zero})).chips(0, 0, 3, program)
    fields = (chip.field(chip.phases(volts)) @ torch.as_tensor(light())).numpy()
    expected = np.stack(
        [reading(kind, one, zero=bool(zero), **part) for one, part in _single(chip, fields)]
    )
    assert np.abs(chip.respond(volts, light()).numpy() - expected).max() < 1e-12


def _single(chip, fields):
    """Yield fields and receivers of every chip, for the oracle takes numbers or fields' shapes."""
    state = oracle_of(chip)
    for k, field in enumerate(fields):
        shaped = {name: value[k] if np.ndim(value) else value for name, value in state.items()}
        yield field, shaped


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_receiver_reads_the_real_part(program, volts, kind):
    """Without errors only the square of a single photodiode is left besides Re E."""
    perfect = dict.fromkeys(("receiver.cmrr", "receiver.iq_gain", "receiver.iq_phase"), 0.0)
    numbers = {**dict.fromkeys(STATE, 0.0), **QUIET, **perfect}
    chip = Foundry(profile_of(kind, **numbers)).chip(0, 0, program)
    field = (chip.field(chip.phases(volts)) @ torch.as_tensor(light())).numpy()
    left = np.abs(field) ** 2 / (2 * math.sqrt(0.7 / 0.02)) if kind == "intensity" else 0.0
    assert np.abs(chip.respond(volts, light()).numpy() - field.real - left).max() < 1e-12


def test_a_hybrid_turns_back_the_phase(program, volts):
    """A hybrid without I/Q errors reads Re E at any phase; a balanced pair does not."""
    errors = {"detector.splitter_sigma": 0.0, "receiver.cmrr": 0.0, **QUIET}
    gap = {}
    aligned = dict.fromkeys(("receiver.iq_gain", "receiver.iq_phase"), 0.0)
    for kind, more in (("balanced", {}), ("hybrid", aligned)):
        chip = Foundry(profile_of(kind, **errors, **more)).chip(0, 0, program)
        field = chip.field(chip.phases(volts)) @ torch.as_tensor(light())
        gap[kind] = float((chip.respond(volts, light()) - field.real).abs().max())
    assert gap["hybrid"] < 1e-12 < 0.05 < gap["balanced"]


@pytest.mark.parametrize("kind", KINDS)
def test_noise_of_a_reading(program, volts, kind):
    """Shot, thermal and converter noise of 4,000 readings, to five standard errors."""
    numbers = {"receiver.rin": 0.0, "receiver.signal_power": 1e-4, "receiver.lo_power": 1e-3}
    chip = Foundry(profile_of(kind, **numbers, **{"receiver.adc_bits": 8})).chip(0, 0, program)
    field = np.repeat(light(1), 4000, 1)
    silent = chip.respond(volts, field)
    seen = (chip.respond(volts, field, generator=torch.Generator().manual_seed(0)) - silent).numpy()
    fields = (chip.field(chip.phases(volts)) @ torch.as_tensor(light(1))).numpy()
    ((one, state),) = _single(chip, fields)
    unit = seen[0] / noise(kind, one, **amplifier_of(chip), **state)
    assert abs(unit.mean()) < 5 / math.sqrt(unit.size)
    assert abs(unit.std() - 1) < 5 / math.sqrt(2 * unit.size)
    assert np.abs(unit.std(-1) - 1).max() < 5.5 / math.sqrt(2 * 4000)


@pytest.mark.parametrize("kind", KINDS)
def test_laser_noise_is_common(program, volts, kind):
    """Laser noise has the oracle's size and is one draw for all detectors of a shot."""
    profile = profile_of(kind, **{"receiver.noise": 0.0, "receiver.rin": -90.0})
    chip = Foundry(profile).chip(0, 0, program)
    field = np.repeat(light(1), 4000, 1)
    silent = chip.respond(volts, field)
    seen = (chip.respond(volts, field, generator=torch.Generator().manual_seed(0)) - silent).numpy()
    fields = (chip.field(chip.phases(volts)) @ torch.as_tensor(light(1))).numpy()
    ((one, state),) = _single(chip, fields)
    unit = seen[0] / laser_noise(kind, one, decibels=-90.0, bandwidth=1e6, **state)
    assert abs(unit[0, 0].std() - 1) < 5 / math.sqrt(2 * 4000)
    assert np.abs(unit - unit[0, 0]).max() < 1e-6


def test_the_hybrid_pays_three_decibels():
    """One quadrature has half the ratio of signal to shot noise, in power."""
    given = {"bandwidth": 1e6, "resistance": 1e4, "dark_current": 0.0}
    whole, half = (received_noise(1e-5, 1e-3, share=share, **given) for share in (1.0, 0.5))
    assert half["shot"] / whole["shot"] == pytest.approx(math.sqrt(2))
    assert half["thermal"] / whole["thermal"] == pytest.approx(2)
    assert whole["total"] == pytest.approx(math.hypot(whole["shot"], whole["thermal"]))
    with pytest.raises(InputError, match="oscillator is 0"):
        received_noise(1e-5, 0, **given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mesh", ["svd-clements", "real-part"])
@pytest.mark.parametrize("zero", [0.0, 1.0])
def test_beats_see_what_a_bench_reads(student, inputs, point, kind, mesh, zero):
    """Every block on beats answers ``tanh(gain (reading + bias))`` with the bench's reading."""
    ranges = np.tile([-3.0, 3.0], (len(student.architecture.blocks), 1))
    codes, classes = quantize(student, ranges, Quantization()), ["normal", "abnormal"]
    program = lower(codes, mesh=mesh, operating_point=point, classes=classes)[0]
    foundry = Foundry(profile_of(kind, **QUIET, **{"receiver.zero": zero, "splitter.sigma": 0.1}))
    source = mesh_source(program, inputs, foundry)
    chips, chip = source.draw(0, 0, 2), foundry.chips(0, 0, 2, program)
    x = torch.as_tensor(light(40).real)
    detector = ChipDetector(Readout(), chips, (), 40, ())
    readings = chip.scale[..., None] * chip.respond(source.wanted, x)
    stack = source.carrier.stack
    for index in range(len(program.blocks)):
        seen = detector.layer(chips.stack.block(index), x.float()[None])
        bias, gain = stack.biases[:, index, :, None], stack.gains[:, index, None, None]
        expected = torch.tanh(gain * (readings[:, index] + bias))
        assert (seen - expected).abs().max() < 2e-5


@pytest.mark.parametrize("kind", KINDS)
def test_noise_on_beats_is_that_of_the_bench(program, volts, inputs, kind):
    """Variance of one detector and covariance of two, of 20,000 shots, agree with the oracle."""
    profile = profile_of(kind, **{"receiver.rin": -92.0, "receiver.lo_power": 0.02})
    source = mesh_source(program, inputs, Foundry(profile.only(*profile.active[-2:])))
    chips, shots = source.nominal(), 20000
    x = torch.tensor([0.5, -0.4, 0.3, 0.6])
    stack = chips.stack._replace(gains=torch.full_like(chips.stack.gains, 1e-3))
    draw = (torch.Generator().manual_seed(0),)
    detector = ChipDetector(Readout(), chips._replace(relative=0.0), (), 1, draw, beats=1)
    noisy = detector.layer(stack.block(5), x[:, None].expand(1, 4, shots)) / 1e-3
    chip = source.perfect
    field = (chip.field(chip.phases(volts))[0, 5].numpy() @ x.double().numpy())[:, None]
    laser = laser_noise(kind, field, decibels=-92.0, bandwidth=1e6, **oracle_of(chip))[:, 0]
    scale = float(chip.scale[5, 0])
    own = chips.additive[0, 5].double().numpy() ** 2
    expected = scale**2 * np.outer(laser, laser) + np.diag(own)
    variance = np.diag(expected)
    error = np.sqrt((np.outer(variance, variance) + expected**2) / shots)
    assert (np.abs(np.cov(noisy[0].double().numpy()) - expected) < 5 * error).all()
    rows = chip.field(chip.phases(volts))[0, 5]
    power = torch.einsum("ij,jk,ik->i", rows, source.input_moments[5] + 0j, rows.conj()).real
    each = [
        noise(kind, sign * np.sqrt(power.numpy()) + 0j, **amplifier_of(chip), **oracle_of(chip))
        for sign in (1, -1)
    ]
    assert np.allclose(own, scale**2 * np.mean(np.square(each), 0), rtol=1e-5)

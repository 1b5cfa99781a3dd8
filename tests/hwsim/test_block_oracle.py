"""A block with all independent errors at once is what docs/physics.md says, to 1e-12."""

import math

import block_oracle as oracle
import numpy as np
import pytest
import torch

from ecgphoton.decision import LargestProbability
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import quantize
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.propagate import ChipDetector
from ecgphoton.hwsim.readout import Readout
from ecgphoton.student.propagate import IdealDetector, Tapped, walk

SIZES = {
    "link.extinction_db": 13.0,
    "link.depth": 1.1,
    "dac.bits": 9,
    "heater.spread": 0.02,
    "heater.curvature": 0.03,
    "heater.crosstalk": 0.02,
    "heater.crosstalk_length": 90.0,
    "heater.crosstalk_spread": 0.3,
    "phase.offset": 0.1,
    "phase.static": 0.3,
    "time.drift": 0.02,
    "time.hours": 9.0,
    "splitter.sigma": 0.05,
    "loss.mzi_sigma_db": 0.2,
    "loss.mzi_db": 0.4,
    "loss.shifter_db": 0.1,
    "detector.gain_sigma": 0.05,
    "detector.offset_sigma": 0.03,
    "detector.lo_phase": 0.2,
}
COUNT, SHOTS = 3, 4000
MZIS = {"svd-clements": 9, "svd-reck": 11, "real-part": 4}
"""Interferometers in a row, which a mean loss counts."""


@pytest.fixture(scope="module", params=oracle.KINDS)
def lowered(request, student):
    """Return the student's program on every kind of mesh."""
    ranges = np.tile([-4.0, 4.0], (len(student.architecture.blocks), 1))
    codes, classes = quantize(student, ranges), ["n", "a"]
    kind = request.param
    return lower(codes, operating_point=LargestProbability(), classes=classes, mesh=kind)[0]


def errors_of(chips, name, chip, block):
    """Size times draws of an effect in one block."""
    return SIZES[name] * chips.normals[name][chip, block].numpy()


def test_readings_of_a_block_with_every_error(lowered) -> None:
    """From drives of modulators and wanted voltages to readings, chip by chip."""
    kind = lowered.mesh
    chips = Foundry(Profile(SIZES)).chips(0, 0, COUNT, lowered)
    wanted = lowered.device.dac.volts_for(lowered.phases)
    drive = np.random.default_rng(0).uniform(-1, 1, (4, 5))
    bent = Readout(depth=SIZES["link.depth"]).drive(torch.as_tensor(drive))
    found = chips.respond(chips.driven(wanted[None]), chips.sent(bent)).numpy()
    dac = chips.device.dac
    for chip in range(COUNT):
        for block in range(len(lowered.blocks)):

            def drawn(name, at=(chip, block)):
                return errors_of(chips, name, *at)

            asked = lowered.phases[block]
            volts = oracle.coded(asked, bits=9, v_pi=dac.v_pi, v_max=dac.v_max)
            phases = oracle.heated(
                kind,
                volts,
                v_pi=dac.v_pi,
                spread=drawn("heater.spread"),
                curvature=drawn("heater.curvature"),
                share=errors_of(chips, "heater.crosstalk", chip, 0).item(),
                length=SIZES["heater.crosstalk_length"],
            )
            phases += drawn("phase.offset") + 2 * np.pi * drawn("phase.static")
            phases += 3 * drawn("time.drift")
            matrix = oracle.field(
                kind,
                phases,
                drawn("splitter.sigma"),
                drawn("loss.mzi_sigma_db"),
                mzi_db=SIZES["loss.mzi_db"],
                shifter_db=SIZES["loss.shifter_db"],
            )
            signs = chips.normals["link.extinction_db"][chip, block].numpy()[:, None]
            light = oracle.modulated(drive, decibels=13.0, sign=signs, depth=1.1)
            seen = np.exp(1j * drawn("detector.lo_phase"))[:, None] * (matrix @ light)
            gain, offset = (drawn(f"detector.{name}_sigma") for name in ("gain", "offset"))
            reading = (1 + gain)[:, None] * seen.real + offset[:, None]
            np.testing.assert_allclose(found[chip, block], reading, rtol=0, atol=1e-12)


def test_the_amplifier_restores_the_mean_loss(lowered) -> None:
    """An otherwise perfect chip performs the program, whatever a path loses."""
    lossy = Profile({"dac.bits": 0, "loss.mzi_db": 0.4, "loss.shifter_db": 0.1})
    chip = Foundry(lossy).chip(0, 0, lowered)
    volts = lowered.device.dac.volts_for(lowered.phases)[None]
    assert chip.boost == pytest.approx(10 ** ((MZIS[lowered.mesh] * 0.4 + 0.1) / 20))
    assert np.abs(chip.matrices(volts)[0].numpy() - lowered.matrices()).max() < 1e-12


def test_jitter_scatters_readings_and_beats(lowered, inputs) -> None:
    """Readings of many shots have the variance of the exact slopes, to five standard errors.

    The noise on beats is its root mean square over the inputs, whose correlation counts.
    """
    source = mesh_source(lowered, inputs, Foundry(Profile({"dac.bits": 0, "time.jitter": 1e-3})))
    light = np.array([0.9, -0.4, 0.6, 0.2])
    shots = source.wanted.expand(SHOTS, -1, -1)
    draw = torch.Generator().manual_seed(0)
    seen = source.perfect.respond(shots, light[:, None], generator=draw).numpy()[..., 0]
    for block, phases in enumerate(lowered.phases):
        slopes = oracle.slopes(lowered.mesh, phases)
        wanted = 1e-6 * ((slopes @ light) ** 2).sum(0)
        scatter = seen[:, block].var(0, ddof=1)
        assert (np.abs(scatter / wanted - 1) < 5 * math.sqrt(2 / SHOTS)).all()
        moments = source.input_moments[block].numpy()
        power = 1e-6 * np.einsum("hij,jk,hik->i", slopes, moments, slopes)
        noise = lowered.blocks[block].scale * np.sqrt(power)
        np.testing.assert_allclose(source.additive[0, block].numpy(), noise, rtol=1e-5)


def test_moments_of_a_branch_are_those_of_its_windows(lowered, inputs) -> None:
    """Four neighbouring samples are one input, so their products are those of sliding windows."""
    source, segments = mesh_source(lowered, inputs, Foundry(Profile({}))), []

    def note(_, x, branch) -> None:
        if branch is not None:
            windows = np.lib.stride_tricks.sliding_window_view(x.double().numpy(), 4, axis=1)
            segments.append(windows[:, : branch.positions].reshape(-1, 4))

    carrier = source.carrier
    tapped = Tapped(IdealDetector(carrier.architecture.response), note)
    walk(carrier.stack, inputs, carrier.architecture, tapped)
    for windows, moments in zip(segments, source.input_moments.numpy(), strict=False):
        np.testing.assert_allclose(moments, windows.T @ windows / len(windows), rtol=1e-6)
        assert moments[0, 1] > 0.9 * moments[0, 0]  # neighbours are alike


@pytest.mark.parametrize("receiver", ["homodyne", "balanced", "intensity"])
def test_beats_see_the_leak_that_a_bench_reads(lowered, inputs, receiver) -> None:
    """Every block on beats answers ``tanh(gain (reading + bias))`` with leaking modulators."""
    numbers = {"link.extinction_db": 12.0, "link.depth": 1.3, "phase.offset": 0.1, "dac.bits": 0}
    silent = {} if receiver == "homodyne" else {"receiver.noise": 0.0, "receiver.rin": 0.0}
    foundry = Foundry(Profile({**numbers, **silent}, receiver=receiver))
    source = mesh_source(lowered, inputs, foundry)
    chips, chip = source.draw(0, 0, 2), foundry.chips(0, 0, 2, lowered)
    x = torch.as_tensor(np.random.default_rng(0).uniform(-1, 1, (4, 40)))
    readout = Readout(depth=1.3)
    detector = ChipDetector(readout, chips, (), 40, ())
    readings = chip.scale[..., None] * chip.respond(source.wanted, chip.sent(readout.drive(x)))
    stack = source.carrier.stack
    for index in range(len(lowered.blocks)):
        seen = detector.layer(chips.stack.block(index), x.float()[None])
        bias, gain = stack.biases[:, index, :, None], stack.gains[:, index, None, None]
        expected = torch.tanh(gain * (readings[:, index] + bias))
        assert (seen - expected).abs().max() < 3e-5

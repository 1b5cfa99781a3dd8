"""The link budget: power from the laser to the photodiodes, and what it does to readings."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import link_oracle
import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.budget import Budget
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.effects.optics import mesh_loss
from ecgphoton.hwsim.link import SETS, link_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.mesh.device import Device
from ecgphoton.program.blocks import nearest_codes

LOSSES = {
    "link.coupler_db": 0.7,
    "link.splitter_db": 0.1,
    "link.modulator_db": 4.5,
    "link.output_db": 0.5,
    "loss.mzi_db": 0.3,
    "loss.shifter_db": 0.2,
}
LIGHT = {"link.laser": 10.0, "link.oscillator": 0.4, "link.rate": 2e6}
QUIET = {"receiver.adc_bits": 0, "receiver.rin": 0, "receiver.cmrr": 0, "receiver.zero": 0}


def lit(**changed: float) -> Profile:
    """Return a profile with a light path and balanced receivers, and nothing else wrong."""
    numbers = {"dac.bits": 0, **LIGHT, **LOSSES, **QUIET, "receiver.dark_current": 5.0}
    return Profile({**numbers, **changed}, receiver="balanced")


def link(profile: Profile):
    """Link budget of a block."""
    return link_of(profile.__getitem__, Device())


def test_lossless_paths_share_all_the_light() -> None:
    """Four signals and four oscillators have the laser's power together, and each its part."""
    found = link(lit(**dict.fromkeys(LOSSES, 0.0)))
    signal, oscillator = found.signal[-1].power, found.oscillator[-1].power
    assert 4 * (signal + oscillator) == pytest.approx(10e-3, rel=1e-12)
    assert oscillator / signal == pytest.approx(0.4 / 0.6, rel=1e-12)


def test_every_loss_is_subtracted_once() -> None:
    """The last stage lies below the lossless one by the sum of the losses on its path."""
    dark, clear = link(lit()), link(lit(**dict.fromkeys(LOSSES, 0.0)))
    signal = 0.7 + 2 * 0.1 + 4.5 + 9 * 0.3 + 0.2 + 0.5
    assert clear.signal[-1].dbm - dark.signal[-1].dbm == pytest.approx(signal, abs=1e-9)
    assert clear.oscillator[-1].dbm - dark.oscillator[-1].dbm == pytest.approx(1.4, abs=1e-9)
    assert dark.mesh_db == pytest.approx(2.9)


def test_noise_falls_with_the_laser_as_physics_has_it() -> None:
    """Ten times the light: a tenth of the thermal noise, and 1 / sqrt(10) of the shot noise."""
    one, ten = (
        link(lit(**{"link.laser": power, "receiver.dark_current": 0.0})).noise
        for power in (1.0, 10.0)
    )
    assert ten["thermal"] == pytest.approx(one["thermal"] / 10)
    assert ten["shot"] == pytest.approx(one["shot"] / math.sqrt(10))


def test_a_profile_with_a_laser_sets_its_receivers(program) -> None:
    """Powers and bandwidth follow from the light path, again when the laser changes."""
    profile = lit()
    found = link(profile)
    left = 10 ** (-found.mesh_db / 10)
    assert profile["receiver.signal_power"] * left == pytest.approx(1e3 * found.signal[-1].power)
    assert profile["receiver.lo_power"] == pytest.approx(1e3 * found.oscillator[-1].power)
    assert profile["receiver.bandwidth"] == 1e6
    weak = profile.with_value("link.laser", 1.0)
    assert all(weak[key] == pytest.approx(profile[key] / 10) for key in SETS[:2])
    reading = Foundry(weak).perfect(program).reading
    assert reading.oscillator == pytest.approx(
        math.sqrt(weak["receiver.lo_power"] / weak["receiver.signal_power"])
    )


def test_what_the_budget_sets_is_not_stated_beside_it(tmp_path: Path) -> None:
    """Neither by a change nor in a file; and a laser alone is no light path."""
    with pytest.raises(InputError, match=r"receiver.lo_power is given beside link.laser"):
        lit().with_value("receiver.lo_power", 2.0)
    text = "[link]\nlaser = 1.0\noscillator = 0.5\nrate = 1e6\n"
    path = tmp_path / "both.toml"
    path.write_text(f"{text}[receiver]\nbandwidth = 3.0\n")
    with pytest.raises(InputError, match=r"receiver.bandwidth is given beside link.laser"):
        load_profile(path)
    with pytest.raises(InputError, match=r"'custom': it does not state link.oscillator, link"):
        Profile({"link.laser": 1.0}, receiver="balanced")
    with pytest.raises(InputError, match=r"does not state link.laser"):
        link(Profile())


@pytest.mark.parametrize("key", ["loss.mzi_db", "loss.splitter_db", "loss.shifter_db"])
def test_every_part_of_the_loss_acts_alone(program, key) -> None:
    """Nine MZIs with two splitters each, and one shifter behind: in chips and in the budget."""
    times = {"loss.mzi_db": 9, "loss.splitter_db": 18, "loss.shifter_db": 1}[key]
    profile = Profile({"dac.bits": 0, key: 0.3})
    assert mesh_loss(profile.__getitem__, program.device) == pytest.approx(0.3 * times)
    chip, whole = (Foundry(p).perfect(program) for p in (profile, Profile({"dac.bits": 0})))
    volts = program.device.dac.volts_for(program.phases)[None]
    fields = [one.field(one.phases(volts)) for one in (chip, whole)]
    assert torch.allclose(fields[0], fields[1] * 10 ** (-0.3 * times / 20), atol=1e-14)
    assert chip.boost == pytest.approx(10 ** (0.3 * times / 20))


def test_one_block_from_the_laser_to_a_code(program) -> None:
    """Readings to 1e-12, noise to five standard errors, codes equal to those of the oracle."""
    profile = lit(**{"detector.splitter_sigma": 0.03})
    chip = Foundry(profile).chip(0, 0, program)
    error = 0.02
    normals = torch.full_like(chip.normals["detector.splitter_sigma"], error / 0.03)
    chip = replace(chip, normals={"detector.splitter_sigma": normals})
    inputs = [0.9, -0.4, 0.25, -1.0]
    volts = program.device.dac.volts_for(program.phases)[None]
    row = program.phases[0]
    phases = {
        "v_theta": row[:6], "v_phi": row[6:12], "attenuator": row[12:16],
        "u_theta": row[16:22], "u_phi": row[22:28], "output": row[28:],
    }  # fmt: skip
    names = ("laser", "oscillator", "coupler_db", "splitter_db", "modulator_db", "output_db")
    path = {name: profile[f"link.{name}"] for name in names}
    path |= {name: profile[f"loss.{name}"] for name in ("mzi_db", "shifter_db")}
    receiver = {
        "splitter": error, "responsivity": 1.0, "resistance": 1e4, "temperature": 300.0,
        "dark": 5e-9, "bandwidth": 1e6,
    }  # fmt: skip
    wanted, noise = link_oracle.read(path, receiver, phases, inputs)
    light = torch.tensor(inputs, dtype=torch.float64)[:, None].expand(4, 4000)
    silent = chip.respond(volts, light)[0, 0]
    assert silent[:, 0].numpy() == pytest.approx(wanted, abs=1e-12)
    noisy = chip.respond(volts, light, generator=torch.Generator().manual_seed(1))[0, 0]
    ratio = (noisy - silent).std(1).numpy() / noise
    assert ratio == pytest.approx(np.ones(4), abs=5 / math.sqrt(2 * 4000))
    block, factor = program.blocks[0], float(chip.scale[0])
    codes = link_oracle.code(
        wanted, factor=factor, bias=block.bias, gain=block.gain,
        low=block.adc_low, high=block.adc_high, bits=block.adc_bits,
    )  # fmt: skip
    value = block.gain * (factor * silent[:, 0] + torch.as_tensor(block.bias))
    found = nearest_codes(value, block.adc_bits, block.adc_low, block.adc_high)
    assert found.numpy() == pytest.approx(codes)


@pytest.mark.parametrize("kind", ["balanced", "hybrid", "intensity"])
def test_the_noise_of_the_budget_is_that_of_chips(program, kind) -> None:
    """A perfect chip that reads an input of 1 through a weight of 1 scatters by what is stated."""
    numbers = {"receiver.noise": 3.0, "receiver.rin": -95.0, "detector.noise": 1e-3,
               "detector.rin": 2e-3, "receiver.adc_bits": 10}  # fmt: skip
    profile = Profile({"dac.bits": 0, **LIGHT, **LOSSES, **numbers}, receiver=kind)
    budget = Budget(program, profile)
    chip = Foundry(profile).chip(0, 0, program)
    wanted = np.zeros_like(program.phases)
    wanted[:, program.device.attenuators] = np.pi  # lossless paths through the mesh
    volts = torch.as_tensor(program.device.dac.volts_for(wanted))[None]
    field = chip.field(chip.phases(volts))[0, 0]
    light = torch.linalg.inv(field) @ torch.tensor([1.0, 0, 0, 0], dtype=torch.complex128)
    light = (light * budget.link.left)[:, None].expand(4, 20000)
    noisy = chip.respond(volts, light, generator=torch.Generator().manual_seed(2))[0, 0, 0]
    total = math.hypot(*budget.link.noise.values())
    assert float(noisy.std()) == pytest.approx(total, rel=0.02)
    assert budget.link.snr_db == pytest.approx(20 * math.log10(budget.link.left / total))


def test_a_silent_receiver_has_no_ratio(program) -> None:
    """Without any noise the budget gives no ratio of signal to noise, instead of dividing by 0."""
    silent = Budget(program, lit(**{"receiver.noise": 0.0}))
    assert silent.link.snr_db is None
    assert silent.to_dict()["snr_db"] is None


def test_without_a_laser_powers_are_stated_or_usual() -> None:
    """What followed from the laser goes with it: no number stays that nobody stated."""
    profile = lit().with_settings(["link.laser=0", "receiver.lo_power=2"])
    assert profile["receiver.lo_power"] == 2.0
    assert profile["receiver.signal_power"] == 0.01
    assert load_profile("foundry-thermo-optic:full-link").read_by("homodyne").receiver == "homodyne"
    again = Profile(receiver="balanced").with_settings(
        ["link.oscillator=0.4", "link.rate=2e6", "link.laser=10"]
    )
    assert again["receiver.lo_power"] == pytest.approx(1.0)
    with pytest.raises(InputError, match=r"receiver.signal_power is given beside link.laser"):
        Profile({**LIGHT, "receiver.signal_power": 5.0}, receiver="balanced")


def test_a_stated_power_is_never_replaced() -> None:
    """Not where it is the usual one either; what follows may be stated again as it is."""
    usual = {"receiver.signal_power": Profile()["receiver.signal_power"]}
    for beside in (
        lambda: Profile({**LIGHT, **usual}, receiver="balanced"),
        lambda: Profile({**LIGHT, "link.laser": 0.0, **usual}, receiver="balanced").with_value(
            "link.laser", 10.0
        ),
    ):
        with pytest.raises(InputError, match=r"receiver.signal_power is given beside link.laser"):
            beside()
    made = lit()
    assert Profile(dict(made.numbers), receiver="balanced") == replace(made, name="custom")
    assert deepcopy(made).stated == made.stated


def test_a_strong_laser_is_no_error_of_a_power() -> None:
    """What follows from the laser stays where errors are left out, whatever a profile may state."""
    numbers = {"link.laser": 1e4, "link.oscillator": 0.6, "link.rate": 2e6}
    full = Profile({**numbers, "splitter.sigma": 0.02}, receiver="balanced")
    alone = full.only()
    assert [full[key] for key in SETS] == pytest.approx([1000, 1500, 1e6])
    assert [alone[key] for key in SETS] == [full[key] for key in SETS]
    assert alone["splitter.sigma"] == 0
    assert alone.with_value("link.laser", 1e3)["receiver.lo_power"] == pytest.approx(150)


def test_a_modulator_bends_what_it_is_driven_with(student, inputs, label, point) -> None:
    """sin(d x) / sin d: exact at 0 and at 1, linear for little drive, and part of a simulation."""
    x = torch.linspace(-1, 1, 21, dtype=torch.float64)
    deep = Readout(depth=math.pi / 2).drive(x)
    assert torch.allclose(deep, torch.sin(x * math.pi / 2), atol=1e-15)
    assert torch.allclose(Readout(depth=0.01).drive(x), x, atol=1e-5)
    trials = [
        trial_of(student, inputs, label, point, profile=Profile({"dac.bits": 0, "link.depth": d}))
        for d in (0.0, 1.2)
    ]
    straight, bent = (trial.perfect() for trial in trials)
    assert np.abs(straight - bent).max() > 1e-3
    with pytest.raises(InputError, match=r"link\.depth is 1e-160; it must be 0 or a number from"):
        Profile({"link.depth": 1e-160})  # its leak would be infinite


def test_the_leak_of_modulators_is_read_only_through_phase_errors(program) -> None:
    """A perfect chip reads nothing of light in quadrature; 20 dB more leak a tenth of it."""
    assert Budget(program, lit(**{"link.extinction_db": 20.0})).leak < 1e-9
    weak, strong = (
        Budget(program, lit(**{"link.extinction_db": decibels, "phase.offset": 0.02})).leak
        for decibels in (40.0, 20.0)
    )
    assert strong == pytest.approx(10 * weak)
    assert weak > 0

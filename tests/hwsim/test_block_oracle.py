"""A block with all independent errors at once is what docs/physics.md says, to 1e-12."""

import block_oracle as oracle
import numpy as np
import pytest

from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile

SIZES = {
    "dac.bits": 9,
    "heater.spread": 0.02,
    "heater.curvature": 0.03,
    "heater.crosstalk": 0.02,
    "heater.crosstalk_length": 90.0,
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
COUNT = 3


def errors_of(chips, name, chip, block):
    """Size times draws of an effect in one block."""
    return SIZES[name] * chips.normals[name][chip, block].numpy()


def test_readings_of_a_block_with_every_error(program) -> None:
    """From wanted voltages over codes, heaters and elements to readings, chip by chip."""
    foundry = Foundry(Profile(SIZES))
    chips = foundry.chips(0, 0, COUNT, program)
    wanted = program.device.exact_volts(program.phases)
    light = np.random.default_rng(0).uniform(-1, 1, (4, 5))
    found = chips.respond(chips.driven(wanted[None]), light).numpy()
    dac = chips.device.dac
    for chip in range(COUNT):
        for block in range(len(program.blocks)):

            def drawn(name, at=(chip, block)):
                return errors_of(chips, name, *at)

            volts = oracle.rounded(wanted[block], 9, dac.v_max)
            phases = oracle.heated(
                volts,
                v_pi=dac.v_pi,
                spread=drawn("heater.spread"),
                curvature=drawn("heater.curvature"),
                share=SIZES["heater.crosstalk"],
                length=SIZES["heater.crosstalk_length"],
            )
            phases += drawn("phase.offset") + 2 * np.pi * drawn("phase.static")
            phases += 3 * drawn("time.drift")
            matrix = oracle.field(
                phases,
                drawn("splitter.sigma"),
                drawn("loss.mzi_sigma_db"),
                mzi_db=SIZES["loss.mzi_db"],
                shifter_db=SIZES["loss.shifter_db"],
            )
            seen = np.exp(1j * drawn("detector.lo_phase"))[:, None] * (matrix @ light)
            gain, offset = (drawn(f"detector.{name}_sigma") for name in ("gain", "offset"))
            reading = (1 + gain)[:, None] * seen.real + offset[:, None]
            np.testing.assert_allclose(found[chip, block], reading, rtol=0, atol=1e-12)


def test_the_amplifier_restores_the_mean_loss(program) -> None:
    """An otherwise perfect chip performs the program, whatever a path loses."""
    lossy = Profile({"dac.bits": 0, "loss.mzi_db": 0.4, "loss.shifter_db": 0.1})
    chip = Foundry(lossy).chip(0, 0, program)
    volts = program.device.exact_volts(program.phases)[None]
    assert chip.boost == pytest.approx(10 ** ((9 * 0.4 + 0.1) / 20))
    assert np.abs(chip.matrices(volts)[0].numpy() - program.matrices()).max() < 1e-12

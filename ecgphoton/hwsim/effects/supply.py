"""Numbers of a profile that change no chip: power and time that its hardware takes."""

from __future__ import annotations

from ecgphoton.hwsim.effects.effect import Number

SUPPLY = {
    "power.p_pi": Number(
        "Electrical power of a phase shift by pi; 0 for shifters that hold a phase without power.",
        1e4,
        "mW",
    ),
    "power.settling": Number("Time until a new phase holds.", 1e9, "us"),
    "power.driver": Number("Power of the electronics of one phase shifter.", 1e4, "mW"),
    "power.wall_plug": Number("Optical power of the laser over its electrical power.", 1.0),
    "power.modulator": Number("Energy of driving one modulator for one symbol.", 1e9, "pJ"),
    "power.dac": Number("Energy of one conversion of an input DAC.", 1e9, "pJ"),
    "power.adc": Number("Energy of one conversion of an ADC.", 1e9, "pJ"),
    "power.receiver": Number("Power of one receiver: photodiodes and amplifier.", 1e4, "mW"),
    "power.control": Number(
        "Power that does not depend on the number of blocks: temperature and control.", 1e6, "mW"
    ),
}
"""Keys that only the budget reads, see `ecgphoton.hwsim.energy`."""

"""Numbers of a profile that change no chip by themselves: light path, power and time.

Those of the light path decide the power at the receivers, see `ecgphoton.hwsim.link`; the others
are read by the budget alone, see `ecgphoton.hwsim.energy`.
"""

from ecgphoton.hwsim.effects.effect import Number

LASER = "link.laser"
LINK = {
    LASER: Number(
        "Optical power of the laser for one block, local oscillators included. A profile that "
        "states it takes the powers and the bandwidth of its receivers from the link budget.",
        1e4,
        "mW",
        least=1e-6,
        better="more",
    ),
    "link.oscillator": Number(
        "Share of the laser's power that goes to the local oscillators.", 0.99, least=0.01
    ),
    "link.coupler_db": Number("Loss from the laser's fibre into the chip.", 30.0, "dB"),
    "link.splitter_db": Number(
        "Excess loss of one 1x2 splitter of the trees that feed inputs and oscillators.", 10.0, "dB"
    ),
    "link.modulator_db": Number("Insertion loss of a modulator at an input of 1.", 30.0, "dB"),
    "link.output_db": Number("Loss from the mesh to the photodiodes.", 30.0, "dB"),
    "link.rate": Number(
        "Symbols per second: inputs modulated and read one after the other.", 1e11, "1/s", least=1.0
    ),
}
"""Keys of the light path from the laser to the photodiodes, besides those of `modulator`."""
SUPPLY = {
    "power.p_pi": Number(
        "Electrical power of a heater or another phase shifter at pi; 0 for one that holds a phase "
        "without power.",
        1e4,
        "mW",
    ),
    "power.settling": Number("Time until a new phase holds.", 1e9, "us"),
    "power.response": Number(
        "Time in which a phase approaches a new one by a factor e: what is left of a change after "
        "`power.settling` follows. 0 for one that is not known.",
        1e9,
        "us",
    ),
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
"""Keys of power and time."""

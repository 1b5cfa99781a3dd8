"""The effect of finite laser power, and the numbers of the light path that it is computed from."""

from __future__ import annotations

from ecgphoton.hwsim.effects.effect import Effect, Number, Reading, Site
from ecgphoton.hwsim.link import link_of

LASER, NOISE = "link.laser", "link.noise"
LINK = {
    LASER: Number(
        "Optical power of the laser for one block, local oscillators included.",
        1e4,
        "mW",
        least=1e-9,
        better="more",
    ),
    "link.oscillator": Number(
        "Share of the laser's power that goes to the local oscillators.", 0.99, least=0.01
    ),
    "link.coupler_db": Number("Loss from the laser's fibre into the chip.", 30.0, "dB"),
    "link.splitter_db": Number(
        "Excess loss of one 1x2 splitter of the tree that feeds inputs and oscillators.", 10.0, "dB"
    ),
    "link.modulator_db": Number("Insertion loss of a modulator at an input of 1.", 30.0, "dB"),
    "link.extinction_db": Number(
        "Extinction of a modulator. Its leak is in quadrature to the signal; the budget states how "
        "much of it is read, chips are simulated without it.",
        100.0,
        "dB",
        better="more",
    ),
    "link.output_db": Number("Loss from the mesh to the photodiodes.", 30.0, "dB"),
    "link.rate": Number(
        "Symbols per second: inputs modulated and read one after the other.", 1e11, "1/s", least=1.0
    ),
    "link.responsivity": Number("Responsivity of a photodiode.", 10.0, "A/W", least=1e-3),
    "link.resistance": Number(
        "Transimpedance, which sets the thermal noise.", 1e12, "ohm", least=1.0
    ),
    "link.dark": Number("Dark current of a photodiode.", 1e6, "nA"),
}
"""Keys of the light path from the laser to the photodiodes."""


def _limited(reading: Reading, factor: float, site: Site) -> Reading:
    """Shot and thermal noise of the powers that the link budget finds."""
    noise = factor * link_of(site.number, site.device).noise
    return reading._replace(white=(reading.white**2 + noise**2).sqrt())


ALL = (
    Effect(
        NOISE,
        Number(
            "Noise of every reading, as a multiple of the shot and thermal noise that the link "
            "budget computes from the laser's power; 1 is the budget's own. It adds to "
            "`detector.noise`, which then stands for amplifiers and converters.",
            1e6,
            "times the budget",
        ),
        "reading",
        _limited,
        shot=True,
        source="`hwsim.link`: Schottky 1918, doi:10.1002/andp.19183622304; Nyquist 1928, "
        "doi:10.1103/PhysRev.32.110",
        also=LINK,
    ),
)

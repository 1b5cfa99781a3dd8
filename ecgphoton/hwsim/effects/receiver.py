"""Effects of receivers: gain, offset and noise of any reading, and the receivers from physics.

These numbers have defaults, which hold as soon as a profile names a receiver that has them; see
`ecgphoton.hwsim.receivers`. The formulas stand in docs/physics.md.
"""

import math

from ecgphoton.hwsim.effects.effect import Effect, Number, Numbers, Reading, Site
from ecgphoton.hwsim.noise import converter_noise, intensity_noise, received_noise

MILLI, NANO = 1e-3, 1e-9
POWER, SIGNAL = "receiver.lo_power", "receiver.signal_power"
BANDWIDTH = "receiver.bandwidth"


def reading_noise(number: Numbers, *, share: float, diodes: int) -> dict[str, float]:
    """Return `received_noise` with the numbers of a profile, and its ``converter``."""
    found = received_noise(
        MILLI * number(SIGNAL),
        MILLI * number(POWER),
        bandwidth=number(BANDWIDTH),
        resistance=number("receiver.resistance"),
        responsivity=number("receiver.responsivity"),
        dark_current=NANO * number("receiver.dark_current"),
        temperature=number("receiver.temperature"),
        share=share,
        diodes=diodes,
    )
    return {**found, "converter": converter_noise(number("receiver.adc_bits"))}


def laser_noise(decibels: float, number: Numbers) -> float:
    """Return the intensity noise of a laser (dB/Hz) over a reading, of the light."""
    return intensity_noise(10 ** (decibels / 10), number(BANDWIDTH))


def _noisy(reading: Reading, factor: float, site: Site) -> Reading:
    """Shot noise of light and dark current, thermal noise, and the noise of the converter."""
    found = reading_noise(site.number, share=reading.share, diodes=reading.diodes)
    own = factor * math.hypot(found["dark"], found["thermal"], found["converter"])
    white = (reading.white**2 + own**2).sqrt()
    return reading._replace(white=white, light=(factor * found["light"]) ** 2)


def _flickering(reading: Reading, decibels: float, site: Site) -> Reading:
    """Intensity of the laser, common to signal, oscillator and all detectors of a shot."""
    return reading._replace(common=math.hypot(reading.common, laser_noise(decibels, site.number)))


ALL = (
    Effect(
        "detector.noise",
        Number(
            "Noise of every reading. With the effective receiver `homodyne` it stands for all of "
            "it, light and electronics; with another one it adds to what `receiver.noise` finds.",
            1.0,
            "of full scale",
        ),
        "reading",
        lambda reading, x, _: reading._replace(white=(reading.white**2 + x**2).sqrt()),
        shot=True,
        source="Shot and thermal noise: Schottky 1918, doi:10.1002/andp.19183622304; Nyquist "
        "1928, doi:10.1103/PhysRev.32.110",
    ),
    Effect(
        "detector.rin",
        Number("Noise of every reading in proportion to it.", 1.0, "of the reading"),
        "reading",
        lambda reading, x, _: reading._replace(relative=math.hypot(reading.relative, x)),
        shot=True,
        source="relative intensity noise of the laser, independent in every detector",
    ),
    Effect(
        "detector.gain_sigma",
        Number("Relative error of a detector's responsivity, which is never below 0.", 1.0),
        "reading",
        lambda reading, x, _: reading._replace(gain=reading.gain * (1 + x[..., None]).clamp_min(0)),
        "path",
        source="mismatch of photodiodes and amplifiers",
    ),
    Effect(
        "detector.offset_sigma",
        Number("Static offset of a reading.", 1.0, "of full scale"),
        "reading",
        lambda reading, x, _: reading._replace(offset=reading.offset + x[..., None]),
        "path",
        source="dark current and amplifier offset",
    ),
    Effect(
        "detector.splitter_sigma",
        Number("Angle error of a receiver's splitter; `homodyne` has none.", math.pi / 4, "rad"),
        "reading",
        lambda reading, x, _: reading._replace(splitter=reading.splitter + x[..., None]),
        "path",
        source="as `splitter.sigma`",
    ),
    Effect(
        "detector.lo_phase",
        Number("Phase error of the local oscillator at every detector.", math.pi, "rad"),
        "reading",
        lambda reading, x, _: reading._replace(phase=reading.phase + x[..., None]),
        "path",
        source="unequal lengths of the oscillator's paths",
    ),
    Effect(
        POWER,
        Number(
            "Power of the local oscillator at every receiver.",
            1e3,
            "mW",
            least=1e-9,
            better="more",
            default=1.0,
        ),
        "reading",
        lambda reading, milliwatts, site: reading._replace(
            oscillator=math.sqrt(milliwatts / site.number(SIGNAL))
        ),
        source="assumption: 1 mW, a hundred times the signal",
        error=False,
        also={
            SIGNAL: Number(
                "Power at every receiver of an input of 1 on a path without loss.",
                1e3,
                "mW",
                least=1e-9,
                better="more",
                default=0.01,
            ),
            BANDWIDTH: Number(
                "Bandwidth of a reading.", 1e12, "Hz", least=1e-3, zero=False, default=1e6
            ),
        },
    ),
    Effect(
        "receiver.zero",
        Number(
            "1 subtracts from every reading the one with the oscillator alone, offsets included; "
            "0 does not.",
            1.0,
            whole=True,
            better="more",
            default=1.0,
        ),
        "reading",
        lambda reading, _, __: reading._replace(zeroed=True),
        source="a reading averaged until its noise does not count: assumption",
        error=False,
    ),
    Effect(
        "receiver.cmrr",
        Number(
            "Common-mode rejection of a photodiode pair and its amplifier, 20 log10 of sum over "
            "difference of the currents under equal light; 0 for perfect.",
            200.0,
            "dB",
            least=1.0,
            better="more",
            default=25.0,
        ),
        "reading",
        lambda reading, x, _: reading._replace(mismatch=10 ** (-x / 20)),
        source="two photocurrents of unequal size: docs/physics.md; 25 dB: assumption",
    ),
    Effect(
        "receiver.iq_gain",
        Number("Relative error of the gain of the second quadrature.", 1.0, default=0.03),
        "reading",
        lambda reading, x, _: reading._replace(iq_gain=x),
        source="Fatadin et al. 2008, doi:10.1109/LPT.2008.2004630; 3 %: assumption",
    ),
    Effect(
        "receiver.iq_phase",
        Number("Phase error between the quadratures.", math.pi / 2, "rad", default=0.087),
        "reading",
        lambda reading, x, _: reading._replace(iq_phase=x),
        source="Fatadin et al. 2008, doi:10.1109/LPT.2008.2004630; 5 degrees: assumption",
    ),
    Effect(
        "receiver.noise",
        Number(
            "Shot, thermal and converter noise, as a multiple of what the numbers of the receiver "
            "give; 1 is their own.",
            1e6,
            "times",
            default=1.0,
        ),
        "reading",
        _noisy,
        shot=True,
        source="`hwsim.noise`: Schottky 1918, doi:10.1002/andp.19183622304; Nyquist 1928, "
        "doi:10.1103/PhysRev.32.110",
        also={
            "receiver.responsivity": Number(
                "Responsivity of a photodiode, 1 by the device table of SimPhony (ScopeX-ASU).",
                10.0,
                "A/W",
                least=1e-3,
                zero=False,
                better="more",
                default=1.0,
            ),
            "receiver.resistance": Number(
                "Transimpedance, which sets the thermal noise; 10 kOhm is an assumption.",
                1e12,
                "ohm",
                least=1.0,
                zero=False,
                better="more",
                default=1e4,
            ),
            "receiver.dark_current": Number(
                "Dark current of a photodiode; 10 nA is an assumption.", 1e6, "nA", default=10.0
            ),
            "receiver.temperature": Number(
                "Temperature of the amplifier; 300 K is an assumption.", 1e3, "K", default=300.0
            ),
            "receiver.adc_bits": Number(
                "Effective bits of the converter over readings of -2 to 2; 0 adds no noise. 10 "
                "bits at 1 MHz are an assumption.",
                24.0,
                "bits",
                least=1.0,
                better="more",
                default=10.0,
            ),
        },
    ),
    Effect(
        "receiver.rin",
        Number(
            "Relative intensity noise of the laser, common to signal and oscillator and to all "
            "detectors of a shot; 0 for none.",
            -80.0,
            "dB/Hz",
            least=-200.0,
            default=-140.0,
        ),
        "reading",
        _flickering,
        shot=True,
        source="-140 dB/Hz over the receiver's bandwidth: assumption",
    ),
)

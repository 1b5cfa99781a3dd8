"""Effects of receivers: responsivity, offset and the noise of a reading."""

import math

from ecgphoton.hwsim.effects.effect import Effect, Number

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
        Number("Relative error of a detector's responsivity.", 1.0),
        "reading",
        lambda reading, x, _: reading._replace(gain=reading.gain * (1 + x[..., None])),
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
)

"""Noise of photodetectors and converters as a fraction of full scale.

Detector full scale is 1 in the units of ``W x``: the reading when one input of 1 meets one weight
of 1. All detector noise is given as a standard deviation in that unit and enters *before* the
amplifier gain, so a large gain amplifies it.
"""

import math

from ecgphoton.errors import require

ELECTRON = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K
LARGEST = 2.0
"""Largest reading: four inputs of 1 that optics without gain bring to one detector."""


def shot_noise(current: float, bandwidth: float) -> float:
    """Return ``sqrt(2 q I B)``, A, of a current (A); doi:10.1002/andp.19183622304."""
    return math.sqrt(2 * ELECTRON * current * bandwidth)


def thermal_noise(temperature: float, resistance: float, bandwidth: float) -> float:
    """Return ``sqrt(4 k T B / R)``, A, of a resistance (ohm); doi:10.1103/PhysRev.32.110."""
    return math.sqrt(4 * BOLTZMANN * temperature * bandwidth / resistance)


def intensity_noise(per_hz: float, bandwidth: float) -> float:
    """Return the relative intensity noise (1/Hz) of light over a bandwidth, of the light."""
    return math.sqrt(per_hz * bandwidth)


def converter_noise(bits: float) -> float:
    """Return the noise of a converter of so many effective bits over readings of -2 to 2.

    A sine of the largest amplitude A has ``A^2 / 2`` over the noise of ``1.5 * 4^bits`` (the
    definition of effective bits, IEEE Std 1241), so the noise is ``A / (sqrt(3) 2^bits)``. With 0
    bits there is no converter.
    """
    return LARGEST / (math.sqrt(3) * 2**bits) if bits else 0.0


def received_noise(
    signal: float,
    oscillator: float,
    *,
    bandwidth: float,
    resistance: float,
    responsivity: float = 1.0,
    dark_current: float = 1e-8,
    temperature: float = 300.0,
    share: float = 1.0,
    diodes: int = 2,
) -> dict[str, float]:
    """Noise of one reading against a local oscillator, as fractions of full scale.

    Full scale is the current ``2 R share sqrt(P_signal P_oscillator)``; see docs/physics.md.

    Parameters
    ----------
    signal, oscillator
        Optical powers at the receiver, W; the signal's at an input of 1 on a path without loss.
    bandwidth, resistance, responsivity, dark_current, temperature
        Hz, ohm, A/W, A of each photodiode, K.
    share
        Share of the light that one reading uses: 1 for a balanced pair, 1/2 for one quadrature of
        a 90 degree hybrid and for a single photodiode behind a coupler.
    diodes
        Photodiodes of one reading.

    Returns
    -------
    dict
        ``shot`` (signal, oscillator and dark current together), ``thermal`` and their root sum of
        squares ``total``. Of ``shot``: ``light`` is the part of a signal at full scale alone (it
        grows with the square root of the light) and ``dark`` that of the dark current.
        ``full_scale`` is the current, A.

    Raises
    ------
    InputError
        If a number is not above 0, or dark current or temperature is negative.
    """
    positive = {"signal": signal, "oscillator": oscillator, "bandwidth": bandwidth,
                "resistance": resistance, "responsivity": responsivity}  # fmt: skip
    for name, value in positive.items():
        require(0 < value < math.inf, f"photodetector {name}", value, "above 0")
    for name, value in {"dark_current": dark_current, "temperature": temperature}.items():
        require(0 <= value < math.inf, f"photodetector {name}", value, "at least 0")
    full_scale = 2 * responsivity * share * math.sqrt(signal * oscillator)
    light = shot_noise(responsivity * share * signal, bandwidth) / full_scale
    dark = shot_noise(diodes * dark_current, bandwidth) / full_scale
    shot = math.hypot(light * math.sqrt(1 + oscillator / signal), dark)
    thermal = thermal_noise(temperature, resistance, bandwidth) / full_scale
    return {
        "shot": shot,
        "thermal": thermal,
        "total": math.hypot(shot, thermal),
        "light": light,
        "dark": dark,
        "full_scale": full_scale,
    }

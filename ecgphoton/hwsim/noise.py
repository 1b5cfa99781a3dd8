"""Noise of a photodetector as a fraction of full scale, for the profiles.

Detector full scale is 1 in the units of ``W x``: the reading when one input of 1 meets one weight
of 1. All detector noise is given as a standard deviation in that unit and enters *before* the
amplifier gain, so a large gain amplifies it.
"""

import math

from ecgphoton.errors import InputError

ELECTRON = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K


def photodetector(
    *,
    power: float,
    bandwidth: float,
    resistance: float,
    responsivity: float = 1.0,
    dark_current: float = 1e-10,
    temperature: float = 300.0,
    rin_per_hz: float = 0.0,
) -> dict[str, float]:
    """Noise of a photodetector and its amplifier as fractions of full scale.

    ``shot^2 = 2 q (R P + I_d) B`` (Schottky 1918, doi:10.1002/andp.19183622304),
    ``thermal^2 = 4 k T B / R_L`` (Nyquist 1928, doi:10.1103/PhysRev.32.110),
    ``rin = sqrt(RIN B)``; full scale is the current ``R P``.

    Parameters
    ----------
    power
        Optical power at full scale, W.
    bandwidth
        Electrical bandwidth, Hz.
    resistance
        Load or transimpedance, ohm.
    responsivity, dark_current, temperature, rin_per_hz
        A/W, A, K, 1/Hz.

    Returns
    -------
    dict
        ``shot``, ``thermal``, ``rin`` and their root sum of squares ``total``.

    Raises
    ------
    InputError
        If power, bandwidth, resistance or responsivity is not above 0, or another is negative.
    """
    given = {
        "power": power,
        "bandwidth": bandwidth,
        "resistance": resistance,
        "responsivity": responsivity,
    }
    for name, value in given.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"photodetector {name} is {value!r}; it must be above 0")
    rest = {"dark_current": dark_current, "temperature": temperature, "rin_per_hz": rin_per_hz}
    for name, value in rest.items():
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"photodetector {name} is {value!r}; it must be at least 0")
    current = responsivity * power
    shot = math.sqrt(2 * ELECTRON * (current + dark_current) * bandwidth) / current
    thermal = math.sqrt(4 * BOLTZMANN * temperature * bandwidth / resistance) / current
    rin = math.sqrt(rin_per_hz * bandwidth)
    total = math.sqrt(shot**2 + thermal**2 + rin**2)
    return {"shot": shot, "thermal": thermal, "rin": rin, "total": total}

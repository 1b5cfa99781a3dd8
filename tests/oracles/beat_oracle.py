"""Time and energy of one beat, and the bandwidth of a reading, in numpy only (docs/budget.md)."""

from __future__ import annotations

import numpy as np

MODES = 4
"""Waveguides of a block, each with a modulator, a converter and a receiver."""


def beat(power, *, rate, laser, phases, symbols, conversions, branches, reused, off_between):
    """Seconds and joules of one beat, a second after the last one.

    Parameters
    ----------
    power
        Numbers of the section [power] of a profile by their names.
    rate, laser
        Symbols a second; W of light of one block.
    phases
        (blocks, drivers) phases that are set, rad.
    symbols, conversions, branches
        (blocks,) vectors that meet each matrix, vectors that are converted behind it, and whether
        it waits for no other.
    reused, off_between
        Whether one block takes the place of all; whether it is off between beats.
    """
    symbols, branches = np.asarray(symbols, float), np.asarray(branches, bool)
    settling, blocks = power["settling"] * 1e-6, len(symbols)
    heat = [power["p_pi"] * 1e-3 * row.sum() / np.pi for row in np.asarray(phases)]
    if reused:
        spans = [settling + count / rate for count in symbols]
        seconds = sum(spans)
        heaters, built = sum(w * t for w, t in zip(heat, spans, strict=True)) / seconds, 1
    else:
        seconds = (symbols[branches].max() + symbols[~branches].sum()) / rate
        seconds += settling if off_between else 0.0
        heaters, built = sum(heat), blocks
    each = np.shape(phases)[1] * power["driver"] + MODES * power["receiver"]
    watts = heaters + built * (1e-3 * each + laser / power["wall_plug"])
    sent = MODES * symbols.sum() * (power["modulator"] + power["dac"])
    read = MODES * np.sum(conversions) * power["adc"]
    lit = seconds if off_between else 1.0
    return seconds, watts * lit + 1e-12 * (sent + read) + 1e-3 * power.get("control", 0.0)


def noise_bandwidth(rate, *, reach=4000, steps=4_000_000):
    """Bandwidth (Hz) of white noise, one-sided, in the mean of a reading over one symbol.

    The mean over T passes the frequency f by sinc(f T); what it passes of the power, from 0 Hz on,
    is the bandwidth of noise.
    """
    f = (np.arange(steps) + 0.5) * reach * rate / steps
    return float(np.sum(np.sinc(f / rate) ** 2) * reach * rate / steps)

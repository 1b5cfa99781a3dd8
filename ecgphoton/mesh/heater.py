"""Heaters: from DAC codes over voltages to phases, and back.

A thermo-optic phase is proportional to electrical power, ``phase = pi u`` with
``u = (V / v_pi)^2``. Real heaters bend: ``phase = pi (c1 u + c2 u^2 + c3 u^3)``. The DAC is linear
in voltage, hence its steps are fine at small and coarse at large phases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Array, Integers
from ecgphoton.mesh.mzi import namespace

HALVINGS = 60
"""Bisection steps of the inverse of a bent heater law: to the last bit."""


def phase_of_voltage(voltage: Array, v_pi: Array = 4.36, curve: Array = None) -> Array:
    """Phase (rad) of a heater at a voltage (V); numpy or torch, everything broadcasts.

    Parameters
    ----------
    voltage
        V.
    v_pi
        Voltage of a phase of pi, V; one number or one for every heater of every chip.
    curve
        (..., 3) coefficients c1, c2, c3 of the bent law, or None for ``phase = pi (V / v_pi)^2``.
    """
    u = (voltage / v_pi) ** 2
    if curve is None:
        return math.pi * u
    return math.pi * u * (curve[..., 0] + u * (curve[..., 1] + u * curve[..., 2]))


def voltage_of_phase(
    phase: Array, v_pi: Array = 4.36, curve: Array = None, *, largest: float = 10.8
) -> Array:
    """Voltage (V) that gives a phase (rad, at least 0): inverse of `phase_of_voltage`.

    With a `curve` the answer is found by bisection in [0, largest] V, where the law has to rise;
    a phase beyond its reach gives `largest`.
    """
    xp = namespace(phase, v_pi, curve)
    if curve is None:
        return v_pi * xp.sqrt(phase / math.pi)
    low = xp.zeros_like(phase + 0 * phase_of_voltage(largest, v_pi, curve))
    high = low + largest
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = phase_of_voltage(middle, v_pi, curve) < phase
        low, high = xp.where(below, middle, low), xp.where(below, high, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class HeaterDac:
    """A DAC, linear in voltage, and the heater law it is meant for.

    Raises
    ------
    InputError
        If the bits are not from 2 to 24, or the voltages do not reach a phase of 2 pi.
    """

    v_pi: float = 4.36
    """Voltage of a phase of pi, V."""
    v_max: float = 10.8
    """Voltage of the largest code, V."""
    bits: int = 8

    def __post_init__(self) -> None:
        if not (isinstance(self.bits, int) and 2 <= self.bits <= 24):
            raise InputError(f"heater DAC bits is {self.bits!r}; it must be an integer, 2 to 24")
        if not (0 < self.v_pi < math.inf and math.sqrt(2) * self.v_pi <= self.v_max < math.inf):
            raise InputError(
                f"v_max is {self.v_max!r} V with v_pi {self.v_pi!r} V; a phase of 2 pi needs "
                "v_max of at least 1.4143 v_pi"
            )

    @property
    def top(self) -> int:
        """Largest code."""
        return int((1 << self.bits) - 1)

    def voltage_of(self, codes: Array) -> Array:
        """Voltage (V) of codes, float64 for integers."""
        whole = namespace(codes) is not np and not codes.is_floating_point()
        return (codes.double() if whole else codes) * (self.v_max / self.top)

    def code_of(self, voltage: Array) -> Array:
        """Integer codes nearest to voltages (V), 0 and `top` for those out of range."""
        xp = namespace(voltage)
        code = xp.clip(xp.round(voltage / self.v_max * self.top), 0, self.top)
        return code.astype(np.int64) if xp is np else code.long()

    def phase_of(self, codes: Array) -> Array:
        """Phase (rad) that codes give on heaters of this law."""
        return phase_of_voltage(self.voltage_of(codes), self.v_pi)

    def codes_for(self, phase: ArrayLike) -> Integers:
        """Return the codes whose voltages are nearest to those of phases (rad); numpy only.

        Phases are taken literally, because a turn more is also more heat: wrap them first.

        Raises
        ------
        InputError
            If a phase is negative, not finite, or beyond the reach of the largest code.
        """
        wanted, reach = np.asarray(phase, float), phase_of_voltage(self.v_max, self.v_pi)
        inside = (wanted >= 0) & (wanted <= reach + 1e-9)
        if not inside.all():
            raise InputError(
                f"phase {wanted[~inside][0]:.6g} rad is out of reach; the heater covers 0 to "
                f"{reach:.6g} rad, wrap the phase to [0, 2 pi)"
            )
        return np.asarray(self.code_of(voltage_of_phase(wanted, self.v_pi)))

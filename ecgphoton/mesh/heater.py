"""Phase shifters: from DAC codes over voltages to phases, and back.

The law of a driver says what its shifter does at a voltage. ``drive`` is the phase that an ideal
one would give, in units of pi::

    quadratic   drive = (V / v_pi)^2      heaters (power), MEMS (electrostatic force)
    linear      drive = V / v_pi          Pockels effect; voltages of both signs
    table       drive = phase / pi        pairs of volts and phases, lines between them

Real shifters bend: ``phase = pi (c1 u + c2 u^2 + c3 u^3)`` at the drive u. The DAC is linear in
voltage, hence the steps of a heater are fine at small and coarse at large phases.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Literal

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Array, ArrayLike, Floats
from ecgphoton.mesh.mzi import namespace
from ecgphoton.settings import Settings, convert, setting

HALVINGS = 60
"""Bisection steps of the inverse of a bent law: to the last bit."""
TURN = 2 * math.pi
ROUNDING = 1e-9
"""Phase (rad) by which rounding may carry a phase beyond the reach, or two codes differ."""
PhaseLaw = Literal["quadratic", "linear", "table"]


def bent_phase(drive: Array, law: Array) -> Array:
    """Phase (rad) at a drive; numpy or torch, everything broadcasts.

    Parameters
    ----------
    drive
        Phase of an ideal shifter in units of pi.
    law
        (..., 3) a, b, c of ``phase = pi ((1 + a) p + b p^2 + c p^3)``; 0 for an ideal shifter.
    """
    return math.pi * drive * (1 + law[..., 0] + drive * (law[..., 1] + drive * law[..., 2]))


def drive_of_bent(phase: Array, law: Array, low: float, high: float) -> Array:
    """Drive that gives a phase (rad): inverse of `bent_phase` by bisection.

    The law has to rise from `low` to `high`; a phase beyond gives the nearer of the two.
    """
    xp = namespace(phase, law)
    under = xp.zeros_like(phase + bent_phase(low, law)) + low
    over = xp.zeros_like(under) + high
    for _ in range(HALVINGS):
        middle = (under + over) / 2
        below = bent_phase(middle, law) < phase
        under, over = xp.where(below, middle, under), xp.where(below, over, middle)
    return (under + over) / 2


def _interpolated(value: Array, x: Floats, y: Floats) -> Array:
    """Value of the lines through points (x, y), x rising; the outer lines go on beyond the ends."""
    xp: ModuleType = namespace(value)
    if xp is not np:
        x, y = (xp.as_tensor(part).to(value) for part in (x, y))
    near = value if xp is np else value.contiguous()
    at = xp.clip(xp.searchsorted(x, near), 1, len(x) - 1)
    share = (value - x[at - 1]) / (x[at] - x[at - 1])
    return y[at - 1] + share * (y[at] - y[at - 1])


@dataclass(frozen=True)
class HeaterDac(Settings, section="driver"):
    """A DAC, linear in voltage, and the phase law of the shifter that it drives.

    Raises
    ------
    InputError
        If a number is outside its range, or the voltages do not reach all phases of a turn.
    """

    v_pi: float = setting(4.36, "Voltage of a phase of pi.", above=0, unit="V")
    v_max: float = setting(10.8, "Voltage of the largest code.", above=0, unit="V")
    bits: int = setting(8, "Bits of the DAC.", low=2, high=24)
    law: PhaseLaw = setting("quadratic", "How the phase follows the voltage.")
    v_min: float = setting(
        0.0, "Voltage of code 0; below 0 for a linear law of both signs.", high=0, unit="V"
    )
    table: tuple[tuple[float, ...], ...] = setting(
        (), "Pairs of volts and phases in rad, both rising, for the law 'table'."
    )

    def rules(self) -> Iterable[tuple[bool, str, str]]:
        """Law, table and voltages fit together, and reach a turn."""
        pairs = len(self.table) > 1 and all(len(pair) == 2 for pair in self.table)
        rising = pairs and bool((np.diff(np.array(self.table), axis=0) > 0).all())
        good = rising if self.law == "table" else not self.table
        yield good, "table", "two or more rising pairs [V, rad] for law 'table', absent otherwise"
        yield (
            self.law != "quadratic" or self.v_min == 0,
            "v_min",
            "0 for a quadratic law, which does the same at both signs",
        )
        low, high = self.reach
        named = "table" if self.law == "table" else "v_max"
        far = f"so far from v_min that with v_pi {self.v_pi:g} V all"
        how = "pairs from whose first to last all" if self.law == "table" else far
        yield high - low > TURN - ROUNDING, named, f"{how} phases of a turn are reached"

    @classmethod
    def of_table(cls, pairs: Sequence[Sequence[float]]) -> "HeaterDac":
        """Return the driver of measured pairs (V, rad); its voltages are those of the table.

        Raises
        ------
        InputError
            If there are fewer than two pairs, they do not rise in both, or begin above 0 V.
        """
        table = convert(pairs, tuple[tuple[float, ...], ...], "driver.table")
        if len(table) < 2 or any(len(pair) != 2 for pair in table) or not np.isfinite(table).all():
            raise InputError(
                f"driver.table is {table!r}; it must be two or more pairs [V, rad] of finite "
                "numbers"
            )
        volts, phases = np.array(table).T
        if volts[0] > 0:
            raise InputError(
                f"driver.table begins at {volts[0]:g} V; it must begin at 0 V or below, where code "
                "0 lies"
            )
        v_pi = abs(float(np.interp(math.pi, phases, volts))) or float(volts[-1])
        return cls(v_pi, float(volts[-1]), law="table", v_min=float(volts[0]), table=table)

    @property
    def words(self) -> str:
        """Width, phase law and voltages in words."""
        law = f"{self.law} drivers with V_pi {self.v_pi:g} V"
        return f"{self.bits}-bit {law}, {self.v_min:g} to {self.v_max:g} V"

    @property
    def top(self) -> int:
        """Largest code."""
        return int((1 << self.bits) - 1)

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        volts, phases = np.array(self.table, float).T
        return volts.copy(), phases / math.pi

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Drives of the smallest and the largest code."""
        low, high = (float(self.drive_of(np.array(volts))) for volts in (self.v_min, self.v_max))
        return low, high

    @property
    def reach(self) -> tuple[float, float]:
        """Smallest and largest phase of an ideal shifter, rad."""
        low, high = self.limits
        return math.pi * low, math.pi * high

    @property
    def lowest(self) -> float:
        """Smallest phase to which shifters are set, rad; of a driver of both signs as `wrapped`."""
        low, high = self.reach
        return high - TURN if low < 0 else low

    def drive_of(self, voltage: Array) -> Array:
        """Drive at voltages (V); numpy or torch."""
        if self.law == "table":
            return _interpolated(voltage, *self._points)
        share = voltage / self.v_pi
        return share if self.law == "linear" else share**2

    def volts_of(self, drive: Array) -> Array:
        """Voltages (V) of drives: inverse of `drive_of`."""
        if self.law == "table":
            return _interpolated(drive, *reversed(self._points))
        return self.v_pi * (drive if self.law == "linear" else namespace(drive).sqrt(drive))

    def phase_at(self, voltage: Array) -> Array:
        """Phase (rad) of an ideal shifter at voltages (V)."""
        return math.pi * self.drive_of(voltage)

    def volts_for(self, phase: ArrayLike) -> Floats:
        """Voltages (V) that give phases (rad) on an ideal shifter, without rounding; numpy only."""
        return np.asarray(self.volts_of(self.wrapped(np.asarray(phase, float)) / math.pi))

    def wrapped(self, phase: Array) -> Array:
        """Phases (rad) within reach.

        A driver of both signs, or a table of phases below 0, reaches those beyond by turns lower,
        a table that begins above 0 rad those before it by turns higher.
        """
        (low, high), ceil = self.reach, namespace(phase).ceil
        most = max(math.ceil(max(low, TURN - high) / TURN), 1)  # that a phase of one turn needs
        if low > 0:
            return phase + TURN * ceil((low - ROUNDING - phase) / TURN).clip(0, most)
        return phase - TURN * ceil((phase - high) / TURN).clip(0, most) if low < 0 else phase

    def voltage_of(self, codes: Array) -> Array:
        """Voltage (V) of codes, float64 for integers."""
        whole = namespace(codes) is not np and not codes.is_floating_point()
        step = (self.v_max - self.v_min) / self.top
        return self.v_min + (codes.double() if whole else codes) * step

    def code_of(self, voltage: Array) -> Array:
        """Integer codes nearest to voltages (V), 0 and `top` for those out of range."""
        xp = namespace(voltage)
        share = (voltage - self.v_min) / (self.v_max - self.v_min)
        code = xp.clip(xp.round(share * self.top), 0, self.top)
        return code.astype(np.int64) if xp is np else code.long()

    def phase_of(self, codes: Array) -> Array:
        """Phase (rad) that codes give on shifters of this law.

        Raises
        ------
        InputError
            If a code is below 0 or wider than the DAC.
        """
        wrong = (codes < 0) | (codes > self.top)
        if wrong.any():
            raise InputError(
                f"code {np.asarray(codes)[np.asarray(wrong)][0]} is not from 0 to {self.top}, as "
                f"a DAC of {self.bits} bits takes; give the drivers the width of the codes"
            )
        return self.phase_at(self.voltage_of(codes))

    def codes_for(self, phase: Array, *, turns: bool = True) -> Array:
        """Return the codes whose phases are nearest to phases (rad) on the circle; numpy or torch.

        A driver of one sign takes a phase literally, because a turn more is also more heat: wrap
        phases first. Of the codes a turn lower it takes code 0 alone, where that is nearer than
        the codes around the end of the turn. A driver of both signs takes any code. Without
        `turns` codes are near the phases themselves.

        Raises
        ------
        InputError
            If a phase is not finite, or beyond the reach of the smallest or largest code.
        """
        given = np.asarray(phase, float) if namespace(phase) is np else phase
        wanted, (low, high) = self.wrapped(given), self.reach
        inside = (wanted >= low - ROUNDING) & (wanted <= high + ROUNDING)
        if not inside.all():
            raise InputError(
                f"phase {wanted[~inside][0]:.6g} rad is out of reach; the driver covers {low:.6g} "
                f"to {high:.6g} rad, wrap the phase to [0, 2 pi)"
            )
        where = namespace(wanted).where
        best, off = self._nearest(wanted, high)
        for turn in (-TURN, TURN) if turns else ():
            code, distance = self._nearest(wanted + turn, high if low < 0 else low)
            nearer = distance < off - ROUNDING
            best, off = where(nearer, code, best), where(nearer, distance, off)
        return best

    def _nearest(self, phase: Array, high: float) -> tuple[Array, Array]:
        """Return the codes nearest to phases up to `high` (rad), and how far their phases are."""
        xp = namespace(phase)
        # Nearest in voltage; in phase, which is not linear in it, it may be the next one.
        found = self.code_of(self.volts_of(xp.clip(phase, self.reach[0], high) / math.pi))
        best, off = found, abs(self.phase_of(found) - phase)
        for code in (xp.clip(found - 1, 0, self.top), xp.clip(found + 1, 0, self.top)):
            distance = abs(self.phase_of(code) - phase)
            nearer = distance < off - ROUNDING
            best, off = xp.where(nearer, code, best), xp.where(nearer, distance, off)
        return best, off

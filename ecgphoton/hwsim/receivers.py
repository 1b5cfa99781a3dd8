"""Receivers: how the complex field at a detector becomes a real reading.

``E`` is the signal, ``L`` the local oscillator (`Reading.oscillator`), and a reading is scaled so
that its part linear in the field is ``Re E`` for a perfect receiver::

                            ┌─▷|─┐
    E ──┐  ┌────────┐  a ───┘    │        E ──┐  ┌────────┐  a
        ├──┤ 50:50  ├──          (−)── i      ├──┤ 50:50  ├─────▷|── i
    L ──┘  └────────┘  b ───┐    │        L ──┘  └────────┘  b, unused
                            └─▷|─┘
        balanced                          intensity

A hybrid divides E and L between two balanced pairs, whose oscillators are 90 degrees apart. The
photocurrents are derived in docs/physics.md, and `tests/oracles` repeats them from there.
"""

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ecgphoton.errors import require
from ecgphoton.hwsim.effects import EFFECTS, Reading
from ecgphoton.hwsim.effects.usable import check_like
from ecgphoton.intake import expecting
from ecgphoton.mesh.device import WIDTH
from ecgphoton.registry import Registry

SECTION = "receiver."
QUADRATURE = ("receiver.iq_gain", "receiver.iq_phase")
SINGLE = ("receiver.cmrr",)
SECOND = 1e-5
"""Third difference of readings, over the largest, that is rounding, also in single precision."""


def _keys(*without: str) -> tuple[str, ...]:
    """Return the keys of a profile that describe receivers, some left out."""
    chosen = (e for e in EFFECTS.values() if e.name.startswith(SECTION) and e.name not in without)
    return tuple(key for effect in chosen for key in effect.numbers)


@dataclass(frozen=True)
class Receiver:
    """One way to read a field.

    Raises
    ------
    InputError
        If its functions fail, return anything but finite real numbers of the shape of the field, or
        change it; if a reading is of higher order in the field; if `share` or `diodes` are none.
    """

    name: str
    meaning: str
    read: Callable[[Tensor, Reading], Tensor]
    """Readings (C, K, 4, N) of fields (C, K, 4, N), before `Reading.gain` and `Reading.offset`.

    At most of second order in the field. Its part linear in the field, its constant and its
    squares are found by the methods below, so this function is all that a receiver states.
    """
    keys: tuple[str, ...] = ()
    """Keys of a profile that describe it; none for an effective reading, without powers."""
    light: Callable[[Tensor, Reading], Tensor] | None = None
    """Light (C, K, 4, N) on its photodiodes for fields, in units of a signal at full scale and of
    `share`; None where shot noise is not computed."""
    share: float = 1.0
    """Share of the light that one reading uses."""
    diodes: int = 2
    """Photodiodes of one reading."""
    pedestal: float = 0.0
    """Constant that a perfect receiver reads and the electronics take off, in units of L."""

    def __post_init__(self) -> None:
        """Look at readings of some fields."""
        zero = torch.zeros(1, 1, WIDTH, 1, dtype=torch.float64)
        reading = Reading(1.0, zero + 0.1, zero + 1, zero, zero, phase=zero + 0.1)
        numbers = torch.linspace(-1, 1, 6 * WIDTH, dtype=torch.float64).reshape(1, 2, WIDTH, 3)
        field = torch.complex(numbers, torch.sin(9 * numbers))
        with expecting(f"the receiver {self.name!r}", "usable", "correct it"):
            require(0 < self.share <= 1, "share", self.share, "above 0 and at most 1")
            require(math.isfinite(self.pedestal), "pedestal", self.pedestal, "a finite number")
            require(self.diodes >= 1, "diodes", self.diodes, "at least 1")
            found = [self.read(field * step, reading) for step in (2, 1, 0, -1)]
            for values in (*found, self.light(field, reading) if self.light else numbers):
                check_like(numbers, values)
            third = found[0] - 3 * found[1] + 3 * found[2] - found[3]
            if third.abs().max() > SECOND * torch.stack(found).abs().max():
                raise ValueError("its reading is of more than second order in the field")
            before = field.clone()
            self.read(field, reading)
            if not field.equal(before):
                raise ValueError(
                    "it changes the field that it is given; it must return another one"
                )

    def linear(self, field: Tensor, reading: Reading) -> Tensor:
        """Return the part of the readings that is linear in the field."""
        return (self.read(field, reading) - self.read(-field, reading)) / 2

    def dark(self, reading: Reading) -> Tensor:
        """(C, K, 4, 1) reading without any signal."""
        return self.read(torch.zeros_like(reading.gain) + 0j, reading)

    def constant(self, reading: Reading) -> Tensor:
        """(C, K, 4, 1) part of `dark` that is left in a reading."""
        dark = self.dark(reading)
        return 0 * dark if reading.zeroed else dark - self.pedestal * reading.oscillator

    def squares(self, reading: Reading) -> Tensor:
        """(3, C, K, 4, 1) factors of ``(Re E)^2``, ``(Im E)^2`` and ``Re E Im E`` in a reading."""

        def even(unit: complex) -> Tensor:
            field = torch.zeros_like(reading.gain) + unit
            both = self.read(field, reading) + self.read(-field, reading)
            return both / 2 - self.dark(reading)

        real, imaginary = even(1), even(1j)
        return torch.stack([real, imaginary, even(1 + 1j) - real - imaginary])

    def mean_light(self, square: Tensor, reading: Reading) -> Tensor:
        """(C, K, 4, 1) light on the photodiodes for fields of a mean square, of either sign."""
        if self.light is None:
            return 0 * square
        field = square.sqrt() + 0j
        return (self.light(field, reading) + self.light(-field, reading)) / 2


def turned(field: Tensor, reading: Reading) -> Tensor:
    """Return fields as they lie to the local oscillator, whose phase is wrong."""
    phase = torch.as_tensor(reading.phase, dtype=field.real.dtype)
    return field * torch.polar(torch.ones_like(phase), phase)


def _pair(field: Tensor, reading: Reading) -> Tensor:
    """``(1 + x) |a|^2 - (1 - x) |b|^2`` of two photodiodes, over 2 L."""
    level, square = reading.oscillator**2, field.abs() ** 2
    beat = 2 * reading.oscillator * torch.cos(2 * reading.splitter) * field.real
    leak = torch.sin(2 * reading.splitter) * (level - square)
    both = reading.mismatch * (level + square)
    return (beat + leak + both) / (2 * reading.oscillator)


def _hybrid(field: Tensor, reading: Reading) -> Tensor:
    """Both quadratures, turned back digitally by the oscillator's phase."""
    field = turned(field, reading)
    later = field * cmath.exp(-1j * (math.pi / 2 + reading.iq_phase))
    first, second = _pair(field, reading), (1 + reading.iq_gain) * _pair(later, reading)
    phase = torch.as_tensor(reading.phase)
    return torch.cos(phase) * first + torch.sin(phase) * second


def _single(field: Tensor, reading: Reading) -> Tensor:
    """``2 |a|^2`` of one photodiode behind a coupler."""
    wrong, level = torch.sin(2 * reading.splitter), reading.oscillator
    beat = 2 * level * torch.cos(2 * reading.splitter) * turned(field, reading).real
    return (1 - wrong) * field.abs() ** 2 + (1 + wrong) * level**2 + beat


BALANCED = Receiver(
    "balanced",
    "cos(2 e) Re E + (sin 2e + x) L/2 + (x - sin 2e) |E|^2 / 2L: the difference of two photodiodes "
    "behind a splitter of error e, mismatched by x.",
    lambda field, reading: _pair(turned(field, reading), reading),
    keys=_keys(*QUADRATURE),
    light=lambda field, reading: field.abs() ** 2 + reading.oscillator**2,
)
RECEIVERS: Registry[Receiver] = Registry(
    "receiver",
    Receiver(
        "homodyne",
        "The effective reading: Re E without any error of a receiver; all noise of light and "
        "electronics is `detector.noise` and `detector.rin`.",
        lambda field, reading: turned(field, reading).real,
    ),
    BALANCED,
    replace(
        BALANCED,
        name="hybrid",
        meaning="A 90 degree hybrid: two balanced pairs with half of the light each read Re E and "
        "Im E, which are turned back by the phase of the oscillator. It pays 3 dB.",
        read=_hybrid,
        keys=_keys(),
        share=0.5,
    ),
    Receiver(
        "intensity",
        "cos(2 e) Re E + sin(2 e) L/2 + (1 - sin 2e) |E|^2 / 2L: one photodiode behind one output "
        "of a splitter, its constant L/2 taken off; the square of the field stays in it.",
        lambda field, reading: _single(field, reading) / (2 * reading.oscillator),
        keys=_keys(*QUADRATURE, *SINGLE),
        light=_single,
        share=0.5,
        diodes=1,
        pedestal=0.5,
    ),
)
"""Every receiver that a simulation can be read with."""
PHOTODIODE = Receiver(
    "photodiode", "|E|^2: a bare photodiode of a laboratory.", lambda field, _: field.abs() ** 2
)
"""The sign of a field is lost in it, so a program cannot be read with it."""

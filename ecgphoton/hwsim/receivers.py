"""Receivers: how the complex field at a detector becomes a real reading.

``E`` is the signal, ``L`` the local oscillator (`Reading.oscillator`), and a reading is scaled so
that its part linear in the field is ``Re E`` for a perfect receiver::

                            ┌─▷|─┐
    E ──┐  ┌────────┐  a ───┘    │        E ──┐
        ├──┤ 50:50  ├──          (−)── i      ├──▷|── i
    L ──┘  └────────┘  b ───┐    │        L ──┘
                            └─▷|─┘
        balanced pair                     one photodiode (intensity)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ecgphoton.hwsim.effects import Reading
from ecgphoton.registry import Registry


@dataclass(frozen=True)
class Receiver:
    """One way to read a field."""

    name: str
    meaning: str
    read: Callable[[Tensor, Reading], Tensor]
    """Readings (C, K, 4, N) of fields (C, K, 4, N), before `Reading.gain` and `Reading.offset`.

    At most of second order in the field. Its part linear in the field, its constant and its
    curvature are found by `Receiver.parts`, so this function is all that a receiver states.
    """
    oscillator: float = 1.0
    """Amplitude of the local oscillator, in units of the largest input field."""

    def linear(self, field: Tensor, reading: Reading) -> Tensor:
        """Return the part of the readings that is linear in the field."""
        return (self.read(field, reading) - self.read(-field, reading)) / 2

    def dark(self, reading: Reading) -> Tensor:
        """(C, K, 4, 1) reading without any signal."""
        return self.read(torch.zeros_like(reading.gain) + 0j, reading)

    def curvature(self, reading: Reading) -> Tensor:
        """(C, K, 4, 1) factor of the squared field in a reading, for a real field."""
        unit = torch.ones_like(reading.gain) + 0j
        even = (self.read(unit, reading) + self.read(-unit, reading)) / 2
        return even - self.dark(reading)


def _intensity(field: Tensor, reading: Reading) -> Tensor:
    level = reading.oscillator
    return ((field + level).abs() ** 2 - level**2) / (2 * level)


RECEIVERS: Registry[Receiver] = Registry(
    "receiver",
    Receiver(
        "homodyne",
        "Re E against a local oscillator, without any error.",
        lambda field, _: field.real,
    ),
    Receiver(
        "balanced",
        "cos(2 e) Re E: two photodiodes behind a splitter of error e.",
        lambda field, reading: torch.cos(2 * reading.splitter) * field.real,
    ),
    Receiver(
        "intensity",
        "(|E + L|^2 - L^2) / 2L: one photodiode, L = 4; the square of the field stays in it.",
        _intensity,
        oscillator=4.0,
    ),
)
"""Every receiver that a simulation can be read with."""
PHOTODIODE = Receiver(
    "photodiode", "|E|^2: a bare photodiode of a laboratory.", lambda field, _: field.abs() ** 2
)
"""The sign of a field is lost in it, so a program cannot be read with it."""

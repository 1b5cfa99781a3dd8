"""What an effect is, and the values that effects change on the way from volts to readings.

Light and signals pass six stages; an effect acts at one of them::

    stage     value                      from ... to
    code      volts (C, K, drivers)      wanted voltages to those the drivers give
    heat      Heat                       voltages to phase shifts of the heaters
    phase     phases (C, K, drivers)     ... to actual phases
    element   Elements                   what splitters and MZIs are
    field     matrices (C, K, 4, 4)      complex fields at the detectors
    reading   Reading                    readings of a field by the receivers

C counts chips, K blocks; tensors may have 1 in place of either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.device import Device
from ecgphoton.mesh.layout import WIDTH

Stage = Literal["code", "heat", "phase", "element", "field", "reading"]
Place = Literal["none", "chip", "driver", "mzi", "splitter", "path"]


class Heat(NamedTuple):
    """Heaters of C chips."""

    phase: Tensor
    """(C, K, drivers) phase shifts, rad."""
    power: Tensor
    """(C, K, drivers) electrical power, in units of the power of an ideal shift by pi."""


class Elements(NamedTuple):
    """Passive parts of C chips, as `Device.field` takes them."""

    alpha: Tensor
    """(C, K, MZIs) angle errors of first splitters, rad."""
    beta: Tensor
    """(C, K, MZIs) angle errors of second splitters, rad."""
    transmission: Tensor
    """(C, K, MZIs) field transmission of every MZI, attenuators among them."""


class Reading(NamedTuple):
    """Receivers of C chips; full scale is the reading of a unit field on a lossless path."""

    oscillator: float
    """Amplitude of the local oscillator, in units of the largest input field."""
    splitter: Tensor
    """(C, K, 4, 1) angle error of each receiver's splitter, rad."""
    gain: Tensor
    """(C, K, 4, 1) relative responsivity."""
    offset: Tensor
    """(C, K, 4, 1) constant part, fraction of full scale."""
    white: Tensor
    """(C, K, 4, 1) standard deviation of every reading, fraction of full scale."""
    relative: float = 0.0
    """Standard deviation over the reading, independent in every detector."""
    common: float = 0.0
    """Standard deviation over the reading, the same draw in all detectors of a shot."""


class Site(NamedTuple):
    """Where an effect acts."""

    number: Callable[[str], float]
    """Number of the profile by its key, 0 where it is not stated."""
    device: Device
    """The hardware of one block, with the driver electronics of the profile."""


@dataclass(frozen=True)
class Number:
    """The declaration of one number of a profile; 0 means that it does nothing."""

    meaning: str
    largest: float
    unit: str = ""
    least: float = 0.0
    """Smallest value besides 0."""
    whole: bool = False
    """Whether it counts something."""
    better: Literal["less", "more"] = "less"
    """Which way a chip becomes better, apart from 0."""

    @property
    def limits(self) -> str:
        """What is allowed, in words."""
        kind = "an integer" if self.whole else "a number"
        zero = "0 or " if self.least else ""
        return f"{zero}{kind} from {self.least:g} to {self.largest:.4g} {self.unit}".rstrip()

    def check(self, key: str, value: object) -> float:
        """Return a value of that key.

        Raises
        ------
        InputError
            If it is not a number within the limits.
        """
        good = isinstance(value, Real) and not isinstance(value, bool)
        # NaN is within no limits
        good = good and (value == 0 or self.least <= value <= self.largest)  # type: ignore[operator]
        if not good or (self.whole and value != int(value)):  # type: ignore[call-overload]
            raise InputError(f"{key} is {value!r}; it must be {self.limits}")
        return float(value)  # type: ignore[arg-type]

    def written(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{value:.4g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Effect:
    """One thing that fabrication, electronics or time does to a chip."""

    name: str
    """Key of its size in a profile, ``section.key``."""
    number: Number
    """Declaration of that size."""
    stage: Stage
    law: Callable[[Any, Any, Site], Any]
    """``law(value, error, site)`` returns the changed value of the stage, and changes none.

    The error is the size times the unit normals (C, `shape`), or the size alone at place "none".
    """
    place: Place = "none"
    """What has a normal of its own; "none" for an effect without chance."""
    source: str = ""
    """Where the law comes from."""
    shot: bool = False
    """Whether it is drawn anew in every shot; otherwise once for a chip."""
    error: bool = True
    """Whether it harms by itself; otherwise it only scales what others do."""
    also: Mapping[str, Number] = field(default_factory=dict)
    """Further keys that its law reads."""

    @property
    def numbers(self) -> dict[str, Number]:
        """Its keys, the size first."""
        return {self.name: self.number, **self.also}

    def shape(self, device: Device, blocks: int) -> tuple[int, ...]:
        """Shape of the unit normals of one chip."""
        mzis = (blocks, len(device.mzis))
        shapes: dict[str, tuple[int, ...]] = {
            "chip": (1, 1),
            "driver": (blocks, device.drivers),
            "mzi": mzis,
            "splitter": (*mzis, 2),
            "path": (blocks, WIDTH),
        }
        return shapes[self.place]

    def draw(self, rng: np.random.Generator, device: Device, blocks: int) -> Floats:
        """Return the unit normals of one chip; an effect with correlated ones overrides this."""
        return rng.standard_normal(self.shape(device, blocks))

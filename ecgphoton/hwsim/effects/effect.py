"""What an effect is, and the values that effects change on the way from volts to readings.

Light and signals pass seven stages; an effect acts at one of them::

    stage     value                      from ... to
    input     Modulators                 wanted inputs to the fields that modulators send
    code      volts (C, K, drivers)      wanted voltages to those the drivers give
    heat      Heat                       voltages to phase shifts of the heaters
    phase     phases (C, K, drivers)     ... to actual phases
    element   Elements                   what splitters and MZIs are
    field     matrices (C, K, 4, 4)      complex fields at the detectors
    reading   Reading                    readings of a field by the receivers

C counts chips, K blocks; tensors may have 1 in place of either.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from torch import Tensor

from ecgphoton.errors import InputError, require, shown
from ecgphoton.host import as_array
from ecgphoton.hwsim.effects.usable import usable
from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.device import WIDTH, Device

Stage = Literal["input", "code", "heat", "phase", "element", "field", "reading"]
Place = Literal["none", "chip", "driver", "pair", "arms", "mzi", "splitter", "path"]


class Modulators(NamedTuple):
    """Input modulators of C chips: the field sent for x is ``x + i leak sqrt(top^2 - x^2)``."""

    leak: Tensor
    """(C, K, 4, 1) smallest over largest field of every modulator, of either sign."""
    top: float = 1.0
    """Largest field over that of an input of 1."""

    def quadrature(self, x: Tensor) -> Tensor:
        """Fields (C, K, 4, N) in quadrature to inputs x (..., 4, N)."""
        return self.leak.to(x) * (self.top**2 - x.square()).clamp_min(0).sqrt()


class Heat(NamedTuple):
    """Phase shifters of C chips."""

    phase: Tensor
    """(C, K, drivers) phase shifts, rad."""
    power: Tensor
    """(C, K, drivers) what an ideal shifter would shift, in units of pi; of a heater its power."""
    share: Tensor | float = 1.0
    """(C, 1, 1) crosstalk of each chip over that of the layout."""


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
    """Standard deviation over the photocurrent, the same draw in all detectors of a shot."""
    phase: Tensor | float = 0.0
    """(C, K, 4, 1) phase error of the local oscillator, rad."""
    mismatch: float = 0.0
    """Difference over sum of the currents of two photodiodes under equal light."""
    iq_gain: float = 0.0
    """Relative error of the gain of the second quadrature."""
    iq_phase: float = 0.0
    """Phase error between the quadratures, rad."""
    light: float = 0.0
    """Variance by shot noise for each unit of light (that of an input of 1 without loss)."""
    share: float = 1.0
    """Share of the light that one reading uses."""
    diodes: int = 2
    """Photodiodes of one reading."""
    zeroed: bool = False
    """Whether the reading with the oscillator alone is subtracted."""


Numbers = Callable[[str], float]
"""Number of a profile by its key, its default where it is not stated."""


class Site(NamedTuple):
    """Where an effect acts."""

    number: Numbers
    """The numbers of the profile."""
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
    zero: bool = True
    """Whether it may be 0."""
    whole: bool = False
    """Whether it counts something."""
    better: Literal["less", "more"] = "less"
    """Which way a chip becomes better, apart from 0."""
    default: float = 0.0
    """Value where a profile does not state it."""

    @property
    def limits(self) -> str:
        """What is allowed, in words."""
        kind = "an integer" if self.whole else "a number"
        zero = "0 or " if self.least and self.zero else ""
        return f"{zero}{kind} from {self.least:g} to {self.written(self.largest)}"

    def size(self, value: float) -> float:
        """Return what grows in proportion to the effect: of a level in dB the amplitude."""
        return 10 ** (value / 20) if self.level else value

    def at_size(self, size: float) -> float:
        """Return the value of that size."""
        return round(20 * math.log10(size), 9) if self.level else size

    @property
    def level(self) -> bool:
        """Whether it is a level in dB, of a noise or of what is rejected; its 0 is none at all."""
        return self.least < 0 or (self.unit, self.better) == ("dB", "more")

    def other(self, value: float) -> float:
        """Return a value of another size, far from it and towards a worse chip where there is one.

        That is the largest, or an eighth of a value that is near it; the least of what is better
        where it is larger, for more of what is ample changes nothing.
        """
        size, largest = self.size(value), self.size(self.largest)
        if self.better == "more" and value > 8 * self.least > 0:
            return self.least
        less = self.at_size(size / 8)
        less = float(int(less)) if self.whole else less
        return less if 8 * size >= largest and less >= self.least else self.largest

    def check(self, key: str, value: object) -> float:
        """Return a value of that key.

        Raises
        ------
        InputError
            If it is not a number within the limits.
        """
        good = isinstance(value, Real) and not isinstance(value, bool)
        # NaN is within no limits
        inside = good and self.least <= value <= self.largest  # type: ignore[operator]
        good = good and (inside or (value == 0 and self.zero))
        if not good or (self.whole and value != int(value)):  # type: ignore[call-overload]
            raise InputError(f"{key} is {shown(value)}; it must be {self.limits}")
        return float(value) + 0.0  # type: ignore[arg-type] # -0.0 is 0

    def written(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{float(f'{value:.4g}'):.10g} {self.unit}".rstrip()


def unit_normals(rng: np.random.Generator, _site: Site, shape: tuple[int, ...]) -> Floats:
    """Return independent unit normals of a shape."""
    return rng.standard_normal(shape)


Draw = Callable[[np.random.Generator, Site, tuple[int, ...]], Floats]
"""``drawn(rng, site, shape)`` returns what is random in one chip, for a size of 1."""
Law = Callable[[Any, Any, Site], Any]
"""``law(value, error, site)`` returns the changed value of a stage, and changes none.

The error is the size of the effect times its draws (C, *shape), or the size alone at place "none".
"""


@dataclass(frozen=True)
class Effect:
    """One thing that fabrication, electronics or time does to a chip.

    Raises
    ------
    InputError
        If a key is no ``section.key``, a number allows nothing, a stage of `elsewhere` is unknown,
        or what changes from shot to shot has draws other than unit normals.
    """

    name: str
    """Key of its size in a profile, ``section.key``."""
    number: Number
    """Declaration of that size."""
    stage: Stage
    law: Law
    """What it does there."""
    place: Place = "none"
    """What has a draw of its own; "none" for an effect without chance."""
    source: str = ""
    """Where the law comes from."""
    shot: bool = False
    """Whether it is drawn anew in every shot, as unit normals; otherwise once for a chip."""
    error: bool = True
    """Whether it harms by itself; otherwise it only scales what others do."""
    also: Mapping[str, Number] = field(default_factory=dict)
    """Further keys that its law reads."""
    elsewhere: Mapping[Stage, Law] = field(default_factory=dict)
    """What the same error does at further stages."""
    stream: str = ""
    """Name of the stream it is drawn from, its own by default; the same name, the same draws."""
    drawn: Draw = unit_normals
    """What is drawn."""

    def __post_init__(self) -> None:
        """Check keys, numbers and stages."""
        for key, number in self.numbers.items():
            good = re.fullmatch(r"(?!(driver|power)\.)[A-Za-z][\w-]*\.[A-Za-z][\w-]*", str(key))
            words = "SECTION.KEY of letters, digits, _ and -, outside of [driver] and [power]"
            require(good, "a key of an effect", key, words)
            require(isinstance(number, Number), key, number, "a Number")
            bounded = math.isfinite(number.largest)
            require(bounded, f"the largest value of {key}", number.largest, "a finite number")
            number.check(key, number.largest)
            number.check(key, number.default)
        for stage in self.elsewhere:
            require(stage in get_args(Stage), f"stage of {self.name}", stage, str(get_args(Stage)))
        usual = not self.shot or self.drawn is unit_normals
        require(usual, f"drawn of {self.name}", self.drawn, "left out: shots draw unit normals")

    def law_at(self, stage: Stage) -> Law | None:
        """Return what it does at a stage, None for nothing."""
        return self.law if stage == self.stage else self.elsewhere.get(stage)

    @property
    def numbers(self) -> dict[str, Number]:
        """Its keys, the size first."""
        return {self.name: self.number, **self.also}

    def shape(self, device: Device, blocks: int) -> tuple[int, ...]:
        """Shape of the draws of one chip."""
        mzis, drivers = (blocks, len(device.mzis)), (blocks, device.drivers)
        shapes: dict[str, tuple[int, ...]] = {
            "chip": (1, 1),
            "driver": drivers,
            "pair": (*drivers, device.drivers),
            "arms": (*drivers, 2),
            "mzi": mzis,
            "splitter": (*mzis, 2),
            "path": (blocks, WIDTH),
        }
        return shapes[self.place]

    def draw(self, rngs: Iterable[np.random.Generator], site: Site, blocks: int) -> Floats:
        """Return the draws (C, *shape) of chips, of each from its own generator.

        Raises
        ------
        InputError
            If `drawn` fails, or returns anything but finite real numbers of that shape.
        """
        shape = self.shape(site.device, blocks)
        with usable(self.name, "draws"):
            rows = [as_array(self.drawn(rng, site, shape), "what it draws") for rng in rngs]
            drawn = np.stack(rows)
            if drawn.shape[1:] != shape or drawn.dtype.kind not in "fiub":
                given = f"{drawn.dtype} of shape {drawn.shape[1:]}"
                raise TypeError(f"{given}, for real numbers of {shape}")
            if not np.isfinite(drawn).all():
                raise ValueError("some are NaN or infinite")
            return drawn.astype(float, copy=False)

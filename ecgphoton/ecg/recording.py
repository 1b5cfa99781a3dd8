"""Recordings of every format: an open one with its channels, and a complete one in memory."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.errors import InputError

LONGEST = 2**31 - 1
"""Largest number of samples of a channel: the range of an annotation file."""
MOST_AT_ONCE = 2**28
"""Samples of all channels that are held in memory at once; longer ones are read in pieces."""
STEP = 2**22
"""Samples that are read at a time where a channel is read as a whole."""
LARGEST_RECORDING = 2**30
"""Bytes of a file that is read as a whole (text, NumPy, DICOM, EDF)."""
_MILLIVOLTS = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_IN_A_NAME = re.compile(
    r"(?<![a-z\d])(?:[mnu\u00b5\u03bc]V|(?:milli|micro|nano)volts?)(?![a-z\d])", re.IGNORECASE
)


def unit_name(text: str) -> str:
    """Return a unit as one spelling: every micro sign is ``u``, spaces and case aside.

    The micro sign (U+00B5), the Greek letter (U+03BC) and either of them written in UTF-8 and
    read as Latin-1 are the same unit.

    Examples
    --------
    >>> unit_name("µV"), unit_name("μV"), unit_name("Microvolts"), unit_name("mmHg")
    ('uV', 'uV', 'uV', 'mmHg')
    """
    plain = text.strip().replace("\u00c2\u00b5", "u").replace("\u00ce\u00bc", "u")
    plain = unicodedata.normalize("NFKC", plain).replace("\u03bc", "u")
    short = plain.casefold().removesuffix("s").removesuffix("olt").strip()
    for word, letter in (("micro", "u"), ("milli", "m"), ("nano", "n")):
        short = short.replace(word, letter)
    return f"{short[:-1]}V" if short in _MILLIVOLTS else plain


def units_in(name: str) -> list[str]:
    """Return the voltages that the name of a column states.

    Examples
    --------
    >>> units_in("ECG (uV) II"), units_in("II_microvolt"), units_in("MV1 of V")
    (['uV'], ['uV'], [])
    """
    return [unit_name(one) for one in _IN_A_NAME.findall(name)]


def millivolts(unit: str) -> float | None:
    """Return how many mV one of this unit is, None when it is not a voltage."""
    return _MILLIVOLTS.get(unit_name(unit).casefold())


@dataclass(frozen=True)
class Channel:
    """One channel of a recording and how its stored values become mV."""

    name: str
    unit: str
    """As in the file, with ``u`` for micro; empty where the file does not state it."""
    fs: float
    """Hz; channels of one recording may differ."""
    length: int
    """Samples."""
    gain: float = 1.0
    """Stored units per mV, or per unit where the channel is not a voltage."""
    baseline: float = 0.0
    """Stored value of 0."""

    @property
    def voltage(self) -> bool:
        """Whether the unit is a voltage, or not stated."""
        return not self.unit or millivolts(self.unit) is not None


@dataclass(frozen=True)
class Beginning:
    """What the columns of a file state for its first sample."""

    time: float = 0.0
    """s."""
    number: float = 0.0
    """Number of the sample."""


FROM_ZERO = Beginning()
"""What most files state, and those without such columns."""


@dataclass(frozen=True, eq=False)
class OpenRecording:
    """A recording whose samples are read on demand."""

    path: Path
    """As given; a WFDB record without extension."""
    format: str
    channels: tuple[Channel, ...]
    files: tuple[Path, ...]
    """Every file that was or will be read."""
    start: datetime | None = field(default=None, repr=False)
    """Start of the recording, where the file states it. No output contains it."""
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    clock: float | None = None
    """Hz that sample numbers of a WFDB annotation count, where channels have rates of their own."""
    begins: Beginning = FROM_ZERO

    @property
    def name(self) -> str:
        """Name of the record: that of its file without extension."""
        return self.path.name if self.format == "WFDB" else self.path.stem

    def assumed(self, channels: Iterable[int]) -> tuple[str, ...]:
        """Return a note on those of some channels whose unit is assumed."""
        unknown = ", ".join(self.channels[at].name for at in channels if not self.channels[at].unit)
        return (f"{self.path.name}: unit of {unknown} not stated, mV assumed",) if unknown else ()

    def read(self, channel: int, first: int, last: int) -> NDArray[np.float32]:
        """Return samples `first` to `last` of a channel in stored units, NaN where missing."""
        raise NotImplementedError

    def pieces(self, channel: int, step: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the whole channel in pieces of `step` samples, each with its first sample.

        Raises
        ------
        InputError
            If the file is damaged; a checksum is known to differ only at the end.
        """
        length = self.channels[channel].length
        for first in range(0, length, step):
            yield first, self.read(channel, first, min(first + step, length))

    def whole(self, channels: Sequence[int]) -> list[NDArray[np.float32]]:
        """Return channels in stored units, NaN where missing.

        Raises
        ------
        InputError
            If one is corrupt, or they are together longer than is held in memory.
        """
        total = len(channels) * max(self.channels[channel].length for channel in channels)
        if total > MOST_AT_ONCE:
            raise InputError(
                f"record {self.name!r} holds {total} samples; at most {MOST_AT_ONCE} are read at "
                "once. `ecgphoton annotate` reads piece by piece; cut the record into parts for "
                "training"
            )
        return [
            np.concatenate([np.empty(0, np.float32), *(part for _, part in self.pieces(one, STEP))])
            for one in channels
        ]

    def scaled(self, channel: int, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return stored values in mV, or in the unit of a channel that is not a voltage."""
        one = self.channels[channel]
        return (stored - np.float32(one.baseline)) / np.float32(one.gain)


@dataclass(frozen=True, eq=False)
class HeldRecording(OpenRecording):
    """A recording whose format is read as a whole."""

    values: tuple[NDArray[np.float32], ...] = field(default=(), repr=False)
    """Every channel in mV, or in its own unit."""

    def read(self, channel: int, first: int, last: int) -> NDArray[np.float32]:
        """Return samples `first` to `last` of a channel, NaN where missing."""
        return self.values[channel][first:last]


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording in memory."""

    signal: NDArray[np.float32] = field(repr=False)
    """``(samples, leads)`` in mV, or in its own unit where a lead is not a voltage; NaN missing."""
    fs: float
    """Hz."""
    leads: tuple[str, ...]
    units: tuple[str, ...]
    """Of every lead: ``mV``, or the unit of what is not a voltage."""
    path: Path
    format: str
    start: datetime | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    """Sentences on assumptions, and on leads of another rate that were left out."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.signal) / self.fs

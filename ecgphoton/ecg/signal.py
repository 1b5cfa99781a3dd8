"""One lead of a recording of any length and format, read block by block at 360 Hz."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats import Hints, open_recording
from ecgphoton.ecg.leads import choose
from ecgphoton.ecg.recording import Channel, OpenRecording
from ecgphoton.ecg.resample import Resampler, ratio

BLOCK_SECONDS = 600.0


@dataclass(frozen=True)
class Signal:
    """One lead of a recording; samples are read on demand."""

    held: OpenRecording
    channel: int
    factor: Fraction
    """360 Hz over the lead's own rate."""
    notes: tuple[str, ...]

    @property
    def _own(self) -> Channel:
        return self.held.channels[self.channel]

    @property
    def path(self) -> Path:
        """File of the recording; a WFDB record without extension."""
        return self.held.path

    @property
    def name(self) -> str:
        """Name of the record."""
        return self.held.name

    @property
    def lead(self) -> str:
        """Name of the lead, as in the file."""
        return self._own.name

    @property
    def fs(self) -> float:
        """Sampling rate of the lead, Hz."""
        return self._own.fs

    @property
    def length(self) -> int:
        """Samples at `fs`."""
        return self._own.length

    @property
    def gain(self) -> float:
        """Units of the blocks per mV."""
        return self._own.gain

    @property
    def synthetic(self) -> bool:
        """Whether the recording is synthetic."""
        return self.held.synthetic

    @property
    def length_360(self) -> int:
        """Samples at 360 Hz."""
        return int(-(-self.length * self.factor.numerator // self.factor.denominator))

    def millivolts(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples at the recorded rate in mV, NaN where nothing was measured."""
        start, stop = max(start, 0), min(stop, self.length)
        if stop <= start:
            return np.empty(0, np.float32)
        return self.held.scaled(self.channel, self.held.read(self.channel, start, stop))

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the whole lead at 360 Hz, piece after piece with the first sample of each.

        The samples are in the stored unit of the recording (`gain` of them are a mV) and the same
        for any size of the pieces; memory grows with that size only.

        Raises
        ------
        InputError
            If the file is damaged; its checksum is known to differ only at the end.
        """
        resampler, done = Resampler(self.factor), 0
        for start, piece in self.held.pieces(self.channel, max(1, round(seconds * self.fs))):
            out = resampler.push(piece, last=start + len(piece) == self.length)
            if len(out):
                yield done, out
                done += len(out)


def open_signal(
    record: str | Path,
    lead: str | None = None,
    *,
    prefer: Sequence[str] = ("MLII",),
    hints: Hints | None = None,
) -> Signal:
    """Open one lead of a recording of any format.

    Parameters
    ----------
    record
        File, or path without extension.
    lead, prefer
        A lead by name or ``channel:<n>``, or those to look for in order, see `leads.choose`.
    hints
        Rate, unit and column, for files that do not state them.

    Raises
    ------
    InputError
        If the recording is missing or damaged, has no such lead, or its rate cannot be used.
    """
    held = open_recording(record, hints)
    channel = choose(held, lead, prefer)
    one = held.channels[channel]
    notes = [*held.notes, *held.assumed([channel])]
    if lead is None and prefer and one.name != prefer[0]:
        notes.append(f"{held.name}: no lead {prefer[0]}, {one.name} used")
    factor = ratio(one.fs, held.name)
    if factor != 1:
        notes.append(f"{held.name}: resampled from {one.fs:g} Hz to 360 Hz")
    if not one.voltage:
        notes.append(f"{held.name}: lead {one.name} is in {one.unit}, not a voltage")
    return Signal(held, channel, factor, tuple(notes))

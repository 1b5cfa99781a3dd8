"""One lead of a recording at 360 Hz: read block by block, or whole with its labelled beats."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats import Hints, find_file, open_recording, record_names
from ecgphoton.ecg.formats.wfdb_record import lacking
from ecgphoton.ecg.formats.wfdb_segments import wfdb_files
from ecgphoton.ecg.labels import label_file, not_read, read_labels
from ecgphoton.ecg.leads import choose
from ecgphoton.ecg.recording import Channel, OpenRecording
from ecgphoton.ecg.resample import Resampler, ratio, scaled
from ecgphoton.errors import InputError

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
        resampler, done = Resampler(self.factor, self.gain), 0
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
        notes.append(f"{held.name}: no lead {prefer[0]}; {one.name} is used")
    alike = sum(other.name == one.name for other in held.channels)
    if lead is None and alike > 1:
        notes.append(f"{held.name}: {alike} leads are called {one.name}; channel:{channel} is used")
    factor = ratio(one.fs, held.name)
    if factor != 1:
        notes.append(f"{held.name}: resampled from {one.fs:g} Hz to 360 Hz")
    if not one.voltage:
        notes.append(f"{held.name}: lead {one.name} is in {one.unit}, not a voltage")
    return Signal(held, channel, factor, tuple(notes))


@dataclass(frozen=True, eq=False)
class AnnotatedLead:
    """One lead of one recording with its beat annotations."""

    name: str
    signal: NDArray[np.float32]
    """``(samples,)`` in any unit; NaN where nothing was measured."""
    samples: NDArray[np.int64]
    """``(beats,)`` R sample of every beat annotation, in order."""
    symbols: NDArray[np.str_]
    """``(beats,)`` their WFDB symbols."""
    lead: str
    fs: float = SAMPLING_RATE
    """Hz."""
    gain: float = 1.0
    """Units of the samples per mV."""
    synthetic: bool = False
    notes: tuple[str, ...] = ()


def record_files(folder: Path, name: str, annotator: str | None = "atr") -> tuple[Path, ...]:
    """Every file of a record: signal, header, segments and labels.

    Raises
    ------
    InputError
        If the record is unknown, its header is damaged, or one of its files is missing.
    """
    if name != Path(name).name or not name:
        raise _unknown(folder, name)
    try:
        file = find_file(folder / name)
    except InputError:
        raise _unknown(folder, name) from None
    signals = wfdb_files(file.with_suffix("")) if file.suffix == ".hea" else (file,)
    for path in signals:
        if not path.is_file():
            raise lacking(path, name)
    return tuple(dict.fromkeys((*signals, label_file(file, annotator))))


def read_recording(
    folder: Path,
    name: str,
    *,
    lead: str | None = None,
    prefer: Sequence[str] = (),
    annotator: str | None = "atr",
    symbols: Mapping[str, str] | None = None,
    hints: Hints | None = None,
) -> AnnotatedLead:
    """Read one lead of a recording and its beats, at 360 Hz.

    Parameters
    ----------
    lead, prefer
        As in `leads.choose`; a lead other than the first preferred is named in a note.
    annotator, symbols
        As in `labels.label_file` and `labels.read_labels`.
    hints
        Rate, unit and column, for files that do not state them.

    Raises
    ------
    InputError
        If a file is missing, truncated or corrupt, or the lead does not exist.
    """
    files = record_files(folder, name, annotator)
    source = open_signal(folder / name, lead, prefer=prefer, hints=hints)
    whole = source.held.whole((source.channel,))[0]
    signal = Resampler(source.factor, source.gain).push(whole, last=True)
    found = read_labels(
        files[-1], source.fs, source.held.clock, symbols, begins=source.held.begins,
        length=source.length,
    )  # fmt: skip
    return AnnotatedLead(
        name,
        signal,
        scaled(found.sample, source.factor),
        found.symbol,
        source.lead,
        gain=source.gain,
        synthetic=source.held.synthetic,
        notes=(*source.notes, *(() if annotator else not_read(files[0], files[-1])), *found.notes),
    )


def _unknown(folder: Path, name: str) -> InputError:
    known = record_names(folder)
    return InputError(
        f"no record {name!r} in {folder}; there are {len(known)}: {' '.join(known[:60])}"
    )

"""One lead of a recording at 360 Hz: read block by block, or whole with its labelled beats."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats import Hints, find_file, open_recording, record_names
from ecgphoton.ecg.formats.wfdb_segments import wfdb_files
from ecgphoton.ecg.labels import Labels, label_file, not_read, read_labels
from ecgphoton.ecg.leads import choose, lead_name, same_name
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
    def name(self) -> str:
        """Name of the record."""
        return self.held.name

    @property
    def lead(self) -> Channel:
        """The lead: its name as in the file, rate, samples, and units of the blocks per mV."""
        return self.held.channels[self.channel]

    @property
    def length_360(self) -> int:
        """Samples at 360 Hz."""
        return int(-(-self.lead.length * self.factor.numerator // self.factor.denominator))

    def millivolts(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples at the recorded rate in mV, NaN where nothing was measured."""
        start, stop = max(start, 0), min(stop, self.lead.length)
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
        resampler, done = Resampler(self.factor, self.lead.gain), 0
        for start, piece in self.held.pieces(self.channel, max(1, round(seconds * self.lead.fs))):
            out = resampler.push(piece, last=start + len(piece) == self.lead.length)
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
    return signal_of(held, choose(held, lead, prefer), lead, prefer)


def signal_of(
    held: OpenRecording, at: int, lead: str | None = None, prefer: Sequence[str] = ()
) -> Signal:
    """Return a lead of an open recording, with notes on what of it was not asked for.

    Arguments are as for `open_signal`, `at` is the number of the channel.

    Raises
    ------
    InputError
        If its rate cannot be used.
    """
    one = held.channels[at]
    factor, free = ratio(one.fs, f"record {held.name!r}"), lead is None
    first = next(iter(prefer), "II")
    other = free and (not same_name(one.name, first) if prefer else lead_name(one.name) != "ii")
    alike = sum(channel.name == one.name for channel in held.channels)
    said = (
        f"no lead {first}; {one.name} is used" if other else "",
        f"{alike} leads are called {one.name}; channel:{at} is used" if free and alike > 1 else "",
        f"resampled from {one.fs:g} Hz to 360 Hz" if factor != 1 else "",
        "" if one.voltage else f"lead {one.name} is in {one.unit}, not a voltage",
    )
    own = (f"{held.name}: {text}" for text in said if text)
    return Signal(held, at, factor, (*held.notes, *held.assumed([at]), *own))


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
        If the record is unknown, its header is damaged or missing, or it has no labels.
    """
    if name != Path(name).name or not name:
        raise _unknown(folder, name)
    try:
        file = find_file(folder / name)
    except InputError:
        raise _unknown(folder, name) from None
    signals = wfdb_files(file.with_suffix("")) if file.suffix == ".hea" else (file,)
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
    return annotated(name, source, files, partial(read_labels, symbols=symbols), annotator)


def annotated(
    name: str,
    source: Signal,
    files: Sequence[Path],
    read: Callable[..., Labels],
    annotator: str | None,
) -> AnnotatedLead:
    """Read a lead that is open, and its beats; see `read_recording`.

    Parameters
    ----------
    files
        From `record_files`.
    read
        As `labels.read_labels`.
    """
    whole = source.held.whole((source.channel,))[0]
    signal = Resampler(source.factor, source.lead.gain).push(whole, last=True)
    found = read(
        files[-1], source.lead.fs, source.held.clock, begins=source.held.begins,
        length=source.lead.length,
    )  # fmt: skip
    return AnnotatedLead(
        name,
        signal,
        scaled(found.sample, source.factor),
        found.symbol,
        source.lead.name,
        gain=source.lead.gain,
        synthetic=source.held.synthetic,
        notes=(*source.notes, *(() if annotator else not_read(files[0], files[-1])), *found.notes),
    )


def _unknown(folder: Path, name: str) -> InputError:
    known = record_names(folder)
    return InputError(
        f"no record {name!r} in {folder}; there are {len(known)}: {' '.join(known[:60])}"
    )

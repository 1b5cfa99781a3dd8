"""One lead of a recording with its labelled beats, at 360 Hz, ready to be cut into windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats import Hints, find_file, record_names
from ecgphoton.ecg.formats.wfdb_record import lacking
from ecgphoton.ecg.formats.wfdb_segments import wfdb_files
from ecgphoton.ecg.labels import label_file, read_labels
from ecgphoton.ecg.recording import MOST_AT_ONCE, OpenRecording
from ecgphoton.ecg.resample import Resampler, scaled
from ecgphoton.ecg.signal import open_signal
from ecgphoton.errors import InputError

STEP = 2**22
"""Samples that are read at a time."""


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
    signal = whole(source.held, source.channel, source.factor)
    found = read_labels(files[-1], source.fs, source.held.clock, symbols)
    return AnnotatedLead(
        name,
        signal,
        scaled(found.sample, source.factor),
        found.symbol,
        source.lead,
        gain=source.gain,
        synthetic=source.synthetic,
        notes=(*source.notes, *found.notes),
    )


def whole(held: OpenRecording, channel: int, factor: Fraction) -> NDArray[np.float32]:
    """Read a whole channel in stored units at 360 Hz, NaN where missing.

    Parameters
    ----------
    factor
        360 Hz over the rate of the channel.

    Raises
    ------
    InputError
        If it is corrupt, or longer than is held in memory.
    """
    length = held.channels[channel].length
    if length > MOST_AT_ONCE:
        raise InputError(
            f"record {held.name!r} holds {length} samples; at most {MOST_AT_ONCE} are read at "
            "once. `ecgphoton annotate` reads piece by piece; cut the record into parts for "
            "training"
        )
    made = Resampler(factor)
    pieces = (piece for _, piece in held.pieces(channel, STEP))
    return np.concatenate([*map(made.push, pieces), made.push(np.empty(0, np.float32), last=True)])


def _unknown(folder: Path, name: str) -> InputError:
    known = record_names(folder)
    return InputError(
        f"no record {name!r} in {folder}; there are {len(known)}: {' '.join(known[:60])}"
    )

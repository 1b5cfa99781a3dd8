"""WFDB records of one segment or of several, which are read as one.

Multi-segment records are those of the WFDB Applications Guide, header(5),
https://physionet.org/physiotools/wag/.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats.wfdb_header import Layout, layout
from ecgphoton.ecg.formats.wfdb_record import WfdbRecording, call_wfdb, open_one, read_part
from ecgphoton.ecg.recording import LONGEST, Channel, OpenRecording
from ecgphoton.errors import InputError
from ecgphoton.wording import count

MOST_NAMED = 5
"""Segments whose leads are named in a note."""


@dataclass(frozen=True, eq=False)
class SegmentedRecording(OpenRecording):
    """A WFDB record of several segments, each with its own scale; read in mV."""

    parts: tuple[tuple[int, int, WfdbRecording | None], ...] = ()
    """First frame of every segment, its frames, and the segment; None if nothing was recorded."""
    rows: tuple[tuple[int | None, ...], ...] = ()
    """Of every segment, the channel that carries each lead; None where it lacks the lead."""

    def assumed(self, channels: Iterable[int]) -> tuple[str, ...]:
        """Return the notes of all segments, and one on those that have other leads."""
        notes: list[str] = []
        for at in channels:
            others = []
            for (_, frames, part), row in zip(self.parts, self.rows, strict=True):
                if part is not None and (own := row[at]) is not None:
                    notes += part.assumed([own])
                elif part is not None:
                    pairs = zip(self.channels, row, strict=True)
                    there = ", ".join(one.name for one, own in pairs if own is not None)
                    others.append((frames, f"{part.name} has {there or 'none'}"))
            if others:
                seconds = sum(frames for frames, _ in others) / (self.clock or 1.0)
                names = "; ".join(said for _, said in others[:MOST_NAMED])
                notes.append(
                    f"{self.name}: lead {self.channels[at].name} is missing for {seconds:g} s in "
                    f"{count(len(others), 'segment')} with other leads: {names}"
                    f"{' ...' * (len(others) > MOST_NAMED)}"
                )
        return tuple(dict.fromkeys(notes))

    def read(self, channel: int, first: int, last: int) -> NDArray[np.float32]:
        """Return samples `first` to `last` of a lead in mV, NaN where no segment has it."""
        out = np.full(last - first, np.nan, np.float32)
        frame = round(self.channels[channel].fs / (self.clock or 1.0))
        for (begin, frames, part), row in zip(self.parts, self.rows, strict=True):
            at, source = begin * frame, row[channel]
            if part is None or source is None:
                continue
            start = max(first, at)
            stop = min(last, at + min(frames * frame, part.channels[source].length))
            if start < stop:
                stored = part.read(source, start - at, stop - at)
                out[start - first : stop - first] = part.scaled(source, stored)
        return out

    def pieces(self, channel: int, step: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the whole lead, and compare the checksum at the end of every segment.

        Raises
        ------
        InputError
            If a segment is damaged.
        """
        frame = round(self.channels[channel].fs / (self.clock or 1.0))
        for (begin, frames, part), row in zip(self.parts, self.rows, strict=True):
            at, length, source = begin * frame, frames * frame, row[channel]
            done = 0
            if part is not None and source is not None:
                for first, stored in part.pieces(source, step):
                    piece = part.scaled(source, stored[: length - first])
                    done = first + len(piece)
                    if len(piece):
                        yield at + first, piece
            for first in range(done, length, step):
                yield at + first, np.full(min(step, length - first), np.nan, np.float32)


def _plan(path: Path) -> Layout:
    """Return what the header of the record at a path without extension names."""
    return layout(read_part(path.with_name(f"{path.name}.hea"), path.name), path.name)


def open_wfdb(path: Path) -> WfdbRecording | SegmentedRecording:
    """Open the WFDB record at a path without extension.

    Frames of several samples are opened: such a lead has a rate of its own.

    Raises
    ------
    InputError
        If header or signal files are missing, damaged or promise more than is read.
    """
    plan = _plan(path)
    return _open_segments(path, plan) if plan.segments else open_one(path, plan)


def _open_segments(path: Path, plan: Layout) -> SegmentedRecording:
    """Open every segment and find each lead in it: by name, so that layouts may vary."""
    parts: list[tuple[int, int, WfdbRecording | None]] = []
    files = [path.with_name(f"{path.name}.hea")]
    known: dict[str, WfdbRecording] = {}
    first = 0
    for name, frames in plan.segments:
        if frames == 0:  # a layout segment: it lists the leads and holds no samples
            continue
        if name != "~" and name not in known:
            inner = _plan(path.with_name(name))
            if inner.segments:
                raise InputError(f"segment {name} of record {path.name} has segments itself")
            known[name] = open_one(path.with_name(name), inner)
            files += known[name].files
        part = known.get(name)
        if part is not None and part.header.sig_len not in (None, 0, frames):
            raise InputError(
                f"segment {name} has {part.header.sig_len} samples, header {path.name}.hea states "
                f"{frames}; copy the record again"
            )
        parts.append((first, frames, part))
        first += frames
    some = list(known.values())
    if not some or len({part.header.fs for part in some}) > 1 or first > LONGEST:
        raise InputError(
            f"record {path.name} has no segment with samples, segments of different rates, or more "
            f"than {LONGEST} samples; give one of its segments"
        )
    named = {part.name: _leads(part) for part in some}
    leads: dict[tuple[str, int], Channel] = {}
    for part in some:
        for key, at in named[part.name].items():
            one = part.channels[at]
            seen = leads.setdefault(key, one)
            if seen.fs != one.fs or seen.voltage != one.voltage:
                raise InputError(
                    f"lead {one.name} changes its rate or unit between the segments of record "
                    f"{path.name}; give one of its segments"
                )
    rate = float(some[0].header.fs)
    header = call_wfdb("rdheader", f"header {path.name}.hea", str(path))
    if float(header.fs or 0) != rate:
        raise InputError(
            f"header {path.name}.hea states {header.fs:g} samples a second, its segments {rate:g}; "
            "correct it"
        )
    channels = tuple(
        Channel(one.name, "mV" if one.voltage else one.unit, one.fs, first * round(one.fs / rate))
        for one in leads.values()
    )
    rows = tuple(
        tuple(None if part is None else named[part.name].get(key) for key in leads)
        for _, _, part in parts
    )
    return SegmentedRecording(
        path, "WFDB", channels, tuple(dict.fromkeys(files)), header.base_datetime,
        any(part.synthetic for part in some),
        tuple(note for part in some for note in part.notes), clock=rate, parts=tuple(parts),
        rows=rows,
    )  # fmt: skip


def _leads(part: WfdbRecording) -> dict[tuple[str, int], int]:
    """Channels of a segment by name and by how many before them have that name."""
    found: dict[tuple[str, int], int] = {}
    for at, one in enumerate(part.channels):
        if part.header.file_name[at] != "~":  # a signal that was not recorded
            found[one.name, sum(name == one.name for name, _ in found)] = at
    return found


def parts_in(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return what the headers in a folder name: records that are segments, and signal files."""
    segments, files = set[str](), set[str]()
    for path in folder.glob("*.hea"):
        with contextlib.suppress(InputError):  # damaged headers are refused where they are read
            plan = _plan(path.with_suffix(""))
            segments.update(name for name, _ in plan.segments)
            files.update(plan.files)
    return frozenset(segments), frozenset(files)


def wfdb_files(path: Path) -> tuple[Path, ...]:
    """Return every file of a WFDB record without opening more than its headers.

    Raises
    ------
    InputError
        If a header is missing or damaged.
    """
    segments = (name for name, frames in _plan(path).segments if frames and name != "~")
    files = list[str]()
    for name in dict.fromkeys((path.name, *segments)):
        files += [f"{name}.hea", *(one for one in _plan(path.with_name(name)).files if one != "~")]
    return tuple(path.with_name(one) for one in dict.fromkeys(files))

"""WFDB records of one segment or of several, which are read as one.

Multi-segment records are those of the WFDB Applications Guide, header(5),
https://physionet.org/physiotools/wag/.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats.wfdb_header import Layout, layout
from ecgphoton.ecg.formats.wfdb_record import WfdbRecording, call_wfdb, open_one, read_part
from ecgphoton.ecg.recording import LONGEST, Channel, OpenRecording
from ecgphoton.errors import InputError


@dataclass(frozen=True, eq=False)
class SegmentedRecording(OpenRecording):
    """A WFDB record of several segments, each with its own scale; read in mV."""

    parts: tuple[tuple[int, WfdbRecording | None], ...] = ()
    """First frame of every segment, and the segment; None where nothing was recorded."""
    rows: tuple[tuple[int | None, ...], ...] = ()
    """Of every segment, the channel that carries each lead; None where it lacks the lead."""

    def read(self, channel: int, first: int, last: int) -> NDArray[np.float32]:
        """Return samples `first` to `last` of a lead in mV, NaN where no segment has it."""
        out = np.full(last - first, np.nan, np.float32)
        frame = round(self.channels[channel].fs / (self.clock or 1.0))
        for (begin, part), row in zip(self.parts, self.rows, strict=True):
            at, source = begin * frame, row[channel]
            if part is None or source is None:
                continue
            start = max(first, at)
            stop = min(last, at + part.channels[source].length)
            if start < stop:
                stored = part.read(source, start - at, stop - at)
                out[start - first : stop - first] = part.scaled(source, stored)
        return out


def open_wfdb(path: Path) -> WfdbRecording | SegmentedRecording:
    """Open the WFDB record at a path without extension.

    Frames of several samples are opened: such a lead has a rate of its own.

    Raises
    ------
    InputError
        If header or signal files are missing, damaged or promise more than is read.
    """
    file = path.with_name(f"{path.name}.hea")
    plan = layout(read_part(file, path.name), path.name)
    return _open_segments(path, plan) if plan.segments else open_one(path, plan)


def _open_segments(path: Path, plan: Layout) -> SegmentedRecording:
    """Open every segment and find each lead in it: by name, so that layouts may vary."""
    parts: list[tuple[int, WfdbRecording | None]] = []
    files = [path.with_name(f"{path.name}.hea")]
    known: dict[str, WfdbRecording] = {}
    first = 0
    for name, frames in plan.segments:
        if frames == 0:  # a layout segment: it lists the leads and holds no samples
            continue
        if name != "~" and name not in known:
            inner = layout(read_part(path.with_name(f"{name}.hea"), name), name)
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
        parts.append((first, part))
        first += frames
    some = list(known.values())
    if not some or len({part.header.fs for part in some}) > 1 or first > LONGEST:
        raise InputError(
            f"record {path.name} has no segment with samples, segments of different rates, or more "
            f"than {LONGEST} samples; give one of its segments"
        )
    leads: dict[str, Channel] = {}
    for part in some:
        for one in part.channels:
            seen = leads.setdefault(one.name, one)
            if seen.fs != one.fs or seen.voltage != one.voltage:
                raise InputError(
                    f"lead {one.name} changes its rate or unit between the segments of record "
                    f"{path.name}; give one of its segments"
                )
    rate = float(some[0].header.fs)
    channels = tuple(
        Channel(name, "mV" if one.voltage else one.unit, one.fs, first * round(one.fs / rate))
        for name, one in leads.items()
    )
    rows = tuple(
        tuple(
            next((i for i, one in enumerate(part.channels) if one.name == name), None)
            for name in leads
        )
        if part is not None
        else (None,) * len(leads)
        for _, part in parts
    )
    header = call_wfdb("rdheader", f"header {path.name}.hea", str(path))
    return SegmentedRecording(
        path, "WFDB", channels, tuple(dict.fromkeys(files)), header.base_datetime,
        any(part.synthetic for part in some), clock=rate, parts=tuple(parts), rows=rows,
    )  # fmt: skip


def wfdb_files(path: Path) -> tuple[Path, ...]:
    """Return every file of a WFDB record without opening more than its headers.

    Raises
    ------
    InputError
        If a header is missing or damaged.
    """
    own = path.with_name(f"{path.name}.hea")
    plan = layout(read_part(own, path.name), path.name)
    files = [own, *(path.with_name(name) for name in plan.files if name != "~")]
    for name in dict.fromkeys(name for name, frames in plan.segments if frames and name != "~"):
        file = path.with_name(f"{name}.hea")
        inner = layout(read_part(file, name), name)
        files += [file, *(path.with_name(one) for one in inner.files if one != "~")]
    return tuple(dict.fromkeys(files))

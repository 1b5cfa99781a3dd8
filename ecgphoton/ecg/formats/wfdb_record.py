"""WFDB records of one segment, read with the wfdb package.

Digital formats and missing samples are those of the WFDB Applications
Guide, header(5) and signal(5), https://physionet.org/physiotools/wag/.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats.wfdb_header import Layout
from ecgphoton.ecg.recording import LONGEST, Channel, OpenRecording, millivolts, unit_name
from ecgphoton.errors import InputError
from ecgphoton.host import foreign
from ecgphoton.intake import LARGEST_FILE, expecting, read_bytes

SYNTHETIC_MARK = "SYNTHETIC"
"""A header comment that starts with this word marks a made-up record."""
# What each digital format stores for "no sample" (WFDB signal(5) manual page); differences (8)
# cannot say it.
NEVER = -(2**31)
INVALID = {
    "8": NEVER, "80": -(2**7), "508": -(2**7), "310": -(2**9), "311": -(2**9), "212": -(2**11),
    "16": -(2**15), "61": -(2**15), "160": -(2**15), "516": -(2**15), "24": -(2**23),
    "524": -(2**23), "32": -(2**31),
}  # fmt: skip
# Bytes a sample takes, where the size of the file shows whether it is complete.
_BYTES = {
    "8": 1.0, "80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "24": 3.0, "32": 4.0, "212": 1.5,
    "310": 4 / 3, "311": 4 / 3,
}  # fmt: skip
_AGAIN = (
    "copy it again (`ecgphoton data verify` lists which files of a published database are wrong)"
)
_OF_A_SIGNAL = (".hea", ".dat")
MOST_TOGETHER = 2**25
"""Samples of all signals of a file that are read at a time: reading one reads them all."""


@dataclass(frozen=True, eq=False)
class WfdbRecording(OpenRecording):
    """A WFDB record of one segment; its samples stay digital until they are scaled."""

    header: Any = field(default=None, repr=False)
    """As wfdb read it."""

    def assumed(self, channels: Iterable[int]) -> tuple[str, ...]:
        """Return notes on units that are assumed, and on checksums of 0: they were not computed."""
        sums = dict(enumerate(self.header.checksum or ()))
        zero = ", ".join(self.channels[at].name for at in channels if sums.get(at) == 0)
        said = (f"{self.name}: checksum of {zero} is 0: not compared",) if zero else ()
        return (*super().assumed(channels), *said)

    def read(self, channel: int, first: int, last: int) -> NDArray[np.float32]:
        """Return digital samples `first` to `last` of a channel, NaN where missing."""
        return self._measured(channel, self._digital(channel, first, last))

    def pieces(self, channel: int, step: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the whole channel, and compare its checksum at the end.

        Raises
        ------
        InputError
            If a file is truncated or the checksum differs from the header's.
        """
        check_scale(self.header, channel)
        total, length = 0, self.channels[channel].length
        step = max(1, min(step, MOST_TOGETHER // _together(self.header, channel)))
        for first in range(0, length, step):
            digital = self._digital(channel, first, min(first + step, length))
            total += int(digital.sum())
            yield first, self._measured(channel, digital)
        stated = self.header.checksum[channel] if self.header.checksum else None
        if stated and not self.header.skew[channel] and (total - stated) % 2**16:
            raise InputError(
                f"{self.header.file_name[channel]} is corrupt: the checksum of channel {channel} "
                "differs from its header; copy it again"
            )

    def _digital(self, channel: int, first: int, last: int) -> NDArray[np.int64]:
        """Digital samples; frames of several samples are opened, never averaged."""
        if self.header.file_name[channel] == "~":  # a signal that was not recorded
            return np.full(last - first, NEVER, np.int64)
        frame, form = self.header.samps_per_frame[channel] or 1, self.header.fmt[channel]
        skew = self.header.skew[channel] or 0  # in frames; those behind the end are missing
        start, stop = first // frame + skew, -(-last // frame) + skew
        if form == "8":  # differences add up from the first sample
            start = 0
        end = min(stop, self.channels[channel].length // frame)
        samples = self._frames(channel, start, end) if start < end else np.empty(0, np.int64)
        padded = np.append(samples, np.full((stop - max(start, end)) * frame, INVALID[form]))
        return padded[first - (start - skew) * frame : last - (start - skew) * frame]

    def _frames(self, channel: int, start: int, stop: int) -> NDArray[np.int64]:
        """Digital samples of some frames of the file, whose skew is not corrected."""
        frame = self.header.samps_per_frame[channel] or 1
        swapped = frame > 1 and self.header.fmt[channel] == "61"  # wfdb gives these in mV alone
        found = call_wfdb(
            "rdrecord", f"signal of record {self.name}", str(self.path), sampfrom=start,
            sampto=None if self.header.sig_len is None else stop, physical=swapped,
            channels=[channel], return_res=64 if swapped else 32, smooth_frames=frame == 1,
            ignore_skew=True,
        )  # fmt: skip
        if swapped:
            exact = found.e_p_signal[0] * found.adc_gain[0] + found.baseline[0]
            samples = np.where(np.isnan(exact), INVALID["61"], np.rint(exact))
        else:
            samples = found.d_signal[:, 0] if frame == 1 else found.e_d_signal[0]
        return np.asarray(samples[: (stop - start) * frame], np.int64)

    def _measured(self, channel: int, digital: NDArray[np.int64]) -> NDArray[np.float32]:
        signal = digital.astype(np.float32)
        signal[digital == INVALID.get(self.header.fmt[channel], NEVER)] = np.nan
        return signal


def open_one(path: Path, plan: Layout) -> WfdbRecording:
    """Open a record of one segment whose header has been checked.

    Raises
    ------
    InputError
        If a file is missing or damaged, or promises more than is read.
    """
    files = [path.with_name(name) for name in plan.files if name != "~"]
    for file in files:
        if not file.is_file():
            raise lacking(file, path.name)
    header = call_wfdb("rdheader", f"header {path.name}.hea", str(path))
    rate = float(header.fs or 0)
    length = _frames(header, path)
    if not 0 < rate < 1e6 or not length:
        raise InputError(
            f"header {path.name}.hea states {length} samples, {rate:g} a second; correct it"
        )
    channels = []
    for number, (name, unit) in enumerate(zip(header.sig_name, plan.units, strict=True)):
        said = plan.names[number]  # with every letter, where wfdb reads those of ASCII
        name = said if said.encode("ascii", "ignore").decode().strip() == (name or "") else name
        _check_channel(header, path, number, length)
        frame = header.samps_per_frame[number] or 1
        stored = float(header.adc_gain[number] or 200.0)
        channels.append(
            Channel(
                str(name or f"channel {number}"),
                unit_name(unit or "mV"),
                rate * frame,
                length * frame,
                stored / (millivolts(unit or "mV") or 1.0),
                float(header.baseline[number] or 0),
            )
        )
    notes = (*plan.assumed, *_unread(header, path, length, rate))
    made_up = any(comment.startswith(SYNTHETIC_MARK) for comment in header.comments)
    return WfdbRecording(
        path, "WFDB", tuple(channels), (path.with_name(f"{path.name}.hea"), *files),
        header.base_datetime, made_up, notes, clock=rate, header=header,
    )  # fmt: skip


def _together(header: Any, channel: int) -> int:  # noqa: ANN401
    pairs = zip(header.file_name, header.samps_per_frame, strict=True)
    return sum(count or 1 for file, count in pairs if file == header.file_name[channel])


def _frames(header: Any, path: Path) -> int:  # noqa: ANN401
    """Length of the record; where the header does not state it, from the size of its first file."""
    if header.sig_len is not None:
        return int(header.sig_len)
    if (held := _held(header, path, 0)) is None:
        raise InputError(f"header {path.name}.hea does not say how long the record is; add it")
    return held


def _held(header: Any, path: Path, channel: int) -> int | None:  # noqa: ANN401
    """Return how many frames the file of a channel holds; None where its size does not say."""
    file, form = header.file_name[channel], header.fmt[channel]
    if form not in _BYTES or file == "~":
        return None
    size = path.with_name(file).stat().st_size - (header.byte_offset[channel] or 0)
    return int(size / (_together(header, channel) * _BYTES[form]))


def _unread(header: Any, path: Path, length: int, rate: float) -> list[str]:  # noqa: ANN401
    """Return a note on every file that holds a second or more beyond the length of its record."""
    held = {file: _held(header, path, at) for at, file in enumerate(header.file_name)}
    more = {file: frames - length for file, frames in held.items() if frames is not None}
    return [
        f"{path.name}: {frames / rate:g} s of {file} are beyond the length that the header states, "
        "and are not read"
        for file, frames in more.items()
        if frames >= rate
    ]


def check_scale(header: Any, channel: int) -> None:  # noqa: ANN401
    """Refuse an unusable scale.

    Raises
    ------
    InputError
        If the gain cannot be used, or there are no samples.
    """
    gain = header.adc_gain[channel]
    if header.file_name[channel] == "~":
        raise InputError(
            f"record {header.record_name} has no samples of channel {channel}; choose another lead"
        )
    if gain is not None and not 1e-9 <= gain <= 1e12:
        raise InputError(
            f"record {header.record_name} has a gain of {gain:g} in channel {channel}; give a "
            "positive one, and swap the signal's sign if it is recorded upside down"
        )


def _check_channel(header: Any, path: Path, channel: int, length: int) -> None:  # noqa: ANN401
    """Refuse values that are not read, and a signal file shorter than its header promises."""
    file, form = header.file_name[channel], header.fmt[channel]
    if file == "~":  # a signal without samples
        return
    if length * (header.samps_per_frame[channel] or 1) > LONGEST:
        raise InputError(
            f"record {path.name} declares {length} samples; at most {LONGEST} are read"
        )
    if abs(header.baseline[channel] or 0) > 2**31:
        raise InputError(f"record {path.name} declares a baseline beyond 32 bits; correct it")
    if form not in INVALID:
        raise InputError(
            f"{file} is in format {form}; formats read are {', '.join(sorted(INVALID, key=int))}"
        )
    held = _held(header, path, channel)
    if held is not None and held < length:
        raise InputError(
            f"{file} is truncated: it holds {held} samples of the {length} that its header "
            "promises; copy it again"
        )


def read_part(path: Path, name: str, limit: int = LARGEST_FILE) -> bytes:
    """Read a file of a record, or raise InputError."""
    if not path.is_file():
        raise lacking(path, name)
    return read_bytes(path, limit)


def lacking(path: Path, name: str) -> InputError:
    """Return the error for a file that a record needs and that is not there."""
    there = sorted(one.name for one in path.parent.glob("*"))
    alike = [one for one in there if one.lower() == path.name.lower()]
    others = [one for one in there if Path(one).stem == path.stem][:5]
    advice = f"rename {alike[0]} to {path.name}" if alike and path.name not in alike else _AGAIN
    if others and not alike and path.suffix not in _OF_A_SIGNAL:
        advice = f"there is {', '.join(others)}"
    unread = ", or it cannot be read" if path.name in there else ""
    return InputError(f"record {name!r} lacks {path.name} in {path.parent}{unread}; {advice}")


def call_wfdb(function: str, what: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401
    """Call a reader of wfdb; any error of it means a damaged file."""
    with foreign(), expecting(what, "whole", _AGAIN):
        import wfdb

        return getattr(wfdb, function)(*arguments, **options)

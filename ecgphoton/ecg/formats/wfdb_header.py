"""Checks of the text of a WFDB header, before wfdb parses it."""

import re
from dataclasses import dataclass

from ecgphoton.errors import InputError
from ecgphoton.intake import encoding_of, one_line

# Name[/segments], number of signals, perhaps rate[/counter], length and starting time; header(5).
_RECORD_LINE = re.compile(
    r"[^\s/]+(?:/(\d{1,5}))?\s+(\d{1,4})(?:\s+(\d+\.?\d*)(?:/\S+)?(?:\s+(\d+).*)?)?"
)
_SIGNAL_LINE = re.compile(
    r"([-\w]+\.?\w*|~)[ \t]+(\d{1,3})(?:x(\d{1,9}))?(?::(\d{1,9}))?(?:\+(\d{1,15}))?(?:[ \t].*)?",
    re.ASCII,
)
_SEGMENT_LINE = re.compile(r"([-\w]+|~)[ \t]+(\d{1,10})(?:[ \t].*)?", re.ASCII)
# Gain, baseline and unit: the field after the format.
_UNIT = re.compile(r"\S+[ \t]+\S+[ \t]+-?[\d.eE+-]*(?:\(-?\d*\))?/(\S+)")
_GAIN = re.compile(r"\S+[ \t]+\S+[ \t]+[\d.]*[1-9]")  # stated, and not 0
# What wfdb reads otherwise in that field: a space, behind which it would take the name of the lead
# to begin, and a number in another spelling (2E+2, 1024.5), of which it would take the beginning.
_SPACED = re.compile(r"\S+[ \t]+\S+[ \t]+(?:\S*[(/][ \t]|\S+[ \t]+(?:[()/]|[munMUN]?[vV][ \t]+\d))")
_SPELLED = re.compile(
    r"\S+[ \t]+\S+(?:[ \t]+-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
    r"(?:\(-?\d+\))?(?:/\S*)?(?:[ \t].*)?)?",
    re.ASCII,
)
_LINE_ENDS = re.compile(rb"\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e]")
LARGEST_HEADER = 2**20  # bytes
LONGEST_LINE, MOST_LINES = 512, 4096  # of a header; header(5) allows 255 characters
MOST_SIGNALS, LARGEST_FRAME, LARGEST_SKEW = 256, 4096, 10_000


@dataclass(frozen=True)
class Layout:
    """Files and segments of a WFDB header."""

    files: tuple[str, ...]
    """Signal files, plain names beside the header; none for a record of several segments."""
    segments: tuple[tuple[str, int], ...]
    """Name and frames of every segment, ``~`` where nothing was recorded."""
    units: tuple[str, ...]
    """Of every signal, with every letter; empty where the header does not state it."""
    assumed: tuple[str, ...] = ()
    """What the header leaves to the defaults of header(5)."""


def header_lines(header: bytes, name: str) -> list[tuple[str, bytes]]:
    """Return the lines of a header that are no comments: in ASCII, as wfdb sees them, and whole.

    The patterns of wfdb take time that grows with a power of the length of a line, so that is
    limited.

    Raises
    ------
    InputError
        If there is no line, or one is too long.
    """
    raw = _LINE_ENDS.split(header[: LARGEST_HEADER + 1])
    pairs = [(line.decode("ascii", "ignore").strip(), line.strip()) for line in raw]
    pairs = [(line, whole) for line, whole in pairs if line and not line.startswith("#")]
    if (
        len(header) > LARGEST_HEADER
        or not 0 < len(pairs) <= MOST_LINES
        or max(len(line) for line, _ in pairs) > LONGEST_LINE
    ):
        raise InputError(
            f"header {name}.hea is damaged: it has no line, more than {MOST_LINES}, or one of more "
            f"than {LONGEST_LINE} characters; copy it again"
        )
    return pairs


def _unit(line: bytes) -> str:
    """Return the unit of a signal line, with the letters that ASCII lacks."""
    stated = _UNIT.match(line.decode(encoding_of(line))[:LONGEST_LINE])
    return "" if stated is None else stated[1]


def layout(header: bytes, name: str) -> Layout:
    """Return which files, segments and units a header names.

    Raises
    ------
    InputError
        If a line is damaged, names a file in another folder, or promises more than is read.
    """
    pairs = header_lines(header, name)
    first, *lines = (line for line, _ in pairs)
    record = _RECORD_LINE.fullmatch(first)
    if record is None:
        raise InputError(
            f"header {name}.hea is damaged in its first line ({one_line(first)}); it needs name, "
            "number of signals, rate and length, such as 100 2 360 650000"
        )
    if record[1] is not None:
        segments = _segments(lines, int(record[1]), name)
        total = sum(frames for _, frames in segments)
        if record[4] is not None and int(record[4][:19]) not in (0, total):
            raise InputError(
                f"header {name}.hea is damaged: it has {record[4][:19]} samples, its segments "
                f"{total}; copy it again"
            )
        return Layout((), segments, ())
    if int(record[2]) != len(lines) or not lines:
        raise InputError(
            f"header {name}.hea is damaged: it has {len(lines)} lines for {record[2]} signals; "
            "copy it again"
        )
    files, formats, frame = dict[str, None](), set[tuple[str, str, str]](), 0
    for line in lines:
        signal = _SIGNAL_LINE.fullmatch(line)
        if signal is None:
            raise InputError(
                f"header {name}.hea names the file {line.split()[0]!r}; only plain names, followed "
                "by a format, are read"
            )
        if _SPACED.match(line) or not _SPELLED.fullmatch(line):
            raise InputError(
                f"header {name}.hea has a space within gain, baseline and unit, or a number that "
                f"is not read ({one_line(line)}); write them as one word, such as 200(1024)/mV"
            )
        file, form, together, skew, offset = signal.groups(default="0")
        files[file] = None
        formats.add((file, form, offset))
        frame += max(int(together), 1)
        if int(skew) > LARGEST_SKEW:
            raise InputError(
                f"header {name}.hea: a skew of {skew} samples; at most {LARGEST_SKEW} are read"
            )
    if len(lines) > MOST_SIGNALS or frame > LARGEST_FRAME:
        raise InputError(
            f"header {name}.hea declares {len(lines)} signals with {frame} samples a frame; at "
            f"most {MOST_SIGNALS} with {LARGEST_FRAME} are read"
        )
    if len(formats) != len(files):
        raise InputError(f"header {name}.hea gives one file in two formats; copy it again")
    assumed = [] if record[3] else ["sampling rate not stated, 250 Hz assumed"]
    units = tuple(_unit(whole) for _, whole in pairs[1:])
    for unit in dict.fromkeys(units):
        bare = [
            str(at) for at, line in enumerate(lines) if units[at] == unit and not _GAIN.match(line)
        ]
        if bare:
            assumed.append(
                f"gain of channel {', '.join(bare)} not stated, 200 a {unit or 'mV'} assumed"
            )
    return Layout(tuple(files), (), units, tuple(f"{name}: {one}" for one in assumed))


def _segments(lines: list[str], count: int, name: str) -> tuple[tuple[str, int], ...]:
    """Name and frames of every segment of a record of several."""
    parts = [_SEGMENT_LINE.fullmatch(line) for line in lines]
    if len(parts) != count or not parts or None in parts:
        raise InputError(
            f"header {name}.hea is damaged: it must have a line with name and length for each of "
            f"its {count} segments; copy it again"
        )
    return tuple((part[1], int(part[2])) for part in parts if part is not None)

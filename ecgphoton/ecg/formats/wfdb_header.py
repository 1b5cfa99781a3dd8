"""Checks of the text of a WFDB header, before wfdb parses it."""

import re
from dataclasses import dataclass

from ecgphoton.errors import InputError
from ecgphoton.intake import encoding_of, one_line

# Name[/segments], number of signals, perhaps rate[/counter], length and starting time; header(5).
_RECORD_LINE = re.compile(
    r"(?:[-\w]|[^\x00-\x7f])+(?:/(\d{1,5}))?\s+(\d{1,4})(?:\s+(\d+\.?\d*)(?:/\S+)?(?:\s+(\d+).*)?)?",
    re.ASCII,
)
# File, format, and gain(baseline)/unit. What wfdb reads otherwise in the last one is refused: a
# space, behind which it would take the name of the lead to begin, and a number in another spelling
# (2E+2, 1024.5), of which it would take the beginning.
_SIGNAL_LINE = re.compile(
    r"""
    (?P<file>[-\w]+\.?\w*|~) [ \t]+
    (?P<form>\d{1,3}) (?:x(?P<frame>\d{1,9}))? (?::(?P<skew>\d{1,9}))? (?:\+(?P<offset>\d{1,15}))?
    (?:
        [ \t]+ (?P<gain>-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) (?:\(-?\d+\))? (?:/(?P<unit>\S+))?
        (?: [ \t]+ (?![ \t()/]|[munMUN\u00b5\u03bc]?[vV][ \t]+\d) .* )?
    )?
    """,
    re.ASCII | re.VERBOSE,
)
_SEGMENT_LINE = re.compile(r"([-\w]+|~)[ \t]+(\d{1,10})(?:[ \t].*)?", re.ASCII)
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
    names: tuple[str, ...] = ()
    """Of every signal, with every letter; empty where the line ends before."""
    assumed: tuple[str, ...] = ()
    """What the header leaves to the defaults of header(5)."""


def header_lines(header: bytes, name: str) -> list[str]:
    """Return the lines of a header that are no comments.

    The patterns of wfdb take time that grows with a power of the length of a line, so that is
    limited.

    Raises
    ------
    InputError
        If there is no line, or one is too long.
    """
    raw = _LINE_ENDS.split(header[: LARGEST_HEADER + 1])
    lines = [line.decode(encoding_of(line)).strip() for line in raw]
    lines = [line for line in lines if line and not line.startswith("#")]
    if (
        len(header) > LARGEST_HEADER
        or not 0 < len(lines) <= MOST_LINES
        or max(map(len, lines)) > LONGEST_LINE
    ):
        raise InputError(
            f"header {name}.hea is damaged: it has no line, more than {MOST_LINES}, or one of more "
            f"than {LONGEST_LINE} characters; copy it again"
        )
    return lines


def layout(header: bytes, name: str) -> Layout:
    """Return which files, segments and units a header names.

    Raises
    ------
    InputError
        If a line is damaged, names a file in another folder, or promises more than is read.
    """
    first, *lines = header_lines(header, name)
    record = _RECORD_LINE.fullmatch(first)
    if record is None:
        raise InputError(
            f"header {name}.hea is damaged in its first line ({one_line(first)}); it needs a name "
            "(letters, digits, '-' and '_'), number of signals, rate and length, such as 100 2 360 "
            "650000"
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
    found = [_SIGNAL_LINE.fullmatch(line) for line in lines]
    if None in found:
        wrong = one_line(lines[found.index(None)])
        raise InputError(
            f"header {name}.hea has a line that is not read ({wrong}); "
            "it needs a plain file name, the format, and gain, baseline and unit without a space, "
            "such as 100.dat 212 200(1024)/mV"
        )
    signals = [one.groupdict("") for one in found if one is not None]
    skew = max(int(one["skew"] or 0) for one in signals)
    if skew > LARGEST_SKEW:
        raise InputError(
            f"header {name}.hea: a skew of {skew} samples; at most {LARGEST_SKEW} are read"
        )
    frame = sum(max(int(one["frame"] or 0), 1) for one in signals)
    if len(lines) > MOST_SIGNALS or frame > LARGEST_FRAME:
        raise InputError(
            f"header {name}.hea declares {len(lines)} signals with {frame} samples a frame; at "
            f"most {MOST_SIGNALS} with {LARGEST_FRAME} are read"
        )
    files = tuple(dict.fromkeys(one["file"] for one in signals))
    if len({(one["file"], one["form"], one["offset"]) for one in signals}) != len(files):
        raise InputError(f"header {name}.hea gives one file in two formats; copy it again")
    units = tuple(one["unit"] for one in signals)
    bare = [
        (str(at), units[at]) for at, one in enumerate(signals) if not float(one["gain"] or 0) > 0
    ]
    assumed = [
        *([] if record[3] else ["sampling rate not stated, 250 Hz assumed"]),
        *(
            f"gain of channel {', '.join(at for at, one in bare if one == unit)} not stated, 200 a "
            f"{unit or 'mV'} assumed"
            for unit in dict.fromkeys(unit for _, unit in bare)
        ),
    ]
    names = tuple("".join(line.split(None, 8)[8:]) for line in lines)
    return Layout(files, (), units, names, tuple(f"{name}: {one}" for one in assumed))


def _segments(lines: list[str], count: int, name: str) -> tuple[tuple[str, int], ...]:
    """Name and frames of every segment of a record of several."""
    parts = [_SEGMENT_LINE.fullmatch(line) for line in lines]
    if len(parts) != count or not parts or None in parts:
        raise InputError(
            f"header {name}.hea is damaged: it must have a line with name and length for each of "
            f"its {count} segments; copy it again"
        )
    return tuple((part[1], int(part[2])) for part in parts if part is not None)

"""The text of a WFDB header, looked at before wfdb parses it."""

from __future__ import annotations

import re

from ecgphoton.errors import InputError

# Name, number of signals, and perhaps rate[/counter], length and starting time; header(5).
_RECORD_LINE = re.compile(r"[^\s/]+\s+(\d{1,4})(?:\s+\d[\d.e+]*(?:/\S+)?(?:\s+\d+.*)?)?")
_SIGNAL_LINE = re.compile(
    r"([-\w]+\.?\w*)[ \t]+(\d{1,3})(?:x(\d{1,9}))?(?::(\d{1,9}))?(?:\+(\d{1,15}))?(?:[ \t].*)?",
    re.ASCII,
)
LARGEST_HEADER = 2**20  # bytes
LONGEST_LINE, MOST_LINES = 512, 4096  # of a header; header(5) allows 255 characters
MOST_SIGNALS, LARGEST_FRAME, LARGEST_SKEW = 256, 4096, 10_000


def header_lines(header: bytes, name: str) -> list[str]:
    """Return the lines of a header that are no comments, as wfdb sees them.

    Its patterns take time that grows with a power of the length of a line, so that is limited.
    """
    text = header[: LARGEST_HEADER + 1].decode("ascii", "ignore")
    lines = [line.strip() for line in text.splitlines()]
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


def signal_files(header: bytes, name: str) -> list[str]:
    """Return the signal files a header names, each of them plain names beside the header."""
    first, *lines = header_lines(header, name)
    record = _RECORD_LINE.fullmatch(first)
    if record is None or int(record[1]) != len(lines) or not lines:
        raise InputError(
            f"header {name}.hea is damaged or of several segments; give a WFDB record with one "
            "line for each of its signals"
        )
    files, formats = set[str](), set[tuple[str, str, str]]()
    frame = 0
    for line in lines:
        signal = _SIGNAL_LINE.fullmatch(line)
        if signal is None:
            raise InputError(
                f"header {name}.hea names the file {line.split()[0]!r}; only plain names, followed "
                "by a format, are read"
            )
        file, form, together, skew, offset = signal.groups(default="0")
        files.add(file)
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
    return sorted(files)

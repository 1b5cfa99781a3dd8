"""Text: comma, semicolon, tab or space separated columns, read with pandas.

Comments (lines that begin with ``#``, or with ``;`` where that is not the separator) and lines of
a name and a value may stand above the columns (see `heading`). The first lines below determine the
separator, whether a decimal comma is used, and whether there are lines with names and units; what
PhysioNet's ``rdsamp -c -p`` writes is read as it is.
"""

import codecs
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats.columns import Hints, from_columns
from ecgphoton.ecg.formats.heading import Heading, heading_of
from ecgphoton.ecg.formats.times import CLOCK, DATE, seconds_of
from ecgphoton.ecg.recording import LARGEST_RECORDING, MOST_AT_ONCE, HeldRecording, millivolts
from ecgphoton.errors import InputError
from ecgphoton.intake import encoding_of, expecting, read_bytes
from ecgphoton.wording import count

_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
_MISSING = ["", "-", *(w for n in ("nan", "na", "n/a", "null") for w in (n, n.upper())), "NaN"]
_NAME_UNIT = re.compile(
    r"(.*?)\s*[\[({<]([^\[\](){}<>]+)[\])}>]\s*|(.+?)[_ ./,-]+([mnu\u00b5\u03bc]V)", re.IGNORECASE
)
MOST_COLUMNS, LONGEST_NAME = 256, 100
MOST_COMMENTS = 400
"""Lines in which the columns begin."""
_OF_EXCEL = re.compile(r"[\ufeff\"]*sep=.\"?\s*", re.IGNORECASE)
"""The separator, which the columns show as well."""
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
_LOOK = 1 << 16  # bytes that decide the dialect
_BY = ";\t, "  # separators


@dataclass(frozen=True)
class Table:
    """Columns of a text file."""

    names: tuple[str, ...]
    """As in the file, or ``channel 0``, ... where it has no names."""
    units: tuple[str, ...]
    """From a line of units or from the name (``II (uV)``, ``II_uV``); empty where not stated."""
    columns: tuple[NDArray[Any], ...]
    """Numbers, NaN where a cell is empty or marked as missing; other columns as objects."""
    heading: Heading
    """What the lines above state."""

    def seconds(self, at: int) -> NDArray[np.float64]:
        """Return a column of times in seconds, as `times.seconds_of` reads it.

        Raises
        ------
        ValueError
            If a cell is no time.
        """
        return seconds_of(self.names[at], self.units[at], self.columns[at])


def read_table(path: Path) -> Table:
    """Read a text file of columns.

    Raises
    ------
    InputError
        If it is empty, too large, not text, or its lines have different numbers of cells.
    """
    import pandas

    content = read_bytes(path, LARGEST_RECORDING)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path} is text in UTF-16; save it as UTF-8, in Excel as CSV UTF-8")
    if b"\0" in content[:_LOOK]:
        raise InputError(f"{path} is not a text file; check its format")
    if b"\r\r\n" in content[:_LOOK]:  # line ends that were translated twice
        content = content.replace(b"\r\r\n", b"\n")
    encoding = encoding_of(content[: content.rfind(b"\n", 0, _LOOK) + 1 or None])
    lines = _LINE_ENDS.split(content[:_LOOK].decode(encoding, "replace"))
    lines = lines[: min(MOST_COMMENTS, len(lines) - (len(content) > _LOOK) or 1)]
    above = _above(lines)
    skip = next((at for at in range(above, len(lines)) if lines[at].strip()), above)
    first = [line for line in lines[skip : skip + 200] if line.strip()]
    if not first:
        raise InputError(f"{path} is empty; export it again")
    separator, decimal = _dialect(path, first)
    head = [_cells(line, separator) for line in first[:3]]
    names = () if _numeric(head[0]) or not _says(first[0]) else tuple(head[0])
    below = head[1] if names and len(head) > 1 and len(head[1]) == len(names) else []
    units = tuple(cell.strip("[]()") for cell in below) if _of_units(below) else ()
    skip += bool(names) + bool(units)
    width = len(head[0])
    if width > MOST_COLUMNS or max(map(len, head[0])) > LONGEST_NAME:
        raise InputError(
            f"{path} has {width} columns with cells of up to {max(map(len, head[0]))} characters; "
            f"at most {MOST_COLUMNS} with {LONGEST_NAME} are read"
        )
    with expecting(path, "a table", "export it again"):
        frame = pandas.read_csv(
            io.BytesIO(content if width > 1 else content.rstrip()),
            skip_blank_lines=width > 1,  # an empty line of one column is an empty cell
            sep=r"\s+" if separator == " " else separator, decimal=decimal,
            header=None, skiprows=skip, keep_default_na=False, na_values=_MISSING, engine="c",
            names=None if width > 1 else range(max(len(_cells(line, separator)) for line in first)),
            quotechar="'" if first[0].startswith("'") else '"', low_memory=False,
            skipinitialspace=True, encoding=encoding, encoding_errors="replace",
        )  # fmt: skip
    if frame.shape[1] != width or frame.size > MOST_AT_ONCE:
        raise InputError(
            f"{path} has {frame.shape[0]} lines of {frame.shape[1]} cells below a first line of "
            f"{width}; every line needs the same number, {MOST_AT_ONCE} in all"
        )
    if not units:
        split = [_NAME_UNIT.fullmatch(name) for name in names]
        units = tuple("" if found is None else found[2] or found[4] for found in split)
        names = tuple(
            name if found is None else found[1] or found[3] or ""
            for name, found in zip(names, split, strict=True)
        )
    heading = heading_of(lines[:above])
    lead = tuple(heading.lead.values()) if width == 1 else ()
    names = names or (lead if len(lead) == 1 else ("",) * width)
    names = tuple(name or f"channel {at}" for at, name in enumerate(names))
    if len(set(names)) != width:
        raise InputError(f"{path} names two columns alike: {', '.join(names)}")
    columns = tuple(frame[i].to_numpy() for i in range(width))
    return Table(names, units or ("",) * width, columns, heading)


def without_numbers(path: Path) -> str:
    """Say why a text file is no recording; half of the first lines of one are numbers alone.

    Times and dates count as numbers. Checksums, documentation and tables of labels do not pass. The
    answer is empty for what may be a recording, and for a file that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LOOK)
    except OSError:  # which is refused where it is read
        return ""
    lines = content.decode("latin-1").splitlines()[:MOST_COMMENTS]
    body = [line for line in lines[_comments(lines) :] if line.strip()]
    passed = sum(map(_measured, body))
    if passed > 0 and 2 * passed >= len(body):
        return ""
    if not body or b"\0" in content:
        return "it is no text, or not in UTF-8" if body else "it is empty"
    return f"{passed} of its first {len(body)} lines hold numbers alone"


def _measured(line: str) -> bool:
    """Whether a line holds numbers alone, with times and dates among them."""
    cells = ([cell.strip("[]") for cell in _cells(line, by) if not DATE.match(cell)] for by in _BY)
    return any(map(_numeric, cells))


def _comments(lines: Sequence[str]) -> int:
    """Return how many lines above the columns are comments, or empty between them."""
    columns = [line for line in lines if line.strip()][-2:]
    marks = ("#",) if any(";" in line for line in columns) else ("#", ";")
    above = takewhile(
        lambda line: line.startswith(marks) or not line.strip() or _OF_EXCEL.fullmatch(line), lines
    )
    return max((at for at, line in enumerate(above, 1) if line.strip()), default=0)


def _above(lines: Sequence[str]) -> int:
    """Return how many lines stand above the columns, their names and units.

    Besides comments they are lines that are no numbers, above names or numbers, if anything is
    stated there.
    """
    above = _comments(lines)
    begin = next((at for at, line in enumerate(lines) if at >= above and _measured(line)), above)
    words = [at for at in range(above, begin) if _says(lines[at])]
    if not words or not all(_measured(line) or not _says(line) for line in lines[begin:]):
        return above
    first, last = lines[begin], lines[words[-1]]
    by = next((by for by in _BY if by in first.strip()), "\0")
    cells, width = _cells(last, by), len(_cells(first, by))
    named = heading_of([last])
    kept = 0 if named.rate or named.unit else 1 + (len(words) > 1 and _of_units(cells))
    head = [lines[at] for at in words[: len(words) - kept]]
    apart = bool(head) and all(len(_cells(line, by)) != width for line in head)
    if not (named or apart or heading_of(head)):
        return above
    if width == 1:
        kept *= not re.search("[:=,;\t]", last)
    elif cells[0].endswith((":", "=")) or (len(cells) != width and re.search("[:=]", last)):
        kept = 0
    start = range(words[-1] + 1, begin + 1)
    return words[-kept] if kept else next(at for at in start if lines[at].strip(" \t,;"))


def _says(line: str) -> bool:
    """Whether a line holds more than marks of missing samples."""
    return not any(all(cell in _MISSING for cell in _cells(line, by)) for by in _BY)


def _of_units(cells: Sequence[str]) -> bool:
    """Whether cells are those of a line of units."""
    bare = [cell.strip("[]()") for cell in cells]
    return any(millivolts(cell) is not None for cell in bare) and not any(map(_value, bare))


def open_table(path: Path, hints: Hints) -> HeldRecording:
    """Open a text file of samples, one line per sample and one column per lead.

    Raises
    ------
    InputError
        If a cell is no number, the times are uneven, or rate, unit or column cannot be had.
    """
    table = read_table(path)
    columns = dict(zip(table.names, table.columns, strict=True))
    units = dict(zip(table.names, table.units, strict=True))
    stated = table.heading
    lead = stated.lead if table.names == tuple(stated.lead.values()) else {}
    more = stated.lines - len({*stated.rate, *stated.unit, *lead})
    said = f"{count(more, 'line')} above its columns {'is' if more == 1 else 'are'} not read"
    remarks = [f"{path.name}: {said}"] if more else []
    return from_columns(path, "text", columns, units, stated, hints, remarks)


def _dialect(path: Path, lines: Sequence[str]) -> tuple[str, str]:
    """Separator and decimal sign with which most lines have the same number of cells."""
    body = lines[-max(len(lines) - 3, 1) :]
    wide = all(len(line.split()) == len(body[0].split()) > 1 for line in body)
    in_all = [one for one in (";", "\t", ",") if all(one in line for line in body)]
    separator = [*in_all, " " if wide else "\0"][0]
    cells = [cell for line in body for cell in _cells(line, separator)]
    comma = separator != "," and any("," in cell for cell in cells)
    single = re.compile(r"\s*[-+]?\d+,\d+\s*")
    if separator == "," and all(single.fullmatch(line) for line in body):
        if single.fullmatch(lines[0]):
            raise InputError(
                f"{path}: {lines[0]!r} is one number with a decimal comma, or two numbers; add a "
                "first line with the names of the columns"
            )
        if "," not in lines[0]:
            comma, separator = True, "\0"
    return ("\t" if separator == "\0" else separator), "," if comma else "."


def _cells(line: str, separator: str) -> list[str]:
    parts = line.split() if separator == " " else line.split(separator)
    return [part.strip().strip("'\"").strip() for part in parts]


def _numeric(cells: Sequence[str]) -> bool:
    """Whether a line holds values, not names."""
    return all(
        _NUMBER.fullmatch(cell) or CLOCK.fullmatch(cell) or cell in _MISSING for cell in cells
    ) and any(_NUMBER.fullmatch(cell) for cell in cells)


def _value(cell: str) -> bool:
    """Whether a cell is a number, a clock time or a date: nothing that a line of units holds."""
    return bool(_NUMBER.fullmatch(cell) or CLOCK.fullmatch(cell.strip("[]")) or DATE.match(cell))

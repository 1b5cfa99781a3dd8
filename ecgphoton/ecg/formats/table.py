"""Text: comma, semicolon, tab or space separated columns, read with pandas.

Comments (lines that begin with ``#``, or with ``;`` where that is not the separator) may stand
above the columns. The first lines below determine the separator, whether a decimal comma is used,
and whether there are lines with names and units; what PhysioNet's ``rdsamp -c -p`` writes is read
as it is.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats.columns import Hints, check_axis, from_columns, rises_evenly
from ecgphoton.ecg.recording import LARGEST_RECORDING, MOST_AT_ONCE, HeldRecording, millivolts
from ecgphoton.errors import InputError
from ecgphoton.intake import encoding_of, expecting, read_bytes

_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)")
_MISSING = ["", "-", *(w for n in ("nan", "na", "n/a", "null") for w in (n, n.upper())), "NaN"]
_TIME = re.compile(
    r"(?:elapsed )?(time|t|seconds?|secs?|milliseconds?|timestamp|zeit|temps|tiempo|tempo|tijd)?"
    r"[\s_]*[\[(]?(s|sec|ms|us)?[\])]?"
)
_NAME_UNIT = re.compile(
    r"(.*?)\s*[\[(]([^\[\]()]+)[\])]\s*|(.+?)[_ ]([mnu\u00b5\u03bc]V)", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
DAY = 86_400
"""Seconds."""
_SECONDS = {"ms": 1e-3, "us": 1e-6}
MOST_COLUMNS, LONGEST_NAME = 256, 100
MOST_COMMENTS = 400
"""Lines in which the columns begin."""
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
_LOOK = 1 << 16  # bytes that decide the dialect


@dataclass(frozen=True)
class Table:
    """Columns of a text file."""

    names: tuple[str, ...]
    """As in the file, or ``channel 0``, ... where it has no names."""
    units: tuple[str, ...]
    """From a line of units or from the name (``II (uV)``, ``II_uV``); empty where not stated."""
    columns: tuple[NDArray[Any], ...]
    """Numbers, NaN where a cell is empty or marked as missing; other columns as objects."""
    comments: int = 0
    """Lines of comments above."""

    def numbers(self, at: int) -> NDArray[np.float64]:
        """Return a column of numbers.

        Raises
        ------
        ValueError
            If a cell is no number.
        """
        return np.asarray(self.columns[at], np.float64)

    def words(self, at: int) -> list[str]:
        """Return a column as text without quotes."""
        return [str(cell).strip().strip("'\"[]").strip() for cell in self.columns[at].tolist()]


def read_table(path: Path) -> Table:
    """Read a text file of columns.

    Raises
    ------
    InputError
        If it is empty, too large, not text, or its lines have different numbers of cells.
    """
    import pandas

    content = read_bytes(path, LARGEST_RECORDING)
    if b"\0" in content[:_LOOK]:
        raise InputError(f"{path} is not a text file; check its format")
    encoding = encoding_of(content[: content.rfind(b"\n", 0, _LOOK) + 1 or None])
    lines = _LINE_ENDS.split(content[:_LOOK].decode(encoding, "replace"))[:MOST_COMMENTS]
    above = _comments(lines)
    skip = next((at for at in range(above, len(lines)) if lines[at].strip()), above)
    first = [line for line in lines[skip : skip + 200] if line.strip()]
    if not first:
        raise InputError(f"{path} is empty; export it again")
    separator, decimal = _dialect(path, first)
    head = [_cells(line, separator) for line in first[:3]]
    names = () if _numeric(head[0]) else tuple(head[0])
    units: tuple[str, ...] = ()
    if names and len(head) > 1 and len(head[1]) == len(names) and not _numeric(head[1]):
        units = tuple(head[1]) if any(millivolts(cell) is not None for cell in head[1]) else ()
    skip += bool(names) + bool(units)
    width = len(head[0])
    if width > MOST_COLUMNS or max(map(len, head[0])) > LONGEST_NAME:
        raise InputError(
            f"{path} has {width} columns with cells of up to {max(map(len, head[0]))} characters; "
            f"at most {MOST_COLUMNS} with {LONGEST_NAME} are read"
        )
    with expecting(path, "a table", "export it again"):
        frame = pandas.read_csv(
            io.BytesIO(content), sep=r"\s+" if separator == " " else separator, decimal=decimal,
            header=None, skiprows=skip, keep_default_na=False, na_values=_MISSING, engine="c",
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
    names = names or tuple(f"channel {i}" for i in range(width))
    if len(set(names)) != width:
        raise InputError(f"{path} names two columns alike: {', '.join(names)}")
    columns = tuple(frame[i].to_numpy() for i in range(width))
    return Table(names, units or ("",) * width, columns, above)


def holds_numbers(path: Path) -> bool:
    """Whether a text file can be a recording: half of its first lines hold nothing but numbers.

    Times and dates count as numbers. Checksums, documentation and tables of labels do not pass.
    """
    with path.open("rb") as file:
        lines = file.read(_LOOK).decode("latin-1").splitlines()[:MOST_COMMENTS]
    body = [line for line in lines[_comments(lines) :] if line.strip()]
    passed = sum(any(_measured(_cells(line, by)) for by in ";\t, ") for line in body)
    return passed > 0 and 2 * passed >= len(body)


def _measured(cells: Sequence[str]) -> bool:
    return _numeric([cell.strip("[]") for cell in cells if not _DATE.match(cell)])


def _comments(lines: Sequence[str]) -> int:
    """Return how many lines above the columns are comments, or empty between them."""
    columns = [line for line in lines if line.strip()][-2:]
    marks = ("#",) if any(";" in line for line in columns) else ("#", ";")
    found = 0
    for at, line in enumerate(lines):
        if line.startswith(marks):
            found = at + 1
        elif line.strip():
            break
    return found


def open_table(path: Path, hints: Hints) -> HeldRecording:
    """Open a text file of samples, one line per sample and one column per lead.

    A first column of times (``time``, ``t``, ``seconds``, ``ms`` ..., or clock times) gives the
    sampling rate; without one the caller has to. A first column of any other name that rises
    evenly is an axis, not a lead: the rate that the caller gives must not contradict it.

    Raises
    ------
    InputError
        If a cell is no number, the times are uneven, or rate, unit or column cannot be had.
    """
    table = read_table(path)
    columns: dict[str, NDArray[np.number]] = {}
    units: dict[str, str] = {}
    rate = None
    for at, name in enumerate(table.names):
        first = at == 0 and len(table.names) > 1
        time = first and name and _TIME.fullmatch(name.casefold())
        with expecting(f"{path}: column {name}", "a column of numbers", "correct it"):
            values = seconds_of(table, at) if time else table.numbers(at)
        if time:
            rate = _rate(path, values)
        elif first and hints.column is None and rises_evenly(values):
            check_axis(path, name, values, hints.fs)
        else:
            columns[name], units[name] = values, table.units[at]
    note = f"{path.name}: {table.comments} lines of comments above its columns are not read"
    remarks = [note] if table.comments else []
    return from_columns(path, "text", columns, units, rate, hints, remarks)


def seconds_of(table: Table, at: int) -> NDArray[np.float64]:
    """Return a column of times in seconds.

    Its name or unit may state ms or us. Clock times (h:mm:ss.s) may pass midnight; dates are those
    of ISO 8601.

    Raises
    ------
    ValueError
        If a cell is neither.
    """
    if table.columns[at].dtype.kind in "iuf":
        name = _TIME.fullmatch(table.names[at].casefold())
        unit = (name and name[2]) or table.units[at].casefold().strip()
        return table.numbers(at) * _SECONDS.get(unit, 1.0)
    cells = table.words(at)
    if cells and _DATE.match(cells[0]):
        dates = map(datetime.fromisoformat, cells)
        return np.array([date.replace(tzinfo=date.tzinfo or UTC).timestamp() for date in dates])
    found = [_CLOCK.fullmatch(cell) for cell in cells]
    if None in found:
        raise ValueError(f"{cells[found.index(None)]!r} is no time")
    clock = np.array(
        [3600 * int(at[1] or 0) + 60 * int(at[2]) + float(at[3]) for at in found if at is not None]
    )
    midnights = np.cumsum(np.diff(clock, prepend=clock[:1]) < -DAY / 2)
    return np.asarray(clock + DAY * midnights, np.float64)


def _rate(path: Path, seconds: NDArray[np.float64]) -> float:
    """Return the samples a second from their times, which must be even."""
    steps = np.diff(seconds)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if not usual > 0 or not np.isfinite(seconds).all():
        raise InputError(f"{path}: the times in its first column do not rise; give --fs instead")
    mean = float(seconds[-1] - seconds[0]) / len(steps)
    if abs(mean / usual - 1) > 0.2 or (np.abs(steps - mean) > 0.5 * mean + 1e-3).any():
        raise InputError(
            f"{path}: samples are missing between its times; resample it to even steps, with empty "
            "cells where nothing was measured"
        )
    rate = 1 / mean
    if rate < 1:
        raise InputError(
            f"{path}: read as seconds, the times in its first column give {rate:g} Hz; name the "
            "column with its unit, such as time (ms)"
        )
    return float(round(rate)) if abs(rate / round(rate) - 1) < 1e-3 else rate


def _dialect(path: Path, lines: Sequence[str]) -> tuple[str, str]:
    """Separator and decimal sign with which most lines have the same number of cells."""
    body = lines[-max(len(lines) - 3, 1) :]
    for separator in (";", "\t", ","):
        if all(separator in line for line in body):
            break
    else:
        wide = all(len(line.split()) == len(body[0].split()) > 1 for line in body)
        separator = " " if wide else "\0"
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
        _NUMBER.fullmatch(cell) or _CLOCK.fullmatch(cell) or cell in _MISSING for cell in cells
    ) and any(_NUMBER.fullmatch(cell) for cell in cells)

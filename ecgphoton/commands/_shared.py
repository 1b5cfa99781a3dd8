"""What commands print: JSON, tables, progress, the SYNTHETIC banner."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TextIO

import click

from ecgphoton.artifacts import to_json
from ecgphoton.wording import (
    area as area,
    count as count,
    ends as ends,
    listed as listed,
    percent as percent,
    words as words,
)

if TYPE_CHECKING:
    from ecgphoton.progress import Progress
    from ecgphoton.run.listing import Listing

FETCH = "ecgphoton data fetch"
PIPED = 120  # columns of a table that no terminal shows
UNKNOWN = 80  # columns of a terminal that states none (COLUMNS=0)
FIGURE = "0123456789+-–["
"""Beginnings of cells that are numbers, which are aligned on the right; words are on the left."""
SENTENCE = 24  # columns; longer cells may be wrapped between words
GLUE = "\ue000"  # stands for a space at which no line ends


def emit(result: object) -> None:
    """Print one JSON document."""
    click.echo(to_json(result), nl=False)


def show(result: Any, draw: Callable[[Any], object], *, as_json: bool) -> None:  # noqa: ANN401
    """Print a result as JSON or as a table, under the banner where its beats are synthetic."""
    banner(getattr(result, "source", ""))
    if as_json:
        emit(result.to_dict())
    else:
        draw(result)


def banner(source: str) -> None:
    """Print on standard error which beats other than MIT-BIH were used; a banner if synthetic."""
    if source == "synthetic":
        from ecgphoton.ecg.synthetic import BANNER

        line = f"{BANNER}. `{FETCH}` downloads the MIT-BIH Arrhythmia Database."
        click.secho(line, err=True, bold=True, fg="yellow")
    elif source not in ("", "mitdb"):
        click.echo(f"beats of {source}", err=True)


def say(*lines: str | None) -> None:
    """Print lines, without those that are None or empty."""
    for line in filter(None, lines):
        click.echo(line)


def student(path: str, chosen: str, name: str | None = None) -> str:
    """Return the sentence on which student was taken, and why; it is named after its path."""
    from ecgphoton.runs import NAMED, name_of

    why = "" if chosen == NAMED else f": {chosen}"
    return f"student {name or name_of(Path(path))} ({path}){why}"


def made_from(found: Mapping[str, Any]) -> str:
    """Return what is to be said of student and beats of a simulation, study or calibration."""
    about = found["provenance"]
    return "\n".join((student(about["model"], about["chosen"]), *found["notes"]))


def shows(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal; a closed one is None."""
    return stream is not None and stream.isatty()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in which no word is ever cut.

    Sentences, and where it is needed headings, are wrapped to the width of the terminal. Where
    even that is too wide, the columns are spread over several tables that begin with the same
    column. What is not a terminal is as wide as needed.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    stacks = list(zip(columns, *cells, strict=True))
    figures = [index > 0 and all(not cell or cell[0] in FIGURE for cell in stack[1:])
               for index, stack in enumerate(stacks)]  # fmt: skip
    # A number and its unit stay in one line, an interval may stand below its value.
    stacks = [(name, *(re.sub(r" (?!\[)", GLUE, cell) for cell in found)) if right else stack
              for right, stack in zip(figures, stacks, strict=True)
              for name, *found in [stack]]  # fmt: skip
    full = [max(map(cell_len, stack)) for stack in stacks]
    least = [
        max((cell_len(word) for cell in stack for word in cell.split()), default=0)
        for stack in stacks
    ]
    terminal = shows(sys.stdout)
    available = (Console().width or UNKNOWN) if terminal else PIPED
    console = Console(width=max(available, sum(full) + 2 * len(full)), height=1)
    with console.capture() as text:  # rich would leave a closed pipe with exit code 1
        console.print(Text(title, "table.title"), soft_wrap=True)
        for part in _parts(least, available if terminal else sum(least) + 2 * len(least)):
            if part[1:2] > [1]:
                console.print()
            room = available - 2 * (len(part) - 1)  # two spaces between columns
            widths = {index: max(min(full[index], SENTENCE), least[index]) for index in part}
            if terminal and sum(widths.values()) > room:
                widths = {index: least[index] for index in part}
            spare = room - sum(widths.values())
            drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
            for index, width in widths.items():
                grown = full[index] - width
                if grown > spare:
                    grown = 0 if figures[index] else max(0, spare)
                spare -= grown
                drawn.add_column(
                    Text(columns[index]), justify="right" if figures[index] else "left",
                    width=width + grown, overflow="fold",
                )  # fmt: skip
            for row in zip(*(stacks[index][1:] for index in part), strict=True):
                drawn.add_row(*map(Text, row))
            console.print(drawn)
    click.echo(text.get().replace(GLUE, " "), nl=False, color=True)


def _parts(widths: Sequence[int], available: int) -> list[list[int]]:
    """Return which columns stand together, so that these fit; the first one is in every part."""
    parts, room = [[0]], 0
    for index, width in enumerate(widths[1:], 1):
        if len(parts[-1]) > 1 and room < width + 2:
            parts.append([0])
        if len(parts[-1]) == 1:
            room = available - widths[0]
        parts[-1].append(index)
        room -= width + 2
    return parts


def listing(
    title: str,
    columns: Sequence[str],
    found: Listing,
    shown: Mapping[str, Callable[[Any], str]] = MappingProxyType({}),
) -> None:
    """Print columns of a listing, each in its own form, or that there is nothing to list."""
    rows = [[shown.get(key, str)(row[key]) for key in columns]
            for row in found.rows]  # fmt: skip
    if rows:
        table(title, [words(key) for key in columns], rows)
    else:
        say(f"no {title}")


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Progress bars, one a stage, on standard error; where it is no terminal they write nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress as Bars,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    bars, tasks = Bars(*columns, console=Console(stderr=True)), dict[str, Any]()

    def advance(stage: str, done: int, total: int) -> None:
        name = stage.partition(",")[0]
        if name not in tasks:
            tasks[name] = bars.add_task(stage, total=total)
        bars.update(tasks[name], description=stage, completed=done, total=total)

    with bars if shows(sys.stderr) else contextlib.nullcontext():
        yield advance

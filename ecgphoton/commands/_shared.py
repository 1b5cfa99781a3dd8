"""What commands print: JSON, tables, progress, the SYNTHETIC banner."""

from __future__ import annotations

import contextlib
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


def student(path: str, chosen: str) -> str:
    """Return the sentence on which student was taken, and why."""
    from ecgphoton.runs import NAMED, name_of

    why = "" if chosen == NAMED else f": {chosen}"
    return f"student {name_of(Path(path))} ({path}){why}"


def made_from(found: Mapping[str, Any]) -> str:
    """Return what is to be said of student and beats of a simulation, study or calibration."""
    about = found["provenance"]
    return "\n".join((student(about["model"], about["chosen"]), *found["notes"]))


def shows(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal; a closed one is None."""
    return stream is not None and stream.isatty()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in which no word is ever cut.

    Sentences are wrapped to the width of the terminal. Where even that is too wide, every row
    becomes a paragraph with one line for each column. What is not a terminal is as wide as needed.
    """
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    stacks = list(zip(columns, *cells, strict=True))
    full = [max(map(cell_len, stack)) for stack in stacks]
    words = [
        max((cell_len(word) for cell in stack for word in cell.split()), default=0)
        for stack in stacks
    ]
    widths = [max(min(most, SENTENCE), word) for most, word in zip(full, words, strict=True)]
    terminal = shows(sys.stdout)
    available = (Console().width or UNKNOWN) if terminal else PIPED
    needed = sum(widths) + 2 * (len(widths) - 1)  # two spaces between columns
    if terminal and needed > available:
        _paragraphs(title, columns, cells)
        return
    spare = available - needed
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for index, (name, most) in enumerate(zip(columns, full, strict=True)):
        grown = max(0, min(most - widths[index], spare))
        spare -= grown
        figures = index > 0 and all(not cell or cell[0] in FIGURE for cell in stacks[index][1:])
        side: Any = "right" if figures else "left"
        drawn.add_column(Text(name), justify=side, width=widths[index] + grown, overflow="fold")
    for row in cells:
        drawn.add_row(*map(Text, row))
    console = Console(width=max(available, needed), height=1)  # else TERM=dumb makes it 80 wide
    with console.capture() as text:  # rich would leave a closed pipe with exit code 1
        console.print(Text(title, "table.title"), soft_wrap=True)
        console.print(drawn)
    click.echo(text.get(), nl=False, color=True)


def _paragraphs(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    longest = max(map(len, columns))
    click.echo(title)
    for row in cells:
        click.echo()
        for name, cell in zip(columns, row, strict=True):
            click.echo(f"{name:<{longest}}  {cell}")


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
            tasks[name] = bars.add_task(stage)
        bars.update(tasks[name], description=stage, completed=done, total=total)

    with bars if shows(sys.stderr) else contextlib.nullcontext():
        yield advance

"""What commands print: JSON, tables, progress, the SYNTHETIC banner."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.artifacts import to_json

if TYPE_CHECKING:
    from ecgphoton.progress import Progress
    from ecgphoton.run.listing import Listing

FETCH = "ecgphoton data fetch"
BANNER = (
    "SYNTHETIC DATA: every number below comes from generated beats and says nothing about "
    f"patients. `{FETCH}` downloads the MIT-BIH Arrhythmia Database."
)


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
    """Say loudly when numbers come from synthetic beats (on standard error)."""
    if source == "synthetic":
        click.secho(BANNER, err=True, bold=True, fg="yellow")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: drawn on a terminal, plain when piped."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title, title_justify="left")
    for index, name in enumerate(columns):
        drawn.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        drawn.add_row(*("–" if cell is None else str(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(drawn)


def listing(
    title: str,
    columns: Sequence[str],
    found: Listing,
    shown: Mapping[str, Callable[[Any], str]] = MappingProxyType({}),
) -> None:
    """Print columns of a listing, each in its own form."""
    rows = [[shown.get(key, str)(row[key]) for key in columns]
            for row in found.rows]  # fmt: skip
    table(title, columns, rows)


def percent(value: float | None, digits: int = 2) -> str:
    """Format a share as per cent."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def area(value: float | None) -> str:
    """Format an area under a curve."""
    return "–" if value is None else f"{value:.4f}"


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Progress bars on standard error, one a stage, shown only on a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress as Bars,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Bars(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            name = stage.partition(",")[0]
            if name not in tasks:
                tasks[name] = bars.add_task(stage)
            bars.update(tasks[name], description=stage, completed=done, total=total)

        yield advance

"""Pictures of studies: rows come in, lines over a parameter or bars go out as a PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecgphoton.report.style import BLUE, FAINT, GREEN, VERMILION, look, new_figure, save

COLOURS = (BLUE, VERMILION, GREEN)
MOST_BARS = 24
Rows = Sequence[Mapping[str, Any]]


def draw_lines(
    path: Path,
    rows: Rows,
    x: str,
    lines: Sequence[str],
    *,
    group: str | None = None,
    source: str = "mitdb",
) -> None:
    """Draw columns of a table over one of its columns.

    Parameters
    ----------
    rows
        The table; where a value is None there is no point.
    x, lines
        Names of the columns.
    group
        A column whose values get a panel each.
    source
        Where the beats come from; ``synthetic`` puts the banner on the picture.
    """
    panels = list(dict.fromkeys(row.get(group, "") for row in rows)) if group else [""]
    with look():
        figure = new_figure(3.4, synthetic=source == "synthetic")
        axes_of = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, name in zip(axes_of, panels, strict=True):
            chosen = [row for row in rows if not group or row[group] == name]
            for line, colour in zip(lines, COLOURS, strict=False):
                points = [(row[x], row[line]) for row in chosen if row[line] is not None]
                axes.plot(*zip(*points, strict=True), color=colour, marker=".",
                          label=line.replace("_", " "))  # fmt: skip
            axes.set(xlabel=x, title=name)
            axes.grid(color=FAINT)
        axes_of[0].legend()
        save(figure, path)


def draw_bars(
    path: Path, rows: Rows, name: str, bars: Sequence[str], *, source: str = "mitdb"
) -> None:
    """Draw columns of a table as bars, one group a row, for the first 24 rows.

    Parameters
    ----------
    rows
        The table.
    name, bars
        Column with the names of the groups, and the columns to draw.
    source
        Where the beats come from; ``synthetic`` puts the banner on the picture.
    """
    shown = list(reversed(rows[:MOST_BARS]))
    height = 0.8 / len(bars)
    with look():
        figure = new_figure(1.2 + 0.25 * len(shown), synthetic=source == "synthetic")
        axes = figure.subplots()
        for index, (bar, colour) in enumerate(zip(bars, COLOURS, strict=False)):
            places = [row + index * height for row in range(len(shown))]
            values = [row[bar] for row in shown]
            axes.barh(places, values, height, color=colour, label=bar.replace("_", " "))
        axes.set_yticks(range(len(shown)), [str(row[name]) for row in shown])
        axes.grid(color=FAINT, axis="x")
        axes.legend(loc="lower right")
        save(figure, path)

"""Pieces of a page: tables, facts, figures, folds; every word from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Section:
    """One chapter of a report."""

    name: str
    """Anchor in the page."""
    title: str
    body: Markup


def join(parts: Iterable[str]) -> Markup:
    """Put pieces one after the other."""
    return Markup("").join(parts)


def paragraph(text: object, kind: str = "") -> Markup:
    """Return a paragraph."""
    return Markup('<p class="{}">{}</p>').format(kind, text)


def percent(value: object, digits: int = 2) -> str:
    """Format a share as per cent, a dash where there is none."""
    if not isinstance(value, int | float):
        return "–"
    text = f"{100 * value:.{digits}f}"
    return f"{text if float(text) else text.lstrip('-')} %".replace("-", "−")


def number(value: object, digits: int = 4) -> str:
    """Format a number, a dash where there is none."""
    if isinstance(value, bool) or value is None:
        return "–" if value is None else ("yes" if value else "no")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def table(
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    kind: str = "",
    caption: str = "",
) -> Markup:
    """Return a table; the first cell of a row heads it, `Markup` cells stay as they are."""
    head = join(Markup("<th>{}</th>").format(column) for column in columns)
    body = join(
        Markup("<tr><th>{}</th>{}</tr>").format(row[0], join(_cell(cell) for cell in row[1:]))
        for row in rows
    )
    title = Markup("<caption>{}</caption>").format(caption) if caption else ""
    return Markup(
        '<div class="wide"><table class="{}">{}<thead><tr>{}</tr></thead><tbody>{}</tbody>'
        "</table></div>"
    ).format(kind, title, head, body)


def _cell(cell: object) -> Markup:
    if isinstance(cell, Markup) and cell.startswith("<td"):
        return cell
    return Markup("<td>{}</td>").format(cell)


def facts(pairs: Mapping[str, object]) -> Markup:
    """Return a list of names and values."""
    items = join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in pairs.items()
    )
    return Markup("<dl>{}</dl>").format(items)


def figure(svg: str, caption: object) -> Markup:
    """Return a figure with a caption; `svg` is markup of our own making."""
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(caption, Markup(svg))


def grid(figures: Iterable[str]) -> Markup:
    """Put figures side by side where there is room."""
    return Markup('<div class="grid">{}</div>').format(join(figures))


def fold(summary: object, body: Markup, *, opened: bool = False) -> Markup:
    """Return something to open; paper always shows it."""
    return Markup("<details{}><summary>{}</summary>{}</details>").format(
        Markup(" open") if opened else "", summary, body
    )


def short_hash(digest: str) -> Markup:
    """Return the first twelve digits of a hash, all of them for a pointer."""
    return Markup('<code title="{}">{}</code>').format(digest, digest[:12])


def spoken(name: str) -> str:
    """Name of a set or key as a person would say it."""
    return {"auc": "AUC", "fpr": "FPR", "miss": "miss rate"}.get(name, name.replace("_", " "))


def any_value(value: Any) -> Markup:  # noqa: ANN401 - JSON is any value
    """Return any JSON value in a readable form: lists of objects become tables."""
    if isinstance(value, dict):
        return facts({spoken(str(key)): any_value(item) for key, item in value.items()})
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        columns = list(dict.fromkeys(str(key) for item in value for key in item))
        rows = [[any_value(item.get(column)) for column in columns] for item in value[:200]]
        return table([spoken(column) for column in columns], rows)
    if isinstance(value, list):
        return escape(", ".join(number(item) if not isinstance(item, list | dict) else str(item)
                                for item in value[:60]))  # fmt: skip
    return escape(number(value))

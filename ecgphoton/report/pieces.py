"""Parts of a page: values and figures come in, HTML goes out; text from files is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from ecgphoton.report import style

MOST_COLUMNS = 4
"""Columns that fit on a phone."""


def join(parts: Iterable[str]) -> Markup:
    """Return parts one after the other."""
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
    columns: Sequence[object], rows: Iterable[Sequence[object]], *, caption: str = ""
) -> Markup:
    """Return a table whose first column heads the rows; `Markup` is not escaped.

    On a phone, a table of many columns shows every row as a list of names and values.
    """
    head = join(Markup("<th>{}</th>").format(column) for column in columns)
    cell = Markup('<td data-name="{}"><span>{}</span></td>')
    body = join(
        Markup("<tr><th>{}</th>{}</tr>").format(
            row[0], join(map(cell.format, columns[1:], row[1:]))
        )
        for row in rows
    )
    title = Markup("<caption>{}</caption>").format(caption) if caption else ""
    return Markup(
        '<div class="wide"><table class="{}">{}<thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format("many" if len(columns) > MOST_COLUMNS else "", title, head, body)


def facts(pairs: Mapping[str, object]) -> Markup:
    """Return a list of names and values, without those that are None or empty."""
    items = join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in pairs.items()
        if value not in (None, "")
    )
    return Markup("<dl>{}</dl>").format(items) if items else Markup("")


def picture(
    figure: style.Figure, label: str, caption: object = "", *, true_size: bool = False
) -> Markup:
    """Return a figure as SVG in the colours of the page.

    Parameters
    ----------
    label
        Description for screen readers.
    caption
        Text above the picture.
    true_size
        Whether the picture is as wide as the figure, instead of as wide as there is room.
    """
    width = f"width:{25.4 * figure.get_size_inches()[0]:.2f}mm" if true_size else ""
    text = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    return Markup(
        '<figure class="picture" role="img" aria-label="{}" style="{}">{}{}</figure>'
    ).format(label, width, text, Markup(style.svg(figure)))


def fold(summary: object, body: Markup, *, opened: bool = False, kind: str = "") -> Markup:
    """Return a part that opens on a click; on paper it is open, unless `kind` hides it."""
    return Markup('<details class="{}"{}><summary>{}</summary>{}</details>').format(
        kind, Markup(" open") if opened else "", summary, body
    )


def verdict(word: str, text: str) -> Markup:
    """Return a verdict (``pass``, ``fail`` or ``none``) with its reason."""
    return Markup('<p class="verdict {}"><b>{}</b> {}</p>').format(
        word, "NO VERDICT" if word == "none" else word.upper(), text
    )


def words(name: str) -> str:
    """Return the name of a set or key as it is shown to people."""
    return {"auc": "AUC", "fpr": "FPR", "miss": "miss rate"}.get(name, name.replace("_", " "))


def any_value(value: Any) -> Markup:  # noqa: ANN401 - JSON is any value
    """Return any JSON value in a words form: lists of objects become tables."""
    if isinstance(value, dict):
        return facts({words(str(key)): any_value(item) for key, item in value.items()})
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        columns = list(dict.fromkeys(str(key) for item in value for key in item))
        rows = [[any_value(item.get(column)) for column in columns] for item in value[:200]]
        return table([words(column) for column in columns], rows)
    if isinstance(value, list):
        return escape(", ".join(number(item) if not isinstance(item, list | dict) else str(item)
                                for item in value[:60]))  # fmt: skip
    return escape(number(value))

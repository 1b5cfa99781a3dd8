"""Pages: the templates of their parts and chapters, and how these write numbers and names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from ecgphoton import wording
from ecgphoton.metrics import stated
from ecgphoton.program.convention import READOUT
from ecgphoton.report import style
from ecgphoton.report.chips import interval_table
from ecgphoton.wording import listed, words

if TYPE_CHECKING:
    from jinja2 import Environment


ROLES = {"branch": "branch", "rhythm": "patient token", "mlp": "MLP layer"}
"""Roles of blocks as a page names them."""
UNBROKEN = str.maketrans("- ", "−\N{NO-BREAK SPACE}")
"""On a page, a minus is one, and no line ends between a number and its unit."""


def percent(value: object, digits: int | None = 2) -> str:
    """Format a share as per cent, a dash where there is none."""
    share = value if isinstance(value, int | float) else None
    return wording.percent(share, digits).translate(UNBROKEN)


def number(value: object, digits: int = 4) -> str:
    """Format a number, a dash where there is none."""
    if isinstance(value, bool) or value is None:
        return "–" if value is None else ("yes" if value else "no")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def interval(ends: Sequence[float]) -> str:
    """Format the ends of an interval of a share, in per cent."""
    return wording.ends(*ends, digits=1)


def short(folder: Path) -> str:
    """Return the last parts of a path, without the name of the user's home."""
    return "/".join(folder.resolve().parts[-3:])


def any_value(value: Any) -> Markup:  # noqa: ANN401 - JSON is any value
    """Return any JSON value in a words form: lists of objects become tables."""
    if isinstance(value, dict):
        return part("facts", {words(str(key)): any_value(item) for key, item in value.items()})
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        columns = list(dict.fromkeys(str(key) for item in value for key in item))
        cells = [[any_value(item.get(column)) for column in columns] for item in value[:200]]
        return part("rows", [words(column) for column in columns], cells)
    if isinstance(value, list):
        return escape(", ".join(number(item) if not isinstance(item, list | dict) else str(item)
                                for item in value[:60]))  # fmt: skip
    return escape(number(value))


@cache
def templates() -> Environment:
    """Return the templates; text that they are given is escaped, `Markup` is not."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ecgphoton.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    writers = {"percent": percent, "number": number, "interval": interval, "words": words,
               "listed": listed, "short": short, "counted": wording.count,
               "area": wording.area, "hardware": wording.hardware}  # fmt: skip
    made.filters |= writers
    made.globals |= {**writers, "any_value": any_value, "stated": stated, "svg": style.svg,
                     "interval_table": interval_table, "ROLES": ROLES,
                     "READOUT": READOUT}  # fmt: skip
    return made


def part(name: str, *values: object, **options: object) -> Markup:
    """Return a part of a page: a macro of ``pieces.html``."""
    macro = getattr(templates().get_template("pieces.html").module, name)
    return Markup(macro(*values, **options))


def render(template: str, /, **values: object) -> Markup:
    """Return a template with values put in."""
    return Markup(templates().get_template(template).render(**values).strip())

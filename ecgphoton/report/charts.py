"""Charts as inline SVG: no scripts, no fonts of their own, colours from the page's style sheet.

A chart is as wide as a phone. Its lines take their colours from classes ``c0`` to ``c5``, so that
one page serves light, dark and paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, HEIGHT = 420.0, 280.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 22.0, 10.0, 42.0

Point = tuple[float, float]


LOW_STRIP, HIGH_STRIP = 2.0, 5.0
"""Heights a strip may have, mV."""


@dataclass(frozen=True)
class Series:
    """Something drawn in a chart."""

    kind: Literal["line", "band", "points", "rule", "post", "area"]
    """Band: points are (x, low), then (x, high) of the same length; area: corners of a region.

    Rule and post are a horizontal and a vertical line at the first point.
    """
    points: Sequence[Point]
    colour: int = 0
    label: str = ""
    """Named in the legend where it is not empty."""
    titles: Sequence[str] = ()
    """What a pointer over each point says."""
    dashed: bool = False


def percent(value: float) -> str:
    """Format a tick that is a share."""
    return f"{100 * value:.4g} %"


def plain(value: float) -> str:
    """Format a tick that is a number."""
    return f"{value:.4g}"


def chart(
    series: Iterable[Series],
    *,
    x_label: str,
    y_label: str,
    x_limits: Point | None = None,
    y_limits: Point | None = None,
    x_format: Callable[[float], str] = plain,
    y_format: Callable[[float], str] = plain,
    title: str = "",
) -> str:
    """Draw series over two linear axes.

    Parameters
    ----------
    x_limits, y_limits
        Ends of the axes; by default those of the data.
    title
        What a screen reader says of the picture.

    Returns
    -------
    An ``<svg>`` element, and below it the legend.
    """
    drawn = [one for one in series if len(one.points)]
    x_low, x_high = x_limits or _span(drawn, 0)
    y_low, y_high = y_limits or _span(drawn, 1)

    def place(point: Point) -> tuple[float, float]:
        across = (point[0] - x_low) / ((x_high - x_low) or 1)
        up = (point[1] - y_low) / ((y_high - y_low) or 1)
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
        )

    said = escape(title or y_label, quote=True)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{said}">'
    ]
    for tick in ticks(x_low, x_high):
        x, _ = place((tick, y_low))
        parts.append(
            f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15:g}" text-anchor="middle">'
            f"{escape(x_format(tick))}</text>"
        )
    for tick in ticks(y_low, y_high):
        _, y = place((x_low, tick))
        parts.append(
            f'<path class="grid" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>'
            f'<text x="{LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(y_format(tick))}</text>"
        )
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 8:g}" '
        f'text-anchor="middle">{escape(x_label)}</text>'
        f'<svg x="{LEFT:g}" y="{TOP:g}" width="{WIDTH - LEFT - RIGHT:g}" '
        f'height="{HEIGHT - TOP - BOTTOM:g}" viewBox="{LEFT:g} {TOP:g} '
        f'{WIDTH - LEFT - RIGHT:g} {HEIGHT - TOP - BOTTOM:g}" overflow="hidden">'
    )
    parts += [_draw(one, place, (x_low, x_high), (y_low, y_high)) for one in drawn]
    parts.append("</svg></svg>")
    heading = f'<p class="axis-name">{escape(y_label)}</p>'
    return heading + "".join(parts) + legend(drawn)


def legend(series: Iterable[Series]) -> str:
    """Name every labelled series beside a swatch of its colour."""
    items = [
        f'<li><span class="swatch b{one.colour}"></span>{escape(one.label)}</li>'
        for one in series
        if one.label
    ]
    return f'<ul class="legend">{"".join(items)}</ul>' if items else ""


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between `low` and `high`: 1, 2, 2.5 or 5 times a power of ten apart."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(step * k, 12) for k in range(first, last + 1)]


def _span(series: Sequence[Series], axis: int) -> Point:
    """Return ends of an axis that shows all data with a little room."""
    skip = {"rule": 0, "post": 1}
    values = [
        point[axis]
        for one in series
        for point in one.points
        if skip.get(one.kind) != axis and math.isfinite(point[axis])
    ]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.04 * (high - low) if axis else 0.0
    return (low - room, high + room) if high > low else (low - 0.5, high + 0.5)


def _draw(
    one: Series, place: Callable[[Point], tuple[float, float]], across: Point, up: Point
) -> str:
    dash = ' stroke-dasharray="5 4"' if one.dashed else ""
    if one.kind == "rule":
        points = [place((x, one.points[0][1])) for x in across]
    elif one.kind == "post":
        points = [place((one.points[0][0], y)) for y in up]
    elif one.kind == "band":
        half = len(one.points) // 2
        points = [place(point) for point in (*one.points[:half], *one.points[half:][::-1])]
    else:
        points = [place(point) for point in one.points if all(map(math.isfinite, point))]
    if one.kind == "points":
        titles = one.titles or [""] * len(points)
        return "".join(
            f'<circle class="f{one.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.4">'
            + (f"<title>{escape(said)}</title>" if said else "")
            + "</circle>"
            for (x, y), said in zip(points, titles, strict=False)
        )
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    if one.kind in ("band", "area"):
        return f'<path class="a{one.colour}" d="{path}Z"/>'
    return f'<path class="l{one.colour}" d="{path}"{dash}/>'


def ecg_strip(
    millivolts: Sequence[float],
    fs: float,
    *,
    marks: Iterable[tuple[float, str, bool]] = (),
    title: str = "",
) -> str:
    """Draw a strip on ECG paper at true size: 25 mm/s and 10 mm/mV on paper and screen.

    Its height is what the signal needs, in half millivolts, from `LOW_STRIP` to `HIGH_STRIP`.

    Parameters
    ----------
    millivolts
        Samples, NaN where there is none.
    marks
        (seconds, text, whether it stands out) above the strip.
    """
    known = [value for value in millivolts if math.isfinite(value)] or [0.0]
    low = math.floor(2 * min(known)) / 2
    span = math.ceil(2 * max(known)) / 2 - low
    if span < LOW_STRIP:
        low -= math.floor(LOW_STRIP - span) / 2
        span = LOW_STRIP
    elif span > HIGH_STRIP:
        low = round(2 * (sorted(known)[len(known) // 2] - 0.4 * HIGH_STRIP)) / 2
        span = HIGH_STRIP
    width, height, head = 25 * len(millivolts) / fs, 10 * span, 5.0
    path, pen = [], "M"
    for index, value in enumerate(millivolts):
        if not math.isfinite(value):
            pen = "M"
            continue
        path.append(f"{pen}{25 * index / fs:.2f} {head + height - 10 * (value - low):.2f}")
        pen = "L"
    texts = "".join(
        f'<text class="{"odd" if odd else "usual"}" x="{25 * at:.2f}" y="3.8" '
        f'text-anchor="middle">{escape(text)}</text>'
        for at, text, odd in marks
    )
    fine = _paper(width, height, head, 1)
    coarse = _paper(width, height, head, 5)
    return (
        f'<svg class="strip" viewBox="0 0 {width:.2f} {height + head:.2f}" '
        f'style="width:{width:.2f}mm" role="img" aria-label="{escape(title, quote=True)}">'
        f'<rect class="paper" y="{head}" width="{width:.2f}" height="{height:g}"/>'
        f'<path class="fine" d="{fine}"/><path class="coarse" d="{coarse}"/>'
        f'<svg y="{head}" width="{width:.2f}" height="{height:g}" '
        f'viewBox="0 {head} {width:.2f} {height:g}" overflow="hidden">'
        f'<path class="trace" d="{"".join(path)}"/></svg>{texts}</svg>'
    )


def _paper(width: float, height: float, head: float, every: int) -> str:
    columns = "".join(f"M{x} {head}v{height:g}" for x in range(0, int(width) + 1, every))
    return columns + "".join(f"M0 {head + y}h{width:.2f}" for y in range(0, int(height) + 1, every))

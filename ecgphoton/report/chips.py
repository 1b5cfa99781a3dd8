"""Pictures of many chips: every chip as a point, before and after calibration, and sweeps.

Each function takes the content of a result's JSON file and the rows of its CSV file, so that the
command that makes a result and the report draw the same picture.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.report import style
from ecgphoton.report.style import BLUE, GREEN, INK, LINE, SOFT, VERMILION
from ecgphoton.wording import count, ends, hardware, percent

Floats = NDArray[np.float64]
Content = Mapping[str, Any]
"""Content of a JSON file."""
Rows = Sequence[Mapping[str, Any]]
"""Rows of a CSV file, values as text or numbers."""
MOST_BARS = 24


def is_synthetic(found: Content) -> bool:
    """Whether a result was computed from synthetic beats."""
    return "synthetic" in str(found.get("source")).split("+")


def column(rows: Rows, name: str) -> Floats:
    """Return a column of a table as numbers, NaN where there is none."""
    values = [row[name] for row in rows]
    return np.array([np.nan if value in (None, "") else float(value) for value in values])


def within(limits: Content, fpr: Floats, miss: Floats) -> NDArray[np.bool_]:
    """Return which chips are within the limits on FPR and miss rate."""
    return np.asarray((fpr <= limits["max_fpr"]) & (miss <= limits["max_miss"]))


def interval_table(found: Content) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of the intervals over chips, patients and both, in per cent."""
    rows = [
        [
            {"miss": "mean miss rate", "fpr": "mean FPR"}.get(name, name),
            f"{100 * row['value']:.2f}",
            *(ends(*row[over], digits=1) for over in ("chips", "patients", "both")),
        ]
        for name, row in found["intervals"].items()
    ]  # fmt: skip
    return ["%", "here", "over chips", "over patients", "over both"], rows


@style.look()
def draw_chips(found: Content, rows: Rows) -> style.Figure:
    """Draw miss rate against FPR of every chip, with the limits."""
    limits, metrics = found["limits"], found["metrics"]
    fpr, miss = column(rows, "fpr"), column(rows, "miss")
    good = within(limits, fpr, miss)
    groups = [
        (f"{name}: {chosen.sum()}", colour, fpr[chosen], miss[chosen])
        for name, colour, chosen in (("within limits", BLUE, good), ("beyond", VERMILION, ~good))
    ]
    figure = style.new_figure(4.4, synthetic=is_synthetic(found))
    axes = figure.add_subplot(aspect="equal")
    _draw_plane(axes, limits, groups, (metrics["fpr"]["perfect"], metrics["miss"]["perfect"]))
    shares = f"{percent(found['yield'], 1)} {ends(*found['yield_interval'], digits=1)}"
    title = f"{count(found['chips'], 'chip')}, {hardware(found)}:\nyield {shares}"
    style.fit(figure, axes.set_title(title), style.WIDTH - 1.2)
    return figure


@style.look()
def draw_calibration(found: Content, rows: Rows) -> style.Figure:
    """Draw every chip in every stage of a calibration, and the matrix errors.

    Above: miss rate against FPR with the limits; a line joins the stages of a chip. Below: the
    share of chips whose worst matrix has a relative error below a value.
    """
    names = {row["stage"]: row["stage"].replace(" ", "_") for row in found["table"]}
    stages = {
        stage: (column(rows, f"{name}_fpr"), column(rows, f"{name}_miss"))
        for stage, name in names.items()
    }
    colours = dict(zip(stages, style.colours_of(stages), strict=True))
    groups = [
        (f"{stage}: yield {100 * found['stages'][stage]['yield']:.1f} %", colours[stage], *rates)
        for stage, rates in stages.items()
    ]
    metrics = found["stages"][list(names)[-1]]["metrics"]
    figure = style.new_figure(6.6, synthetic=is_synthetic(found))
    above, below = figure.subplots(2, 1, height_ratios=[2.4, 1])
    above.plot(*np.stack(list(stages.values()), axis=1), color=LINE, lw=0.4, alpha=0.6, zorder=1)
    perfect = metrics["fpr"]["perfect"], metrics["miss"]["perfect"]
    _draw_plane(above, found["limits"], groups, perfect)
    of = f" of {found['profile']},\n" if found.get("profile") else " "
    title = f"{count(found['chips'], 'chip')}{of}before and after calibration"
    style.fit(figure, above.set_title(title), style.WIDTH - 1)
    shares = np.arange(1, len(rows) + 1) / len(rows)
    for stage, name in names.items():
        if f"{name}_error" in rows[0]:
            errors = np.sort(column(rows, f"{name}_error")).clip(1e-9)
            below.step([errors[0], *errors], [0, *shares], color=colours[stage], where="post")
    below.set(ylim=(0, 1.02), ylabel="chips",
              xlabel="relative error of a chip's worst matrix (Frobenius norm)")  # fmt: skip
    style.log_axis(below)
    style.percent_axis(below)
    return figure


def _draw_plane(
    axes: style.Axes,
    limits: Content,
    groups: Sequence[tuple[str, str, Floats, Floats]],
    perfect: tuple[float, float],
) -> None:
    """Draw groups of chips (label, colour, FPR, miss rate) over the region within the limits."""
    fpr, miss = limits["max_fpr"], limits["max_miss"]
    largest = max(rates.max(initial=0.02) for _, _, *both in groups for rates in both)
    top = min(1.15 * max(fpr, miss, largest), 1.0)
    axes.fill_between([0, fpr], miss, color=GREEN, alpha=0.10, lw=0)
    axes.plot([0, fpr, fpr], [miss, miss, 0], color=GREEN, lw=1, ls="--")
    for label, colour, across, up in groups:
        axes.scatter(
            across, up, s=14, alpha=0.65, lw=0, color=colour, label=label, zorder=2, clip_on=False
        )
    axes.plot(*perfect, marker="*", ms=11, mfc="none", mec=INK, ls="", label="perfect chip",
              clip_on=False)  # fmt: skip
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="FPR", ylabel="miss rate")
    style.percent_axis(axes, "xy")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)


@style.look()
def draw_sweep(found: Content, rows: Rows) -> style.Figure:
    """Draw miss rate, FPR and yield over a parameter, with 5th to 95th percentile bands."""
    limits, name = found["limits"], found["parameter"]
    x = column(rows, name)
    figure = style.new_figure(5.0, synthetic=is_synthetic(found))
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, key, prefix, colour, label, limit in (
        (above, "miss_median", "miss_p", VERMILION, "miss rate", "max_miss"),
        (above, "fpr_median", "fpr_p", BLUE, "FPR", "max_fpr"),
        (below, "yield", "yield_", GREEN, "", "min_yield"),
    ):
        low, high = ("5", "95") if axes is above else ("low", "high")
        band = column(rows, prefix + low), column(rows, prefix + high)
        _draw_band(axes, x, *band, colour)
        axes.plot(x, column(rows, key), color=colour, marker=".", label=label, clip_on=False)
        dashes = (4 if limit == "max_fpr" else 0, (4, 4))  # two equal limits are seen in turn
        axes.axhline(limits[limit], color=colour, lw=1, ls=dashes)
        style.percent_axis(axes)
    above.set(ylim=(0, None), ylabel="rate, median and 5–95 %")
    above.legend(loc="upper left", bbox_to_anchor=(0, -0.02), ncols=2)  # beside no line
    above.set_title(f"{count(found['chips'], 'chip')} at every value; dashed: limits")
    unit = f", {found['unit']}" if found["unit"] else ""
    wide = f"yield, {percent(limits['confidence'], None)} interval"
    below.set(ylim=(-0.02, 1.02), ylabel=wide, xlabel=name + unit)
    return figure


@style.look()
def draw_lines(
    found: Content,
    rows: Rows,
    *,
    x: str,
    lines: Mapping[str, str],
    axis: str = "",
    value: str = "share",
    group: str | None = None,
    unit: str = " %",
) -> style.Figure:
    """Draw columns of shares over another column of their table.

    Bands are intervals, where the table holds their ends; the yield that is wanted is dashed.

    Parameters
    ----------
    x, lines
        Names of the columns, and what the legend calls those that are drawn.
    axis, value
        Labels of the two axes; empty is the name of the column.
    group
        A column whose values get a panel each.
    unit
        As `style.percent_axis` takes it; only differences have an axis of their own range.
    """
    from matplotlib.ticker import MaxNLocator

    colours, limits = style.colours_of(lines.values()), found.get("limits")
    panels = list(dict.fromkeys(row[group] for row in rows)) if group else [""]
    figure = style.new_figure(3.4, synthetic=is_synthetic(found))
    axes_of = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, name in zip(axes_of, panels, strict=True):
        chosen = [row for row in rows if not group or row[group] == name]
        at = column(chosen, x)
        for (line, label), colour in zip(lines.items(), colours, strict=True):
            axes.plot(at, column(chosen, line), color=colour, marker=".", label=label)
            if f"{line}_low" in rows[0]:
                band = column(chosen, f"{line}_low"), column(chosen, f"{line}_high")
                _draw_band(axes, at, *band, colour)
        axes.set(xlabel=axis or x, title=name)
        style.percent_axis(axes, unit=unit)
        if unit:
            axes.set_ylim(-0.02, 1.02)
        if limits:
            wanted = limits["min_yield"]
            axes.axhline(wanted, color=SOFT, lw=1, ls=(0, (4, 4)), label="wanted yield")
        if all(float(row[x]).is_integer() for row in rows):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    bands = f", bands: {percent(limits['confidence'], None)} intervals" if limits else ""
    axes_of[0].set_ylabel(value + bands)
    entries = axes_of[0].get_legend_handles_labels()
    if len(entries[0]) > 1:
        figure.legend(*entries, loc="outside lower left", ncols=2)
    return figure


def _draw_band(axes: style.Axes, x: Floats, low: Floats, high: Floats, colour: str) -> None:
    """Draw intervals as a band, and as lines at the values, of which there may be only one."""
    axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
    axes.vlines(x, low, high, color=colour, alpha=0.4, lw=0.8)


@style.look()
def draw_bars(
    found: Content,
    rows: Rows,
    *,
    name: str,
    bars: Mapping[str, str],
    value: str = "",
    log: bool = False,
    unit: str | None = None,
    group: str | None = None,
    start: float = 0.0,
    none: str = "",
) -> style.Figure:
    """Draw columns of a table as bars, a set of them for each of the first 24 rows, which it says.

    A line at the end of a bar is its interval, where the table holds the ends of one.

    Parameters
    ----------
    name, bars
        Column with the names of the sets; the columns to draw, and their names in the legend.
    value
        What the length of a bar is, with its unit.
    log
        Whether the values span decades.
    unit
        Of shares, as `style.percent_axis` takes it; None for other values.
    group
        A column whose values get a panel each, of up to 24 rows.
    start
        The value at which bars begin.
    none
        What is written in place of a bar without a value.
    """
    parts = {key: [row for row in rows if not group or row[group] == key]
             for key in dict.fromkeys(row[group] if group else "" for row in rows)}  # fmt: skip
    tall = [min(len(part), MOST_BARS) for part in parts.values()]
    figure = style.new_figure(0.95 + sum(0.25 + 0.25 * number for number in tall),
                              synthetic=is_synthetic(found))  # fmt: skip
    panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=tall)[:, 0]
    colours, height = style.colours_of(bars.values()), 0.8 / len(bars)
    cuts = []
    for axes, (title, part) in zip(panels, parts.items(), strict=True):
        shown = part[:MOST_BARS]
        for index, (bar, label) in enumerate(bars.items()):
            lengths, at = column(shown, bar), np.arange(len(shown)) + index * height
            axes.barh(at, lengths - start, height, start, color=colours[index], label=label)
            for place in at[np.isnan(lengths)]:
                axes.annotate(none, (start, place), (4, 0), textcoords="offset points",
                              va="center", fontsize=8, color=colours[index])  # fmt: skip
            if f"{bar}_low" in rows[0]:
                low, high = (column(shown, f"{bar}_{end}") for end in ("low", "high"))
                reach = np.clip([lengths - low, high - lengths], 0, None)
                axes.errorbar(lengths, at, xerr=reach, fmt="none", ecolor=INK, elinewidth=0.8)
            if start or (lengths < start).any():
                axes.axvline(start, color=LINE, lw=0.7)
        middle = np.arange(len(shown)) + height * (len(bars) - 1) / 2
        axes.set_yticks(middle, [str(row[name]) for row in shown])
        axes.set(ylim=(middle[-1] + 0.6, middle[0] - 0.6), title=title)
        axes.grid(visible=False, axis="y")
        if len(part) > len(shown):
            cuts.append(f"the first {len(shown)} of {len(part)} {title or 'rows'}")
    panels[-1].set_xlabel("\n".join(filter(None, (value, *cuts))))
    if log and (start or any((column(rows, bar) > 0).any() for bar in bars)):
        style.log_axis(axes)
    if unit is not None:
        style.percent_axis(axes, "x", unit)
    if len(bars) > 1:
        entries = axes.get_legend_handles_labels()
        figure.legend(*entries, loc="outside lower left", ncols=len(bars))
    return figure

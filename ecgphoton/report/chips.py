"""Pictures of many chips: every chip as a point, and curves over a parameter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.report.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    SOFT,
    VERMILION,
    look,
    new_figure,
    percent_axis,
    save,
)

if TYPE_CHECKING:
    from ecgphoton.hwsim.sweep import SweepReport
    from ecgphoton.hwsim.verdict import SimulationReport


def draw_chips(path: Path, report: SimulationReport, *, source: str = "mitdb") -> None:
    """Draw miss rate against FPR of every chip, with the limits, and write a PNG.

    Parameters
    ----------
    source
        Where the beats come from; ``synthetic`` puts the banner on the picture.
    """
    limits, good = report.limits, report.good
    with look():
        figure = new_figure(4.4, synthetic=source == "synthetic")
        axes = figure.add_subplot()
        top = 1.15 * max(limits.max_fpr, limits.max_miss, report.fpr.max(), report.miss.max())
        top = min(max(top, 0.02), 1.0)
        axes.fill_between([0, limits.max_fpr], limits.max_miss, color=GREEN, alpha=0.10, lw=0)
        axes.plot(
            [0, limits.max_fpr, limits.max_fpr],
            [limits.max_miss, limits.max_miss, 0],
            color=GREEN,
            lw=1,
            ls="--",
        )
        for chosen, colour, name in ((good, BLUE, "within limits"), (~good, VERMILION, "beyond")):
            axes.scatter(
                report.fpr[chosen],
                report.miss[chosen],
                s=14,
                alpha=0.6,
                lw=0,
                color=colour,
                label=f"{name}: {int(chosen.sum())}",
            )
        axes.plot(
            report.perfect[1],
            report.perfect[0],
            marker="*",
            ms=11,
            color=INK,
            ls="",
            label="perfect chip",
        )
        low, high = report.interval
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="FPR", ylabel="miss rate")
        axes.set_title(
            f"{report.chips} chips: yield {100 * report.observed_yield:.1f} % "
            f"[{100 * low:.1f}, {100 * high:.1f}]"
        )
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.set_aspect("equal")
        axes.legend(loc="upper right")
        save(figure, path)


def draw_sweep(path: Path, report: SweepReport, *, source: str = "mitdb") -> None:
    """Draw miss rate, FPR and yield over a parameter, with 5th-95th percentile bands."""
    rows = report.rows()
    x = np.array(report.sweep.values)
    limits = report.reports[0].limits
    with look():
        figure = new_figure(5.0, synthetic=source == "synthetic")
        above, below = figure.subplots(2, 1, sharex=True)
        for metric, colour, limit in (
            ("miss", VERMILION, limits.max_miss),
            ("fpr", BLUE, limits.max_fpr),
        ):
            name = {"miss": "miss rate", "fpr": "FPR"}[metric]
            middle = [row[f"{metric}_median"] for row in rows]
            low, high = ([row[f"{metric}_{end}"] for row in rows] for end in ("p5", "p95"))
            above.fill_between(x, low, high, color=colour, alpha=0.18, lw=0)
            above.plot(x, middle, color=colour, marker=".", label=f"{name}, median and 5-95 %")
            above.axhline(limit, color=colour, lw=0.8, ls="--")
        above.set(ylim=(0, None), ylabel="rate")
        above.legend(loc="upper left")
        above.set_title(f"over {report.sweep.parameter}, {report.reports[0].chips} chips a point")
        edges = [[row[f"yield_{end}"] for row in rows] for end in ("low", "high")]
        below.fill_between(x, *edges, color=GREEN, alpha=0.18, lw=0)
        below.plot(x, [row["yield"] for row in rows], color=GREEN, marker=".")
        below.axhline(limits.min_yield, color=SOFT, lw=0.8, ls="--")
        below.set(ylim=(-0.02, 1.02), ylabel="yield", xlabel=report.sweep.parameter)
        below.set_facecolor("none")
        for axes in (above, below):
            percent_axis(axes, "y")
            axes.grid(color=FAINT)
        save(figure, path)

"""A picture of what calibration moved: every chip before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.report.style import (
    BLUE,
    GREEN,
    INK,
    LINE,
    VERMILION,
    look,
    new_figure,
    percent_axis,
    save,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecgphoton.calibration.report import CalibrationReport

BEFORE, AFTER = "uncalibrated", "calibrated"


def draw_calibration(path: Path, report: CalibrationReport, *, source: str = "mitdb") -> None:
    """Draw every chip before and after calibration, and the matrix errors, and write a PNG.

    Above: miss rate against FPR with the limits, a line joining the two states of a chip. Below:
    the share of matrices whose relative error is below a value.

    Parameters
    ----------
    source
        Where the beats come from; ``synthetic`` puts the banner on the picture.
    """
    with look():
        figure = new_figure(6.6, synthetic=source == "synthetic")
        above, below = figure.subplots(2, 1, height_ratios=[2.4, 1])
        _chips(above, report)
        _errors(below, report)
        save(figure, path)


def _chips(axes: Axes, report: CalibrationReport) -> None:
    before, after = report.stages[BEFORE], report.stages[AFTER]
    limits = after.limits
    largest = max(part.max() for one in (before, after) for part in (one.fpr, one.miss))
    top = min(1.08 * max(limits.max_fpr, limits.max_miss, largest), 1.0)
    axes.fill_between([0, limits.max_fpr], limits.max_miss, color=GREEN, alpha=0.10, lw=0)
    axes.plot(
        [0, limits.max_fpr, limits.max_fpr],
        [limits.max_miss, limits.max_miss, 0],
        color=GREEN,
        lw=1,
        ls="--",
    )
    ends = (before.fpr, after.fpr), (before.miss, after.miss)
    axes.plot(*map(np.stack, ends), color=LINE, lw=0.4, alpha=0.6, zorder=1)
    for one, colour, name in ((before, VERMILION, BEFORE), (after, BLUE, AFTER)):
        label = f"{name}: yield {100 * one.observed_yield:.1f} %"
        axes.scatter(
            one.fpr,
            one.miss,
            s=13,
            alpha=0.7,
            lw=0,
            color=colour,
            label=label,
            zorder=2,
            clip_on=False,
        )
    axes.plot(
        after.perfect[1],
        after.perfect[0],
        marker="*",
        ms=11,
        mfc="none",
        mec=INK,
        ls="",
        label="perfect chip",
    )
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="FPR", ylabel="miss rate")
    axes.set_title(f"{after.chips} chips before and after calibration")
    percent_axis(axes, "x")
    percent_axis(axes, "y")
    axes.legend(loc="upper right")


def _errors(axes: Axes, report: CalibrationReport) -> None:
    for name, colour in ((BEFORE, VERMILION), (AFTER, BLUE)):
        values = np.sort(report.errors[name].ravel()).clip(1e-9)
        axes.step(values, np.arange(1, len(values) + 1) / len(values), color=colour, where="post")
    axes.set(xscale="log", ylim=(0, 1.02), ylabel="matrices")
    axes.set_xlabel("relative error of a matrix (Frobenius)")
    percent_axis(axes, "y")

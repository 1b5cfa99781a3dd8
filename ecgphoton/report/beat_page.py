"""The picture of wrongly decided beats, as the student sees them: normalised windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgphoton.report import style
from ecgphoton.report.pieces import words
from ecgphoton.report.scores import Scores, errors_of, worst_in_turn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ecgphoton.decision import OperatingPoint
    from ecgphoton.ecg.beats import BeatSet

COLUMNS, ROWS = 4, 3
"""Beats of one kind of error of one set."""


@style.look()
def draw_beats(
    sets: Mapping[str, BeatSet],
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> Figure:
    """Draw missed and false-alarm beats of every set: the worst of each record, then the second.

    A set that is part of another (test records without one of them) is not shown again.
    """
    chapters = [
        chapter
        for name, one in scores.items()
        if "_without_" not in name
        for chapter in _chapters(name, one, point, classes)
    ]
    grids = [max(len(rows[::COLUMNS]), 1) for _, _, rows, _, _ in chapters]
    heights = [0.42 + 0.82 * len(rows[::COLUMNS]) for _, _, rows, _, _ in chapters]
    figure = style.new_figure(sum(heights) + 0.2, synthetic=synthetic)
    parts = figure.subfigures(len(chapters), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, grid, (name, title, rows, texts, colour) in zip(parts, grids, chapters, strict=True):
        part.suptitle(title, x=0.01, ha="left", fontsize=9, weight="bold", color=colour)
        panels = part.subplots(grid, COLUMNS, squeeze=False, gridspec_kw={"wspace": 0.03}).ravel()
        for axes, row in zip(panels, rows, strict=False):
            _draw_beat(axes, sets[name], int(row), texts[row], colour)
        for axes in panels[len(rows) :]:
            axes.set_axis_off()
    return figure


Chapter = tuple[str, str, NDArray[np.int64], Sequence[str], str]
"""Set, title, rows, text above each beat, colour."""


def _chapters(
    name: str, one: Scores, point: OperatingPoint, classes: Sequence[str]
) -> list[Chapter]:
    if not point.binary:
        called, worst = one.probability.argmax(1), one.probability.max(1)
        wrong = called != one.label
        rows = worst_in_turn(one, wrong, worst, 2 * COLUMNS * ROWS)
        texts = [f"as {classes[c]} {p:.2f}" for c, p in zip(called, worst, strict=True)]
        title = f"{words(name)}: {wrong.sum():,} of {len(one):,} beats in a wrong class"
        return [(name, title, rows, texts, style.VERMILION)]
    texts = [f"p {p:.2f}" for p in one.probability[:, 1]]
    return [
        (
            name,
            f"{words(name)}: {error.wrong.sum():,} of {error.of:,} {error.name}",
            worst_in_turn(one, error.wrong, error.wrongness, COLUMNS * ROWS),
            texts,
            colour,
        )
        for error, colour in zip(errors_of(one, point), (style.VERMILION, style.BLUE), strict=True)
    ]


def _draw_beat(axes: Axes, beats: BeatSet, row: int, text: str, colour: str) -> None:
    """Draw one window in [-1, 1] with the R peak at 0 s, its record, symbol and probability."""
    window = beats.windows[row]
    axes.plot((np.arange(len(window)) - len(window) // 2) / beats.fs, window, color=colour, lw=1.1)
    axes.set(xlim=(-0.5, 0.5), ylim=(-1.1, 1.1), xticks=[-0.25, 0, 0.25], yticks=[-1, 0, 1])
    axes.tick_params(length=0, labelbottom=False, labelleft=False)
    axes.set_title(f"{beats.record[row]}  {beats.symbol[row]}", loc="left", fontsize=7.5, pad=1)
    axes.set_title(text, loc="right", fontsize=7, weight="normal", color=style.SOFT, pad=1)

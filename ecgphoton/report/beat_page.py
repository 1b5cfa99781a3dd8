"""A page of the beats a run decided wrongly, as the student saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.report import style
from ecgphoton.report.scores import Scores, worst_in_turn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecgphoton.decision import OperatingPoint
    from ecgphoton.ecg.beats import BeatSet

COLUMNS, ROWS = 4, 3
"""Beats of one kind of error of one set."""


def draw_beats(
    path: Path,
    sets: Mapping[str, BeatSet],
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> None:
    """Draw missed and false-alarm beats of every set, the worst of each record in turn.

    A set that is part of another (test records without one of them) is not shown again.
    """
    chapters = [
        chapter
        for name, one in scores.items()
        if "_without_" not in name
        for chapter in _chapters(name, one, point, classes)
    ]
    grids = [-(-len(rows) // COLUMNS) if len(rows) else 0 for _, _, rows, _, _ in chapters]
    heights = [0.42 + 0.82 * max(grid, 0.2) for grid in grids]
    figure = style.new_figure(sum(heights) + 0.2, synthetic=synthetic)
    parts = figure.subfigures(len(chapters), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, grid, (name, title, rows, wrongness, colour) in zip(
        parts, grids, chapters, strict=True
    ):
        part.suptitle(title, x=0.01, ha="left", fontsize=9, weight="bold", color=colour)
        if not grid:
            part.text(0.01, 0.3, "none", color=style.SOFT)
            continue
        panels = part.subplots(grid, COLUMNS, squeeze=False, gridspec_kw={"wspace": 0.03}).ravel()
        for axes, row in zip(panels, rows, strict=False):
            _draw_beat(axes, sets[name], int(row), wrongness[row], colour)
        for axes in panels[len(rows) :]:
            axes.set_axis_off()
    style.save(figure, path)


Chapter = tuple[str, str, np.ndarray, Sequence[str], str]
"""Set, title, rows, what to write above each beat, colour."""


def _chapters(
    name: str, one: Scores, point: OperatingPoint, classes: Sequence[str]
) -> list[Chapter]:
    said = name.replace("_", " ")
    if not point.binary:
        called = one.probability.argmax(1)
        wrong = called != one.label
        worst = one.probability.max(1)
        rows = worst_in_turn(one, wrong, worst, 2 * COLUMNS * ROWS)
        texts = [f"as {classes[c]} {p:.2f}" for c, p in zip(called, worst, strict=True)]
        title = f"{said}: {wrong.sum():,} of {len(one):,} beats in a wrong class"
        return [(name, title, rows, texts, style.VERMILION)]
    abnormal, probability = one.label == 1, one.probability[:, 1]
    called = point.decide(probability)
    texts = [f"p {p:.2f}" for p in probability]
    chapters: list[Chapter] = []
    for wrong, of, worst, what, colour in (
        (abnormal & ~called, abnormal, -probability, "abnormal beats missed", style.VERMILION),
        (~abnormal & called, ~abnormal, probability, "normal beats alarmed", style.BLUE),
    ):
        rows = worst_in_turn(one, wrong, worst, COLUMNS * ROWS)
        title = f"{said}: {wrong.sum():,} of {of.sum():,} {what}"
        chapters.append((name, title, rows, texts, colour))
    return chapters


def _draw_beat(axes: Axes, beats: BeatSet, row: int, text: str, colour: str) -> None:
    """One window in [-1, 1], R in the middle, with record, symbol and what was said of it."""
    seconds = (np.arange(beats.windows.shape[1]) - beats.windows.shape[1] // 2) / beats.fs
    style.ecg_paper(axes, (-0.5, 0.5), (-1.1, 1.1))
    axes.plot(seconds, beats.windows[row], color=colour, lw=1.1)
    left = f"{beats.record[row]}  {beats.symbol[row]}"
    axes.set_title(left, loc="left", fontsize=7.5, pad=1)
    axes.set_title(text, loc="right", fontsize=7, weight="normal", color=style.SOFT, pad=1)

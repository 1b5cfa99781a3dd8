"""The picture of a training: losses, score, rates and guard events, epoch by epoch."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ecgphoton.report import style
from ecgphoton.training.crossfit import NAME
from ecgphoton.training.fit import best_epoch
from ecgphoton.training.parts import EpochRecord
from ecgphoton.wording import words

History = Sequence[EpochRecord]
Events = Sequence[tuple[int, tuple[int, str]]]
"""Number, epoch and text of every event."""
MOST_EVENTS = 12
"""Events listed below the curves; the history file has them all."""
DASHED = (0, (3, 2))


def events_of(history: History) -> list[tuple[int, str]]:
    """Return the epoch of every event, and what happened."""
    return [(record.epoch, event) for record in history for event in record.events]


@style.look()
def draw_curves(
    history: History, classes: Sequence[str], *, synthetic: bool = False
) -> style.Figure:
    """Draw loss, score, error rates and threshold (or class recalls) over the epochs.

    A dotted line marks the kept epoch. Events are numbered in the panels and listed below them.
    """
    from matplotlib.ticker import MaxNLocator

    points = [(record.epoch, record.point.threshold) for record in history if record.point.binary]
    events = list(enumerate(events_of(history), 1))
    lines = _lines(events)
    heights = [1.45, 1.45, 2.2, *([1.0] if points else [])]
    below = 0.165 * len(lines) + 0.1
    figure = style.new_figure(sum(heights) + 0.4 + below, synthetic=synthetic)
    *panels, text = figure.subplots(len(heights) + 1, 1, height_ratios=[*heights, below])
    text.set_axis_off()
    text.text(0, 1, "\n".join(lines), va="top", fontsize=7.5, color=style.SOFT, linespacing=1.35)
    epochs = [record.epoch for record in history]
    _draw_loss(panels[0], history, epochs)
    panels[1].plot(epochs, [record.score for record in history], color=style.BLUE)
    panels[1].set_title("Selection score")
    _draw_rates(panels[2], history, epochs, classes, binary=bool(points))
    if points:
        panels[3].plot(*zip(*points, strict=True), color=style.INK, clip_on=False)
        scale = ", on the scale that the folds share" if NAME in history[0].sets else ""
        panels[3].set(title=f"Threshold{scale}", ylim=(0, 1))
    kept = best_epoch(history)
    for axes in panels:
        axes.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
        axes.axvline(kept, color=style.INK, lw=1, ls=(0, (1, 2)), zorder=1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelbottom=axes is panels[-1])
    late = kept > (epochs[0] + epochs[-1]) / 2
    panels[1].annotate(
        f"epoch {kept} kept: {history[kept - epochs[0]].score:.4f}", (kept, 0.06),
        xycoords=("data", "axes fraction"), fontsize=8, xytext=(-5 if late else 5, 0),
        textcoords="offset points", ha="right" if late else "left",
    )  # fmt: skip
    _mark_events(panels, events)
    panels[-1].set_xlabel("epoch")
    return figure


def _draw_loss(axes: style.Axes, history: History, epochs: list[int]) -> None:
    axes.plot(epochs, [record.loss for record in history], color=style.INK, label="total")
    names = sorted({name for record in history for name in record.loss_terms})
    for number, name in enumerate(names):
        values = [record.loss_terms.get(name, float("nan")) for record in history]
        axes.plot(epochs, values, color=style.colour_of(number), lw=1.2, label=name)
    if names:
        axes.legend(ncols=4, loc="upper right")
    axes.set_title("Training loss")


def _draw_rates(
    axes: style.Axes, history: History, epochs: list[int], classes: Sequence[str], *, binary: bool
) -> None:
    """Draw miss rate, FPR and F1 of every set (of further sets dashed), or class recalls."""
    first, *others = history[0].sets
    if binary:
        kinds = (("miss", "miss rate", 1), ("fpr", "FPR", 0), ("f1", "F1", 2))
        curves = [
            (label if name == first else f"{label}, {words(name)}", style.colour_of(colour),
             name != first, [record.sets.get(name, {}).get(key) for record in history])
            for name in (first, *others)
            for key, label, colour in kinds
        ]  # fmt: skip
    else:
        sets = [record.sets[first] for record in history]
        curves = [
            (label, style.colour_of(number), False, [_recall(one, number, label) for one in sets])
            for number, label in enumerate(classes)
        ]
        curves.append(("macro-F1", style.INK, True, [one.get("macro_f1") for one in sets]))
    for label, colour, dashed, values in curves:
        look: dict[str, Any] = {"ls": DASHED, "lw": 1.1} if dashed else {}
        axes.plot(epochs, np.array(values, float), color=colour, label=label, clip_on=False, **look)
    title = "Rates at the threshold of the epoch" if binary else "Recall of every class"
    axes.set(ylim=(0, 1), title=f"{title}, {words(first)}")
    style.percent_axis(axes)
    axes.legend(ncols=3 if binary else 5, loc="upper left", bbox_to_anchor=(0, -0.02))


def _recall(values: Mapping[str, Any], number: int, label: str) -> float | None:
    table = values.get("classes", {})
    recall: float | None = table.get(label, table.get(str(number), {})).get("recall")
    return recall


def _lines(events: Events) -> list[str]:
    """Return the lines of text that list the events."""
    lines = [
        line
        for number, (epoch, event) in events[:MOST_EVENTS]
        for line in textwrap.wrap(
            f"{number}  epoch {epoch}: {event}", 82, subsequent_indent="     "
        )
    ]
    more = [f"and {len(events) - MOST_EVENTS} more in history.jsonl"]
    return lines + (more if len(events) > MOST_EVENTS else [])


def _mark_events(panels: Sequence[style.Axes], events: Events) -> None:
    for epoch, together in groupby(events, key=lambda event: event[1][0]):
        for axes in panels:
            axes.axvline(epoch, color=style.ORANGE, lw=1, zorder=1)
        numbers = ",".join(str(number) for number, _ in together)
        panels[0].annotate(
            numbers, (epoch, 0.5), xycoords=("data", "axes fraction"), fontsize=7,
            ha="center", va="center", color="#1b1f25", weight="bold",
            bbox={"boxstyle": "round,pad=0.18", "fc": "#ffe3a8", "ec": "none"},
        )  # fmt: skip

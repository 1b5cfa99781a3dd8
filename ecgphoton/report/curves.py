"""How a training went, epoch by epoch, with everything its guards did."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecgphoton.training.parts import EpochRecord

MOST_EVENTS = 12
"""Events spelt out below the curves; the history file has them all."""


def best_epoch(history: Sequence[EpochRecord]) -> int:
    """First epoch with the highest score: the one whose weights were kept."""
    return max(history, key=lambda record: (record.score, -record.epoch)).epoch


def draw_curves(
    path: Path, history: Sequence[EpochRecord], classes: Sequence[str], *, synthetic: bool = False
) -> None:
    """Draw loss, score, error rates and threshold (or class recalls) over the epochs.

    The kept epoch is a dotted line; what guards did is numbered in the panels and told below.
    """
    from matplotlib.ticker import MaxNLocator

    if not history:
        return
    binary = history[-1].point.binary
    lines = _told(history)
    heights = [1.0, 1.0, 1.5, 0.7] if binary else [1.0, 1.0, 1.5]
    below = 0.165 * len(lines) + 0.1 if lines else 0.0
    figure = style.new_figure(1.45 * sum(heights) + 0.4 + below, synthetic=synthetic)
    ratios = [*heights, below / 1.45] if lines else heights
    panels = figure.subplots(len(ratios), 1, gridspec_kw={"height_ratios": ratios}, squeeze=False)[
        :, 0
    ]
    if lines:
        panels[-1].set_axis_off()
        panels[-1].text(
            0, 1, "\n".join(lines), va="top", fontsize=7.5, color=style.SOFT, linespacing=1.35
        )
        panels = panels[:-1]
    epochs = [record.epoch for record in history]
    _draw_loss(panels[0], history, epochs)
    panels[1].plot(epochs, [record.score for record in history], color=style.BLUE)
    panels[1].set_title("Selection score")
    if binary:
        _draw_rates(panels[2], history, epochs)
        points = [record.point for record in history if record.point.binary]
        panels[3].plot(epochs[-len(points) :], [p.threshold for p in points], color=style.INK)
        panels[3].set(title="Threshold", ylim=(0, 1))
    else:
        _draw_classes(panels[2], history, epochs, classes)
    kept = best_epoch(history)
    for axes in panels:
        axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
        axes.axvline(kept, color=style.INK, lw=1, ls=(0, (1, 2)), zorder=1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelbottom=axes is panels[-1])
    panels[1].annotate(
        f"epoch {kept} kept: {history[kept - history[0].epoch].score:.4f}",
        (kept, 0.06), xycoords=("data", "axes fraction"), fontsize=8, color=style.INK,
        xytext=(-5 if kept > (epochs[0] + epochs[-1]) / 2 else 5, 0), textcoords="offset points",
        ha="right" if kept > (epochs[0] + epochs[-1]) / 2 else "left",
    )  # fmt: skip
    _mark_events(list(panels), history)
    panels[-1].set_xlabel("epoch")
    style.save(figure, path)


def _draw_loss(axes: Axes, history: Sequence[EpochRecord], epochs: list[int]) -> None:
    axes.plot(epochs, [record.loss for record in history], color=style.INK, label="total")
    names = sorted({name for record in history for name in record.loss_terms})
    for name, colour in zip(names, style.CYCLE, strict=False):
        values = [record.loss_terms.get(name, float("nan")) for record in history]
        axes.plot(epochs, values, color=colour, lw=1.2, label=name)
    if names:
        axes.legend(ncols=4, loc="upper right")
    axes.set_title("Training loss")


def _draw_rates(axes: Axes, history: Sequence[EpochRecord], epochs: list[int]) -> None:
    """Miss rate, FPR and F1 of the first set; of a second one, where it takes part, thin."""
    kinds = (("miss", "miss rate", style.VERMILION), ("fpr", "FPR", style.BLUE))
    for number, name in enumerate(history[0].sets):
        dashes: Any = "-" if number == 0 else (0, (3, 2))
        for key, label, colour in (*kinds, ("f1", "F1", style.GREEN)):
            said = label if number == 0 else f"{label}, {name}"
            axes.plot(
                epochs, _column(history, name, key), color=colour, ls=dashes, label=said,
                lw=1.6 if number == 0 else 1.1,
            )  # fmt: skip
    axes.set_ylim(0, 1)
    style.percent_axis(axes)
    axes.set_title(f"Rates at the threshold of the epoch, {next(iter(history[0].sets))}")
    axes.legend(
        ncols=3, loc="upper right", bbox_to_anchor=(1, 0.6), frameon=True, framealpha=0.85,
        edgecolor="none",
    )  # fmt: skip


def _draw_classes(
    axes: Axes, history: Sequence[EpochRecord], epochs: list[int], classes: Sequence[str]
) -> None:
    """Recall of every class of the first set, and macro-F1."""
    name = next(iter(history[0].sets))
    for number, label in enumerate(classes):
        values = [_recall(record.sets[name], number, label) for record in history]
        axes.plot(epochs, values, color=style.CYCLE[number % len(style.CYCLE)], label=label)
    macro = _column(history, name, "macro_f1")
    axes.plot(epochs, macro, color=style.INK, lw=1.2, ls=(0, (3, 2)), label="macro-F1")
    axes.set_ylim(0, 1)
    style.percent_axis(axes)
    axes.set_title(f"Recall of every class, {name}")
    axes.legend(ncols=5, loc="lower right")


def _recall(values: Mapping[str, Any], number: int, label: str) -> float:
    table = values.get("classes", {})
    row = table.get(label, table.get(str(number), {}))
    return float(row.get("recall", float("nan")))


def _column(history: Sequence[EpochRecord], name: str, key: str) -> list[float]:
    values = [record.sets.get(name, {}).get(key) for record in history]
    return [float("nan") if value is None else float(value) for value in values]


def _numbered(history: Sequence[EpochRecord]) -> list[tuple[int, int, str]]:
    """Return number, epoch and reason of every event."""
    told = [(record.epoch, event) for record in history for event in record.events]
    return [(number, epoch, event) for number, (epoch, event) in enumerate(told, 1)]


def _told(history: Sequence[EpochRecord]) -> list[str]:
    """Lines that say what the guards did."""
    events = _numbered(history)
    lines = []
    for number, epoch, event in events[:MOST_EVENTS]:
        text = f"{number}  epoch {epoch}: {event}"
        lines += textwrap.wrap(text, 82, subsequent_indent="     ")
    if len(events) > MOST_EVENTS:
        lines.append(f"and {len(events) - MOST_EVENTS} more in history.jsonl")
    return lines


def _mark_events(panels: Sequence[Axes], history: Sequence[EpochRecord]) -> None:
    by_epoch: dict[int, list[str]] = {}
    for number, epoch, _ in _numbered(history):
        by_epoch.setdefault(epoch, []).append(str(number))
    for epoch, numbers in by_epoch.items():
        for axes in panels:
            axes.axvline(epoch, color=style.ORANGE, lw=1, zorder=1)
        panels[0].annotate(
            ",".join(numbers), (epoch, 0.5), xycoords=("data", "axes fraction"), fontsize=7,
            ha="center", va="center", color=style.INK, weight="bold",
            bbox={"boxstyle": "round,pad=0.18", "fc": "#ffe3a8", "ec": "none"},
        )  # fmt: skip

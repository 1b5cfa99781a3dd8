"""The two pictures of the benchmarks: ratios to peers, and growth with size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks._timing import OURS, Timed
from ecgphoton.report.style import BLUE, CYCLE, INK, LINE, SOFT, VERMILION, look, new_figure, save

TITLES = {
    "chips": "Monte Carlo, 1,024 beats",
    "beats": f"Monte Carlo of {OURS}, 50 chips",
    "order": "Decomposition of a matrix",
}


def draw_ratios(path: Path, tables: list[list[Timed]]) -> None:
    """Draw every peer's time over ours, on one logarithmic axis; left of 1 the peer is faster."""
    lines: list[tuple[str, float | None, str]] = []
    for rows in tables:
        own = rows[0].median
        lines.append((rows[0].subject, None, ""))
        lines += [
            (row.who, None if row.why_not else row.median / own, row.why_not)
            for row in rows
            if not row.who.startswith(OURS)
        ]
    with look():
        figure = new_figure(0.5 + 0.2 * len(lines))
        axes = figure.add_subplot()
        axes.set_xscale("log")
        for place, (_, ratio, why) in enumerate(lines):
            if ratio is None:
                text, at, colour = f"  {why.split(':')[0]}", 1.0, SOFT
            else:
                colour = BLUE if ratio >= 1 else VERMILION
                axes.barh(place, ratio - 1, left=1, height=0.6, color=colour)
                text, at, colour = f"  {ratio:,.2g}×", max(ratio, 1.0), INK
                if ratio >= 100:
                    text = f"  {ratio:,.0f}×"
            axes.annotate(text, (at, place), va="center", ha="left", fontsize=8, color=colour)
        ratios = [ratio for _, ratio, _ in lines if ratio is not None]
        axes.set_xlim(min(0.5, *ratios) / 1.5, max(2.0, *ratios) * 40)
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_yticks(range(len(lines)), [who for who, _, _ in lines])
        for label, (_, ratio, why) in zip(axes.get_yticklabels(), lines, strict=True):
            if ratio is None and not why:
                label.set(fontweight="bold", color=INK)
        axes.tick_params(axis="y", length=0)
        axes.axvline(1, color=LINE, lw=0.8)
        axes.set_xlabel(f"times {OURS}'s time")
        axes.xaxis.set_major_formatter(lambda ratio, _: f"{ratio:,.10g}")
        axes.grid(visible=False, axis="y")
        save(figure, path)


def draw_growth(path: Path, curves: dict[str, dict[str, list[tuple[int, float]]]]) -> None:
    """Draw time against size, a panel each, both axes logarithmic; dotted are other packages."""
    with look():
        rows = [len(found) // 2 for found in curves.values()]  # of a legend below each panel
        figure = new_figure(sum(2.3 + 0.17 * number for number in rows))
        panels = figure.subplots(len(curves), 1)
        for axes, (name, found) in zip(panels, curves.items(), strict=True):
            for number, (who, points) in enumerate(found.items()):
                sizes, times = zip(*points, strict=True)
                colour = CYCLE[number % len(CYCLE)]
                dash = "-" if who.startswith(OURS) else ":"
                axes.plot(sizes, times, dash, marker="o", ms=3, color=colour, label=who)
            axes.set(xscale="log", yscale="log", xlabel=name, ylabel="time, s", title=TITLES[name])
            largest = max(found.values(), key=len)
            axes.set_xticks([size for size, _ in largest], [f"{size:,}" for size, _ in largest])
            axes.minorticks_off()
            axes.yaxis.set_major_formatter(lambda seconds, _: f"{seconds:g}")
            halves = 2 * np.log10([time for points in found.values() for _, time in points])
            axes.set_ylim(*10.0 ** (np.array([np.floor(halves.min()), np.ceil(halves.max())]) / 2))
            if len(found) > 1:
                axes.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, -0.22))
        save(figure, path)

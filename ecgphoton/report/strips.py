"""The picture of an annotated record: rate and findings over time, and strips on ECG paper."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgphoton.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ecgphoton.ecg.annotate import BeatCalls

STRIPS = 6
SECONDS = 5.0
MM = 1 / 25.4  # inch
PAPER_WIDTH = 25 * SECONDS * MM  # inches at 25 mm/s
BINS = 120
"""Columns of the overview."""


def draw_annotation(
    path: Path, calls: BeatCalls, symbol: NDArray[np.str_], abnormality: NDArray[np.floating]
) -> None:
    """Draw what was found in a record.

    Parameters
    ----------
    calls
        Beats of the record.
    symbol
        ``(n,)`` what was written for each beat.
    abnormality
        ``(n,)`` probability of not being normal; NaN where nothing could be said.
    """
    signal = calls.signal
    chosen = choose_strips(calls.sample, signal.length, abnormality, symbol)
    half = round(SECONDS / 2 * signal.fs)
    starts = [int(np.clip(at - half, 0, max(signal.length - 2 * half, 0))) for at in chosen]
    traces = [signal.millivolts(start, start + 2 * half) for start in starts]
    span = _span(traces)
    strip = span * 10 * MM
    head, gap = 1.85, 0.27
    with style.look():
        figure = style.new_figure(
            head + len(starts) * (strip + gap) + 0.2, synthetic=signal.synthetic
        )
        figure.set_layout_engine("none")
        height = figure.get_size_inches()[1] - (0.28 if signal.synthetic else 0)
        _overview(figure, height, calls, symbol)
        for number, (start, trace) in enumerate(zip(starts, traces, strict=True)):
            bottom = height - head - (number + 1) * (strip + gap) + gap / 2
            axes = _place(figure, (style.WIDTH - PAPER_WIDTH) / 2, bottom, PAPER_WIDTH, strip)
            _strip(axes, calls, symbol, start, trace, _limits(trace, span))
        figure.text(
            0.5, 0.08 / figure.get_size_inches()[1],
            f"25 mm/s, 10 mm/mV where this picture is {style.WIDTH / MM:.0f} mm wide",
            ha="center", fontsize=7, color=style.SOFT,
        )  # fmt: skip
        style.save(figure, path)


def choose_strips(
    sample: NDArray[np.int64],
    length: int,
    abnormality: NDArray[np.floating],
    symbol: NDArray[np.str_],
) -> list[int]:
    """Return samples to look at: the most abnormal beat of every sixth of the record, if any."""
    chosen: list[int] = []
    edges = np.linspace(0, length, STRIPS + 1)
    for low, high in pairwise(edges):
        rows = np.flatnonzero((sample >= low) & (sample < high))
        if not len(rows):
            continue
        odd = rows[~np.isin(symbol[rows], ["N", "?"])]
        if len(odd):
            chosen.append(int(sample[odd[np.nanargmax(abnormality[odd])]]))
        else:
            chosen.append(int(sample[rows[len(rows) // 2]]))
    return chosen


def _span(traces: list[NDArray[np.float32]]) -> float:
    """Return the height of every strip in mV: what the liveliest needs, from 1.5 to 5."""
    spans = [np.ptp(trace[np.isfinite(trace)]) for trace in traces if np.isfinite(trace).any()]
    return float(np.clip(np.ceil(2 * max(spans, default=1.0) + 0.4) / 2, 1.5, 5.0))


def _limits(trace: NDArray[np.float32], span: float) -> tuple[float, float]:
    """Return bottom and top of a strip in mV, the signal in its middle, on a paper line."""
    known = trace[np.isfinite(trace)]
    middle = (known.min() + known.max()) / 2 if len(known) else 0.0
    low = round(float(2 * (middle - span / 2))) / 2
    return low, low + span


def _place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def _overview(figure: Figure, height: float, calls: BeatCalls, symbol: NDArray[np.str_]) -> None:
    """Title, heart rate over the whole record, and the share of beats that are not normal."""
    signal = calls.signal
    seconds = signal.length / signal.fs
    known = calls.classified
    odd = known & (symbol != "N")
    across, up = figure.get_size_inches()
    figure.text(0.14 / across, (height - 0.2) / up, f"Record {signal.name}, lead {signal.lead}",
                weight="bold", fontsize=10.5)  # fmt: skip
    share = 100 * odd.sum() / max(known.sum(), 1)
    said = (
        f"{_duration(seconds)}   {len(calls):,} beats (R peaks: {calls.peaks_from})   "
        f"{odd.sum():,} not normal ({share:.1f} %)"
    )
    if not known.all():
        said += f"   {(~known).sum():,} not classifiable"
    figure.text(0.14 / across, (height - 0.37) / up, said, fontsize=7.5, color=style.SOFT)
    axes = _place(figure, 0.5, height - 1.5, style.WIDTH - 0.65, 0.85)
    hours = seconds >= 2 * 3600
    unit = 3600 if hours else 60
    edges = np.linspace(0, seconds, BINS + 1)
    at = calls.sample / signal.fs
    column = np.clip(np.searchsorted(edges, at, "right") - 1, 0, BINS - 1)
    rate = np.full(BINS, np.nan)
    gaps = 60 / np.maximum(np.diff(at), 0.2)
    shares = np.zeros(BINS)
    for number in range(BINS):
        inside = gaps[column[1:] == number]
        if len(inside):
            rate[number] = np.median(inside)
        rows = known & (column == number)
        if rows.any():
            shares[number] = odd[rows].mean()
    middle = (edges[:-1] + edges[1:]) / 2 / unit
    twin = axes.twinx()
    twin.bar(middle, shares, width=edges[1] / unit, color=style.VERMILION, alpha=0.35, lw=0)
    twin.set(ylim=(0, 1), yticks=[])
    twin.grid(visible=False)
    axes.plot(middle, rate, color=style.BLUE, lw=1.2)
    top = 20 * np.ceil((np.nanmax(rate) if np.isfinite(rate).any() else 100) / 20)
    axes.set(xlim=(0, seconds / unit), ylim=(0, max(top, 100)))
    axes.set_yticks([0, 50, 100] if top <= 120 else [0, 100, 200])
    axes.tick_params(labelsize=7, pad=2)
    axes.set_title(
        "heart rate, 1/min (line)   share of beats not normal (bars, full height = all)",
        fontsize=7, weight="normal", color=style.SOFT, pad=3,
    )  # fmt: skip
    axes.annotate("h" if hours else "min", (1, 0), (0, -9), xycoords="axes fraction",
                  textcoords="offset points", fontsize=7, color=style.SOFT, ha="right",
                  va="top", backgroundcolor="white")  # fmt: skip


def _strip(
    axes: Axes,
    calls: BeatCalls,
    symbol: NDArray[np.str_],
    start: int,
    trace: NDArray[np.float32],
    limits: tuple[float, float],
) -> None:
    """One strip: signal, and over every beat what was said of it."""
    fs = calls.signal.fs
    style.ecg_paper(axes, (0, SECONDS), limits)
    axes.plot(np.arange(len(trace)) / fs, trace, color=style.INK, lw=0.9)
    low, high = np.searchsorted(calls.sample, [start, start + len(trace)])
    for row in range(low, high):
        normal = symbol[row] in ("N", "?")
        axes.text(
            (calls.sample[row] - start) / fs, limits[1] + 0.03, symbol[row], va="bottom",
            ha="center", fontsize=8 if normal else 9, weight="normal" if normal else "bold",
            color=style.SOFT if normal else style.VERMILION,
        )  # fmt: skip
    axes.annotate(_clock(start / fs), (0, 0), (3, 3), xycoords="axes fraction",
                  textcoords="offset points", fontsize=7, color=style.SOFT)  # fmt: skip


def _clock(seconds: float) -> str:
    whole, rest = divmod(seconds, 60)
    return f"{int(whole // 60):d}:{int(whole % 60):02d}:{rest:04.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"

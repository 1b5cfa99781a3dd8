"""Strips on ECG paper, and the picture of an annotated record: heart rate, findings and strips."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.annotate import BeatCalls
from ecgphoton.report import style
from ecgphoton.wording import count

STRIPS = 6
SECONDS = 5.0
MM = 1 / 25.4  # inch
PAPER_WIDTH = 25 * SECONDS * MM  # inches at 25 mm/s
HEAD = 0.2
"""Inches above a strip for the symbols of its beats."""
NORMAL = ("N", "?")
"""Symbols that are not emphasised."""
FOOT = 0.3
"""mV below the signal of a strip, for its time."""
BINS, LEAST_BIN = 120, 5.0
"""Columns of the overview, and the shortest of them, s; shorter records have fewer."""
SLOWEST = 20.0
"""Beats a minute; a slower heart rate is a pause of the signal, and no line is drawn."""
UNITS = (("h", 3600, 2 * 3600), ("min", 60, 180), ("s", 1, 0))
"""Units of the time axis: name, seconds, and the shortest record, s, that has it."""

Mark = tuple[float, str, bool]
"""Seconds from the start of a strip, text, whether it is emphasised."""


@style.look()
def draw_strip(
    millivolts: NDArray[np.floating], fs: float, marks: Iterable[Mark] = ()
) -> style.Figure:
    """Draw a strip on ECG paper whose figure has the true size: 25 mm/s and 10 mm/mV.

    Parameters
    ----------
    millivolts
        ``(n,)`` samples, NaN where there is none.
    fs
        Samples per second.
    marks
        Text above the strip.
    """
    span, seconds = _span([millivolts]), len(millivolts) / fs
    width, height = 25 * seconds * MM, 10 * span * MM
    figure = style.new_figure(height + HEAD, width=width)
    figure.set_layout_engine("none")
    axes = axes_at(figure, 0, 0, width, height)
    _draw_trace(axes, millivolts, fs, _limits(millivolts, span), marks)
    return figure


@style.look()
def draw_record(
    calls: BeatCalls, symbol: NDArray[np.str_], abnormality: NDArray[np.floating], note: str
) -> style.Figure:
    """Draw the overview of a record, and strips of its most abnormal beats, or all of it.

    Parameters
    ----------
    calls
        Beats of the record.
    symbol
        ``(n,)`` annotation symbol of each beat.
    abnormality
        ``(n,)`` probability of not being normal; NaN where the beat is not classified.
    note
        Below the title, in two lines divided at its colon: which student answers, on what, and
        what its symbols mean.
    """
    signal = calls.signal
    size = round(SECONDS * signal.lead.fs)
    whole = signal.lead.length <= STRIPS * size
    starts = (
        list(range(0, signal.lead.length, size)) if whole
        else choose_strips(calls.sample, signal.lead.length, size, abnormality, symbol)
    )  # fmt: skip
    traces = [signal.millivolts(start, start + size) for start in starts]
    span = _span(traces)
    head, each = 2.15, (span + FOOT) * 10 * MM + 0.27
    figure = style.new_figure(head + len(starts) * each + 0.2, synthetic=signal.held.synthetic)
    figure.set_layout_engine("none")
    total = figure.get_size_inches()[1]
    height = total - (0.28 if signal.held.synthetic else 0)
    _overview(figure, height, calls, symbol, note)
    for number, (start, trace) in enumerate(zip(starts, traces, strict=True)):
        bottom = height - head - (number + 1) * each + 0.135
        axes = axes_at(figure, (style.WIDTH - PAPER_WIDTH) / 2, bottom, PAPER_WIDTH, each - 0.27)
        first, last = np.searchsorted(calls.sample, [start, start + len(trace)])
        marks = [
            ((at - start) / signal.lead.fs, text, text not in NORMAL)
            for at, text in zip(calls.sample[first:last], symbol[first:last], strict=True)
        ]
        low, high = _limits(trace, span)
        _draw_trace(axes, trace, signal.lead.fs, (low - FOOT, high), marks, SECONDS)
        axes.annotate(_clock(start / signal.lead.fs), (0, 0), (3, 3), xycoords="axes fraction",
                      textcoords="offset points", fontsize=7, color=style.SOFT)  # fmt: skip
    figure.text(
        0.5, 0.08 / total,
        f"{'the whole record' if whole else 'most abnormal beat of each sixth of the record'}   "
        f"25 mm/s, 10 mm/mV at {style.WIDTH / MM:.0f} mm width",
        ha="center", fontsize=7, color=style.SOFT,
    )  # fmt: skip
    return figure


def choose_strips(
    sample: NDArray[np.int64],
    length: int,
    size: int,
    abnormality: NDArray[np.floating],
    symbol: NDArray[np.str_],
) -> list[int]:
    """Return the first samples of strips around the most abnormal beat of every sixth of a record.

    Where all beats of a sixth are normal, it is the middle one. The strips, of `size` samples and
    no longer than a sixth, lie within their sixths, so that none shows what another one shows.
    """
    starts: list[int] = []
    for low, high in pairwise(np.linspace(0, length, STRIPS + 1)):
        rows = np.flatnonzero((sample >= low) & (sample < high))
        if not len(rows):
            continue
        odd = rows[~np.isin(symbol[rows], NORMAL)]
        chosen = odd[np.nanargmax(abnormality[odd])] if len(odd) else rows[len(rows) // 2]
        starts.append(int(np.clip(sample[chosen] - size // 2, np.ceil(low), int(high) - size)))
    return starts


def _span(traces: list[NDArray[np.float32]]) -> float:
    """Return the height of every strip in mV: what the largest signal needs, from 1.5 to 5."""
    spans = [np.ptp(trace[np.isfinite(trace)]) for trace in traces if np.isfinite(trace).any()]
    return float(np.clip(np.ceil(2 * max(spans, default=1.0) + 0.4) / 2, 1.5, 5.0))


def _limits(trace: NDArray[np.float32], span: float) -> tuple[float, float]:
    """Return bottom and top of a strip in mV, on paper lines, with the signal in the middle."""
    known = trace[np.isfinite(trace)]
    middle = (known.min() + known.max()) / 2 if len(known) else 0.0
    low = round(float(10 * (middle - span / 2))) / 10
    return low, low + span


def axes_at(
    figure: style.Figure, left: float, bottom: float, width: float, height: float
) -> style.Axes:
    """Return axes at a place given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def _overview(
    figure: style.Figure, height: float, calls: BeatCalls, symbol: NDArray[np.str_], note: str
) -> None:
    """Draw title, heart rate over the whole record, and the share of beats that are not normal."""
    signal = calls.signal
    seconds = signal.lead.length / signal.lead.fs
    known = calls.classified
    odd = known & (symbol != "N")
    across, up = figure.get_size_inches()
    title = f"Record {signal.name}, lead {signal.lead.name}"
    line = figure.text(0.14 / across, (height - 0.2) / up, title, weight="bold", fontsize=10.5)
    style.fit(figure, line, across - 0.28)
    share = f" ({100 * odd.sum() / known.sum():.1f} %)" if known.any() else ""
    unknown = "" if known.all() else f"   {(~known).sum():,} not classifiable"
    text = (
        f"{_duration(seconds)}   {count(len(calls), 'beat')} "
        f"(R peaks: {calls.peaks_from})   "
        f"{odd.sum():,} not normal{share}{unknown}"
    )
    for number, words in enumerate((text, *note.split(": ", 1))):
        line = figure.text(
            0.14 / across,
            (height - 0.37 - 0.15 * number) / up,
            words,
            fontsize=7.5,
            color=style.SOFT,
        )
        style.fit(figure, line, across - 0.28)
    axes = axes_at(figure, 0.5, height - 1.8, style.WIDTH - 0.65, 0.85)
    name, unit = next((n, s) for n, s, least in UNITS if seconds >= least)
    edges = np.linspace(0, seconds, int(np.clip(seconds // LEAST_BIN, 1, BINS)) + 1)
    at = calls.sample / signal.lead.fs
    place, rate = at[1:], 60 / np.maximum(np.diff(at), 0.2)
    shares = np.nan_to_num(_binned(at[known], odd[known], "mean", edges))
    middle = (edges[:-1] + edges[1:]) / 2 / unit
    if len(shares) == BINS:
        place, rate = middle * unit, _binned(place, rate, "median", edges)
    rate = np.where(rate < SLOWEST, np.nan, rate)
    twin = axes.twinx()
    twin.bar(
        middle,
        np.nan_to_num(shares),
        width=edges[1] / unit,
        color=style.VERMILION,
        alpha=0.35,
        lw=0,
    )
    twin.set(ylim=(0, 1), yticks=[])
    twin.grid(visible=False)
    dots = "" if len(shares) == BINS else "."
    axes.plot(place / unit, rate, color=style.BLUE, lw=1.2, marker=dots, ms=3)
    top = 20 * np.ceil((np.nanmax(rate) if np.isfinite(rate).any() else 100) / 20)
    axes.set(xlim=(0, seconds / unit), ylim=(0, max(top, 100)),
             yticks=[0, 50, 100] if top <= 120 else [0, 100, 200])  # fmt: skip
    axes.tick_params(labelsize=7, pad=2)
    last = 0.93 * seconds / unit  # behind it stands the unit
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= last])
    if not np.isfinite(rate).any():
        axes.text(0.5, 0.5, "no interval between beats", transform=axes.transAxes, fontsize=7,
                  color=style.SOFT, ha="center", va="center")  # fmt: skip
    axes.set_title(
        "heart rate, 1/min (line)   share of beats not normal (bars, full height = all)",
        fontsize=7, weight="normal", color=style.SOFT, pad=3,
    )  # fmt: skip
    axes.annotate(name, (1, 0), (0, -9), xycoords="axes fraction",
                  textcoords="offset points", fontsize=7, color=style.SOFT, ha="right",
                  va="top")  # fmt: skip


def _draw_trace(
    axes: style.Axes,
    trace: NDArray[np.floating],
    fs: float,
    limits: tuple[float, float],
    marks: Iterable[Mark],
    seconds: float | None = None,
) -> None:
    """Draw a signal on ECG paper of some seconds, or of its own length, with marks above it."""
    style.ecg_paper(axes, (0, seconds or len(trace) / fs), limits)
    axes.plot(np.arange(len(trace)) / fs, trace, color=style.INK, lw=0.9)
    for at, text, emphasised in marks:
        look: dict[str, Any] = (
            {"fontsize": 9, "color": style.VERMILION, "weight": "bold"} if emphasised
            else {"fontsize": 8, "color": style.SOFT}
        )  # fmt: skip
        axes.text(at, limits[1] + 0.03, text, va="bottom", ha="center", **look)


def _binned(
    at: NDArray[np.floating],
    values: NDArray[Any],
    statistic: Literal["mean", "median"],
    edges: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return a statistic of the values between every two edges, NaN where there are none."""
    from scipy.stats import binned_statistic

    if not len(at):
        return np.full(len(edges) - 1, np.nan)
    return np.asarray(binned_statistic(at, values, statistic, edges).statistic, np.float64)


def _clock(seconds: float) -> str:
    whole, rest = divmod(seconds, 60)
    return f"{int(whole // 60):d}:{int(whole % 60):02d}:{rest:04.1f}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"

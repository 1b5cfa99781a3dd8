"""How pictures look: one width that a phone can show, colours everybody can tell apart.

Pictures are drawn on figures of their own, never through a global state, and saved with the same
bytes every time.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ecgphoton.artifacts import write_bytes
from ecgphoton.canvas import matplotlib, new_canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 5.2
"""Inches; at 400 pixels on a phone the letters are as large as those of the text around."""
DPI = 160

# Okabe & Ito 2008, "Color Universal Design": told apart with every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE = "#0072b2", "#d55e00", "#009e73", "#e69f00"
PURPLE, SKY = "#cc79a7", "#56b4e9"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
INK, SOFT, LINE, FAINT = "#1b1f24", "#5c6670", "#9aa3ab", "#e3e6ea"
ECG_PAPER, ECG_FINE, ECG_COARSE = "#fff9f7", "#f8ded8", "#eeb7ac"

SYNTHETIC = "SYNTHETIC DATA: made-up beats, says nothing about patients"
"""What every output that comes from made-up beats says."""

_LOOK: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 8.5,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.4,
    "text.color": INK,
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Draw inside this block, whatever the user's own matplotlib settings are."""
    mpl = matplotlib()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", _LOOK))
        yield


def new_figure(height: float, *, synthetic: bool = False, width: float = WIDTH) -> Figure:
    """Return an empty figure of `width` x `height` inches, with a banner for made-up beats."""
    band = 0.28 if synthetic else 0.0  # inches
    figure = new_canvas(width, height + band, layout="constrained")
    share = band / (height + band)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 1 - share), w_pad=0.06, h_pad=0.06)
    if synthetic:
        from matplotlib.patches import Rectangle

        figure.add_artist(
            Rectangle((0, 1 - share), 1, share, transform=figure.transFigure, color="#ffd60a")
        )
        figure.text(
            0.5, 1 - share / 2, SYNTHETIC, ha="center", va="center", weight="bold", color="#000000"
        )
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, with the same bytes every time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def percent_axis(axes: Axes, which: str = "y") -> None:
    """Label an axis of shares in per cent, with the decimals that its ticks have."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(lambda share, position: f"{100 * share:g} %")  # noqa: ARG005


def ecg_paper(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Draw ECG paper from `x` seconds and `y` mV: at 25 mm/s and 10 mm/mV, squares of 1 mm.

    Lines are two collections instead of ticks and grids, twenty times faster on a page of beats.
    """
    import numpy as np

    axes.set(xlim=x, ylim=y, xticks=[], yticks=[], facecolor=ECG_PAPER)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    for every, colour, thick in ((1, ECG_FINE, 0.35), (5, ECG_COARSE, 0.55)):
        columns = 0.04 * every * np.arange(np.ceil(x[0] / 0.04 / every), x[1] / 0.04 / every + 1e-9)
        rows = 0.1 * every * np.arange(np.ceil(y[0] / 0.1 / every), y[1] / 0.1 / every + 1e-9)
        axes.vlines(columns, *y, color=colour, lw=thick, zorder=0)
        axes.hlines(rows, *x, color=colour, lw=thick, zorder=0)

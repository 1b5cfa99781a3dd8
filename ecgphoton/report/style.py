"""One look for every picture: colour-blind safe, readable on a phone, the same bytes every time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ecgphoton.artifacts import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito, colour-universal design.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PINK, GREY, INK = "#56B4E9", "#CC79A7", "#8A8A8A", "#222222"
COLOURS = (BLUE, RED, GREEN, PINK, SKY, ORANGE)
PAPER, GRID_FINE, GRID_COARSE = "#FFF7F5", "#F6D5CF", "#E9A79C"
BANNER = "SYNTHETIC DATA: says nothing about patients"


@contextmanager
def picture(
    path: Path, *, width: float = 7.0, height: float = 4.5, source: str = ""
) -> Iterator[Figure]:
    """Yield a figure; written to `path` (PNG) when the block succeeds.

    Parameters
    ----------
    path
        Where to.
    width, height
        Inches, 150 dots each.
    source
        Where the beats come from; ``synthetic`` puts a banner on the picture.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    look: Any = {
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "legend.frameon": False,
        "lines.linewidth": 1.6,
    }
    with rc_context(look):
        figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        if source == "synthetic":
            figure.suptitle(BANNER, color="white", backgroundcolor=RED, fontsize=11, weight="bold")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})


def paper(axes: Axes) -> None:
    """Draw ECG paper: 25 mm/s, so that 0.04 s and 0.2 s are the fine and the coarse squares."""
    from matplotlib.ticker import MultipleLocator

    axes.set_facecolor(PAPER)
    axes.xaxis.set_minor_locator(MultipleLocator(0.04))
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    axes.yaxis.set_minor_locator(MultipleLocator(0.1))
    axes.yaxis.set_major_locator(MultipleLocator(0.5))
    axes.grid(which="minor", color=GRID_FINE, linewidth=0.4)
    axes.grid(which="major", color=GRID_COARSE, linewidth=0.6)
    axes.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    axes.set_axisbelow(True)

"""The common style of all pictures: sizes, colours, axes, and how figures become files.

A figure comes in; a PNG file, or SVG for a page, goes out. Figures are drawn without pyplot and
its global state, and give the same bytes every time.
"""

import contextlib
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from ecgphoton.artifacts import write_bytes
from ecgphoton.canvas import matplotlib, new_canvas
from ecgphoton.ecg.synthetic import BANNER

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
    from matplotlib.text import Text
else:
    Axes = Figure = Text = Any  # matplotlib is imported when something is drawn

WIDTH = 5.2
"""Inches. Shown 400 pixels wide on a phone, the letters are as large as the surrounding text."""
DPI = 160

# Okabe & Ito 2008, "Color Universal Design": distinguishable with every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE = "#0072b2", "#d55e00", "#009e73", "#e69f00"
PURPLE, SKY = "#cc79a7", "#56b4e9"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
INK, SOFT, LINE, FAINT = "#1b1f24", "#5c6670", "#9aa3ab", "#e3e6ea"
ECG_PAPER, ECG_FINE, ECG_COARSE = "#fff9f7", "#f8ded8", "#eeb7ac"
WHITE = "#ffffff"

VARIABLES = {
    BLUE: "c0", VERMILION: "c1", GREEN: "c2", PURPLE: "c3", ORANGE: "c4", SKY: "c5",
    INK: "ink", SOFT: "soft", LINE: "axis", FAINT: "line", WHITE: "card",
    ECG_PAPER: "paper", ECG_FINE: "fine", ECG_COARSE: "coarse",
}  # fmt: skip
"""Colours of pictures, and the variables of the page's style sheet that replace them in SVG."""

_LOOK: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 9.5,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
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
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 1.4,
    "text.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "ecgphoton",
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Draw in this style, independent of the user's own matplotlib settings.

    It is a context manager, and decorates the functions that make a figure.
    """
    mpl = matplotlib()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", _LOOK))
        yield


def new_figure(height: float, *, synthetic: bool = False, width: float = WIDTH) -> Figure:
    """Return an empty figure of `width` x `height` inches, with a banner for synthetic beats."""
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
            0.5, 1 - share / 2, BANNER, ha="center", va="center", weight="bold", color="#000000"
        )
    return figure


@look()
def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; an interrupted call leaves no partial file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


@look()
def svg(figure: Figure) -> str:
    """Return a figure as an ``<svg>`` element for a page: transparent, in the page's colours.

    Identifiers are unique among different figures, so that several fit into one page.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", facecolor="none", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("'DejaVu Sans'", "'DejaVu Sans',Verdana,sans-serif")
    # Matplotlib's identifiers depend on the last bits of coordinates: they are numbered instead.
    names = list(dict.fromkeys(re.findall(r'(?:url\(|href=")#(\w+)', text)))
    numbers = {name: f"\0{number}" for number, name in enumerate(names)}
    variables = {colour: f"var(--{name})" for colour, name in VARIABLES.items()}
    for pattern, replacement in (
        (r"<!--.*?-->|<style.*?</style>|<metadata>.*?</metadata>", ""),
        (r' (?:xmlns(?::xlink)?|version|width|height)="[^"]*"(?=[^<>]*viewBox)', ""),
        (r' (?:xmlns(?::xlink)?|version)="[^"]*"', ""),
        (r' id="([^"]+)"', lambda at: f' id="{numbers[at[1]]}"' if at[1] in numbers else ""),
        (r"url\(#(\w+)", lambda at: f"url(#{numbers[at[1]]}"),
        (r'(?:xlink:)?href="#(\w+)', lambda at: f'href="#{numbers[at[1]]}'),
        (r"#[0-9a-f]{6}\b", lambda at: variables.get(at[0], at[0])),
        (r"(\.\d\d)\d+(?=[^<>]*>)", r"\1"),  # in coordinates, not in text
        (r"\s*\n\s*", " "),
    ):
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    return text.replace("\0", f"f{crc32(text.encode()):08x}-")


def fit(figure: Figure, line: Text, width: float) -> None:
    """Make a line of text smaller where it is wider than `width` inches."""
    for _ in range(3):  # hinted letters do not shrink in proportion
        wide = line.get_window_extent().width / figure.dpi
        line.set_fontsize(float(line.get_fontsize()) * min(1.0, width / wide))


def colour_of(number: int) -> str:
    """Return the colour of a curve by its number, from 0."""
    return CYCLE[number % len(CYCLE)]


def colours_of(labels: Iterable[str]) -> list[str]:
    """Return a colour for every label: rates and calibrated chips keep theirs in all pictures."""
    own = {"miss rate": VERMILION, "FPR": BLUE, "yield": GREEN, "uncalibrated": VERMILION,
           "calibrated": BLUE, "before": VERMILION, "after": BLUE}  # fmt: skip
    known = [next((colour for name, colour in own.items() if label.startswith(name)), None)
             for label in labels]  # fmt: skip
    free = itertools.cycle(colour for colour in CYCLE if colour not in known)
    return [colour or next(free) for colour in known]


def percent_axis(axes: Axes, which: str = "y", unit: str = " %") -> None:
    """Label axes of shares (``x``, ``y`` or ``xy``) in per cent, with the decimals of the ticks.

    Differences of shares are in percentage points, which the axis names: their `unit` is empty.
    """
    for name in which:
        axis = getattr(axes, f"{name}axis")
        axis.set_major_formatter(lambda share, _: f"{100 * share:g}{unit}".replace("-", "−"))


def log_axis(axes: Axes) -> None:
    """Scale the x axis by decades, with labels at 1, 2 and 5 where it spans fewer than three."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}")  # noqa: ARG005
    axes.xaxis.set_minor_formatter(NullFormatter())


def ecg_paper(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Draw ECG paper from `x` seconds and `y` mV: at 25 mm/s and 10 mm/mV, squares of 1 mm.

    Lines are two collections instead of ticks and grids, which is twenty times faster.
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

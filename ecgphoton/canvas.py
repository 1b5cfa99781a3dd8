"""Matplotlib without its global state: figures with a canvas of their own.

The size of a picture comes in, a figure without a window goes out. No picture needs a backend, so
``MPLBACKEND`` does not matter here; a program that uses ``pyplot`` beside this package keeps it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.figure import Figure

VARIABLE = "MPLBACKEND"


def matplotlib() -> ModuleType:
    """Import matplotlib, also where ``MPLBACKEND`` names a backend that is not installed."""
    first = "matplotlib" not in sys.modules
    backend = os.environ.pop(VARIABLE, None)
    try:
        import matplotlib as library
    finally:
        if backend is not None:
            os.environ[VARIABLE] = backend
    if first and backend:
        with contextlib.suppress(ValueError):  # a backend that is not installed
            library.rcParams["backend"] = backend
    return library


def new_canvas(width: float, height: float, **settings: Any) -> Figure:  # noqa: ANN401
    """Return an empty figure of `width` x `height` inches that Agg draws."""
    matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), **settings)
    FigureCanvasAgg(figure)
    return figure

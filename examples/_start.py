"""What every example shares: where its picture goes, and how it looks."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecgphoton.report.style import look, new_figure, save


def options(purpose: str | None, **numbers: int) -> argparse.Namespace:
    """Parse ``--out PICTURE`` and an option for every number, with its default."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--out", type=Path, required=True, help="picture to write (PNG)")
    for name, value in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


@contextlib.contextmanager
def picture(path: Path, *, height: float = 3.0, panels: int = 1, **setting: Any) -> Iterator[Any]:
    """Yield the axes of a picture that is written when the block ends."""
    with look():
        figure = new_figure(height, **setting)
        yield figure.subplots(1, panels) if panels > 1 else figure.subplots()
        save(figure, path)

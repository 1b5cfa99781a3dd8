"""Beats as a student reads them, for the training benchmarks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks import _pages
from ecgphoton.ecg.beats import load_splits
from ecgphoton.run.beats import examples_of
from ecgphoton.student.architecture import Architecture
from ecgphoton.training.parts import Examples


def load(
    protocol: str, labels: str, architecture: Architecture
) -> tuple[Examples, Examples, Examples, str, tuple[str, ...]]:
    """Training, validation and test examples, the test set's name, and the classes."""
    splits = load_splits(protocol, labels, data="auto")
    sets = (
        examples_of(beats, architecture) for beats in (splits.train, splits.validation, splits.test)
    )
    return (*sets, splits.protocol.test_name, tuple(splits.labels.classes))


def arguments(purpose: str, *, epochs: int, seeds: int) -> argparse.ArgumentParser:
    """Options every one of these benchmarks has."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seeds", type=int, default=seeds, help="number of seeds, from 0")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, choices=range(4), default=0, help="of TOKENS")
    parser.add_argument("--template", action="store_true", help="add the template branch")
    return parser


def table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as a Markdown table."""
    cells = ([row.get(column, "") for column in columns] for row in rows)
    shown = [[f"{one:.4f}" if isinstance(one, float) else one for one in row] for row in cells]
    print(_pages.table(columns, shown), end="", flush=True)


def spread(values: Sequence[float | None], digits: int = 2, scale: float = 100.0) -> str:
    """Mean and standard deviation over seeds, in percent by default; no beats have no rate."""
    array = scale * np.array([value for value in values if value is not None])
    if not len(array):
        return "–"
    return f"{array.mean():.{digits}f} ± {array.std(ddof=min(1, len(array) - 1)):.{digits}f}"

"""Beats as a student reads them, for the training benchmarks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ecgphoton.ecg.beats import BeatSet, load_splits
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.propagate import inputs_of
from ecgphoton.training.parts import Examples


def examples(beats: BeatSet, architecture: Architecture) -> Examples:
    """Tensors of a beat set."""
    return Examples(inputs_of(beats, architecture), torch.as_tensor(beats.label), beats.record)


def load(
    protocol: str, labels: str, architecture: Architecture
) -> tuple[Examples, Examples, Examples, str, tuple[str, ...]]:
    """Training, validation and test examples, the test set's name, and the classes."""
    splits = load_splits(protocol, labels)
    sets = (
        examples(beats, architecture) for beats in (splits.train, splits.validation, splits.test)
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
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        cells = [row.get(column, "") for column in columns]
        shown = [f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells]
        print("| " + " | ".join(shown) + " |", flush=True)


def spread(values: Sequence[float], digits: int = 2, scale: float = 100.0) -> str:
    """Mean and standard deviation over seeds, in percent by default."""
    array = scale * np.asarray(values)
    return f"{array.mean():.{digits}f} ± {array.std(ddof=min(1, len(array) - 1)):.{digits}f}"

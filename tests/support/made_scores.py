"""Scores of a student that guesses well, stored as a run stores them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecgphoton.ecg.beatset import BeatSet


def write_scores(
    folder: Path, name: str, beats: BeatSet, classes: int, rng: np.random.Generator
) -> np.ndarray:
    """Write the score file of a set of beats; return the probabilities (B, classes)."""
    logits = rng.normal(size=(len(beats), classes)) + 2 * np.eye(classes)[beats.label]
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.savez(
        folder / f"{name}_scores.npz", probability=probability, label=beats.label,
        record=beats.record, sample=beats.sample, symbol=beats.symbol,
    )  # fmt: skip
    return probability

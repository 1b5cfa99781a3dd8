"""What boosted trees make of the patient features, beside the student that ships.

    python -m benchmarks trees --write           # 5 minutes of one core

Trees of scikit-learn have no bound on weights and size, and mix all features. They are fitted on
the folds of the flagship's protocol and score the patients left out, as the student is; no test set
is opened. ``--write`` fills docs/results.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks._pages import fill
from benchmarks.levers import PAGE, Found, Row, compare, fitted
from ecgphoton.ecg.beats import BeatSet, Splits
from ecgphoton.ecg.patient_features import columns_of
from ecgphoton.ecg.splits import kinds_of
from ecgphoton.metrics import patients_alike
from ecgphoton.recipe import read
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.run.beats import splits_of
from ecgphoton.training.crossfit import Scale

Rows = NDArray[np.float32]
SETTINGS: Mapping[str, float] = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "l2_regularization": 5.0,
    "min_samples_leaf": 100,
}
NOISE = 0.1  # of the second copy of every training beat, as `augment.features` of the flagship


def neighbours(beats: BeatSet, reach: int) -> Rows:
    """Features of each beat and of those up to `reach` before and after it; 0 beyond the record."""
    rows = np.arange(len(beats))
    parts = []
    for step in range(-reach, reach + 1):
        at = np.clip(rows + step, 0, len(beats) - 1)
        same = (rows + step == at) & (beats.record[at] == beats.record)
        parts.append(np.where(same[:, None], beats.patient[at], 0))
    return np.hstack(parts)


def trees(splits: Splits, given: Rows) -> Found:
    """Out-of-fold scores of trees, on the common scale of the folds."""
    beats, subject = splits.train, splits.subject
    abnormal, weight = beats.label > 0, patients_alike(subject, beats.label)
    fold = np.array([splits.folds[name] for name in subject.tolist()])
    score, rng = np.empty(len(beats)), np.random.default_rng(0)
    for held in np.unique(fold):
        own = fold != held
        noisy = np.clip(given[own] + NOISE * rng.standard_normal(given[own].shape), -1, 1)
        sides = [weight[own & side].sum() for side in (~abnormal, abnormal)]
        alike = (weight / np.take(sides, abnormal) * own.sum())[own]  # both classes as heavy
        model = HistGradientBoostingClassifier(**SETTINGS, random_state=0).fit(
            np.vstack([given[own], noisy]), np.tile(abnormal[own], 2), np.tile(alike, 2)
        )
        logit = model.decision_function(given)
        scale = Scale.of(logit[own], beats.label[own], weight[own])
        score[fold == held] = scale.score(logit[fold == held])
    kind = kinds_of(beats.symbol, beats.label)
    return Found(score, beats.label, subject, kind, weight)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--out", type=Path, default=Path("runs/levers"))
    parser.add_argument("--write", action="store_true", help=f"fill {PAGE}")
    given = parser.parse_args()
    recipe = read(FLAGSHIP)
    splits = splits_of(recipe)
    read_by = [name for token in recipe.student.patient for name in token.features]
    one, five = splits.train.patient, neighbours(splits.train, 2)
    student = given.out / f"{recipe.name}-as-it-ships-0.npz"
    variants = {
        f"trees of its {len(read_by)} features": one[:, columns_of(read_by)],
        f"trees of all {one.shape[1]} features": one,
        f"trees of all {one.shape[1]} features of five beats": five,
    }

    def rows() -> Iterator[Row]:
        yield (
            "the student, as it ships",
            recipe.student.parameters,
            [fitted(recipe, splits, 0, student, given.workers)],
        )
        for name, values in variants.items():
            yield name, "–", [trees(splits, values)]

    result = compare(rows())
    if given.write:
        fill(PAGE, {"trees": result})


if __name__ == "__main__":
    main()

"""Accuracy of recipes over seeds and over patients, and the effect of each setting.

    python benchmarks/accuracy.py reference-rhythm reference-8 --seeds 5
    python benchmarks/accuracy.py reference-rhythm --folds 4 --seeds 3 --levers

The first form runs ``ecgphoton train`` once per seed into ``--out`` (finished runs are kept) and
prints mean ± standard deviation over seeds with 95 % intervals from resampling whole records.
The second form never scores the test records: it divides all others into folds by patient, as a
protocol with folds does, and compares the out-of-fold scores of the recipe with those of the recipe
with each lever changed. Differences are paired: the same resampled records for both.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from _beats import spread, table
from numpy.typing import NDArray

from ecgphoton.artifacts import MANIFEST
from ecgphoton.ecg.beats import load_splits
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.progress import silent
from ecgphoton.recipe import Recipe, override, read
from ecgphoton.run.beats import examples_of, splits_of
from ecgphoton.run.fit import fit_run, start_run
from ecgphoton.run.folds import out_of_fold
from ecgphoton.student.architecture import TOKENS, Token

BINS, DRAWS, FALSE_ALARMS = 2000, 1000, 0.05
RHYTHM, SHAPE, DETAIL = TOKENS


def _tokens(*tokens: Token) -> str:
    """Return the setting of a student that reads these tokens of the patient."""
    texts = (f'{{name="{t.name}",features={json.dumps(t.features)}}}' for t in tokens)
    return f"student.patient=[{','.join(texts)}]"


LEVERS: Mapping[str, tuple[str, ...]] = {
    "8 tokens (rhythm, shape off)": (_tokens(),),
    "shape tokens off": (_tokens(RHYTHM),),
    "one shape token": (_tokens(RHYTHM, SHAPE),),
    "rhythm token off": (_tokens(SHAPE, DETAIL),),
    "template branch on": ("student.template=true",),
    "three layers": ("student.layers=3",),
    "four layers": ("student.layers=4",),
    "next interval seen (not causal)": (
        _tokens(Token("rhythm", (*RHYTHM.features[:2], "post/pre", "deviation")), SHAPE, DETAIL),
    ),
    "augmentation off": ("augment.shift=0", "augment.wander=0", "augment.noise=0"),
    "baseline wander 0.1": ("augment.wander=0.1",),
    "weight noise off": ("noise.weight=0",),
    "weight noise 0.06": ("noise.weight=0.06",),
    "abnormal beats count 4": (
        "balance.class_weights=fixed",
        "balance.abnormal=4",
        "balance.ratio_cap=4",
        "balance.warm_up=0",
        "balance.ramp=1",
    ),
    "patient weights on": ("balance.patient_weight=true",),
    "weight EMA off": ("training.ema=0",),
    "gains fixed at 1": ("student.gains=unit",),
    "twice the epochs": ("training.epochs=TWICE",),
}


@dataclass(frozen=True)
class Curve:
    """Scores of one model on beats of several records, as a histogram per record."""

    positive: NDArray[np.float64]
    """(records, bins) abnormal beats."""
    negative: NDArray[np.float64]
    """(records, bins) normal beats."""

    @classmethod
    def of(
        cls, probability: NDArray[np.floating], label: NDArray[np.int64], record: NDArray[np.str_]
    ) -> Curve:
        """Sort beats into bins of the log odds, evenly filled."""
        order = np.argsort(np.argsort(probability, kind="stable"), kind="stable")
        bins = order * BINS // len(order)
        names, at = np.unique(record, return_inverse=True)
        counts = np.zeros((2, len(names), BINS))
        np.add.at(counts, ((label > 0).astype(int), at, bins), 1)
        return cls(counts[1], counts[0])

    def numbers(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """AUC and miss rate at 5 % FPR for (draws, records) weights: (draws, 2)."""
        positive, negative = weight @ self.positive, weight @ self.negative
        total, normal = positive.sum(1, keepdims=True), negative.sum(1, keepdims=True)
        below = np.cumsum(negative, 1) - negative / 2
        auc = (positive * below).sum(1) / np.maximum(total * normal, 1)[:, 0]
        allowed = np.cumsum(negative[:, ::-1], 1)[:, ::-1] <= FALSE_ALARMS * normal
        miss = 1 - (positive * allowed).sum(1) / np.maximum(total, 1)[:, 0]
        return np.stack([auc, miss], 1)


def resampled(records: int, seed: int = 20) -> NDArray[np.float64]:
    """(draws + 1, records) how often each record counts; the first row is every record once."""
    rng = np.random.default_rng(seed)
    picks = rng.multinomial(records, np.full(records, 1 / records), size=DRAWS)
    return np.concatenate([np.ones((1, records)), picks]).astype(float)


def cross_validate(
    recipe: Recipe, variants: Mapping[str, tuple[str, ...]], count: int, seeds: int
) -> None:
    """Print the patient-grouped table of a recipe and its variants."""
    data, given = recipe.data, protocol_of(recipe.data.protocol)
    train = (*given.train, *given.validation)
    protocol = replace(given, train=train, validation=(), validation_fraction=0.0, folds=count)
    splits = load_splits(
        protocol, data.labels, data=data.source, lead=data.lead, split_seed=data.split_seed,
        centring=data.centring,
    )  # fmt: skip
    beats = splits.train
    weights = resampled(len(np.unique(beats.record)))
    twice = str(2 * recipe.training.epochs)
    base: NDArray[np.float64] | None = None
    for name, assignments in {recipe.name: (), **variants}.items():
        changed = override(recipe, [text.replace("TWICE", twice) for text in assignments])
        changed = replace(changed, decision=changed.decision.without_blend())
        examples, scores = examples_of(beats, changed.student), []
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as place:
                found = out_of_fold(
                    changed, splits, examples, changed.student, Path(place),
                    seed=seed, progress=silent,
                )  # fmt: skip
            scores.append(found.score[found.epoch()])
        curves = [Curve.of(score, beats.label, beats.record) for score in scores]
        drawn = np.stack([curve.numbers(weights) for curve in curves])
        mean = drawn.mean(0)
        base = mean if base is None else base
        row: dict[str, object] = {"variant": name, "parameters": changed.student.parameters}
        for column, short in enumerate(("AUC", "miss at 5 % FPR")):
            row[short] = spread(drawn[:, 0, column])
            low, high = 100 * np.quantile(mean[1:, column] - base[1:, column], (0.025, 0.975))
            difference = 100 * (mean[0, column] - base[0, column])
            row[f"Δ {short} [95 %]"] = f"{difference:+.2f} [{low:+.2f}, {high:+.2f}]"
        table(list(row), [row])


def run_seeds(recipe: Recipe, seeds: Sequence[int], out: Path) -> None:
    """Train what is missing and print the table of a recipe."""
    folders = []
    splits = None
    for seed in seeds:
        folder = out / f"{recipe.name}-{seed}"
        if not (folder / MANIFEST).exists():
            splits = splits_of(recipe) if splits is None else splits
            start_run(recipe, folder, seed)
            fit_run(recipe, splits, folder, seed=seed)
        folders.append(folder)
    metrics = [json.loads((folder / "metrics.json").read_text()) for folder in folders]
    for name in metrics[0]["sets"]:
        sets = [entry["sets"][name] for entry in metrics]
        if metrics[0]["operating_point"] is None:
            _classes(recipe.name, name, sets)
            continue
        with np.load(folders[0] / f"{name}_scores.npz") as file:
            label, record = file["label"], file["record"]
        curves = []
        for folder in folders:
            with np.load(folder / f"{name}_scores.npz") as file:
                curves.append(Curve.of(file["probability"][:, 1], label, record))
        weights = resampled(len(np.unique(record)))
        drawn = np.mean([curve.numbers(weights) for curve in curves], 0)
        low, high = 100 * np.quantile(drawn[1:], (0.025, 0.975), axis=0)
        row: dict[str, object] = {"recipe": recipe.name, "set": name}
        for key in ("auc", "miss", "fpr", "f1"):
            row[key] = spread([entry[key] for entry in sets])
        row["AUC [95 %]"] = f"[{low[0]:.1f}, {high[0]:.1f}]"
        for key in ("miss", "fpr"):
            ends = 100 * np.mean([entry["interval_95"][key] for entry in sets], 0)
            row[f"{key} [95 %]"] = f"[{ends[0]:.1f}, {ends[1]:.1f}]"
        table(list(row), [row])


def _classes(recipe: str, name: str, sets: Sequence[Mapping[str, object]]) -> None:
    """Print sensitivity and precision of every class."""
    row: dict[str, object] = {"recipe": recipe, "set": name}
    row["macro-F1"] = spread([float(str(entry["macro_f1"])) for entry in sets])
    tables = [entry["classes"] for entry in sets]
    for short in tables[0]:  # type: ignore[attr-defined]
        for key in ("recall", "precision"):
            row[f"{short} {key}"] = spread([entry[short][key] for entry in tables])  # type: ignore[index]
    table(list(row), [row])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds, from 0")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folds", type=int, default=0, help="patient-grouped folds instead")
    parser.add_argument("--levers", nargs="*", help="levers to change (all when none is named)")
    parser.add_argument("--out", type=Path, default=Path("runs/accuracy"))
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    for name in given.recipes:
        recipe = override(read(name), given.set)
        if given.folds:
            chosen = given.levers or list(LEVERS)
            levers = {} if given.levers is None else {name: LEVERS[name] for name in chosen}
            cross_validate(recipe, levers, given.folds, given.seeds)
        else:
            run_seeds(replace(recipe, name=name), range(given.seeds), given.out)


if __name__ == "__main__":
    main()

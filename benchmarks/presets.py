"""Effect of the presets on the reference protocol, over seeds.

    python -m benchmarks presets --seeds 3 --epochs 30

Epoch and threshold are chosen on validation alone; generalization is only evaluated afterwards.
"""

from __future__ import annotations

import time

import torch

from benchmarks._beats import arguments, load, spread, table
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.recipe import Recipe, override
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.fit import fit
from ecgphoton.training.judge import probabilities, summarise

VARIANTS = {
    "stable": (),
    "balanced": ("strategies.preset=balanced",),
    "full": ("strategies.preset=full",),
    "full, strength 3": (
        "strategies.preset=full",
        "strategies.strength=3",
        "balance.ratio_cap=8",
    ),
    "balanced batches": ("strategies.sampler=balanced", "balance.warm_up=0"),
    "patient sampler": ("strategies.sampler=patient", "balance.warm_up=0"),
    "patient weight": ("balance.patient_weight=true",),
    "inverse frequency": ("balance.class_weights=inverse", "balance.warm_up=0"),
    "focal gamma 2": ("loss.focal_gamma=2",),
    "logit adjustment 1": ("loss.adjustment=1",),
    "weight EMA 0.998": ("training.ema=0.998",),
    "augmentation": ("augment.shift=8", "augment.wander=0.1", "augment.noise=0.03"),
}


def main() -> None:
    """Train every variant with every seed and print the tables."""
    parser = arguments(__doc__.splitlines()[0], epochs=30, seeds=3)
    parser.add_argument("--only", nargs="*", default=["stable", "balanced", "full"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    architecture = Architecture(patient=TOKENS[: given.tokens], template=given.template)
    training, validation, test, test_name, _ = load("reference", "literal", architecture)
    rows, means = [], []
    for name in VARIANTS if given.only == ["all"] else given.only:
        chosen = override(Recipe(), [*VARIANTS[name], f"training.epochs={given.epochs}"])
        mine, began = [], time.perf_counter()
        for seed in range(given.seeds):
            fitted = fit(
                SegmentStudent(architecture, seed=seed),
                training,
                {"validation": validation},
                chosen.training,
                ThresholdPolicy(),
                chosen.parts(training, 2),
                seed=seed,
            )
            row = {"variant": name, "seed": seed, "epoch": fitted.best_epoch}
            row["threshold"] = fitted.point.threshold
            for short, beats in (("val", validation), ("gen", test)):
                row_of_set = summarise(
                    probabilities(fitted.model, beats), beats.label.numpy(), fitted.point
                )
                row |= {f"{short} {key}": row_of_set[key] for key in ("auc", "miss", "fpr", "f1")}
            row["events"] = sum(len(record.events) for record in fitted.history)
            mine.append(row)
            table(list(row), [row])
        rows += mine
        seconds = (time.perf_counter() - began) / given.seeds
        means.append(
            {"variant": name}
            | {
                f"{short} {key}": spread([row[f"{short} {key}"] for row in mine])
                for short in ("val", "gen")
                for key in ("auc", "miss", "fpr")
            }
            | {"s / run": f"{seconds:.0f}"}
        )
    print()
    table(list(rows[0]), rows)
    print(f"\nMean ± standard deviation over {given.seeds} seeds, percent; gen = {test_name}:\n")
    table(list(means[0]), means)


if __name__ == "__main__":
    main()

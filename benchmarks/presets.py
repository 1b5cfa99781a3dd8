"""What the presets are worth on the reference protocol, seed by seed.

    python benchmarks/presets.py --seeds 3 --epochs 30

Epoch and threshold are chosen on validation alone; generalization is only looked at afterwards.
"""

from __future__ import annotations

import time

import torch
from _beats import arguments, load, spread, table

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.legacy.balance import Balance
from ecgphoton.legacy.guards import GuardSettings
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.fit import fit
from ecgphoton.training.judge import probabilities, summarise
from ecgphoton.training.losses import LossSettings
from ecgphoton.training.parts import Schedule

MILD = Augmentation(shift=8, wander=0.1, noise=0.03)
VARIANTS = {
    "stable": {"balance": Balance("stable")},
    "balanced": {"balance": Balance("balanced")},
    "full": {"balance": Balance("full")},
    "full, strength 3": {"balance": Balance("full", strength=3.0, ratio_cap=8.0)},
    "balanced batches": {"balance": Balance(sampler="balanced", warm_up=0)},
    "patient sampler": {"balance": Balance(sampler="patient", warm_up=0)},
    "patient weight": {"balance": Balance(patient_weight=True)},
    "inverse frequency": {"balance": Balance(class_weights="inverse", warm_up=0)},
    "focal gamma 2": {"loss": LossSettings(focal_gamma=2.0)},
    "logit adjustment 1": {"loss": LossSettings(adjustment=1.0)},
    "weight EMA 0.998": {"ema": 0.998},
    "augmentation": {"augmentation": MILD},
}


def main() -> None:
    """Train every variant with every seed and print the tables."""
    parser = arguments(__doc__.splitlines()[0], epochs=30, seeds=3)
    parser.add_argument("--only", nargs="*", default=["stable", "balanced", "full"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    architecture = Architecture(rhythm=given.rhythm, template=given.template)
    training, validation, test, test_name, _ = load("reference", "literal", architecture)
    rows, means = [], []
    for name in VARIANTS if given.only == ["all"] else given.only:
        chosen, mine, began = VARIANTS[name], [], time.perf_counter()
        for seed in range(given.seeds):
            fitted = fit(
                SegmentStudent(architecture, seed=seed),
                training,
                {"validation": validation},
                Schedule(epochs=given.epochs, ema=chosen.get("ema", 0.0)),
                ThresholdPolicy(),
                assemble(
                    chosen.get("balance", Balance()),
                    GuardSettings(),
                    chosen.get("augmentation", Augmentation()),
                    chosen.get("loss", LossSettings()),
                    examples=training,
                    classes=2,
                ),
                seed=seed,
            )
            row = {"variant": name, "seed": seed, "epoch": fitted.best_epoch}
            row["threshold"] = fitted.point.threshold
            for short, beats in (("val", validation), ("gen", test)):
                said = summarise(
                    probabilities(fitted.model, beats), beats.label.numpy(), fitted.point
                )
                row |= {f"{short} {key}": said[key] for key in ("auc", "miss", "fpr", "f1")}
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

"""Four classes (N, S, V, O) with rhythm token and template branch.

    python -m benchmarks four_classes --protocol benchmarks/five-validate.toml --seeds 3 --epochs 40
    python -m benchmarks four_classes --protocol reference --seeds 3 --epochs 40

The epoch is chosen on validation alone, by macro-F1 or by the mean of the four recalls.
"""

from __future__ import annotations

import time

import torch

from benchmarks._beats import arguments, load, spread, table
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.metrics import class_table, confusion_matrix, macro_f1
from ecgphoton.recipe import Recipe, override
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.fit import fit
from ecgphoton.training.judge import probabilities

VARIANTS = {
    "inverse": (),
    "inverse, cap 30": ("balance.ratio_cap=30",),
    "inverse, cap 100": ("balance.ratio_cap=100",),
    "root-inverse sampler": ("strategies.sampler=weighted",),
    "balanced batches": ("strategies.sampler=balanced",),
    "patient sampler": ("strategies.sampler=patient",),
    "patient weight": ("balance.class_weights=none", "balance.patient_weight=true"),
}
MILD = ("augment.shift=8", "augment.wander=0.1", "augment.noise=0.03")


def main() -> None:
    """Train, print one table and the confusion matrices of the first seed."""
    parser = arguments(__doc__.splitlines()[0], epochs=40, seeds=3)
    parser.set_defaults(tokens=1, template=True)
    parser.add_argument("--protocol", default="reference")
    parser.add_argument("--only", nargs="*", default=["inverse"])
    parser.add_argument("--selection", choices=("macro-f1", "mean-recall"), default="macro-f1")
    parser.add_argument("--augment", action="store_true", help="shift, wander and noise")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    architecture = Architecture(classes=4, patient=TOKENS[: given.tokens], template=given.template)
    training, validation, test, test_name, classes = load(given.protocol, "aami4", architecture)
    common = [f"training.epochs={given.epochs}", f"training.selection={given.selection}"]
    rows, matrices = [], []
    for variant in VARIANTS if given.only == ["all"] else given.only:
        augment = MILD if given.augment else ()
        chosen = override(Recipe(), [*common, *augment, *VARIANTS[variant]])
        began, seen = time.perf_counter(), {"validation": [], test_name: []}
        for seed in range(given.seeds):
            fitted = fit(
                SegmentStudent(architecture, seed=seed),
                training,
                {"validation": validation},
                chosen.training,
                ThresholdPolicy(),
                chosen.parts(training, 4),
                seed=seed,
            )
            for name, beats in (("validation", validation), (test_name, test)):
                label = beats.label.numpy()
                called = probabilities(fitted.model, beats).argmax(1)
                seen[name].append((macro_f1(label, called, 4), class_table(label, called, classes)))
                if seed == 0:
                    matrix = confusion_matrix(label, called, 4)
                    matrices.append((variant, name, fitted.best_epoch, matrix))
        seconds = (time.perf_counter() - began) / given.seeds
        for name, results in seen.items():
            row = {"variant": variant, "set": name}
            row["macro-F1"] = spread([score for score, _ in results], 3, 1.0)
            for index in classes:
                row[f"{index} Se"] = spread([table_[index]["recall"] for _, table_ in results], 1)
                row[f"{index} +P"] = spread(
                    [table_[index]["precision"] for _, table_ in results], 1
                )
            rows.append(row | {"s / run": f"{seconds:.0f}"})
        table(list(rows[-1]), rows[-2:])
    print(f"\n{given.protocol}, mean ± standard deviation over {given.seeds} seeds, percent:\n")
    table(list(rows[0]), rows)
    for variant, name, epoch, matrix in matrices:
        print(f"\n{variant}, {name}, seed 0, epoch {epoch}; rows are truth:\n")
        rows = [
            {"": truth, **{name: int(count) for name, count in zip(classes, row, strict=True)}}
            for truth, row in zip(classes, matrix, strict=True)
        ]
        table(["", *classes], rows)


if __name__ == "__main__":
    main()

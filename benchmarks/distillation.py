"""Teacher, baseline and distilled student on the reference protocol, paired over seeds.

    python -m benchmarks distillation --seeds 5 --epochs 20

One teacher (seed 0) is trained on the training records and its outputs are cached once; baseline
and distilled student share seed, epochs and everything else.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from benchmarks._beats import arguments, load, table
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.legacy.distill import Distillation
from ecgphoton.legacy.distill_run import distil
from ecgphoton.legacy.teacher import load_teacher, save_teacher, train_teacher
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.judge import outputs_of
from ecgphoton.training.parts import Parts, Schedule, Shuffled


def main() -> None:
    """Train, compare, print."""
    parser = arguments(__doc__.splitlines()[0], epochs=20, seeds=5)
    parser.add_argument("--teacher", type=Path, help="checkpoint to read, or to write")
    parser.add_argument("--teacher-epochs", type=int, default=Distillation().teacher_epochs)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--beta", type=float, default=Distillation().beta)
    parser.add_argument("--gamma", type=float, default=Distillation().gamma)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    architecture = Architecture(patient=TOKENS[: given.tokens], template=given.template)
    training, validation, test, test_name, _ = load("reference", "literal", architecture)
    settings = Distillation(
        warm_up=given.warm_up,
        beta=given.beta,
        gamma=given.gamma,
        teacher_epochs=given.teacher_epochs,
    )
    policy = ThresholdPolicy()
    if given.teacher and given.teacher.exists():
        teacher = load_teacher(given.teacher)
    else:
        began = time.perf_counter()

        def say(name: str, done: int, epochs: int) -> None:
            print(f"{name} {done}/{epochs} after {time.perf_counter() - began:.0f} s", flush=True)

        monitors = {"validation": validation}
        teacher = train_teacher(training, monitors, 2, settings, policy, seed=0, progress=say).model
        if given.teacher:
            save_teacher(given.teacher, teacher, {"protocol": "reference", "labels": "literal"})
    began = time.perf_counter()
    outputs = outputs_of(teacher, training)
    print(f"teacher outputs of {len(training):,} beats in {time.perf_counter() - began:.1f} s\n")
    rows, pairs, columns = [], [], ("auc", "miss", "fpr", "f1")
    for seed in range(given.seeds):
        clock: dict[str, list[float]] = {}

        def tick(name: str, done: int, epochs: int, clock: dict[str, list[float]] = clock) -> None:
            del done, epochs
            clock.setdefault(name.partition(",")[0], []).append(time.process_time())

        report = distil(
            lambda seed=seed: SegmentStudent(architecture, seed=seed),
            settings,
            Schedule(epochs=given.epochs),
            policy,
            Parts(Shuffled(len(training))),
            training=training,
            validation=validation,
            test=test,
            test_name=test_name,
            seed=seed,
            teacher=teacher,
            outputs=outputs,
            progress=tick,
        )
        summary = report.summary()
        rows += [{"seed": seed, **row} for row in summary if seed == 0 or row["model"] != "teacher"]
        if not report.verdict.accepted:
            print(f"seed {seed}: {report.verdict}")
            continue
        cost = {name: float(np.median(np.diff(times))) for name, times in clock.items()}
        print(f"seed {seed}: {report.verdict}; CPU s per epoch {cost}", flush=True)
        by = {(row["model"], row["set"]): row for row in summary}
        pairs.append(
            {
                (name, key): by["distilled", name][key] - by["baseline", name][key]
                for name in ("validation", test_name)
                for key in columns
            }
        )
    print()
    table(["seed", "model", "set", "threshold", *columns], rows)
    if len(pairs) > 1:
        from scipy.stats import t

        reach = t.ppf(0.975, len(pairs) - 1) / len(pairs) ** 0.5
        print(f"\nDistilled minus baseline, {len(pairs)} pairs, 95 % interval, percent points:\n")
        differences = []
        for name, key in pairs[0]:
            values = 100 * np.array([pair[name, key] for pair in pairs])
            half = reach * values.std(ddof=1)
            differences.append(
                {
                    "set": name,
                    "number": key,
                    "difference": f"{values.mean():+.2f}",
                    "95 %": f"[{values.mean() - half:+.2f}, {values.mean() + half:+.2f}]",
                }
            )
        table(list(differences[0]), differences)


if __name__ == "__main__":
    main()

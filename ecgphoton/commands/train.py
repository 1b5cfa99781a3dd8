"""``ecgphoton train``, ``distill`` (training with a teacher) and ``evaluate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _derive as derive, _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.evaluate import Evaluation
    from ecgphoton.run.finish import TrainedRun

FLAGS = {"recipe": "--recipe", "settings": "--set"}


@derive.command("run.train", FLAGS)
def train(run: TrainedRun) -> None:
    """Print the beats of a run, its results, and where it is."""
    splits = run.splits
    held = len(splits.validation)
    validation = f" / validation {held:,}" if held else ""
    shared.say(
        f"{splits.protocol.name} protocol, {splits.labels.name} labels: "
        f"train {len(splits.train):,}{validation} / "
        f"{splits.protocol.test_name} {len(splits.test):,} beats",
        *(f"  {line}" for line in splits.report.lines()),
    )
    if compared := run.distillation:
        models = compared["models"]
        keys = [key for key in models[0] if key not in ("model", "set")]
        rows = [[row["model"], row["set"], *(shared.area(row.get(key)) for key in keys)]
                for row in models]  # fmt: skip
        shared.table("each model at its own operating point", ["model", "set", *keys], rows)
        click.echo(compared["verdict"])
    print_metrics(run.metrics)
    click.echo(f"run written to {run.folder}")


@derive.command("run.evaluate")
def evaluate(result: Evaluation) -> None:
    """Print which student it is, and the table of its results."""
    shared.say(shared.student(result.metrics["run"], result.metrics["chosen"]))
    print_metrics(result.metrics)


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the table of a student's results, what its folds say first."""
    _print_crossed(metrics.get("out_of_fold", {}))
    rows = []
    for name, row in metrics["sets"].items():
        if "macro_f1" in row:
            found = ((name, one["recall"]) for name, one in row["classes"].items())
            recalls = [f"{kind} –" if share is None else f"{kind} {share:.3f}"
                       for kind, share in found]  # fmt: skip
            cells = row["beats"], f"{row['macro_f1']:.4f}", ", ".join(recalls)
            rows.append([shared.words(name), *cells])
            continue
        shown = [_with_interval(row, key) for key in ("miss", "fpr")]
        prevalence, f1 = shared.percent(row["prevalence"], 1), row["f1"]
        shown += ["–" if f1 is None else f"{f1:.3f} @ {prevalence}", shared.area(row["auc"])]
        rows.append([shared.words(name), f"{row['beats']:,}", *shown])
    point = metrics["operating_point"]
    if not point:
        shared.table("results", ["set", "beats", "macro-F1", "recall"], rows)
    else:
        title = f"threshold {point['threshold']:.3f} from {shared.listed(point['fitted_on'])}"
        columns = ["set", "beats", "miss [95 %]", "FPR [95 %]", "F1 @ prevalence", "AUC"]
        shared.table(title, columns, rows)
    chosen = shared.listed(metrics["took_part_in_selection"])
    shared.say(
        metrics["shortfall"],
        *metrics.get("notes", ()),
        f"sets that took part in training or selection: {chosen}",
    )


def _print_crossed(numbers: Mapping[str, Any]) -> None:
    """Print the estimates of a student whose protocol has folds; nothing without them."""
    found = {"operating point": numbers, "nested estimate": numbers.get("nested", {})}
    rows = [
        [
            name,
            *(_with_interval(one, key) for key in ("miss", "fpr")),
            *map(shared.area, (one["auc"], *one["class_auc"].values())),
        ]
        for name, one in found.items()
        if one
    ]
    if rows:
        areas = (f"AUC {name}" for name in numbers["class_auc"])
        columns = ["out of fold", "miss [95 %]", "FPR [95 %]", "AUC", *areas]
        shared.table("training patients, each scored by students of others", columns, rows)
        click.echo("patients are weighted alike here, beats in the table below")


def _with_interval(row: Mapping[str, Any], key: str) -> str:
    from ecgphoton.metrics import stated

    value, interval = shared.percent(stated(row, key)), row["interval_95"][key]
    if interval is None or stated(row, key) is None:
        return value
    return f"{value} {shared.ends(*interval, digits=1)}"


_own = derive.parameters("run.distill", FLAGS)
distill = opt.Moved(
    "distill",
    callback=train.callback,
    params=[*_own, *(p for p in train.params if p.name not in {one.name for one in _own})],
    help=derive.meanings("run.distill")[0],
)

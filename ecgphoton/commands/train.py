"""``ecgphoton train``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.evaluate import Evaluation
    from ecgphoton.run.finish import TrainedRun


@click.command()
@click.option("--recipe", default="default", help="Shipped recipe by name, or a TOML file.")
@click.option("--protocol", default=None, help="reference, inter-patient, or a TOML file.")
@click.option("--labels", default=None, help="literal, aami, aami-svf or aami4.")
@click.option("--classes", type=click.Choice([2, 4]), default=None, help="4 means aami4.")
@click.option("--preset", default=None, help="Strategies: stable, balanced or full.")
@click.option("--strength", type=float, default=None, help="Scale of the preset's strategies.")
@click.option("--teacher", default=None, metavar="auto|CHECKPOINT", help="Distil from a teacher.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Recipe override.")
@opt.seed_option
@click.option("--resume", type=opt.path_type, default=None, help="Unfinished run to go on with.")
@opt.common_options
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Train a student and say what it is worth."""
    from ecgphoton.run.train import train

    with shared.progress() as progress:
        result = train(**options, progress=progress)
    shared.show(result, print_run, as_json=as_json)


def print_run(run: TrainedRun) -> None:
    """Print the beats of a run, its results, and where it is."""
    splits = run.splits
    click.echo(
        f"{splits.protocol.name} protocol, {splits.labels.name} labels: "
        f"train {len(splits.train):,} / validation {len(splits.validation):,} / "
        f"{splits.protocol.test_name} {len(splits.test):,} beats"
    )
    for line in splits.report.lines():
        click.echo(f"  {line}")
    if compared := run.distillation:
        models = compared["models"]
        keys = [key for key in models[0] if key not in ("model", "set")]
        rows = [[row["model"], row["set"], *(shared.area(row.get(key)) for key in keys)]
                for row in models]  # fmt: skip
        shared.table("each model at its own operating point", ["model", "set", *keys], rows)
        click.echo(compared["verdict"])
    print_metrics(run)
    click.echo(f"run written to {run.folder}")


def print_metrics(result: TrainedRun | Evaluation) -> None:
    """Print the table of a student's results."""
    metrics = result.metrics
    rows = []
    for name, row in metrics["sets"].items():
        if "macro_f1" in row:
            recalls = [f"{c} {numbers['recall']:.3f}" for c, numbers in row["classes"].items()]
            rows.append([name, row["beats"], f"{row['macro_f1']:.4f}", ", ".join(recalls)])
            continue
        shown = []
        for key in ("miss", "fpr"):
            low, high = row["interval_95"][key]
            shown.append(f"{shared.percent(row[key])} [{100 * low:.1f}, {100 * high:.1f}]")
        prevalence = shared.percent(row["prevalence"], 1)
        shown += [f"{row['f1']:.3f} @ {prevalence}", shared.area(row["auc"])]
        rows.append([name, f"{row['beats']:,}", *shown])
    point = metrics["operating_point"]
    if point is None:
        shared.table("results", ["set", "beats", "macro-F1", "recall"], rows)
    else:
        title = f"threshold {point['threshold']:.3f} from {', '.join(point['fitted_on'])}"
        columns = ["set", "beats", "miss [95 %]", "FPR [95 %]", "F1 @ prevalence", "AUC"]
        shared.table(title, columns, rows)
        if not point["feasible"]:
            click.echo("no threshold met both limits on the sets above; least violation taken")
    for line in metrics.get("notes", ()):
        click.echo(line)
    chosen = ", ".join(metrics["took_part_in_selection"])
    click.echo(f"sets that took part in training or selection: {chosen}")

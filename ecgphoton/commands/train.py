"""``ecgphoton train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.recipe import Recipe


@click.command()
@click.option("--recipe", default="default", help="Shipped recipe by name, or a TOML file.")
@click.option("--protocol", default=None, help="reference or inter-patient.")
@click.option("--labels", default=None, help="literal, aami, aami-svf or aami4.")
@click.option("--classes", type=click.Choice(["2", "4"]), default=None, help="4 means aami4.")
@click.option("--preset", default=None, help="Strategies: stable, balanced or full.")
@click.option("--strength", type=float, default=None, help="Scale of the preset's strategies.")
@click.option("--teacher", default=None, metavar="auto|CHECKPOINT", help="Distil from a teacher.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Recipe override.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--out", type=shared.path_type, default=None, help="Run folder to create.")
@click.option("--resume", type=shared.path_type, default=None, help="Unfinished run to go on with.")
@shared.data_options
@shared.threads_option
@shared.json_option
def command(
    recipe: str,
    protocol: str | None,
    labels: str | None,
    classes: str | None,
    preset: str | None,
    strength: float | None,
    teacher: str | None,
    assignments: tuple[str, ...],
    seed: int,
    out: Path | None,
    resume: Path | None,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Train a student and say what it is worth."""
    from ecgphoton.recipe import override, read
    from ecgphoton.run.beats import splits_of
    from ecgphoton.run.train import resume_point, start_run, train

    state = None
    if resume is not None:
        chosen, seed, state = resume_point(resume)
        folder = resume
    else:
        flags = {
            "data.protocol": protocol,
            "data.labels": "aami4" if classes == "4" else labels,
            "data.source": data,
            "balance.preset": preset,
            "balance.strength": strength,
            "distill.teacher": teacher,
        }
        given = [f"{key}={value}" for key, value in flags.items() if value is not None]
        chosen = override(read(recipe), [*given, *assignments])
        folder = out if out is not None else _free_folder(chosen, seed)
    splits = splits_of(chosen, data_dir)
    shared.banner(splits.train.source)
    if not as_json:
        _announce(splits)
    if resume is None:
        start_run(chosen, folder, seed)
    if chosen.distill.teacher != "none":
        _distil(chosen, splits, folder, seed, as_json=as_json)
        return
    with shared.progress() as bars:
        task = bars.add_task("training", total=chosen.training.epochs, note="")

        def advance(record: Any, epochs: int) -> None:  # noqa: ANN401
            bars.update(
                task, completed=record.epoch, total=epochs, note=f"score {record.score:.4f}"
            )

        report = train(chosen, splits, folder, seed=seed, resume=state, progress=advance)
    if as_json:
        shared.emit({"run": str(folder), **report.metrics})
        return
    print_metrics(report.metrics)
    click.echo(f"run written to {folder}")


def _distil(recipe: Recipe, splits: Any, folder: Path, seed: int, *, as_json: bool) -> None:  # noqa: ANN401
    from ecgphoton.run.distill import distil_run

    with shared.progress() as bars:
        tasks: dict[str, Any] = {}

        def advance(name: str, record: Any, epochs: int) -> None:  # noqa: ANN401
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=epochs, note="")
            bars.update(tasks[name], completed=record.epoch, note=f"score {record.score:.4f}")

        done = distil_run(recipe, splits, folder, seed=seed, progress=advance)
    if as_json:
        shared.emit({"run": str(folder), **done.to_dict()})
        return
    keys = [key for key in done.rows[0] if key not in ("model", "set")]
    rows = [[row["model"], row["set"], *(shared.area(row.get(key)) for key in keys)]
            for row in done.rows]  # fmt: skip
    shared.table("each model at its own operating point", ["model", "set", *keys], rows)
    click.echo(done.verdict)
    print_metrics(done.run.metrics)
    click.echo(f"run written to {folder}")


def _free_folder(recipe: Recipe, seed: int) -> Path:
    base = f"{recipe.name}-{recipe.data.protocol}-{recipe.data.labels}-seed{seed}"
    for number in range(1, 10_000):
        folder = Path("runs") / (base if number == 1 else f"{base}-{number}")
        if not folder.exists():
            return folder
    raise click.UsageError("runs/ is full; name a folder with --out")


def _announce(splits: Any) -> None:  # noqa: ANN401
    sizes = f"train {len(splits.train):,} / validation {len(splits.validation):,}"
    click.echo(
        f"{splits.protocol.name} protocol, {splits.labels.name} labels: {sizes} / "
        f"{splits.protocol.test_name} {len(splits.test):,} beats"
    )
    for line in splits.report.lines():
        click.echo(f"  {line}")


def print_metrics(metrics: Any) -> None:  # noqa: ANN401
    """Print the table of a run's results."""
    rows = []
    for name, result in metrics["sets"].items():
        if "macro_f1" in result:
            recalls = [f"{c} {row['recall']:.3f}" for c, row in result["classes"].items()]
            rows.append([name, result["beats"], f"{result['macro_f1']:.4f}", ", ".join(recalls)])
            continue
        low, high = result["interval_95"]["miss"]
        low_f, high_f = result["interval_95"]["fpr"]
        auc = result["auc"]
        rows.append(
            [
                name,
                f"{result['beats']:,}",
                f"{shared.percent(result['miss'])} [{100 * low:.1f}, {100 * high:.1f}]",
                f"{shared.percent(result['fpr'])} [{100 * low_f:.1f}, {100 * high_f:.1f}]",
                f"{result['f1']:.3f} @ {shared.percent(result['prevalence'], 1)}",
                None if auc is None else f"{auc:.4f}",
            ]
        )
    point = metrics.get("operating_point")
    chosen = (
        ", ".join(metrics["took_part_in_selection"]) if "took_part_in_selection" in metrics else ""
    )
    if point is None:
        shared.table("results", ["set", "beats", "macro-F1", "recall"], rows)
    else:
        title = f"threshold {point['threshold']:.3f} from {', '.join(point['fitted_on'])}"
        columns = ["set", "beats", "miss [95 %]", "FPR [95 %]", "F1 @ prevalence", "AUC"]
        shared.table(title, columns, rows)
        if not point["feasible"]:
            click.echo("no threshold met both limits on the sets above; least violation taken")
    chosen = ", ".join(metrics["took_part_in_selection"])
    click.echo(f"sets that took part in training or selection: {chosen}")

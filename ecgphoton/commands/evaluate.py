"""``ecgphoton evaluate``."""

from __future__ import annotations

from pathlib import Path

import click

from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("run", type=shared.path_type, required=False)
@click.option("--on", "protocol", default=None, help="Protocol (default: the run's own).")
@click.option("--labels", default=None, help="Label scheme (default: the run's own).")
@shared.data_options
@shared.threads_option
@shared.json_option
def command(
    run: Path | None,
    protocol: str | None,
    labels: str | None,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Evaluate a trained student (default: the newest run); nothing is chosen or fitted."""
    from ecgphoton import runs
    from ecgphoton.commands.train import print_metrics
    from ecgphoton.recipe import override
    from ecgphoton.run.beats import splits_of
    from ecgphoton.run.evaluate import evaluate

    folder = runs.choose(run)
    trained = runs.load_student(folder)
    flags = {"data.protocol": protocol, "data.labels": labels, "data.source": data}
    given = [f"{key}={value}" for key, value in flags.items() if value is not None]
    splits = splits_of(override(trained.recipe, given), data_dir)
    shared.banner(splits.test.source)
    sets = evaluate(folder, splits)
    metrics = {
        "run": str(folder),
        "sets": sets,
        "operating_point": trained.metadata["operating_point"],
        "took_part_in_selection": ["training", *trained.metadata["selection"]["sets"]],
    }
    if as_json:
        shared.emit(metrics)
    else:
        print_metrics(metrics)

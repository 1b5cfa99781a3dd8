"""``ecgphoton simulate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ecgphoton.commands import _shared as shared

SETTINGS = (
    "noise",
    "profile",
    "chips",
    "seed",
    "readout",
    "detection",
    "max_miss",
    "max_fpr",
    "min_yield",
    "early_stop",
    "workers",
    "dask",
)
"""Options that `ecgphoton.hwsim.simulate.simulate` takes by the same name."""


@click.command()
@click.argument("subject", metavar="[RUN|BUNDLE]", type=shared.path_type, required=False)
@click.option("--noise", type=float, default=None, help="Static and per-shot noise (default 0.02).")
@click.option("--profile", default=None, help="Device profile by name, or a TOML file.")
@click.option("--chips", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--readout", type=click.Choice(["analog", "digital"]), default="analog")
@click.option(
    "--detection",
    type=click.Choice(["homodyne", "balanced", "intensity"]),
    default="homodyne",
    help="What a profile's detectors see.",
)
@click.option("--max-miss", type=float, default=0.10, show_default=True)
@click.option("--max-fpr", type=float, default=0.10, show_default=True)
@click.option("--min-yield", type=float, default=0.95, show_default=True)
@click.option("--early-stop", is_flag=True, help="Stop once the confidence bound decides.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Processes.")
@click.option("--dask", default=None, metavar="ADDRESS", help="Dask scheduler to use.")
@click.option("--sweep", default=None, metavar="KEY=A:B:N", help="Simulate every value of KEY.")
@click.option("--solve", default=None, metavar="KEY", help="Largest value of KEY that passes.")
@click.option("--blame", is_flag=True, help="Error budget by source, block and MZI.")
@click.option("--adversary", is_flag=True, help="Worst chip within three sigma.")
@click.option("--certify", default=None, metavar="EPS,...", help="Beats no chip can flip.")
@click.option("--trace", is_flag=True, help="Replay one decision: --chip K --beat N.")
@click.option("--chip", type=click.IntRange(0), default=0, help="Chip to trace.")
@click.option("--beat", type=click.IntRange(0), default=0, help="Beat to trace.")
@click.option("--out", type=shared.path_type, default=None, help="Folder for report and picture.")
@shared.data_options
@shared.threads_option
@shared.json_option
def command(
    subject: Path | None,
    out: Path | None,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the options above, by name
) -> None:
    """Ask whether miss rate and FPR survive on many chips; exit 1 if the yield is too low.

    Without RUN or BUNDLE the newest run is taken, else the shipped student.
    """
    from ecgphoton.commands import _studies
    from ecgphoton.run.simulate import simulate_subject
    from ecgphoton.run.subject import open_subject

    study = _studies.chosen(options)
    opened = open_subject(subject)
    folder = out if out is not None else Path("simulations") / opened.name
    settings = {name: options[name] for name in SETTINGS}
    if study is not None:
        study(_studies.Asked(opened, folder, data, data_dir, as_json, settings, options))
        return
    with shared.progress() as bars:
        task = bars.add_task("chips", total=settings["chips"], note="")

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        result = simulate_subject(
            opened, folder, data=data, data_dir=data_dir, progress=advance, **settings
        )
    shared.banner(result.beats.source)
    if as_json:
        shared.emit(result.to_dict())
    else:
        print_simulation(result.to_dict())
    if not result.report.passed:
        sys.exit(1)


def print_simulation(result: dict[str, Any]) -> None:
    """Print the table and the verdict of a simulation."""
    columns = ["mean", "median", "p5", "p95", "worst", "perfect"]
    rows = []
    for name, row in result["metrics"].items():
        show = shared.area if name == "auc" else shared.percent
        shown = [show(row[column]) for column in columns]
        rows.append([name, *shown])
    hardware = result["profile"] or f"noise {result['noise']:g}"
    title = f"{result['chips']} chips, {hardware}, {result['beats']:,} beats each"
    shared.table(title, ["", *columns], rows)
    low, high = result["yield_interval"]
    limits = result["limits"]
    proven = "proven at" if result["proven"] else "not yet decided at"
    click.echo(
        f"yield {shared.percent(result['yield'], 1)} [{100 * low:.1f}, {100 * high:.1f}] of chips "
        f"with miss <= {shared.percent(limits['max_miss'], 0)} and "
        f"FPR <= {shared.percent(limits['max_fpr'], 0)}; "
        f"wanted {shared.percent(limits['min_yield'], 0)}: {result['verdict'].upper()} "
        f"({proven} {shared.percent(limits['confidence'], 0)} confidence)"
    )
    click.echo(f"{result['seconds']:.1f} s; written to {result['folder']}")

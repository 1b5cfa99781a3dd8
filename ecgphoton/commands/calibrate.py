"""``ecgphoton calibrate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.calibration.report import CalibrationReport


@click.command()
@click.argument("bundle", type=shared.path_type, required=False)
@click.option("--profile", default="foundry-thermo-optic", show_default=True)
@click.option("--chips", type=click.IntRange(1), default=100, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--steps", default=None, metavar="NAME,...", help="Calibration steps, in order.")
@click.option("--own-thresholds", is_flag=True, help="Fit each chip's threshold on validation.")
@click.option("--max-miss", type=float, default=0.10, show_default=True)
@click.option("--max-fpr", type=float, default=0.10, show_default=True)
@click.option("--min-yield", type=float, default=0.95, show_default=True)
@click.option("--out", type=shared.path_type, default=None, help="Folder for tables and report.")
@shared.data_options
@shared.threads_option
@shared.json_option
def command(
    bundle: Path | None,
    profile: str,
    chips: int,
    seed: int,
    steps: str | None,
    own_thresholds: bool,
    max_miss: float,
    max_fpr: float,
    min_yield: float,
    out: Path | None,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Win back what fabrication lost, chip by chip; exit 1 if the yield stays too low.

    Finished tables in the output folder are kept, so an interrupted campaign goes on where it
    stopped.
    """
    from ecgphoton.run.calibrate import calibrate_subject
    from ecgphoton.run.subject import open_subject

    subject = open_subject(bundle)
    folder = out if out is not None else Path("calibrations") / f"{subject.name}-{profile}"
    with shared.progress() as bars:
        tasks = {name: bars.add_task(name, total=chips, note="") for name in ("calibrating",)}

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total, note="")
            bars.update(tasks[name], completed=done, total=total)

        report, source = calibrate_subject(
            subject,
            folder,
            profile=profile,
            chips=chips,
            seed=seed,
            steps=None if steps is None else [name.strip() for name in steps.split(",")],
            own_thresholds=own_thresholds,
            max_miss=max_miss,
            max_fpr=max_fpr,
            min_yield=min_yield,
            data=data,
            data_dir=data_dir,
            progress=advance,
        )
    shared.banner(source)
    if as_json:
        shared.emit({**report.to_dict(), "source": source, "folder": str(folder)})
    else:
        print_calibration(report, f"{chips} chips of {profile}", folder)
    if not report.passed:
        sys.exit(1)


def print_calibration(report: CalibrationReport, title: str, folder: Path) -> None:
    """Print the stages, what was found broken, and the cost."""
    shares = ("miss_mean", "miss_p95", "fpr_mean", "fpr_p95")
    rows = [
        [
            row["stage"],
            *(shared.percent(row[key]) for key in shares),
            *(shared.percent(row[key], 1) for key in ("yield", "near")),
            f"{row['error_median']:.1e}",
        ]
        for row in report.rows()
    ]
    columns = ["", "miss mean", "p95", "FPR mean", "p95", "yield", "within 0.5", "matrix error"]
    shared.table(title, columns, rows)
    for found in report.findings:
        click.echo(f"  {found}")
    miss, fpr, _ = map(shared.percent, report.final.perfect)
    click.echo(
        f"digital student: miss {miss}, FPR {fpr}; "
        f"verdict after calibration: {'PASS' if report.passed else 'FAIL'}"
    )
    cost = report.cost
    click.echo(
        f"{cost.settings:,} settings and {cost.readings:,} readings a chip, "
        f"{1000 * cost.seconds():.0f} ms of heater settling and reading on hardware; "
        f"{report.calibration_seconds:.1f} s of calibration here; tables in {folder}"
    )

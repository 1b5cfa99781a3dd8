"""``ecgphoton calibrate``."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.calibration.report import CalibrationReport
    from ecgphoton.run.journey import Outcome

MOVED = {
    "--max-miss": "`--limit miss VALUE`",
    "--max-fpr": "`--limit fpr VALUE`",
    "--min-yield": "`--limit yield VALUE`",
}
STEPS = "dark,sweep,fit,correct,trim"


@click.command(cls=opt.Moved, moved=MOVED)
@opt.model_argument
@click.option(
    "--bench",
    default=None,
    metavar="MODULE:FUNCTION",
    help="Calibrate the chips of a bench of your own: a function that takes the mesh program.",
)
@click.option("--profile", default=None, help="Simulated chips' profile. [foundry-thermo-optic]")
@click.option("--chips", type=click.IntRange(1), default=None, help="Simulated chips. [100]")
@click.option("--seed", type=click.IntRange(0), default=None, help="Of simulated chips. [0]")
@click.option("--steps", default=None, metavar="NAME,...", help=f"Steps, in order. [{STEPS}]")
@click.option("--own-thresholds", is_flag=True, help="Fit each chip's threshold on validation.")
@opt.limit_option
@opt.common_options
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Calibrate chips and judge them before and after; exit 1 without a verdict of PASS.

    Chips are simulated, or those of your own --bench. Finished tables of simulated chips in the
    output folder are kept, so an interrupted campaign goes on where it stopped.
    """
    from ecgphoton.run.calibrate import calibrate

    with shared.progress() as progress:
        result = calibrate(**options, progress=progress)
    shared.show(result, print_calibration, as_json=as_json)
    if not result.report.passed:
        sys.exit(1)


def print_calibration(result: Outcome[CalibrationReport]) -> None:
    """Print the stages, what was found broken, and the cost."""
    report = result.report
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
    about = report.settings.get("profile", "a bench, as their drive table predicts them")
    shared.table(f"{report.final.chips} chips of {about}", columns, rows)
    for found in report.findings:
        click.echo(f"  {found}")
    miss, fpr, _ = map(shared.percent, report.final.perfect)
    why = f", because {report.unknown}" if report.unknown else ""
    click.echo(
        f"digital student: miss {miss}, FPR {fpr}; "
        f"verdict after calibration: {report.verdict.upper()}{why}"
    )
    if "measured" in report.errors:
        error = median(report.errors["measured"].ravel().tolist())
        click.echo(f"matrix error as read afterwards: {error:.1e} (median)")
    cost = report.cost
    click.echo(
        f"{cost.settings:,} settings and {cost.readings:,} readings a chip, "
        f"{1000 * cost.seconds():.0f} ms of heater settling and reading on hardware; "
        f"{report.calibration_seconds:.1f} s of calibration here; tables in {result.folder}"
    )

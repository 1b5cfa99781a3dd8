"""``ecgphoton calibrate``."""

from __future__ import annotations

import sys
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
@click.option("--profile", default="foundry-thermo-optic", show_default=True)
@click.option("--chips", type=click.IntRange(1), default=100, show_default=True)
@opt.seed_option
@click.option(
    "--steps",
    default=STEPS,
    show_default=True,
    metavar="NAME,...",
    help="Calibration steps, in order.",
)
@click.option("--own-thresholds", is_flag=True, help="Fit each chip's threshold on validation.")
@opt.limit_option
@opt.common_options
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Win back what fabrication lost, chip by chip; exit 1 if the yield stays too low.

    Finished tables in the output folder are kept, so an interrupted campaign goes on where it
    stopped.
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
    shared.table(f"{report.final.chips} chips of {report.settings['profile']}", columns, rows)
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
        f"{report.calibration_seconds:.1f} s of calibration here; tables in {result.folder}"
    )

"""``ecgphoton simulate`` and ``ecgphoton calibrate``: verdicts on many chips."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _derive as derive, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.calibration.report import CalibrationReport
    from ecgphoton.hwsim.verdict import SimulationReport
    from ecgphoton.run.journey import Outcome

LIMITS = {
    "--max-miss": "`--limit miss VALUE`, or `ecgphoton export RUN --max-miss VALUE` for another "
    "operating point",
    "--max-fpr": "`--limit fpr VALUE`, or `ecgphoton export RUN --max-fpr VALUE` for another "
    "operating point",
    "--min-yield": "`--limit yield VALUE`",
}
RECEIVER = {"--detection": "`--set receiver.kind=NAME`"}
STUDIES = {
    **{f"--{name}": f"`ecgphoton study {name}`" for name in ("blame", "adversary", "trace")},
    "--sweep": "`ecgphoton study sweep --over`",
    "--solve": "`ecgphoton study solve --key`",
    "--certify": "`ecgphoton study certify --epsilon`",
}


@derive.command("run.simulate", {"settings": "--set"}, moved=LIMITS | STUDIES | RECEIVER)
def simulate(result: Outcome[SimulationReport]) -> None:
    """Print the table and the verdict of a simulation."""
    found = result.numbers
    columns = ["mean", "median", "p5", "p95", "worst", "perfect"]
    rows = []
    for name, row in found["metrics"].items():
        show = shared.area if name == "auc" else shared.percent
        rows.append([name, *(show(row[column]) for column in columns)])
    hardware = found["profile"] or f"noise {found['noise']:g}"
    title = f"{found['chips']} chips, {hardware}, {found['beats']:,} beats each"
    shared.table(title, ["", *columns], rows)
    if found["recoded"]:
        click.echo(found["recoded"])
    over_patients(found["over_patients"])
    low, high = found["yield_interval"]
    limits = found["limits"]
    proven = "proven at" if found["proven"] else "not yet decided at"
    click.echo(
        f"yield {shared.percent(found['yield'], 1)} [{100 * low:.1f}, {100 * high:.1f}] of chips "
        f"with miss <= {shared.percent(limits['max_miss'], 0)} and "
        f"FPR <= {shared.percent(limits['max_fpr'], 0)}; "
        f"wanted {shared.percent(limits['min_yield'], 0)}: {found['verdict'].upper()} "
        f"({proven} {shared.percent(limits['confidence'], 0)} confidence)"
    )
    click.echo(f"{found['seconds']:.1f} s; written to {result.folder}")


def over_patients(found: Mapping[str, Any]) -> None:
    """Print what other chips and other patients would change."""
    from ecgphoton.report.chips import interval_table

    if found["intervals"] is not None:
        shared.table("intervals", *interval_table(found))
    click.echo(found["sentence"])


@derive.command("run.calibrate", {"settings": "--set"}, moved=LIMITS)
def calibrate(result: Outcome[CalibrationReport]) -> None:
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
    if recoded := report.settings.get("recoded"):
        click.echo(recoded)
    for found in report.findings:
        click.echo(f"  {found}")
    over_patients(result.numbers["over_patients"])
    miss, fpr, _ = map(shared.percent, report.final.perfect)
    confidence = shared.percent(report.final.limits.confidence, 0)
    why = f" ({'proven' if report.proven else 'not yet decided'} at {confidence} confidence)"
    if report.unknown:
        why = f", because {report.unknown}"
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

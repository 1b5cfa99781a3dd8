"""``ecgphoton simulate``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.hwsim.verdict import SimulationReport
    from ecgphoton.run.journey import Outcome

MOVED = {
    **{f"--{name}": f"`ecgphoton study {name}`" for name in ("blame", "adversary", "trace")},
    "--sweep": "`ecgphoton study sweep --over`",
    "--solve": "`ecgphoton study solve --key`",
    "--certify": "`ecgphoton study certify --epsilon`",
    "--max-miss": "`--limit miss VALUE`",
    "--max-fpr": "`--limit fpr VALUE`",
    "--min-yield": "`--limit yield VALUE`",
}


@click.command(cls=opt.Moved, moved=MOVED)
@opt.model_argument
@opt.verdict_options
@click.option("--early-stop", is_flag=True, help="Stop once the confidence bound decides.")
@opt.common_options
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Ask whether miss rate and FPR survive on many chips; exit 1 if the yield is too low.

    Without RUN or BUNDLE the newest run is taken, else the shipped student.
    """
    from ecgphoton.run.simulate import simulate

    with shared.progress() as progress:
        result = simulate(**options, progress=progress)
    shared.show(result, print_simulation, as_json=as_json)
    if not result.report.passed:
        sys.exit(1)


def print_simulation(result: Outcome[SimulationReport]) -> None:
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

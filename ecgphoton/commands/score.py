"""``ecgphoton score``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.ecg.tally import Summary


@click.command()
@click.argument("records", nargs=-1, required=True)
@click.option("--reference", "-r", default="atr", show_default=True, help="Reference annotator.")
@click.option("--test", "-t", default="eph", show_default=True, help="Annotator to judge.")
@click.option("--test-folder", type=opt.path_type, default=None, help="Where TEST is.")
@click.option(
    "--grouping", type=click.Choice(["ec57", "de-chazal"]), default="ec57", show_default=True
)
@click.option("--start", type=float, default=300.0, show_default=True, help="Seconds to skip.")
@click.option("--end", type=float, default=None, help="Seconds at which to stop.")
@click.option("--window", type=float, default=0.150, show_default=True, help="Match within, s.")
@opt.json_option
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Compare two annotations of RECORDS beat by beat (ANSI/AAMI EC57).

    Beats match within 150 ms, scored from five minutes on. Se is sensitivity, +P positive
    predictivity; gross counts all beats alike, average all records alike.
    """
    from ecgphoton.run.score import score

    draw = partial(print_scores, reference=options["reference"], test=options["test"])
    shared.show(score(**options), draw, as_json=as_json)


def print_scores(summary: Summary, reference: str, test: str) -> None:
    """Print the matrix of all beats, and sensitivity and predictivity of every record."""
    from ecgphoton.ecg.tally import COLUMNS, KINDS, ROWS

    gross = summary.gross
    matrix = [[name, *map(int, row)] for name, row in zip(ROWS, gross.matrix, strict=True)]
    shared.table(f"{reference} (rows) against {test} (columns)", ["", *COLUMNS], matrix)
    found: list[tuple[str, Any]] = [(one.record, one.to_dict()) for one in summary.records]
    if len(found) > 1:
        found += [("gross", gross.to_dict()), ("average", summary.average())]
    rows = [
        [name, kind, *(shared.percent(numbers[kind][share]) for share in ("Se", "+P", "FPR"))]
        for name, numbers in found
        for kind in KINDS
    ]
    shared.table("beat by beat", ["record", "kind", "Se", "+P", "FPR"], rows)
    for note in dict.fromkeys(note for one in summary.records for note in one.notes):
        click.echo(note)

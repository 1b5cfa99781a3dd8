"""``ecgphoton score``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.ecg.tally import BeatComparison, Rates, Summary


@click.command()
@click.argument("records", nargs=-1, required=True)
@click.option(
    "--reference",
    "-r",
    default="atr",
    show_default=True,
    help="Extension of the reference annotation.",
)
@click.option(
    "--test", "-t", default="eph", show_default=True, help="Extension of the annotation to judge."
)
@click.option(
    "--test-folder",
    type=opt.path_type,
    default=None,
    help="Folder of the annotations to judge; by default beside the records.",
)
@click.option(
    "--grouping",
    type=click.Choice(["ec57", "de-chazal"]),
    default="ec57",
    show_default=True,
    help="Whether escape beats (e, j, n) count as S, as in EC57 and bxb, or as N, as de Chazal.",
)
@click.option(
    "--start",
    type=float,
    default=300.0,
    show_default=True,
    help="Seconds from the beginning that are not scored.",
)
@click.option(
    "--end",
    type=float,
    default=None,
    help="Second at which scoring ends; by default the end of the record.",
)
@click.option(
    "--window",
    type=float,
    default=0.150,
    show_default=True,
    help="Largest distance of two beats that match, in seconds.",
)
@opt.json_option
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Compare two annotations of RECORDS beat by beat.

    RECORDS are paths of WFDB records without extension. Beats are counted as ANSI/AAMI EC57
    requires and as WFDB's bxb does: two beats match within 150 ms, from five minutes on, outside
    ventricular flutter. Se is sensitivity, +P positive predictivity; gross weights all beats
    equally, average weights all records equally.
    """
    from ecgphoton.run.score import score

    shared.show(score(**options), print_scores, as_json=as_json)


def print_scores(summary: Summary) -> None:
    """Print the lines of bxb -L, and sensitivity and predictivity of every kind of beat."""
    from ecgphoton.ecg.tally import KINDS

    many = len(summary.records) > 1
    rows = [*summary.records, *([summary.gross] if many else [])]
    lines = [one.bxb() for one in rows]
    names = list(lines[0])
    cut = names.index("Q Se")
    for title, part in (("counts, as bxb -L", names[:cut]), ("shares, as bxb -L", names[cut:])):
        cells = [
            [one.record, *map(_cell, map(line.get, part))]
            for one, line in zip(rows, lines, strict=True)
        ]
        shared.table(f"{title} (reference in capitals, test in small)", ["record", *part], cells)
    cells = [[one.record, *_shares(one)] for one in rows]
    if many:
        average = summary.average()
        shares = [shared.percent(average[kind][s]) for kind in KINDS for s in ("Se", "+P")]
        cells.append(["average", *shares, shared.percent(average["abnormal"]["FPR"]), ""])
    heads = [f"{kind} {share}" for kind in KINDS for share in ("Se", "+P")]
    shared.table("beat by beat", ["record", *heads, "abnormal FPR", "?"], cells)
    for one in summary.records:
        for note in one.notes:
            click.echo(note)


def _cell(value: float | None) -> str:
    """Format a cell as bxb prints it."""
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _shares(one: BeatComparison) -> list[str]:
    """Format the shares, without those that a two-class test cannot have."""

    def pair(rates: Rates, *, known: bool) -> list[str]:
        return [shared.percent(value) if known else "–" for value in (rates.se, rates.ppv)]

    kinds = [
        cell
        for kind, rates in one.rates().items()
        for cell in pair(rates, known=not (one.two_class and kind in ("VEB", "SVEB")))
    ]
    return [*kinds, shared.percent(one.abnormal.fpr), shared.percent(one.undecided)]

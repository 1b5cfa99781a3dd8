"""``ecgphoton score``."""

from __future__ import annotations

from typing import Any

import click

from ecgphoton.commands import _shared as shared

KINDS = ("QRS", "VEB", "SVEB", "abnormal")


@click.command()
@click.argument("records", nargs=-1, required=True)
@click.option("--reference", "-r", default="atr", show_default=True, help="Reference annotator.")
@click.option("--test", "-t", default="eph", show_default=True, help="Annotator to judge.")
@click.option("--start", type=float, default=300.0, show_default=True, help="Seconds to skip.")
@click.option("--end", type=float, default=None, help="Seconds at which to stop.")
@click.option("--window", type=float, default=0.150, show_default=True, help="Match within, s.")
@shared.json_option
def command(
    records: tuple[str, ...],
    reference: str,
    test: str,
    start: float,
    end: float | None,
    window: float,
    as_json: bool,
) -> None:
    """Compare two annotations of RECORDS beat by beat (ANSI/AAMI EC57).

    Beats match within 150 ms, scored from five minutes on. Se is sensitivity, +P positive
    predictivity; gross counts all beats alike, average all records alike.
    """
    from ecgphoton.ecg.score import CLASSES, aggregate, score_record

    summary = aggregate(
        score_record(r, reference=reference, test=test, start=start, end=end, window=window)
        for r in records
    )
    if as_json:
        shared.emit(summary.to_dict())
        return
    gross = summary.gross
    names = [*CLASSES, "none"]
    matrix = [[name, *map(int, row)] for name, row in zip(names, gross.matrix, strict=True)]
    shared.table(f"{reference} (rows) against {test} (columns)", ["", *names], matrix)
    found = [(one.record, one.to_dict()) for one in summary.records]
    if len(found) > 1:
        found += [("gross", gross.to_dict()), ("average", summary.average())]
    rows = [row for name, numbers in found for row in _rows(name, numbers)]
    shared.table("beat by beat", ["record", "kind", "Se", "+P", "FPR"], rows)


def _rows(name: str, numbers: Any) -> list[list[str | None]]:  # noqa: ANN401
    return [
        [name, kind, *(shared.percent(numbers[kind].get(share)) for share in ("Se", "+P", "FPR"))]
        for kind in KINDS
    ]

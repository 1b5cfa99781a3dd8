"""``ecgphoton annotate`` and ``ecgphoton score``: the beats of recordings, and their comparison."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _derive as derive, _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.ecg.tally import BeatComparison, Summary
    from ecgphoton.run.annotate import AnnotationReport
    from ecgphoton.run.burden import BurdenReport


@opt.json_option
@opt.threads_option
@click.command(
    cls=opt.Moved,
    params=derive.parameters("run.annotate", {"model": "--bundle --run", "settings": "--set"}),
)
def annotate(*, record: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes
    """Classify every beat of a recording, or of a folder of them.

    RECORD may have any supported format, any length and any rate from 100 Hz. Writes a WFDB
    annotation file, a JSON and a CSV line a beat, a picture, and EDF+ annotations for an EDF
    recording. For a folder, a table of the abnormal beats of each recording is written as well.
    Input files are never replaced. Without --bundle or --run the student is the newest finished run
    below runs/, or, where there is none, the shipped one that tells N, S, V and F apart; the output
    says which it was and why. One sentence says whether the recording lies outside what the
    student knows from its training patients; the summary holds every value and its limits. A
    student whose features look at the next beat classifies each beat one beat late, and the last
    one at the end; the summary states its delay. Not a medical device.
    """
    from ecgphoton import run
    from ecgphoton.run.burden import annotate_folder

    folder = record.is_dir()
    with shared.progress() as progress:
        found = (annotate_folder if folder else run.annotate)(record, progress=progress, **options)
    shared.show(found, print_burdens if folder else print_annotation, as_json=as_json)
    failed = getattr(found, "failed", {})
    for name, why in failed.items():
        click.echo(f"{name}: {why}", err=True)
    if failed:
        sys.exit(2)


def print_annotation(report: AnnotationReport) -> None:
    """Print how many beats got which symbol, and where they were written."""
    found = report.summary
    counts = ", ".join(f"{symbol} {count:,}" for symbol, count in found["symbols"].items())
    undecided = found["undecided_share"]
    shared.say(
        shared.student(found["student"]["path"], found["student"]["chosen"]),
        f"{found['record']}, lead {found['lead']}: {found['beats']:,} beats: {counts}",
        found["annotation_note"],
        f"  undecided (?): {shared.percent(undecided)} of the beats" if undecided else "",
        f"  {found['scope']['sentence']}",
        *(f"  {note}" for note in found["notes"]),
        f"{found['wall_seconds']} s; written to {', '.join(map(str, report.files))}",
    )


def print_burdens(report: BurdenReport) -> None:
    """Print a line a recording."""
    from ecgphoton.run.burden import SHARES

    heads = [*(f"{kind} an hour" for kind in SHARES[:3]), *(f"{kind} share" for kind in SHARES)]
    rows = [
        [
            row["record"],
            f"{row['hours']:.2f}",
            row["beats"],
            *(_number(row[f"{kind} per hour"]) for kind in SHARES[:3]),
            *(shared.percent(row[f"{kind} share"]) for kind in SHARES),
            {True: "yes", False: "no", None: "–"}[row["outside"]],
        ]
        for row in report.rows
    ]
    click.echo(shared.student(report.student["path"], report.student["chosen"]))
    shared.table("burdens", ["record", "hours", "beats", *heads, "outside"], rows)
    others = [f"{name} ({why})" for name, why in report.others.items()]
    few = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    shared.say(
        f"not read: {few}" if others else "",
        f"written to {report.files[-2]} and {report.files[-1]}",
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


@derive.command("run.score", {"reference": "--reference -r", "test": "--test -t"})
def score(summary: Summary) -> None:
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
    shared.say(*(note for one in summary.records for note in one.notes))


def _cell(value: float | None) -> str:
    """Format a cell as bxb prints it."""
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _shares(one: BeatComparison) -> list[str]:
    """Format the shares, without those that a two-class test cannot have."""
    hidden = ("VEB", "SVEB") if one.two_class else ()
    kinds = [
        "–" if kind in hidden else shared.percent(share)
        for kind, rates in one.rates.items()
        for share in (rates.se, rates.ppv)
    ]
    return [*kinds, shared.percent(one.rates["abnormal"].fpr), shared.percent(one.undecided)]

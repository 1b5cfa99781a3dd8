"""``ecgphoton annotate``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.annotate import AnnotationReport
    from ecgphoton.run.burden import BurdenReport

BACKENDS = ("torch", "onnx", "integer", "chip")


@click.command()
@click.argument("record", type=opt.path_type)
@click.option(
    "--bundle",
    "--run",
    "model",
    type=opt.path_type,
    default=None,
    help="Student: a folder, or the name of a shipped one; without it the newest finished run "
    "below runs/, else the shipped one of four classes.",
)
@click.option(
    "--max-miss",
    type=float,
    default=None,
    help="Threshold with at most this miss rate on the out-of-fold scores of a run.",
)
@click.option(
    "--max-fpr",
    type=float,
    default=None,
    help="Threshold with at most this FPR on the out-of-fold scores of a run.",
)
@click.option("--backend", type=click.Choice(BACKENDS), default=None, help="What it runs on.")
@click.option("--chip", type=click.IntRange(0), default=None, help="Run on this simulated chip.")
@opt.profile_option
@click.option("--noise", type=float, default=None, help="Noise of the chip.")
@click.option("--lead", default=None, help="Lead by name, or channel:<n>.")
@click.option("--fs", type=float, default=None, help="Hz, for a text or NumPy file.")
@click.option("--unit", default=None, help="Unit, for a text or NumPy file.")
@click.option("--column", default=None, help="Column, for a text or NumPy file.")
@click.option("--peaks", default=None, metavar="ANNOTATOR", help="R peaks; else they are detected.")
@click.option("--annotator", default="eph", show_default=True, help="Extension to write.")
@click.option("--force", is_flag=True, help="Replace files that are there, and allow atr.")
@click.option("--out", type=opt.path_type, default=Path(), help="Folder to write to.")
@click.option("--picture/--no-picture", default=True)
@opt.threads_option
@opt.json_option
def command(*, record: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
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
    from ecgphoton.run.annotate import annotate
    from ecgphoton.run.burden import annotate_folder

    with shared.progress() as progress:
        if record.is_dir():
            found = annotate_folder(record, progress=progress, **options)
        else:
            report = annotate(record, progress=progress, **options)
    if not record.is_dir():
        shared.show(report, print_annotation, as_json=as_json)
        return
    shared.show(found, print_burdens, as_json=as_json)
    for name, why in found.failed.items():
        click.echo(f"{name}: {why}", err=True)
    if found.failed:
        sys.exit(2)


def print_annotation(report: AnnotationReport) -> None:
    """Print how many beats got which symbol, and where they were written."""
    found = report.summary
    counts = ", ".join(f"{symbol} {count:,}" for symbol, count in found["symbols"].items())
    print_student(found["student"])
    click.echo(f"{found['record']}, lead {found['lead']}: {found['beats']:,} beats: {counts}")
    click.echo(found["annotation_note"])
    if found["undecided_share"]:
        click.echo(f"  undecided (?): {shared.percent(found['undecided_share'])} of the beats")
    click.echo(f"  {found['scope']['sentence']}")
    for note in found["notes"]:
        click.echo(f"  {note}")
    files = ", ".join(str(path) for path in report.files)
    click.echo(f"{found['wall_seconds']} s; written to {files}")


def print_student(found: Mapping[str, str]) -> None:
    """Print which student it was, and why."""
    click.echo(f"student {found['name']} ({found['path']}): {found['chosen']}")


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
    print_student(report.student)
    shared.table("burdens", ["record", "hours", "beats", *heads, "outside"], rows)
    if report.others:
        few = ", ".join(report.others[:5]) + (" ..." if len(report.others) > 5 else "")
        click.echo(f"{len(report.others)} files and folders are not read: {few}")
    click.echo(f"written to {report.files[-2]} and {report.files[-1]}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"

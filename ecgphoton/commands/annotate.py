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
    help="Student: folder of a run or bundle, or the name of a shipped one; by default the newest "
    "finished run below runs/, otherwise the shipped student of four classes.",
)
@click.option(
    "--max-miss",
    type=float,
    default=None,
    help="Take the threshold with at most this miss rate, from 0 to 1, on the out-of-fold scores "
    "of the run; shipped students and bundles hold none.",
)
@click.option(
    "--max-fpr",
    type=float,
    default=None,
    help="Take the threshold with at most this FPR, from 0 to 1, on the out-of-fold scores of the "
    "run; shipped students and bundles hold none.",
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default=None,
    help="What computes: torch or onnx, the student as trained; integer, the quantized graph of a "
    "bundle; chip, one simulated chip. By default torch, or chip where one is described.",
)
@click.option(
    "--chip", type=click.IntRange(0), default=None, help="Number of the simulated chip, from 0."
)
@opt.profile_option
@click.option(
    "--noise",
    type=float,
    default=None,
    help="Standard deviation of the errors of the chip, as a share of full scale.",
)
@click.option(
    "--lead",
    default=None,
    help="Lead by name, or channel:N, from 0; by default the one the student was trained on, else "
    "II, else the first ECG.",
)
@click.option(
    "--fs", type=float, default=None, help="Samples a second, where the file does not state it."
)
@click.option(
    "--unit", default=None, help="V, mV, uV or nV, where a text or NumPy file does not state it."
)
@click.option(
    "--column", default=None, help="Column of a text or NumPy file, by name or number from 0."
)
@click.option(
    "--peaks",
    default=None,
    metavar="ANNOTATOR",
    help="Extension of the annotation that marks the R peaks; by default they are detected.",
)
@click.option(
    "--annotator",
    default="eph",
    show_default=True,
    help="Extension of the annotation file to write.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace files of an earlier call, and allow the extension atr of reference annotations.",
)
@click.option(
    "--out",
    type=opt.path_type,
    default=Path(),
    help="Folder to write to; by default the working folder.",
)
@click.option(
    "--picture/--no-picture", default=True, show_default=True, help="Whether to draw the picture."
)
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
        click.echo(f"{len(report.others)} files are no recordings: {few}")
    click.echo(f"written to {report.files[-2]} and {report.files[-1]}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"

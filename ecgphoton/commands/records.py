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
@opt.settings_option
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
def annotate(*, record: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
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

    with shared.progress() as progress:
        classify = annotate_folder if record.is_dir() else run.annotate
        found = classify(record, progress=progress, **options)
    shared.show(found, print_burdens if record.is_dir() else print_annotation, as_json=as_json)
    for name, why in getattr(found, "failed", {}).items():
        click.echo(f"{name}: {why}", err=True)
    if getattr(found, "failed", {}):
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
        f"{len(others)} files and folders are not read: {few}" if others else "",
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

"""``ecgphoton annotate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.annotate import AnnotationReport

BACKENDS = ("torch", "onnx", "integer", "chip")


@click.command()
@click.argument("record", type=opt.path_type)
@click.option("--bundle", "--run", "model", type=opt.path_type, default=None, help="Student.")
@click.option("--backend", type=click.Choice(BACKENDS), default=None, help="What it runs on.")
@click.option("--chip", type=click.IntRange(0), default=None, help="Run on this simulated chip.")
@opt.profile_option
@click.option("--noise", type=float, default=None, help="Noise of the chip.")
@click.option("--lead", default=None, help="Lead by name, or channel:<n>.")
@click.option("--peaks", default=None, metavar="ANNOTATOR", help="R peaks; else they are detected.")
@click.option("--annotator", default="eph", show_default=True, help="Extension to write.")
@click.option("--out", type=opt.path_type, default=Path(), help="Folder to write to.")
@click.option("--picture/--no-picture", default=True)
@opt.threads_option
@opt.json_option
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Classify every beat of RECORD, a WFDB record of any rate and length.

    Writes a WFDB annotation file, a JSON line a beat, and a picture. Not a medical device.
    """
    from ecgphoton.run.annotate import annotate

    with shared.progress() as progress:
        report = annotate(**options, progress=progress)
    shared.show(report, print_annotation, as_json=as_json)


def print_annotation(report: AnnotationReport) -> None:
    """Print how many beats got which symbol, and where they were written."""
    found = report.summary
    counts = ", ".join(f"{symbol} {count:,}" for symbol, count in found["symbols"].items())
    click.echo(f"{found['record']}, lead {found['lead']}: {found['beats']:,} beats: {counts}")
    click.echo(found["annotation_note"])
    for note in found["notes"]:
        click.echo(f"  {note}")
    files = ", ".join(str(path) for path in report.files)
    click.echo(f"{found['wall_seconds']} s; written to {files}")

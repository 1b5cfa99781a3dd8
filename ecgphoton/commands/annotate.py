"""``ecgphoton annotate``."""

from __future__ import annotations

from pathlib import Path

import click

from ecgphoton.commands import _shared as shared

BACKENDS = ("torch", "onnx", "integer", "chip")


@click.command()
@click.argument("record", type=shared.path_type)
@click.option("--bundle", "--run", "model", type=shared.path_type, default=None, help="Student.")
@click.option("--backend", type=click.Choice(BACKENDS), default=None, help="What it runs on.")
@click.option("--chip", type=click.IntRange(0), default=None, help="Run on this simulated chip.")
@click.option("--profile", default=None, help="Device profile of the chip.")
@click.option("--noise", type=float, default=None, help="Noise of the chip.")
@click.option("--lead", default=None, help="Lead by name, or channel:<n>.")
@click.option("--peaks", default=None, metavar="ANNOTATOR", help="R peaks; else XQRS finds them.")
@click.option("--annotator", default="eph", show_default=True, help="Extension to write.")
@click.option("--out", type=shared.path_type, default=Path(), help="Folder to write to.")
@click.option("--picture/--no-picture", default=True)
@shared.threads_option
@shared.json_option
def command(
    record: Path,
    model: Path | None,
    backend: str | None,
    chip: int | None,
    profile: str | None,
    noise: float | None,
    lead: str | None,
    peaks: str | None,
    annotator: str,
    out: Path,
    picture: bool,
    as_json: bool,
) -> None:
    """Classify every beat of RECORD, a WFDB record of any rate and length.

    Writes a WFDB annotation file, a JSON line a beat, and a picture. Not a medical device.
    """
    from ecgphoton.errors import InputError
    from ecgphoton.run.annotate import annotate

    wants_chip = chip is not None or profile is not None or noise is not None
    if wants_chip and backend not in (None, "chip"):
        raise InputError(f"--chip, --profile and --noise go with --backend chip, not {backend}")
    with shared.progress() as bars:
        task = bars.add_task("classifying", total=None, note="")
        report = annotate(
            record,
            out,
            model=model,
            backend="chip" if wants_chip else backend or "torch",  # type: ignore[arg-type]
            lead=lead,
            peaks=peaks,
            annotator=annotator,
            chip=chip or 0,
            profile=profile,
            noise=noise,
            picture=picture,
            progress=lambda done, total: bars.update(task, completed=done, total=total),
        )
    if as_json:
        shared.emit(report.to_dict())
        return
    said = report.summary
    counts = ", ".join(f"{symbol} {count:,}" for symbol, count in said["symbols"].items())
    click.echo(f"{said['record']}, lead {said['lead']}: {said['beats']:,} beats: {counts}")
    click.echo(said["annotation_note"])
    for note in said["notes"]:
        click.echo(f"  {note}")
    files = ", ".join(str(path) for path in report.files)
    click.echo(f"{said['wall_seconds']} s; written to {files}")

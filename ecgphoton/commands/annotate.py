"""``ecgphoton annotate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

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
@click.option("--fs", type=float, default=None, help="Hz, for a text or NumPy file.")
@click.option("--unit", default=None, help="Unit, for a text or NumPy file.")
@click.option("--column", default=None, help="Column, for a text or NumPy file.")
@click.option("--peaks", default=None, metavar="ANNOTATOR", help="R peaks; else they are detected.")
@click.option("--annotator", default="eph", show_default=True, help="Extension to write.")
@click.option("--force", is_flag=True, help="Replace atr, or a file not made by ecgphoton.")
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
    fs: float | None,
    unit: str | None,
    column: str | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Classify every beat of RECORD, a recording of any format, rate and length.

    Writes a WFDB annotation file, a JSON and a CSV line a beat, a picture, and EDF+ annotations
    for an EDF recording. Of a folder, every recording is annotated and a table says how many
    abnormal beats each has. Not a medical device.
    """
    from ecgphoton.ecg.formats import Hints
    from ecgphoton.errors import InputError
    from ecgphoton.run.annotate import annotate
    from ecgphoton.run.burden import annotate_folder

    wants_chip = chip is not None or profile is not None or noise is not None
    if wants_chip and backend not in (None, "chip"):
        raise InputError(f"--chip, --profile and --noise go with --backend chip, not {backend}")
    given = fs is not None or unit is not None or column is not None
    options |= {
        "model": model,
        "backend": "chip" if wants_chip else backend or "torch",
        "chip": chip or 0,
        "profile": profile,
        "noise": noise,
        "hints": Hints(fs=fs, unit=unit, column=column) if given else None,
    }
    out = options.pop("out")
    with shared.progress() as bars:
        task = bars.add_task("classifying", total=None, note="")

        def progress(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        if record.is_dir():
            found = annotate_folder(record, out, progress=progress, **options)
        else:
            report = annotate(record, out, progress=progress, **options)
    if record.is_dir():
        _print_burdens(found, as_json=as_json)
        return
    if as_json:
        shared.emit(report.to_dict())
        return
    said = report.summary
    counts = ", ".join(f"{symbol} {count:,}" for symbol, count in said["symbols"].items())
    click.echo(f"{said['record']}, lead {said['lead']}: {said['beats']:,} beats: {counts}")
    click.echo(said["annotation_note"])
    if said["undecided_share"]:
        click.echo(f"  undecided (?): {shared.percent(said['undecided_share'])} of the beats")
    for note in said["notes"]:
        click.echo(f"  {note}")
    files = ", ".join(str(path) for path in report.files)
    click.echo(f"{said['wall_seconds']} s; written to {files}")


def _print_burdens(found: Any, *, as_json: bool) -> None:  # noqa: ANN401 - a BurdenReport
    from ecgphoton.run.burden import SHARES

    if as_json:
        shared.emit(found.to_dict())
    else:
        heads = [*(f"{kind} an hour" for kind in SHARES[:3]), *(f"{kind} share" for kind in SHARES)]
        rows = [
            [
                row["record"],
                f"{row['hours']:.2f}",
                row["beats"],
                *(_number(row[f"{kind} per hour"]) for kind in SHARES[:3]),
                *(shared.percent(row[f"{kind} share"]) for kind in SHARES),
            ]
            for row in found.rows
        ]
        shared.table("burdens", ["record", "hours", "beats", *heads], rows)
        click.echo(f"written to {found.files[-2]} and {found.files[-1]}")
    for name, why in found.failed.items():
        click.echo(f"{name}: {why}", err=True)
    if found.failed:
        sys.exit(2)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"

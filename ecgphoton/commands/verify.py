"""``ecgphoton verify``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("bundle", type=shared.path_type)
@click.option("--beats/--no-beats", default=True, help="Also run the test beats, where found.")
@click.option("--sax/--no-sax", default=True, help="Simulate the circuits with SAX if installed.")
@shared.data_options
@shared.threads_option
@shared.json_option
def command(
    bundle: Path,
    beats: bool,
    sax: bool,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Recompute every claim of an exported bundle; exit 1 if one fails."""
    from ecgphoton import runs
    from ecgphoton.artifacts import MANIFEST
    from ecgphoton.errors import InputError
    from ecgphoton.export.verify import verify
    from ecgphoton.run.export import beats_to_verify

    folder = runs.choose(bundle)
    if runs.is_run(folder / MANIFEST):
        raise InputError(f"{folder} is a run, not a bundle; `ecgphoton export {folder}` makes one")
    inputs = beats_to_verify(folder, data, data_dir) if beats else None
    report = verify(folder, beats=inputs, sax=sax)
    if as_json:
        shared.emit(report.to_dict())
    else:
        shared.table(str(folder), ["claim", "", "found"], report.rows())
        click.echo("every claim holds" if report.ok else "NOT VERIFIED")
    if not report.ok:
        sys.exit(1)

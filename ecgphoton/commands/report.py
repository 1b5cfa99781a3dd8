"""``ecgphoton report``."""

from __future__ import annotations

from pathlib import Path

import click

from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("subject", metavar="[RUN|BUNDLE]", type=shared.path_type, required=False)
@click.option("--also", multiple=True, type=shared.path_type, help="Folder with further studies.")
@click.option("--out", type=shared.path_type, default=Path("report.html"), show_default=True)
@click.option("--data-dir", type=shared.path_type, default=None, help="Folder of the database.")
@shared.json_option
def command(
    subject: Path | None,
    also: tuple[Path, ...],
    out: Path,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Write a run or bundle (default: the newest run) as one self-contained HTML page.

    Simulations, sweeps and calibrations of the same student beside it are found by themselves.
    A page made from recorded beats shows some of them: keep it local.
    """
    from ecgphoton import runs
    from ecgphoton.report.html import write_report

    page = write_report(runs.choose(subject), out, also=also, data_dir=data_dir)
    if as_json:
        shared.emit({"page": str(page), "bytes": page.stat().st_size})
    else:
        click.echo(f"report written to {page} ({page.stat().st_size:,} bytes)")

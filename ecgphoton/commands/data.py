"""``ecgphoton data status | fetch | verify``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

BYTES_IN_ALL = 94_000_000


@click.group(cls=opt.Suggesting)
def command() -> None:
    """Find, fetch and verify the MIT-BIH Arrhythmia Database (PhysioNet mitdb 1.0.0, ODC-By)."""


_dir_option = click.option(
    "--data-dir", type=opt.path_type, default=None, help="Folder of the database."
)


@command.command()
@_dir_option
@opt.json_option
def status(data_dir: Path | None, as_json: bool) -> None:
    """Say where the database is looked for, and what is there."""
    from ecgphoton.ecg import physionet

    report = physionet.status(data_dir)
    if as_json:
        shared.emit(report.to_dict())
        return
    rows = [(place.role, place.folder, f"{place.record_files} / 144") for place in report.places]
    shared.table("places", ["looked in", "folder", "record files"], rows)
    click.echo(report.advice)


@command.command()
@_dir_option
@click.option("--from-dir", type=opt.path_type, default=None, help="Import an existing copy.")
@click.option("--offline", is_flag=True, help="Never use the network.")
@click.option("--base-url", default=None, help="A mirror's address.")
@opt.json_option
def fetch(
    data_dir: Path | None,
    from_dir: Path | None,
    offline: bool,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Download the database (94 MB); resumes, retries and checks every file."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from ecgphoton.ecg import physionet

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("fetching", total=BYTES_IN_ALL, note="")

        def advance(done: physionet.Progress) -> None:
            note = f"{done.files} / {done.of_files} files"
            bars.update(task, completed=done.received, note=note)

        report = physionet.fetch(
            data_dir,
            base_url=base_url or physionet.BASE_URL,
            from_dir=from_dir,
            offline=offline,
            progress=advance,
        )
    if as_json:
        shared.emit(report.to_dict())
        return
    click.echo(
        f"{report.folder}: {report.kept} files kept, {len(report.imported)} imported, "
        f"{len(report.fetched)} fetched ({report.received:,} bytes, {report.retries} retries)"
    )


@command.command()
@_dir_option
@opt.json_option
def verify(data_dir: Path | None, as_json: bool) -> None:
    """Compare every file with PhysioNet's SHA-256; exit 1 if one differs."""
    from ecgphoton.ecg import physionet
    from ecgphoton.errors import InputError

    folder = data_dir if data_dir is not None else physionet.locate()
    if folder is None:
        raise InputError(physionet.missing(data_dir))
    report = physionet.verify(folder)
    if as_json:
        shared.emit(report.to_dict())
    else:
        for name, problem in report.problems.items():
            click.echo(f"{name}: {problem}")
        release = "as published" if report.published else "not the published release"
        click.echo(
            f"{report.folder}: {report.checked} files checked, "
            f"{len(report.problems)} wrong; checksums {release}"
        )
    if not report.ok:
        sys.exit(1)

"""``ecgphoton data status | fetch | verify [NAME]``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ecgphoton.commands import _options as opt, _shared as shared


@click.group(cls=opt.Suggesting)
def command() -> None:
    """Find, fetch and verify published databases of recordings."""


_name_argument = click.argument("name", default="mitdb")
_dir_option = click.option(
    "--data-dir",
    type=opt.path_type,
    default=None,
    help="Folder of the database, or one with a folder for each database, named after it; by "
    "default $ECGPHOTON_DATA, without it the user's cache.",
)


@command.command(cls=opt.Moved)
@click.argument("name", required=False)
@_dir_option
@opt.json_option
def status(name: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Say where databases are looked for, and how much of each is there.

    NAME is a database, such as mitdb or svdb; by default all are looked for.
    """
    from ecgphoton.ecg import database
    from ecgphoton.ecg.databases import DATASETS
    from ecgphoton.registry import lost

    unread = () if name else lost()  # those of other packages are there now
    chosen = [DATASETS[name]] if name else list(DATASETS.values())
    reports = [database.status(data_dir, dataset) for dataset in chosen]
    if as_json:
        shared.emit(reports[0].to_dict() if name else [one.to_dict() for one in reports])
        return
    rows = [
        (report.dataset, place.role, place.folder, f"{place.records} / {place.of_records}")
        for report in reports
        for place in report.places
    ]
    shared.table("places", ["database", "looked in", "folder", "records"], rows)
    shared.say(*(report.advice for report in reports), *unread)


@command.command(cls=opt.Moved)
@_name_argument
@_dir_option
@click.option(
    "--from-dir",
    type=opt.path_type,
    default=None,
    help="Folder of a copy, whole or in part, to import in place of the network.",
)
@click.option("--offline", is_flag=True, help="Never use the network.")
@click.option("--base-url", default=None, help="Address of a mirror; by default that of PhysioNet.")
@opt.json_option
def fetch(
    name: str,
    data_dir: Path | None,
    from_dir: Path | None,
    offline: bool,
    base_url: str | None,
    as_json: bool,
) -> None:
    """Download a database; resumes, retries and checks every file.

    NAME is a database, by default mitdb (94 MB); another is svdb.
    """
    from ecgphoton.ecg import physionet
    from ecgphoton.ecg.databases import DATASETS

    with shared.progress() as bars:
        report = physionet.fetch(
            data_dir, DATASETS[name], base_url=base_url, from_dir=from_dir, offline=offline,
            progress=bars,
        )  # fmt: skip
    said = (
        f"{report.folder}: {report.kept} files kept, {len(report.imported)} imported, "
        f"{len(report.fetched)} fetched ({report.received:,} bytes, {report.retries} retries); "
        f"{report.records} of the {report.of_records} records of {name}"
    )
    shared.show(report, lambda _: click.echo(said), as_json=as_json)


@command.command(cls=opt.Moved)
@_name_argument
@_dir_option
@opt.json_option
def verify(name: str, data_dir: Path | None, as_json: bool) -> None:
    """Compare every file with PhysioNet's SHA-256.

    From the command line the exit code is 1 if one differs.

    NAME is a database, by default mitdb.
    """
    from ecgphoton.ecg import database
    from ecgphoton.ecg.databases import DATASETS

    dataset = DATASETS[name]
    report = database.verify(database.find(dataset, data_dir), dataset)
    release = "as published" if report.published else "not the published release"
    said = [
        *(f"{file}: {problem}" for file, problem in report.problems.items()),
        (
            f"{report.folder}: {report.checked} files checked, {len(report.problems)} wrong; "
            f"{report.records} of the {report.of_records} records of {name}; checksums {release}"
        ),
    ]
    shared.show(report, lambda _: shared.say(*said), as_json=as_json)
    if not report.ok:
        sys.exit(1)

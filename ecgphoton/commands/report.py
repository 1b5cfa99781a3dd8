"""``ecgphoton report``."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.report import ReportPage


@click.command()
@opt.model_argument
@click.option("--also", multiple=True, type=opt.path_type, help="Folder with further results.")
@click.option("--out", type=opt.path_type, default=Path("report.html"), show_default=True)
@click.option("--data-dir", type=opt.path_type, default=None, help="Folder of the database.")
@opt.json_option
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Write a run or bundle (default: the newest run) as one self-contained HTML page.

    Simulations, studies, calibrations and bundles of the same student are found by themselves; of
    several of a kind the newest is taken. A page made from recorded beats shows some of them: keep
    it local.
    """
    from ecgphoton.run.report import report

    shared.show(report(**options), print_page, as_json=as_json)


def print_page(found: ReportPage) -> None:
    """Print what the page is made from, what was left out and why."""
    for folder in found.taken:
        click.echo(f"with {os.path.relpath(folder)}")
    strangers = Counter(one.why for one in found.left_out if "student" in one.why)
    for one in found.left_out:
        if one.why not in strangers:
            click.echo(f"without {os.path.relpath(one.folder)}: it {one.why}")
    for why, number in strangers.items():
        click.echo(f"without {number} folder{'s' if number > 1 else ''}: it {why}")
    click.echo(f"report written to {found.page} ({found.page.stat().st_size:,} bytes)")

"""``ecgphoton report``."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import click

from ecgphoton.commands import _derive as derive

if TYPE_CHECKING:
    from ecgphoton.run.report import ReportPage


@derive.command("run.report")
def report(found: ReportPage) -> None:
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

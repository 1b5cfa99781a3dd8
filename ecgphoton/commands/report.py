"""``ecgphoton report``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ecgphoton.commands import _derive as derive

if TYPE_CHECKING:
    from ecgphoton.run.report import ReportPage

NAMED = 3
"""Folders left out for the same reason that are named."""


@derive.command("run.report")
def report(found: ReportPage) -> None:
    """Print what the page is made from, what was left out and why."""
    for folder in found.taken:
        click.echo(f"with {os.path.relpath(folder)}")
    for why in dict.fromkeys(one.why for one in found.left_out):
        left = [os.path.relpath(one.folder) for one in found.left_out if one.why == why]
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        click.echo(f"without {', '.join(left[:NAMED])}{more}: {why}")
    click.echo(f"report written to {found.page} ({found.page.stat().st_size:,} bytes)")

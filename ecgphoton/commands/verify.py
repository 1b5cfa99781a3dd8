"""``ecgphoton verify``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.export.verify import VerificationReport


@click.command()
@click.argument("bundle", type=opt.path_type)
@click.option("--beats/--no-beats", default=True, help="Also run the test beats, where found.")
@click.option("--sax/--no-sax", default=True, help="Simulate the circuits with SAX if installed.")
@opt.data_options
@opt.threads_option
@opt.json_option
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Recompute every claim of an exported bundle; exit 1 if one fails."""
    from ecgphoton.run.verify import verify

    report = verify(**options)
    shared.show(report, print_claims, as_json=as_json)
    if not report.ok:
        sys.exit(1)


def print_claims(report: VerificationReport) -> None:
    """Print every claim and what recomputing it gave."""
    shared.table(report.folder, ["claim", "", "found"], report.rows())
    click.echo("every claim holds" if report.ok else "NOT VERIFIED")

"""``ecgphoton export`` and ``ecgphoton verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecgphoton.commands import _derive as derive, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.export.bundle import ExportReport
    from ecgphoton.export.verify import VerificationReport


@derive.command("run.export", {"formats": "--format"})
def export(report: ExportReport) -> None:
    """Print the order of the singular values, the parts and the folder."""
    columns = ["block", "order", "margin rad", "heaters P_pi", "default order"]
    shared.table("singular-value order: correctability first, power second", columns, report.rows())
    parts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in report.bill_of_materials.items()
        if not isinstance(value, dict | list)
    ]
    click.echo(", ".join(parts))
    click.echo(f"codes of {report.drivers}: {report.shipped} (golden beats)")
    if report.unexplained:
        click.echo(
            f"no features.py: {', '.join(report.unexplained)} come from another package, which "
            "has to explain them"
        )
    click.echo(f"converter ranges from {report.ranges_from}; {report.seconds:.1f} s")
    click.echo(f"bundle written to {report.folder}: {sum(report.files.values()):,} bytes")


@derive.command("run.verify")
def verify(report: VerificationReport) -> None:
    """Print every claim and what recomputing it gave."""
    shared.table(report.folder, ["claim", "", "found"], report.rows())
    click.echo("every claim holds" if report.ok else "NOT VERIFIED")

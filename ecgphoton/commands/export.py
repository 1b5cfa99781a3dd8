"""``ecgphoton export``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.export.bundle import ExportReport

ARCHITECTURES = ("svd-clements", "svd-reck", "real-part")


@click.command()
@opt.model_argument
@click.option("--mesh", is_flag=True, help="Add netlists, DAC codes, bill of materials, drawings.")
@click.option("--bits", type=click.IntRange(2, 16), default=8, show_default=True)
@click.option("--dac-bits", type=click.IntRange(4, 16), default=8, show_default=True)
@click.option("--architecture", type=click.Choice(ARCHITECTURES), default=ARCHITECTURES[0])
@click.option("--format", "formats", multiple=True, metavar="NAME", help="Only these extra forms.")
@click.option("--force", is_flag=True, help="Replace an existing bundle.")
@opt.common_options
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Write ONNX graphs and the photonic mesh program of a run (default: the newest).

    The bundle always holds both graphs, the mesh program with its schema, golden vectors and a
    checker; --mesh adds every other form of the mesh.
    """
    from ecgphoton.run.export import export

    shared.show(export(**options), print_export, as_json=as_json)


def print_export(report: ExportReport) -> None:
    """Print the order of the singular values, the parts and the folder."""
    columns = ["block", "order", "margin rad", "heaters P_pi", "default order"]
    shared.table("singular-value order: correctability first, power second", columns, report.rows())
    parts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in report.bill_of_materials.items()
        if not isinstance(value, dict | list)
    ]
    click.echo(", ".join(parts))
    click.echo(f"converter ranges from {report.ranges_from}; {report.seconds:.1f} s")
    click.echo(f"bundle written to {report.folder}: {sum(report.files.values()):,} bytes")

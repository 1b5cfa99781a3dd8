"""``ecgphoton export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from ecgphoton.commands import _shared as shared

ARCHITECTURES = ("svd-clements", "svd-reck", "real-part")


@click.command()
@click.argument("run", type=shared.path_type, required=False)
@click.option("--mesh", is_flag=True, help="Add netlists, DAC codes, bill of materials, drawings.")
@click.option("--bits", type=click.IntRange(2, 16), default=8, show_default=True)
@click.option("--dac-bits", type=click.IntRange(4, 16), default=8, show_default=True)
@click.option("--architecture", type=click.Choice(ARCHITECTURES), default=ARCHITECTURES[0])
@click.option("--format", "formats", multiple=True, metavar="NAME", help="Only these extra forms.")
@click.option("--out", type=shared.path_type, default=None, help="Bundle folder to create.")
@click.option("--force", is_flag=True, help="Replace an existing bundle.")
@shared.data_options
@shared.threads_option
@shared.json_option
def command(
    run: Path | None,
    mesh: bool,
    bits: int,
    dac_bits: int,
    architecture: str,
    formats: tuple[str, ...],
    out: Path | None,
    force: bool,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Write ONNX graphs and the photonic mesh program of a run (default: the newest).

    The bundle always holds both graphs, the mesh program with its schema, golden vectors and a
    checker; --mesh adds every other form of the mesh.
    """
    from ecgphoton import runs
    from ecgphoton.export.formats import DEFAULT_FORMATS
    from ecgphoton.run.export import export_run

    chosen = runs.choose(run)
    folder = out if out is not None else Path("bundles") / chosen.name
    report = export_run(
        chosen,
        folder,
        bits=bits,
        dac_bits=dac_bits,
        mesh=cast("Any", architecture),
        formats=formats or (DEFAULT_FORMATS if mesh else ()),
        force=force,
        data=data,
        data_dir=data_dir,
    )
    if as_json:
        shared.emit(report.to_dict())
        return
    columns = ["block", "order", "margin rad", "heaters P_pi", "default order"]
    shared.table("singular-value order: correctability first, power second", columns, report.rows())
    bill = report.bill_of_materials
    click.echo(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in _short(bill)))
    click.echo(f"converter ranges from {report.ranges_from}; {report.seconds:.1f} s")
    click.echo(f"bundle written to {folder}: {sum(report.files.values()):,} bytes")


def _short(bill: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in bill.items() if not isinstance(value, dict | list)]

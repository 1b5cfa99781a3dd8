"""``ecgphoton runs``."""

from __future__ import annotations

from pathlib import Path

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("folder", type=opt.path_type, default=Path("runs"))
@opt.json_option
def command(folder: Path, as_json: bool) -> None:
    """List the finished runs of FOLDER, the newest first, with what they are worth."""
    from ecgphoton.run.listing import Listing, runs

    def draw(found: Listing) -> None:
        shares = dict.fromkeys(("miss", "fpr"), shared.percent)
        shown = {"auc": shared.area, **shares}
        columns = ["run", "date", "recipe", "data", "set", "auc", "miss", "fpr"]
        shared.listing(f"runs in {folder}", columns, found, shown)

    shared.show(runs(folder), draw, as_json=as_json)

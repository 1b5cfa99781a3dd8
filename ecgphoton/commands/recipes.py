"""``ecgphoton recipes``."""

from __future__ import annotations

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("name", required=False)
@opt.json_option
def command(name: str | None, as_json: bool) -> None:
    """List the shipped recipes, or print one with every value it implies."""
    from ecgphoton import recipe
    from ecgphoton.run.listing import recipes

    if name is None:
        columns = ["name", "purpose"]
        shared.show(recipes(), lambda found: shared.listing("recipes", columns, found),
                    as_json=as_json)  # fmt: skip
        return
    shared.show(recipe.read(name), lambda found: click.echo(recipe.write(found), nl=False),
                as_json=as_json)  # fmt: skip

"""``ecgphoton recipes``."""

from __future__ import annotations

import click

from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("name", required=False)
@shared.json_option
def command(name: str | None, as_json: bool) -> None:
    """List the shipped recipes, or print one with every value it implies."""
    from ecgphoton import recipe

    if name is not None:
        chosen = recipe.read(name)
        if as_json:
            shared.emit(chosen.to_dict())
        else:
            click.echo(recipe.write(chosen), nl=False)
        return
    known = recipe.shipped()
    if as_json:
        shared.emit(known)
    else:
        shared.table("recipes", ["name", "purpose"], known.items())

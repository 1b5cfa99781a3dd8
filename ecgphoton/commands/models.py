"""``ecgphoton models``."""

from __future__ import annotations

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("name", required=False)
@opt.json_option
def command(name: str | None, as_json: bool) -> None:
    """List the students that come with the package, or print a model card."""
    from ecgphoton import models
    from ecgphoton.run.listing import models as listed

    if name is not None:
        click.echo(models.card(name), nl=False)
        return
    columns = ["name", "protocol", "labels", "parameters", "recipe", "seed"]
    shared.show(listed(), lambda found: shared.listing("shipped students", columns, found),
                as_json=as_json)  # fmt: skip
    if not as_json:
        click.echo("`ecgphoton models NAME` prints the card; a name stands for RUN or BUNDLE")

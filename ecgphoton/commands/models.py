"""``ecgphoton models``."""

from __future__ import annotations

import click

from ecgphoton.commands import _shared as shared


@click.command()
@click.argument("name", required=False)
@shared.json_option
def command(name: str | None, as_json: bool) -> None:
    """List the students that come with the package, or print a model card."""
    from ecgphoton import models, runs

    if name is not None:
        click.echo(models.card(name), nl=False)
        return
    rows = []
    for known, folder in models.shipped().items():
        trained = runs.load_student(folder)
        rows.append(
            {
                "name": known,
                "protocol": trained.metadata["protocol"],
                "labels": trained.metadata["labels"],
                "parameters": trained.student.architecture.parameters,
                "classes": list(trained.classes),
                "recipe": trained.recipe.name,
                "seed": trained.metadata["seed"],
                "default": known == models.DEFAULT,
            }
        )
    if as_json:
        shared.emit(rows)
        return
    columns = ["name", "protocol", "labels", "parameters", "recipe", "seed"]
    shared.table("shipped students", columns, [[row[c] for c in columns] for row in rows])
    click.echo("`ecgphoton models NAME` prints the card; a name stands wherever RUN or BUNDLE does")

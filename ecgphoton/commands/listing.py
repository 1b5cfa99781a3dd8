"""``ecgphoton models``, ``recipes``, ``runs`` and ``report``: what there is, and the page of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ecgphoton.commands import _derive as derive, _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.listing import Listing
    from ecgphoton.run.report import ReportPage

NAMED = 3
"""Folders left out for the same reason that are named."""


@click.command(cls=opt.Moved)
@click.argument("name", required=False)
@opt.json_option
def models(name: str | None, as_json: bool) -> None:
    """List the shipped students, or print the card of one.

    NAME is a shipped student.
    """
    from ecgphoton import models, run

    if name is not None:
        card = models.card(name)
        if as_json:
            row = next(row for row in run.models().rows if row["name"] == name)
            shared.emit({**row, "card": card})
        else:
            click.echo(card, nl=False)
        return
    columns = ["name", "protocol", "labels", "parameters", "delay_beats", "seed"]
    shared.show(run.models(), lambda found: shared.listing("shipped students", columns, found),
                as_json=as_json)  # fmt: skip
    if not as_json:
        click.echo("`ecgphoton models NAME` prints the card; a name stands for RUN or BUNDLE")


@click.command(cls=opt.Moved)
@click.argument("name", required=False)
@opt.json_option
def recipes(name: str | None, as_json: bool) -> None:
    """List the shipped recipes, or print one with all its values.

    NAME is a shipped recipe, or a TOML file.
    """
    from ecgphoton import recipes, run

    if name is None:
        columns = ["name", "purpose"]
        shared.show(run.recipes(), lambda found: shared.listing("recipes", columns, found),
                    as_json=as_json)  # fmt: skip
        return
    from ecgphoton import recipe

    chosen = recipe.read(name)
    chosen = replace(chosen, purpose=chosen.purpose or recipes.purposes().get(name, ""))
    shared.show(chosen, lambda found: click.echo(recipe.write(found), nl=False), as_json=as_json)


@derive.command("run.runs")
def runs(found: Listing) -> None:
    """Print the runs with their results."""
    shown = {"auc": shared.area, "miss": shared.percent, "fpr": shared.percent}
    columns = ["run", "date", "recipe", "data", "set", "auc", "miss", "fpr"]
    shared.listing("finished runs", columns, found, shown)
    shared.say(*(f"not listed: {why}" for why in found.left_out.values()))


@derive.command("run.report")
def report(found: ReportPage) -> None:
    """Print whose page it is, what it is made from, what was left out and why."""
    subject, *others = found.taken
    shared.say(shared.student(os.path.relpath(subject), found.chosen, found.student))
    for folder in others:
        click.echo(f"with {os.path.relpath(folder)}")
    for why in dict.fromkeys(found.left_out.values()):
        left = [os.path.relpath(folder) for folder, one in found.left_out.items() if one == why]
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        click.echo(f"without {', '.join(left[:NAMED])}{more}: {why}")
    click.echo(f"report written to {found.page} ({found.page.stat().st_size:,} bytes)")

"""``ecgphoton distill``: ``train`` with a teacher."""

from __future__ import annotations

import click

from ecgphoton.commands.train import command as train

command = click.Command(
    "distill",
    callback=train.callback,
    params=[parameter for parameter in train.params if parameter.name != "teacher"]
    + [
        click.Option(
            ["--teacher"],
            default="auto",
            show_default=True,
            metavar="auto|CHECKPOINT",
            help="Train a teacher first, or read one.",
        )
    ],
    help="Teach a student with a ResNet, or refuse to: teacher, baseline and distilled student, "
    "each at its own operating point.",
)

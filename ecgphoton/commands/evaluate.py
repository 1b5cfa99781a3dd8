"""``ecgphoton evaluate``."""

from __future__ import annotations

from typing import Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared


@click.command()
@opt.model_argument
@click.option("--protocol", default=None, help="By name or file (default: the run's own).")
@click.option("--labels", default=None, help="Label scheme (default: the run's own).")
@opt.data_options
@opt.threads_option
@opt.json_option
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Evaluate a trained student (default: the newest run); nothing is chosen or fitted."""
    from ecgphoton.commands.train import print_metrics
    from ecgphoton.run.evaluate import evaluate

    shared.show(evaluate(**options), print_metrics, as_json=as_json)

"""What commands are given: arguments and options that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from ecgphoton.errors import InputError
from ecgphoton.settings import nearest

F = TypeVar("F", bound=Callable[..., Any])

path_type = click.Path(path_type=Path)
model_argument = click.argument("model", metavar="[RUN|BUNDLE]", type=path_type, required=False)
out_option = click.option("--out", type=path_type, default=None, help="Folder to write to.")
profile_option = click.option("--profile", default=None, help="Device profile by name, or a file.")
seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return options as one decorator, in the order they are shown."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _threads(ctx: click.Context, param: click.Parameter, value: int) -> None:
    """Let torch use a number of threads while the command runs."""
    del param
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(value)
    ctx.call_on_close(lambda: torch.set_num_threads(before))


threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    callback=_threads,
    expose_value=False,
    help="Processor threads; the result is the same for any number.",
)
data_options = together(
    click.option(
        "--data",
        "--on",
        "data",
        default=None,
        metavar="NAME|FOLDER",
        help="Beats: mitdb, svdb, synthetic, auto, a folder or dataset file of your own.",
    ),
    click.option(
        "--data-dir",
        type=path_type,
        default=None,
        help="Folder of the database or of the student's recordings.",
    ),
)
common_options = together(out_option, data_options, threads_option, json_option)
limit_option = click.option(
    "--limit",
    multiple=True,
    type=(str, float),
    metavar="NAME VALUE",
    help="Limits of the verdict: miss (0.1), fpr (0.1), yield (0.95), confidence (0.95).",
)
noise_option = click.option(
    "--noise", type=float, default=None, help="Static and per-shot noise (default 0.02)."
)
readout_option = click.option(
    "--readout", type=click.Choice(["analog", "digital"]), default="analog", show_default=True
)
chip_options = together(
    noise_option,
    profile_option,
    seed_option,
    readout_option,
    click.option(
        "--detection",
        default="homodyne",
        show_default=True,
        metavar="RECEIVER",
        help="Of a profile's chips: homodyne, balanced, intensity, or one of an extension.",
    ),
)
"""What the chips of a simulation or study are."""
verdict_options = together(
    chip_options,
    click.option("--chips", type=click.IntRange(1), default=200, show_default=True),
    limit_option,
    click.option("--workers", type=click.IntRange(1), default=1, help="Processes."),
    click.option("--dask", default=None, metavar="ADDRESS", help="Dask scheduler to use."),
)
"""What a simulation is, and how it is run."""


class Suggesting(click.Group):
    """A group that answers a mistyped command with the nearest one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command by name.

        Raises
        ------
        InputError
            If there is none.
        """
        if args and self.get_command(ctx, args[0]) is None:
            raise InputError(
                f"there is no command {ctx.command_path} {args[0]}; "
                f"{nearest(args[0], self.list_commands(ctx))}"
            )
        return super().resolve_command(ctx, args)


class Moved(click.Command):
    """A command some of whose options are elsewhere now."""

    def __init__(self, *args: Any, moved: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401
        self.moved = moved
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an old option, and name what replaces it."""
        for word in args:
            if (new := self.moved.get(word.partition("=")[0])) is not None:
                raise InputError(f"{word.partition('=')[0]} is now {new}")
        return super().parse_args(ctx, args)

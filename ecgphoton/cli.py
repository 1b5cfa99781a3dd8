"""The command line: a lazy group, so that ``--help`` imports nothing heavy."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from ecgphoton import __version__
from ecgphoton.errors import InputError, VerificationError

COMMANDS = {
    "train": "Train a student and say what it is worth.",
    "evaluate": "Evaluate a trained student on a protocol's sets.",
    "export": "Write ONNX graphs and the photonic mesh program of a run.",
    "verify": "Recompute every claim of an exported bundle.",
    "simulate": "Ask whether miss rate and FPR survive on many chips.",
    "calibrate": "Win back what fabrication lost, chip by chip.",
    "distill": "Teach a student with a ResNet, or refuse to.",
    "models": "List the students that come with the package.",
    "recipes": "List the experiments that come with the package.",
    "report": "Write a run or bundle as one HTML page.",
    "annotate": "Classify every beat of a recording.",
    "score": "Compare two annotations beat by beat (EC57).",
    "data": "Find, fetch and verify the MIT-BIH Arrhythmia Database.",
    "demo": "Run train, export, simulate, calibrate and report once through.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the journey."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import ``ecgphoton.commands.<name>`` and return its command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ecgphoton.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Run; a user's mistake is one line and exit code 2, a failed check exit code 1."""
        try:
            return super().main(*args, **kwargs)
        except InputError as error:
            _say("error", error)
            sys.exit(2)
        except VerificationError as error:
            _say("failed", error)
            sys.exit(1)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)


def _say(kind: str, error: Exception) -> None:
    click.echo(f"ecgphoton: {kind}: {' '.join(str(error).split())}", err=True)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "ECGPHOTON"},
)
@click.version_option(__version__, prog_name="ecgphoton")
def main() -> None:
    """Take a heartbeat classifier from training to photonic hardware, with a verdict.

    The three commands that everything serves:

    \b
        ecgphoton train
        ecgphoton export --mesh
        ecgphoton simulate --noise 0.02

    Not a medical device.
    """  # noqa: D301 - click reads the backspace as "do not rewrap"


if __name__ == "__main__":
    main()

"""A command takes what its public function takes, by the same names and with the same defaults."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner

import ecgphoton as ep
from ecgphoton.cli import main

RUN = ("annotate", "budget", "calibrate", "evaluate", "export", "report", "score", "simulate",
       "train", "verify")  # fmt: skip
PYTHON = re.compile(r"\bor value\b|\bPath\b|\barrays?\b|\bNone\b|\bTrue\b|ndarray")
STUDY = tuple(sorted(name for name in dir(ep.study) if not name.startswith("_")))


def command_of(*names: str) -> click.Command:
    """Look up a command by its path."""
    command: click.Command = main
    for name in names:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None, name
        command = found
    return command


@pytest.mark.parametrize(
    ("command", "function"),
    [(command_of(name), getattr(ep.run, name)) for name in RUN]
    + [(command_of("study", name), getattr(ep.study, name)) for name in STUDY],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_command_takes_what_its_function_takes(command: click.Command, function: Any) -> None:
    """Names are equal, and so are the defaults of all options."""
    required = [p for p in command.params if p.required]
    given = [f"{p.opts[0]}=x" if isinstance(p, click.Option) else "x" for p in required]
    with command.make_context("test", given) as context:
        options = {name: value for name, value in context.params.items() if name != "as_json"}
    parameters = inspect.signature(function).parameters
    # How much of a signal is in memory changes no answer.
    assert set(options) == set(parameters) - {"progress", "block_seconds"}
    for name in options.keys() - {parameter.name for parameter in required}:
        wanted = parameters[name].default
        assert options[name] == wanted or (not options[name] and not wanted), name


def test_every_study_is_a_command() -> None:
    """The group and the package offer the same studies."""
    group = command_of("study")
    assert isinstance(group, click.Group)
    assert tuple(sorted(group.list_commands(click.Context(group)))) == STUDY


def test_simulate_has_at_most_ten_options_of_its_own() -> None:
    """Besides data, folder, threads and JSON."""
    shared = {"model", "data", "data_dir", "out", "threads", "as_json"}
    assert len({p.name for p in command_of("simulate").params} - shared) <= 10


def leaves(command: click.Command) -> Iterator[click.Command]:
    """Yield every command below a group."""
    if not isinstance(command, click.Group):
        yield command
        return
    for one in command.commands.values():
        yield from leaves(one)


@pytest.mark.parametrize("command", list(leaves(main)), ids=lambda command: command.name)
def test_every_command_prints_json(command: click.Command) -> None:
    """There is no command without ``--json``."""
    assert "--json" in [option for one in command.params for option in one.opts]


@pytest.mark.parametrize("variable", ["ECGPHOTON_HELP", "ECGPHOTON_RECIPES_HELP", "VERSION"])
def test_a_variable_asks_for_no_help(variable: str) -> None:
    """Only the command line asks for help; a variable does not put it in place of an answer."""
    runner = CliRunner()
    found = runner.invoke(main, ["recipes", "--json"], env={variable: "1"})
    assert json.loads(found.stdout)["recipes"], found.output


@pytest.mark.parametrize("command", list(leaves(main)), ids=lambda command: command.name)
def test_help_says_what_may_be_typed(command: click.Command) -> None:
    """Each option and argument has a sentence, and none speaks of values of Python."""
    for one in command.params:
        if isinstance(one, click.Option) and one.name not in ("as_json", "help"):
            assert one.help, one.name
            assert one.help.endswith("."), one.help
            assert not PYTHON.search(one.help), one.help
        elif isinstance(one, click.Argument):
            shown = str(one.metavar or one.name).upper().strip("[]")
            assert shown in str(command.help), one.name


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("simulate", "--verbose"), "--set KEY=VALUE"),  # not the option spelled most alike
        (("train", "--epochs", "3"), "--set KEY=VALUE"),
        (("simulate", "-o", "x"), "--out"),
        (("data", "fetch", "--output", "x"), "--data-dir"),
        (("study", "blame", "--chip", "1"), "--chips?"),
        (("train", "inter-patient"), "--recipe inter-patient?"),
        (("simulate", "a", "b"), "--help"),
        (("simulate", "a\0b"), "NUL"),
        (("train", "--out", "a\0b"), "NUL"),
        *(((name, "--jsn"), "--json") for name in ("models", "recipes", "runs", "demo")),
    ],
)
def test_what_is_no_option_or_argument_is_refused_as_other_mistakes_are(words, offered) -> None:
    """One line with the option that was meant, or all of the command."""
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 2
    assert offered in done.output
    assert len(done.output.splitlines()) == 1

"""Reference of the command line, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from ecgphoton.cli import main


def page() -> str:
    """Return the page."""
    text = [
        "# Command line\n\n"
        "Exit codes: 0 success, 1 a failed verdict or verification, 2 something to correct in the "
        "call, in one line. An option can be set by a variable too: `--seed` of `train` by "
        "`ECGPHOTON_TRAIN_SEED`. Every command is a function of the same name and parameters: "
        "`ecgphoton simulate --noise 0.02` is `ep.run.simulate(noise=0.02)`, `ecgphoton study "
        "sweep` is `ep.study.sweep`.\n"
    ]
    for names, command in _commands(main, ("ecgphoton",)):
        text.append(_section(names, command))
    return "".join(text)


def _commands(
    command: click.Command, names: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with its path."""
    if not isinstance(command, click.Group):
        yield names, command
        return
    context = click.Context(command, info_name=names[-1])
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _commands(found, (*names, name))


def _section(names: tuple[str, ...], command: click.Command) -> str:
    arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([*names, "[OPTIONS]", *arguments])
    rows = [
        _row(parameter)
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    table = "| option | value | default | meaning |\n|---|---|---|---|\n"
    said = inspect.cleandoc((command.help or "").replace("\b", ""))
    return f"\n## {' '.join(names)}\n\n```text\n{usage}\n```\n\n{said}\n\n{table}{''.join(rows)}"


def _argument(parameter: click.Argument) -> str:
    name = parameter.human_readable_name
    name = f"{name}..." if parameter.nargs == -1 else name
    return name if parameter.required else f"[{name}]"


def _row(option: click.Option) -> str:
    flags = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    cells = (flags, _value(option), _default(option), option.help or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    kind = option.type
    if isinstance(kind, click.Choice):
        return ", ".join(f"`{choice}`" for choice in kind.choices)
    if isinstance(kind, click.IntRange):
        low = "" if kind.min is None else f" from {kind.min}"
        return f"integer{low}" + ("" if kind.max is None else f" to {kind.max}")
    return (option.metavar or kind.name).lower() if option.metavar is None else option.metavar


def _default(option: click.Option) -> str:
    shown = option.default
    if option.is_flag or shown is None or callable(shown) or "UNSET" in repr(shown):
        return ""
    if shown == () or shown == []:
        return ""
    return f"`{shown}`"

"""What the options of all commands share."""

import contextlib
import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
from click.core import ParameterSource

from ecgphoton.errors import InputError
from ecgphoton.settings import Setting, convert, nearest, one_of

NONE: Mapping[str, str] = MappingProxyType({})
CULPRIT = re.compile(r"(limit)(?= \w+ is )|(?:(?:strategies|data|distill)\.)?(\w+)(?= is )")
"""How a message about a parameter begins, or about the setting for which an option stands."""
path_type = click.Path(path_type=Path)


class Number(click.ParamType):  # type: ignore[type-arg] # has none in click 8.2
    """A number of a type; `read` looks at it, and at a text that is none, as for a setting."""

    def __init__(self, kind: type[int] | type[float], read: Callable[..., Any] = convert) -> None:
        self.kind, self.name, self.read = kind, "integer" if kind is int else "float", read

    def convert(self, value: Any, param: click.Parameter | None, _: click.Context | None) -> Any:  # noqa: ANN401
        """Return the number, or InputError that names the option."""
        with contextlib.suppress(ValueError):
            value = self.kind(value)
        return self.read(value, self.kind, _flags(param))


class Choice(click.Choice):  # type: ignore[type-arg] # has none in click 8.2
    """One of some values; the error is that of a setting."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the value, or InputError that names the option."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            allowed = f"it must be {one_of(self.choices)}"
            raise InputError(f"{_flags(param)} is {value!r}; {allowed}") from None


def _flags(param: click.Parameter | None) -> str:
    """Return how an option is spelled."""
    return "/".join(param.opts) if param else "the value"


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def _threads(ctx: click.Context, _: click.Parameter, value: int) -> None:
    """Let torch use a number of threads while the command runs."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(value)
    ctx.call_on_close(lambda: torch.set_num_threads(before))


threads_option = click.option(
    "--threads",
    type=Number(int, Setting(1, "", low=1, high=64).read),
    default=1,
    show_default=True,
    callback=_threads,
    expose_value=False,
    help="Processor threads, from 1 to 64; the result is the same for any number.",
)


def _deaf(asks: click.Option | None) -> click.Option | None:
    """Keep a variable ``ECGPHOTON_..._HELP`` from asking for help, as click does from 8.5 on."""
    if asks is not None:
        asks.allow_from_autoenv = False
    return asks


def _once(command: click.Command, ctx: click.Context, words: list[str]) -> None:
    """Refuse an option that is given two values, of which click would take the last."""
    twin, options = copy.copy(command), list[click.Option]()
    twin.params = [copy.copy(one) for one in command.params]
    for one in twin.params:
        if isinstance(one, click.Option) and not one.multiple:
            one.multiple = True  # so that the parser keeps every value
            options.append(one)
    parser, given = twin.make_parser(ctx), dict[str, Any]()
    parser.allow_interspersed_args = command.allow_interspersed_args
    with contextlib.suppress(click.UsageError):  # which the command itself says better
        given = parser.parse_args(list(words))[0]
    for one in options:
        values = dict.fromkeys(given.get(str(one.name), ()))
        if len(values) > 1:
            raise InputError(
                f"{' or '.join((*one.opts, *one.secondary_opts))} is given twice, as "
                f"{' and as '.join(map(str, values))}; give it once"
            )


class Suggesting(click.Group):
    """A group with commands in the order they were added, that suggests the nearest name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in order."""
        return list(self.commands)

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
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            _deaf(command.get_help_option(ctx))
            _once(command, ctx, rest)
        return name, command, rest

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option that asks for help, which no variable sets."""
        return _deaf(super().get_help_option(ctx))


class Moved(click.Command):
    """A command that knows how its options were spelled, and how others are."""

    def __init__(self, *args: Any, moved: Mapping[str, str] = NONE, **kwargs: Any) -> None:  # noqa: ANN401
        self.moved = moved
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what is no option or argument, and ``NAME=VALUE`` where two words are taken.

        Raises
        ------
        InputError
            If there is some; it names the option that is new, nearest or the first, or all.
        """
        ctx.allow_extra_args = True  # so that they are refused here
        pairs = {flag for one in self.params if one.nargs == 2 for flag in one.opts}
        for word, after in zip(args, [*args, ""][1:], strict=True):
            flag, _, attached = word.partition("=")
            if (new := self.moved.get(flag)) is not None:
                raise InputError(f"{flag} is now {new}")
            name, equals, value = (attached or after).partition("=")
            if flag in pairs and equals:
                raise InputError(
                    f"{flag} {name}={value}: a name and a value are two words here; write "
                    f"{flag} {name} {value or 'VALUE'}"
                )
        try:
            super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = {
                flag[2:]: f"{flag} {getattr(one, 'metavar', None) or ''}".rstrip()
                for one in self.params
                for flag in (*one.opts, *one.secondary_opts)
                if flag.startswith("--")
            }
            near = nearest(error.option_name.removeprefix("--"), known, "--", known.values())
            raise InputError(
                f"{ctx.command_path} has no option {error.option_name}; {near}"
            ) from None
        if ctx.args and not ctx.resilient_parsing:
            first = self.params[0]  # an argument, if there are any
            meant = f"did you mean {first.opts[0]} {ctx.args[0]}?"
            advice = meant if isinstance(first, click.Option) else "--help says what it takes"
            raise InputError(f"{ctx.command_path} does not take {ctx.args[0]!r}; {advice}")
        return ctx.args

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run; an error about a value that the user gave names the option, not the parameter."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            if (named := CULPRIT.match(text := str(error))) is None:
                raise
            for one in self.params:
                given = ctx.get_parameter_source(str(one.name)) is not ParameterSource.DEFAULT
                names = {one.name, one.opts[0].lstrip("-")}  # one --format, many formats
                if isinstance(one, click.Option) and names & {*named.groups()} and given:
                    raise type(error)(f"{one.opts[0]}{text[named.end() :]}") from error
            raise

"""A public function comes in, and its command goes out: arguments, options and help.

The source of the function is parsed, not imported, so that ``--help`` is fast: parameters,
annotations, defaults and docstring give the options. The function checks the ranges of values.
"""

import ast
import importlib
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

from ecgphoton.commands import _options as opt, _shared as shared

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"\n(?:Parameters|Returns|Raises|Examples)\n-+\n")
ENTRY = re.compile(r"^(\w+(?:, \w+)*)\n((?: .+\n?|\n)+)", re.MULTILINE)
ELSEWHERE = re.compile(r"As `ecgphoton\.(\w+\.\w+)` takes")
"""Refers to another public function that describes the same parameter."""
SHOWN = {
    "model": "[RUN|BUNDLE]",
    "limit": "NAME VALUE",
    "data": "NAME|FOLDER",
    "settings": "KEY=VALUE",
    "over": "KEY=VALUES",
    "bench": "MODULE:FUNCTION",
    "peaks": "ANNOTATOR",
    **dict.fromkeys(("profile", "protocol", "recipe"), "NAME|FILE"),
}
"""What is shown in place of a value."""
TYPES = {
    "bool": click.BOOL,
    "int": opt.Number(int),
    "float": opt.Number(float),
    "Path": opt.path_type,
    "Limit": (str, opt.Number(float, lambda text, *_: text)),  # the function names which limit
}
ALSO = {"data": "--data --on"}
"""Flags that are spelled in two ways."""
UNSEEN = ("progress", "block_seconds")
"""Parameters that change no answer and are no options."""
Draw = Callable[[Any], object]


@cache
def _tree(module: str) -> ast.Module:
    place = ROOT / module.replace(".", "/")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _public(path: str) -> tuple[str, ast.FunctionDef]:
    """Return the module and the definition of a public function, named as ``run.simulate``."""
    package, name = path.split(".")
    module = importlib.import_module(f"ecgphoton.{package}").HOMES[name]
    found = (one for one in _tree(module).body if isinstance(one, ast.FunctionDef))
    return module, next(one for one in found if one.name == name)


def _resolved(node: ast.expr, module: str) -> ast.expr:
    """Return what a name of the package stands for, wherever it is defined; others as they are."""
    if isinstance(node, ast.BinOp):  # one of several types
        left, right = _resolved(node.left, module), _resolved(node.right, module)
        return ast.BinOp(left, node.op, right)
    name = ast.unparse(node)
    for one in _tree(module).body if name != "Limit" else ():
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == name:
            return one.value
        if (
            isinstance(one, ast.ImportFrom)
            and str(one.module).startswith("ecgphoton.")
            and name in {alias.asname or alias.name for alias in one.names}
        ):
            return _resolved(node, str(one.module))
    return node


@cache
def meanings(path: str) -> tuple[str, dict[str, str]]:
    """Return what a public function does, and what its parameters mean, from its docstring."""
    what, entries, *_ = [*SECTION.split(str(ast.get_docstring(_public(path)[1]))), ""]
    found = {}
    for names, meaning in ENTRY.findall(f"{entries}\n"):
        elsewhere = ELSEWHERE.match(meaning.strip())
        for name in names.split(", "):
            text = meanings(elsewhere[1])[1][name] if elsewhere else meaning
            found[name] = " ".join(text.replace("`", "").split())
    return what.replace("`", ""), found


def described(command: click.Command) -> click.Command:
    """Give a command the docstring of its function, which ``python -OO`` strips when it runs."""
    if not command.help:
        function: Any = command.callback
        found = (one for one in _tree(function.__module__).body if isinstance(one, ast.FunctionDef))
        texts = (ast.get_docstring(one) for one in found if one.name == function.__name__)
        command.help = next(texts)
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        described(one)
    return command


def _parameter(
    name: str, kind: str, default: ast.expr | None, flags: str | None, meaning: str
) -> click.Parameter:
    """Return the argument, or with flags the option, for a parameter of an annotated type."""
    known: dict[str, Any] = {"required": default is None, "metavar": SHOWN.get(name)}
    if isinstance(default, ast.Call):
        known["default"] = Path(*map(ast.literal_eval, default.args))
    elif default is not None:
        known["default"] = ast.literal_eval(default)
    several = kind.startswith("Sequence[")
    kind = kind.removeprefix("Sequence[").removesuffix("]") if several else kind
    known["type"] = TYPES.get(kind.split(" | ")[0], click.STRING)
    if kind.startswith("Literal["):
        known["type"] = opt.Choice(ast.literal_eval(kind.removesuffix(" | None")[7:]))
    if flags is None:
        return click.Argument([name], nargs=-1 if several else 1, **known)
    if kind == "bool" and known["default"]:
        flags = f"{flags}/--no-{name}"
    shown = known.get("default") not in (None, ()) and known.get("default") is not False
    several, flag = several or kind == "Limit", kind == "bool"
    meaning += " May be given more than once." if several else ""
    return click.Option([name, *flags.split()], help=meaning, is_flag=flag, multiple=several,
                        show_default=shown, **known)  # fmt: skip


def parameters(path: str, names: Mapping[str, str] = opt.NONE) -> list[click.Parameter]:
    """Return arguments and options for a public function, without those of `UNSEEN`.

    Parameters
    ----------
    path
        ``run.simulate``.
    names
        Flags, separated by spaces, of parameters whose option has another name.
        A parameter that may be given by position is an argument unless it is named here.
    """
    (module, function), (_, helps) = _public(path), meanings(path)
    taken, names = function.args, {**ALSO, **names}
    found = [(one.arg, one, names.get(one.arg)) for one in taken.args]
    found += [(one.arg, one, names.get(one.arg, f"--{one.arg.replace('_', '-')}"))
              for one in taken.kwonlyargs]  # fmt: skip
    missing = [None] * (len(taken.args) - len(taken.defaults))
    return [
        _parameter(
            name,
            ast.unparse(_resolved(place.annotation, module)),
            default and _resolved(default, module),
            flags,
            helps[name],
        )
        for (name, place, flags), default in zip(
            found, [*missing, *taken.defaults, *taken.kw_defaults], strict=True
        )
        if name not in UNSEEN and place.annotation is not None
    ]


def command(
    path: str, names: Mapping[str, str] = opt.NONE, moved: Mapping[str, str] = opt.NONE
) -> Callable[[Draw], click.Command]:
    """Make a command of a public function and of a function that prints its result.

    The exit code is 1 where the result says that it is not ``ok``.

    Parameters
    ----------
    path, names
        As `parameters` takes them.
    moved
        Options of earlier versions, and what replaces each.
    """
    package, name = path.split(".")

    def made(draw: Draw) -> click.Command:
        def run(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - as the function takes
            function = getattr(importlib.import_module(f"ecgphoton.{package}"), name)
            with shared.progress() as bars:
                result = function(**options, **({"progress": bars} if reports else {}))
            shared.show(result, draw, as_json=as_json)
            if not getattr(result, "ok", True):
                sys.exit(1)

        what, helps = meanings(path)
        reports = "progress" in helps
        taken = parameters(path, names)
        arguments = (one for one in taken if isinstance(one, click.Argument))
        said = (f"{(one.metavar or one.name or '').upper().strip('[]')}: {helps[str(one.name)]}"
                for one in arguments)  # fmt: skip
        found = opt.Moved(name, callback=run, params=taken, moved=moved,
                          help="\n\n".join([what.rstrip(), *said]))  # fmt: skip
        computes = any(one.name == "data" for one in found.params)
        return opt.json_option(opt.threads_option(found) if computes else found)

    return made

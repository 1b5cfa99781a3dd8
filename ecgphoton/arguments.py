"""Arguments of public functions: bound by name, and checked, before anything is computed."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from os import PathLike, fspath
from pathlib import Path
from types import UnionType
from typing import (
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from ecgphoton.errors import ArgumentError, InputError
from ecgphoton.settings import convert, hints_of, nearest

P = ParamSpec("P")
R = TypeVar("R")
PLAIN = (bool, int, float, str, Path, type(None))
"""Types of arguments that `checked` looks at, besides ``Literal``."""
_signature = cache(inspect.signature)


def bound(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Return the arguments of a call by name.

    Raises
    ------
    ArgumentError
        If the function does not take them; the message has the nearest name of those it takes.
    """
    signature, name = _signature(function), function.__name__
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        unknown = [one for one in kwargs if one not in signature.parameters]
        if not unknown:
            raise ArgumentError(f"{name}(): {error}") from None
        near = nearest(unknown[0], signature.parameters)
        raise ArgumentError(f"{name}() takes no argument {unknown[0]!r}; {near}") from None


def checked(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, its plain values and paths as they are annotated.

    A text is taken for a path and a path for a text, and where several may be given, one text or
    path for all of them; arguments of other types stay as they are.

    Raises
    ------
    InputError
        If an argument is of another type, is an empty text, is not one of the values allowed, or
        is no function where one is called.
    """
    found = dict(given)
    for name, value in given.items():
        if value == "" or (isinstance(value, list | tuple) and "" in value):
            raise InputError(f"{name} is empty; give a value, or leave it out")
    for name, kind in hints_of(function).items():
        if get_origin(kind) is Callable and not callable(given.get(name, convert)):
            raise InputError(f"{name} is {given[name]!r}; give a function, or leave it out")
        kinds = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
        if get_origin(kind) is Sequence and isinstance(given.get(name), str | PathLike):
            found[name] = (given[name],)  # else its letters would be taken one by one
        others = [one for one in kinds if one not in PLAIN and get_origin(one) is not Literal]
        text = isinstance(given.get(name), str | PathLike) and {str, Path} & {*kinds}
        if name in given and not others and not text:
            found[name] = convert(given[name], kind, name)
        elif text and Path not in kinds:
            found[name] = fspath(given[name])
    return found


def strict(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public function, so that its arguments are `checked` before it begins."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = bound(function, args, kwargs)
        given.arguments.update(checked(function, given.arguments))
        return function(*given.args, **given.kwargs)

    return call

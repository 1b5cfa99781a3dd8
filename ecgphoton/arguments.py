"""Arguments of public functions: bound by name, and checked, before anything is computed."""

import errno
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
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

from ecgphoton.errors import ArgumentError, InputError, require, shown
from ecgphoton.settings import NUMBERS, convert, hints_of, nearest, type_words

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
    signature, name = _signature(function), function.__qualname__.removesuffix(".__init__")
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
    path for all of them. Arguments of classes of this package are of one of those annotated;
    others, such as arrays, stay as they are.

    Raises
    ------
    InputError
        If an argument is of another type, is an empty text or holds a NUL byte, is not one of the
        values allowed, or is no function where one is called.
    """
    found = dict(given)
    for name, value in given.items():
        values = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(one, str) and not one for one in values):
            raise InputError(f"{name} is empty; give a value, or leave it out")
        if any(isinstance(one, str | PathLike) and "\0" in str(one) for one in values):
            raise InputError(f"{name} is {shown(value)}; no text or path may hold a NUL byte")
    for name, kind in hints_of(function).items():
        kinds = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
        lists = [get_args(one)[0] for one in kinds if get_origin(one) in {Sequence, Iterable}]
        absent = given.get(name) is None and (name not in given or type(None) in kinds)
        mapping = any(get_origin(one) is Mapping for one in kinds)
        if lists and not absent and not mapping:
            found[name] = _several(given[name], lists[0], name)
        others = [one for one in kinds if one not in PLAIN and get_origin(one) is not Literal]
        text = isinstance(given.get(name), str | PathLike) and {str, Path} & {*kinds}
        if name in given and not others and not text:
            found[name] = convert(given[name], kind, name)
        elif text and not {str, Path} <= {*kinds}:
            found[name] = Path(given[name]) if Path in kinds else fspath(given[name])
        elif name in given and not text and not isinstance(given[name], _classes(kinds)):
            what = "None" if given[name] is None else f"of type {type(given[name]).__name__}"
            raise InputError(f"{name} is {what}; it must be {type_words(kind)}")
    return found


def _several(values: object, kind: Any, name: str) -> tuple[Any, ...]:  # noqa: ANN401
    """Return the values of a list; a text alone is one, whose letters are not taken one by one."""
    values = (values,) if isinstance(values, str | PathLike) else values
    if not isinstance(values, Iterable):
        raise InputError(f"{name} is {shown(values)}; it must be a list")
    found, texts = tuple(values), {str, Path} & {kind, *get_args(kind)}
    for one in found:
        if texts and not isinstance(one, str | PathLike):
            raise InputError(f"{name} holds {shown(one)}; it must hold texts")
    if kind is str:
        return tuple(map(fspath, found))
    return tuple(convert(one, kind, name) for one in found) if kind in NUMBERS else found


def check_seed(seed: int) -> int:
    """Return `seed`, an integer in [0, 2^64).

    Raises
    ------
    InputError
        If it is outside, or no integer.
    """
    seed = convert(seed, int, "seed")
    require(0 <= seed < 1 << 64, "seed", seed, "an integer in [0, 2^64)")
    return seed


def _classes(kinds: Iterable[Any]) -> tuple[type, ...]:
    """Return the classes of an annotation; `object`, which all values are of, where it has others.

    Protocols, arrays and lists of something are looked at by the function itself.
    """
    found = [Callable if get_origin(one) is Callable else NUMBERS.get(one, one) for one in kinds]
    plain = all(isinstance(one, type) and one is not Any and not getattr(one, "_is_protocol", False)
                for one in found)  # fmt: skip
    return tuple(found) if plain else (object,)


def strict(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public function, so that its arguments are `checked` before it begins."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        given = bound(function, args, kwargs)
        given.arguments.update(checked(function, given.arguments))
        try:
            return function(*given.args, **given.kwargs)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise InputError(
                f"no file or folder can have a name as long as {shown(error.filename)}; choose a "
                "shorter one"
            ) from error

    return call

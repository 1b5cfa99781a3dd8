"""Settings declared once: default, type, range, unit and meaning of every value a user can set.

A section of settings is a frozen dataclass that derives from `Settings` and declares each field
with `setting`. The check, the reading of TOML (`build`), ``--set key=value``, the reference page
(`declared`) and the error message follow from it; rules between settings are in `Settings.rules`.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Kettle(Settings, section="kettle"):
...     power: float = setting(2000.0, "Heating power.", above=0, high=3000, unit="W")
>>> Kettle(power=4000.0)
Traceback (most recent call last):
ecgphoton.errors.InputError: kettle.power is 4000.0; it must be above 0 and at most 3000 W
"""

import difflib
import functools
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ecgphoton.errors import InputError, require

T = TypeVar("T")
NUMBERS: dict[Any, Any] = {int: Integral, float: Real}
"""What is taken for an int and for a float: also numpy's numbers, and an int for a float."""


@dataclass(frozen=True)
class Setting:
    """The declaration of one setting."""

    default: Any
    meaning: str
    """One or two sentences for the reference page and the command line."""
    low: float | None = None
    """Smallest value allowed."""
    high: float | None = None
    """Largest value allowed."""
    above: float | None = None
    """Value that must be exceeded."""
    below: float | None = None
    """Value that must not be reached."""
    also: float | None = None
    """One value that is allowed besides the range, for instance 0 for "off"."""
    unit: str = ""
    """Unit, for the words about the limits."""
    names: Callable[[], Iterable[str]] | None = None
    """Returns the names allowed for a text where they can grow; fixed ones are a ``Literal``."""

    @property
    def limits(self) -> str:
        """What numbers are allowed, in words; empty where there is no limit."""
        if self.low is not None and self.high is not None:
            words = f"from {self.low:.10g} to {self.high:.10g}"
        else:
            names = {"above": "above", "low": "at least", "below": "below", "high": "at most"}
            bounds = [(word, getattr(self, name)) for name, word in names.items()]
            words = " and ".join(f"{word} {x:.10g}" for word, x in bounds if x is not None)
        if words and self.also is not None:
            words = f"{self.also:.10g}, or {words}"
        return f"{words} {self.unit}".rstrip() if words else ""

    def choices(self, kind: Any) -> tuple[Any, ...]:  # noqa: ANN401
        """Return the values of a ``Literal``, or the names; empty where any are allowed."""
        if self.names is not None:
            return tuple(self.names())
        return get_args(kind) if get_origin(kind) is Literal else ()

    def allows(self, value: object) -> bool:
        """Return whether a value lies within the limits; what is not a number has none."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value == self.also:
            return True
        return -math.inf < value < math.inf and not (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )

    def read(self, value: object, kind: Any, path: str) -> Any:  # noqa: ANN401
        """Return a value as the annotated type, or InputError that names its path."""
        found: Any = convert(value, kind, path)
        if found == "" != self.default:
            raise InputError(f"{path} is empty; give a value, or leave it out")
        if self.names is not None:
            require(found in self.choices(kind), path, found, one_of(self.choices(kind)))
        share = (self.low, self.high) == (0, 1) and 1 < found <= 100
        meant = f"; {found:g} % is {found / 100:g}" if share else ""
        require(self.allows(found), path, found, f"{self.limits or 'a finite number'}{meant}")
        return found


def setting(default: Any, meaning: str, **declaration: Any) -> Any:  # noqa: ANN401 - as dataclasses.field
    """Declare a field of a `Settings` class; for the keywords see `Setting`."""
    return field(default=default, metadata={"setting": Setting(default, meaning, **declaration)})


class Settings:
    """Base of the frozen dataclasses whose fields are declared with `setting`.

    Raises
    ------
    InputError
        When a value is outside what its declaration or a rule allows.
    """

    section: ClassVar[str] = ""

    def __init_subclass__(cls, section: str = "", **kwargs: object) -> None:
        """Name the section for messages and TOML: ``class Schedule(Settings, section="x")``."""
        super().__init_subclass__(**kwargs)
        cls.section = section or cls.section

    def __post_init__(self) -> None:
        """Check every declared value, then the rules between them."""
        path = f"{self.section}." if self.section else ""
        for name, entry, kind in declared(type(self)):  # type: ignore[arg-type] # is hashable
            value = entry.read(getattr(self, name), kind, path + name)
            object.__setattr__(self, name, value)
        for holds, name, allowed in self.rules():
            require(holds, path + name, getattr(self, name), allowed)

    def rules(self) -> Iterable[tuple[bool, str, str]]:
        """Rules between settings: (whether it holds, name of a setting, what it must be)."""
        return ()


def read_as(cls: type[Any], name: str, value: object, called: str) -> Any:  # noqa: ANN401
    """Return the value of a setting, or InputError that names it as the caller does.

    Parameters
    ----------
    name
        The setting of `cls` whose declaration the value must meet.
    called
        What the value is called where the user gives it: ``limit miss`` for `max_miss`.
    """
    known = {one: own for one, *own in declared(cls)}  # type: ignore[arg-type] # is hashable
    return known[name][0].read(value, known[name][1], called)


hints_of = functools.cache(get_type_hints)
"""Types of the annotations of a class or function, resolved once."""


@functools.cache
def declared(cls: type[Any]) -> tuple[tuple[str, Setting, Any], ...]:
    """Name, declaration and type of every setting of a `Settings` class, in order."""
    hints = get_type_hints(cls)
    return tuple(
        (item.name, item.metadata["setting"], hints[item.name])
        for item in fields(cls)
        if "setting" in item.metadata
    )


def plain_type(kind: Any) -> type[Any]:  # noqa: ANN401
    """Return the type of one value of an annotation: of a Literal, an optional or a tuple."""
    inner = [option for option in get_args(kind) if option is not type(None)]
    if not inner:
        return kind if isinstance(kind, type) else str
    return plain_type(inner[0]) if isinstance(inner[0], type) else type(inner[0])


def type_words(kind: Any) -> str:  # noqa: ANN401
    """Return what a value of a type, or of one of several, is in words."""
    if get_origin(kind) in {Union, UnionType}:
        return " or ".join(type_words(one) for one in get_args(kind) if one is not type(None))
    known: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number"}
    known |= {str: "a text", Callable: "a function"}
    return known.get(get_origin(kind) or kind, f"of type {getattr(kind, '__name__', kind)}")


def one_of(values: Iterable[object]) -> str:
    """Return ``one of 'a', 'b'``."""
    return f"one of {', '.join(map(repr, values))}"


def nearest(name: str, allowed: Iterable[str], prefix: str = "", listed: Iterable[str] = ()) -> str:
    """Return ``did you mean X?`` for an unknown name, or what is allowed, as a list or `listed`."""
    near = difflib.get_close_matches(str(name), names := list(allowed), 1)
    return f"did you mean {prefix}{near[0]}?" if near else f"allowed: {', '.join(listed or names)}"


def several(texts: str | Iterable[str]) -> tuple[str, ...]:
    """Return texts; one alone is one."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def assignments(
    texts: Iterable[str], allowed: Callable[[str], str], read: Callable[[str, str], T]
) -> dict[str, T]:
    """Return keys and values of every ``--set section.key=value``, in order.

    Parameters
    ----------
    allowed
        Says in words what the value of a key must be.
    read
        Returns the value of a key that a text states.

    Raises
    ------
    InputError
        If one names no key or gives no value, or if two give one key different values.
    """
    stated = (_assigned(text, allowed) for text in several(texts))
    return once((key, read(key, text)) for key, text in stated)


def once(pairs: Iterable[tuple[str, T]], what: str = "") -> dict[str, T]:
    """Return names and values, or InputError if two values have one name (after `what`)."""
    found = dict[str, T]()
    for name, value in pairs:
        other = found.setdefault(name, value)
        if other is not value and other != value:  # NaN is not itself
            raise InputError(f"{what}{name} is given twice, as {other} and as {value}; give one")
    return found


def _assigned(text: str, allowed: Callable[[str], str]) -> tuple[str, str]:
    key, _, value = (part.strip() for part in convert(text, str, "--set").partition("="))
    if not key:
        raise InputError(f"--set is {text!r}, which names no setting; write section.key=value")
    if not value:
        lack = f"gives {key} no value; write {key}=VALUE with {allowed(key)}"
        raise InputError(f"--set is {text!r}, which {lack}")
    return key, value


def convert(value: Any, kind: Any, path: str) -> Any:  # noqa: ANN401
    """Return `value` as `kind` (bool, int, float, str, Literal, tuple or optional), or InputError.

    An int is taken for a float, a number of numpy or array without axes (but no span of time) for
    one of Python, and a table for a `Settings` class; nothing else is converted.
    """
    inner = get_args(kind)
    timed = getattr(getattr(value, "dtype", None), "kind", "") in {"m", "M"}  # integers to numpy
    if getattr(value, "shape", None) == () and not timed:
        value = value.tolist()  # None where masked
    if is_dataclass(kind) and isinstance(value, Mapping):
        return build(kind, value, path=f"{path}.")
    if get_origin(kind) is Literal:
        require(isinstance(value, str | int) and value in inner, path, value, one_of(inner))
        return value
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(convert(item, inner[0], path) for item in value)
    if type(None) in inner:
        some = next(one for one in inner if one is not type(None))
        return None if value is None else convert(value, some, path)
    wanted = NUMBERS.get(kind, get_origin(kind) or kind)
    good = isinstance(value, wanted) and isinstance(value, bool) == (kind is bool) and not timed
    good = good and not (kind is float and isinstance(value, int) and abs(value) > 1e308)
    percent = kind is float and re.fullmatch(r"(\d+\.?\d*) ?%", str(value))
    meant = f"; {percent[1]} % is {float(percent[1]) / 100:g}" if percent else ""
    require(good, path, value, f"{type_words(kind)}{meant}")
    return kind(value) if kind in NUMBERS else value


def build(cls: Any, data: Any, base: Any = None, path: str = "") -> Any:  # noqa: ANN401
    """Return `base` (or the defaults of `cls`) with the values of nested tables, checked.

    Parameters
    ----------
    cls
        A frozen dataclass; its fields may be further such classes (tables within tables).
    data
        A mapping, for example parsed TOML.
    base
        The value whose fields stay where `data` says nothing.
    path
        Where `data` stands in its file, with a final point, for messages.

    Raises
    ------
    InputError
        For an unknown key (with the nearest allowed one), a wrong type or an invalid value.
    """
    table = f"a table [{path.rstrip('.')}]" if path else "a table of settings"
    require(isinstance(data, Mapping), path.rstrip(".") or "the file", data, table)
    start = cls() if base is None else base
    hints = hints_of(cls)
    names = [entry.name for entry in fields(cls) if entry.init]
    changes: dict[str, Any] = {}
    for key, value in data.items():
        where = f"{path}{key}"
        if key not in names:
            raise InputError(f"unknown key {where!r}; {nearest(str(key), names, path)}")
        if is_dataclass(hints[key]):
            inner = getattr(start, key)
            changes[key] = build(type(inner), value, inner, f"{where}.")
        else:
            changes[key] = convert(value, hints[key], where)
    return replace(start, **changes)

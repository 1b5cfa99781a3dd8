"""Settings declared once: default, type, range, unit and meaning of every value a user can set.

A section of settings is a frozen dataclass that derives from `Settings` and declares each field
with `setting`. The check, the reading of TOML, ``--set key=value``, the options of the command
line, the reference page and the error message all follow from that one declaration.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Kettle(Settings, section="kettle"):
...     power: float = setting(2000.0, "Heating power.", above=0, high=3000, unit="W")
>>> Kettle(power=4000.0)
Traceback (most recent call last):
ecgphoton.errors.InputError: kettle.power is 4000.0; it must be above 0 and at most 3000 W
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from ecgphoton.errors import InputError


@dataclass(frozen=True)
class Setting:
    """The declaration of one setting."""

    meaning: str
    low: float | None = None
    """Smallest value allowed."""
    high: float | None = None
    """Largest value allowed."""
    above: float | None = None
    """Value that must be exceeded."""
    below: float | None = None
    """Value that must not be reached."""
    unit: str = ""

    @property
    def limits(self) -> str:
        """What is allowed, in words; empty where there is no limit."""
        parts = []
        if self.above is not None:
            parts.append(f"above {self.above:.6g}")
        if self.below is not None:
            parts.append(f"below {self.below:.6g}")
        if self.low is not None and self.high is not None:
            parts.append(f"from {self.low:.6g} to {self.high:.6g}")
        elif self.low is not None:
            parts.append(f"at least {self.low:.6g}")
        elif self.high is not None:
            parts.append(f"at most {self.high:.6g}")
        return " and ".join(parts) + (f" {self.unit}" if parts and self.unit else "")

    def allows(self, value: object) -> bool:
        """Return whether a value lies within the limits; what is not a number has none."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return math.isfinite(value) and not (
            (self.low is not None and value < self.low)
            or (self.high is not None and value > self.high)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )


def setting(
    default: Any,  # noqa: ANN401 - of the field's own type
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    unit: str = "",
) -> Any:  # noqa: ANN401 - dataclasses.field is untyped as well
    """Declare a field of a `Settings` class; choices come from a ``Literal`` annotation."""
    declared = Setting(meaning, low, high, above, below, unit)
    return field(default=default, metadata={"setting": declared})


class Settings:
    """Base of the frozen dataclasses whose fields are declared with `setting`.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    section: ClassVar[str] = ""

    def __init_subclass__(cls, section: str = "", **kwargs: object) -> None:
        """Name the section for messages and TOML: ``class Schedule(Settings, section="x")``."""
        super().__init_subclass__(**kwargs)
        cls.section = section or cls.section

    def __post_init__(self) -> None:
        """Check every declared value."""
        for name, entry, kind in declared(type(self)):
            path = f"{self.section}.{name}" if self.section else name
            value = convert(getattr(self, name), kind, path)
            if not entry.allows(value):
                limits = entry.limits or "a finite number"
                raise InputError(f"{path} is {value!r}; it must be {limits}")
            object.__setattr__(self, name, value)


def declared(cls: type[Any]) -> Iterator[tuple[str, Setting, Any]]:
    """Name, declaration and type of every setting of a `Settings` class."""
    hints = get_type_hints(cls)
    for item in fields(cls):
        if "setting" in item.metadata:
            yield item.name, item.metadata["setting"], hints[item.name]


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return ``did you mean X?``, or the list of what is allowed, for an unknown name."""
    names = list(allowed)
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else f"allowed: {', '.join(names)}"


def convert(value: object, kind: Any, path: str) -> Any:  # noqa: ANN401
    """Return `value` as `kind` (bool, int, float, str, Literal, tuple or optional), or InputError.

    An int is taken for a float, a table for a `Settings` class; nothing else is converted.
    """
    options = get_args(kind)
    if is_dataclass(kind) and isinstance(value, Mapping):
        return build(kind, value, path=f"{path}.")
    if get_origin(kind) is Literal:
        if value in options:
            return value
        allowed = ", ".join(map(repr, options))
        raise InputError(f"{path} is {value!r}; it must be one of {allowed}")
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(convert(item, options[0], path) for item in value)
    if type(None) in options:
        if value is None:
            return None
        return convert(value, next(o for o in options if o is not type(None)), path)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind) and type(value) is kind:
        return value
    name = getattr(kind, "__name__", str(kind))
    raise InputError(f"{path} is {value!r}; it must be a value of type {name}")


def build(cls: Any, data: object, base: Any = None, path: str = "") -> Any:  # noqa: ANN401
    """Return `base` (or the defaults of `cls`) with the values of nested tables, checked.

    Parameters
    ----------
    cls
        A frozen dataclass; its fields may be further such classes (tables within tables).
    data
        A mapping, for example parsed TOML.
    path
        Where `data` stands in its file, with a final point, for messages.

    Raises
    ------
    InputError
        For an unknown key (with the nearest allowed one), a wrong type or an invalid value.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{path.rstrip('.') or 'the file'} is {data!r}; it must be a table")
    start = cls() if base is None else base
    hints = get_type_hints(cls)
    names = [entry.name for entry in fields(cls) if entry.init]
    changes: dict[str, Any] = {}
    for key, value in data.items():
        where = f"{path}{key}"
        if key not in names:
            raise InputError(f"unknown key {where!r}; {nearest(str(key), names)}")
        if is_dataclass(hints[key]):
            inner = getattr(start, key)
            changes[key] = build(type(inner), value, inner, f"{where}.")
        else:
            changes[key] = convert(value, hints[key], where)
    return replace(start, **changes)

"""Named values that other packages can add to: activations, effects, features ...

Every kind of value that is chosen by name has one `Registry`. Another package adds to it by calling
`Registry.add` in a module of its own, and names that module in the entry point group
``ecgphoton.extensions`` so that the command line finds it. Worker processes import the modules
listed by `extensions`, so they know the same names.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, ValuesView
from functools import cache
from typing import Generic, Protocol, TypeVar

from ecgphoton.arguments import checked
from ecgphoton.errors import InputError, require
from ecgphoton.settings import nearest

GROUP = "ecgphoton.extensions"
ELSEWHERE = "a name of another package is known where that package is installed, or imported before"


class Named(Protocol):
    """A value with a name."""

    @property
    def name(self) -> str:
        """What the value is called in files and options."""
        ...


T = TypeVar("T", bound=Named)
_MODULES: dict[str, None] = {}


class Registry(Mapping[str, T], Generic[T]):
    """Values by name, in the order they were added.

    Parameters
    ----------
    what
        What one value is, for messages: ``activation``.
    values
        The values that come with the package.
    reserved
        Names that mean something else where a value is named.
    """

    def __init__(self, what: str, *values: T, reserved: Iterable[str] = ()) -> None:
        self.what, self._reserved = what, frozenset(reserved)
        self._values = {value.name: value for value in values}
        self.shipped = tuple(self._values)
        """Names of the values that come with the package, in order."""

    def add(self, value: T) -> T:
        """Add a value of another module, and return it.

        Raises
        ------
        InputError
            If the name is taken, or a field is of another type than its class declares.
        """
        kind = type(next(iter(self._values.values()), value))
        require(isinstance(value, kind), f"a new {self.what}", value, f"of type {kind.__name__}")
        fields = {key: own for key, own in vars(value).items() if key == "name" or own != ""}
        try:
            checked(type(value), fields)
        except InputError as error:
            raise InputError(f"the {self.what} {value.name!r}: {error}") from None
        if value.name in self._reserved or self._values.get(value.name, value) != value:
            raise InputError(f"the {self.what} {value.name!r} exists already; choose another name")
        self._values[value.name] = value
        caller = sys._getframe(1).f_globals["__name__"]  # noqa: SLF001 - who adds it
        _MODULES[caller] = None
        return value

    def __getitem__(self, name: str) -> T:
        """Return a value, or InputError with the nearest name."""
        if name not in self:
            near = nearest(name, self._values)
            raise InputError(f"there is no {self.what} {name!r} ({near}){elsewhere()}")
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        """Whether a name is known, also by a module of the entry points."""
        if isinstance(name, str) and name not in self._values:
            lost()
        return isinstance(name, str) and name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> ValuesView[T]:
        """Return all values, without looking each of them up."""
        return self._values.values()


def extensions() -> tuple[str, ...]:
    """Return the modules that have added a value: what a worker process has to import."""
    return tuple(name for name in _MODULES if name != "__main__")


def load(modules: tuple[str, ...]) -> None:
    """Import modules that add values; InputError if one cannot be imported here."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever the module of another raises
            raise InputError(
                f"the extension {name} cannot be imported by a worker process ({error!r}); put it "
                "where Python finds modules, or use one worker"
            ) from None


def elsewhere() -> str:
    """Return what an error about an unknown name adds: what may be missing of other packages."""
    return "; ".join(("", ELSEWHERE, *lost()))


@cache
def lost() -> tuple[str, ...]:
    """Import the modules of the entry point group, once, and return which cannot be, and why."""
    from importlib.metadata import entry_points

    failed = list[str]()
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:  # whatever the module of another raises
            package = f" of {entry.dist.name}" if entry.dist else ""
            failed.append(f"the extension {entry.value}{package} cannot be imported ({error!r})")
    return tuple(failed)

"""Packages that import their public functions on first use."""

import importlib
from types import FunctionType, ModuleType
from typing import Any

from ecgphoton.host import undisturbed
from ecgphoton.settings import nearest


class Lazy(ModuleType):
    """A package with a mapping ``HOMES`` from each public name to the module that defines it.

    A name is imported when it is first used. Where a module and the function it defines have the
    same name, as ``ecgphoton.run.train``, the package gives the function. Functions compute as
    `host.undisturbed` says.
    """

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any public name
        """Import a public name.

        Raises
        ------
        AttributeError
            If the package does not offer it; the message has the nearest name.
        """
        homes = self.__dict__["HOMES"]
        if name not in homes:
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r}; {nearest(name, homes)}"
            )
        found = importlib.import_module(homes[name])
        value = found if homes[name] == f"{self.__name__}.{name}" else getattr(found, name)
        setattr(self, name, value)
        return self.__dict__[name]

    def __setattr__(self, name: str, value: object) -> None:
        """Bind a name; a module that defines a function of its own name stands for the function."""
        if isinstance(value, ModuleType) and name in self.__dict__["HOMES"]:
            value = getattr(value, name, value)
        if isinstance(value, FunctionType) and name in self.__dict__["HOMES"]:
            value = undisturbed()(value)
            value.__module__ = self.__name__  # where pickle finds it
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        """Public names."""
        return sorted([*self.__dict__["HOMES"], *(n for n in self.__dict__ if n[:2] == "__")])

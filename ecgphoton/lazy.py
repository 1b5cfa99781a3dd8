"""Packages that import their public functions on first use."""

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ecgphoton.arguments import strict
from ecgphoton.host import undisturbed
from ecgphoton.settings import nearest


def attach(package: str, file: str) -> None:
    """Give a package the names that its stub imports, each from the module that defines it.

    Parameters
    ----------
    package, file
        ``__name__`` and ``__file__`` of the package; the stub ``__init__.pyi`` is beside the file.
    """
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    module = sys.modules[package]
    module.__dict__["HOMES"] = {
        alias.name: f"{package}.{alias.name}" if node.module == package else str(node.module)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name not in module.__dict__
    }
    module.__class__ = Lazy


class Lazy(ModuleType):
    """A package with a mapping ``HOMES`` from each public name to the module that defines it.

    A name is imported when it is first used. Where a module and the function it defines have the
    same name, as ``ecgphoton.run.train``, the package gives the function. Functions check their
    arguments as `arguments.strict` says, and compute as `host.undisturbed` says.
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
            value = _public(value)
            value.__module__ = self.__name__  # where pickle finds it
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        """Public names."""
        return sorted([*self.__dict__["HOMES"], *(n for n in self.__dict__ if n[:2] == "__")])


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    return strict(undisturbed()(function))

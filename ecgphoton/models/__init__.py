"""Students that come with the package: a verified bundle and a model card each."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ecgphoton.artifacts import MANIFEST
from ecgphoton.errors import InputError
from ecgphoton.recipes import FLAGSHIP

NAMES_CLASSES = "inter-patient-4"
"""The shipped student that tells N, S, V and F apart: what `annotate` takes by default."""


def shipped() -> dict[str, Path]:
    """Bundle folder of every shipped student, by name, the flagship first."""
    root = Path(str(resources.files("ecgphoton.models")))
    found = {path.parent.parent.name: path.parent for path in root.glob(f"*/bundle/{MANIFEST}")}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != FLAGSHIP, name))}


def bundle(name: str) -> Path:
    """Bundle folder of a shipped student.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    known = shipped()
    if name not in known:
        raise InputError(
            f"there is no shipped student {name!r}; shipped are {', '.join(known) or 'none'}"
        )
    return known[name]


def card(name: str) -> str:
    """Model card of a shipped student: data, protocol, results, limits."""
    return (bundle(name).parent / "card.md").read_text(encoding="utf-8")

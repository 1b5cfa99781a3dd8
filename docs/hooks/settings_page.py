"""Reference of recipes and profiles, made from their declarations."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from ecgphoton.settings import Settings, declared, plain_type

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def recipe_page() -> str:
    """Return the page about recipes: every section, and the shipped ones in full."""
    import ecgphoton
    from ecgphoton.recipe import Recipe, shipped

    default = Recipe()
    text = [
        "# Recipes\n\nA recipe is a TOML file that states what differs from these defaults. "
        "`--set section.key=value` changes one key for one run. Unknown keys and impossible "
        "values are refused, with the nearest allowed name.\n\n"
        "Two keys stand outside sections: `name` and `purpose`, both text.\n"
    ]
    for section in fields(Recipe):
        cls = type(getattr(default, section.name))
        if issubclass(cls, Settings):
            text.append(f"\n## [{section.name}]\n\n{_prose(cls)}\n\n{_table(cls)}")
    text.append("\n## Shipped\n")
    folder = Path(ecgphoton.__file__).parent / "recipes"
    for name in shipped():
        content = (folder / f"{name}.toml").read_text(encoding="utf-8")
        text.append(f"\n### {name}\n\n```toml\n{content}```\n")
    return "".join(text)


def profile_page() -> str:
    """Return the page about profiles: every key beside its shipped values, and their sources."""
    from ecgphoton.hwsim.profile import FOLDER, LARGEST, Profile, load_profile, profiles

    names = profiles()
    values = {name: load_profile(name) for name in names}
    meaning = docs_of(Profile)
    text = [
        "# Profiles\n\nA profile is a TOML file: standard deviations of a process and of its "
        "electronics. Keys are written `section.key` here; every one is optional.\n\n"
        f"| key | 0 to | meaning | {' | '.join(names)} |\n|---|---|---|{'---|' * len(names)}\n"
    ]
    for key, largest in LARGEST.items():
        field = key.replace(".", "_")
        shown = " | ".join(f"{getattr(values[name], field):g}" for name in names)
        text.append(f"| `{key}` | {largest:.4g} | {_cell(meaning.get(field, ''))} | {shown} |\n")
    text.append("\n`name` and `description` are text, outside sections.\n\n## Shipped\n")
    for name in names:
        content = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        text.append(f"\n### {name}\n\n```toml\n{content}```\n")
    return "".join(text)


def docs_of(cls: type[Any]) -> dict[str, str]:
    """Return the string below each field of a dataclass."""
    body = ast.parse(inspect.getsource(cls)).body[0].body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr)
    }


def _table(cls: type[Any]) -> str:
    """Return the table of a `Settings` class."""
    rows = ["| key | default | allowed | meaning |\n|---|---|---|---|\n"]
    for name, entry, kind in declared(cls):
        choices = ", ".join(f"`{choice}`" for choice in entry.choices(kind))
        allowed = choices or entry.limits or WORDS.get(plain_type(kind), "tables")
        default = _written(entry.default)
        rows.append(f"| `{name}` | `{default}` | {allowed} | {_cell(entry.meaning)} |\n")
    return "".join(rows)


def _written(value: object) -> str:
    """Return a default as TOML has it; of a tuple of tables only the names."""
    if isinstance(value, tuple):
        return f"[{', '.join(getattr(item, 'name', _written(item)) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _prose(cls: type[Any]) -> str:
    """Return a class docstring without its numpydoc sections."""
    text = inspect.getdoc(cls) or ""
    return text.split("\nRaises\n")[0].split("\nParameters\n")[0].replace("``", "`").strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")

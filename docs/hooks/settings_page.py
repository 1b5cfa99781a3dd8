"""Reference of recipes and profiles, made from what declares them."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints


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
        value = getattr(default, section.name)
        if is_dataclass(value):
            text.append(f"\n## [{section.name}]\n\n{_prose(type(value))}\n\n{_table(value)}")
    text.append("\n## Shipped\n")
    folder = Path(ecgphoton.__file__).parent / "recipes"
    for name in shipped():
        content = (folder / f"{name}.toml").read_text(encoding="utf-8")
        text.append(f"\n### {name}\n\n```toml\n{content}```\n")
    return "".join(text)


def profile_page() -> str:
    """Return the page about profiles: every key beside its shipped values, and their sources."""
    from ecgphoton.hwsim.effects import EFFECTS
    from ecgphoton.hwsim.profile import FOLDER, load_profile, profiles
    from ecgphoton.hwsim.receivers import RECEIVERS

    names = profiles()
    values = [load_profile(name) for name in names]
    text = [
        "# Profiles\n\nA profile is a TOML file that states how large every effect of a "
        "process, of its electronics and of time is. Keys are written `section.key` here; every one is "
        "optional, and an effect that is not stated is absent. An effect acts at one stage on the "
        "way from drivers to readings; a package of yours adds one as "
        "`hwsim.effects.Effect`.\n\n"
        f"| key | allowed | meaning | stage | law | {' | '.join(names)} |\n"
        f"|---|---|---|---|---|{'---|' * len(names)}\n"
    ]
    for effect in EFFECTS.values():
        for key, number in effect.numbers.items():
            shown = " | ".join(f"{profile.numbers.get(key, math.nan):g}" for profile in values)
            text.append(
                f"| `{key}` | {number.limits} | {_cell(number.meaning)} | {effect.stage} | "
                f"{_cell(effect.source)} | {shown.replace('nan', '')} |\n"
            )
    text.append("\n`name` and `description` are text, outside sections.\n\n## Receivers\n\n")
    text.append(
        "`--detection` chooses how a profile's chips are read.\n\n| name | reading |\n|---|---|\n"
    )
    text += [f"| `{r.name}` | {_cell(r.meaning)} |\n" for r in RECEIVERS.values()]
    text.append("\n## Shipped\n")
    for name in names:
        content = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        text.append(f"\n### {name}\n\n```toml\n{content}```\n")
    return "".join(text)


def docs_of(cls: type[Any]) -> dict[str, str]:
    """Return the string below each field of a dataclass."""
    body = _body(cls)
    found = {}
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = inspect.cleandoc(ast.literal_eval(below.value))
    return found


def limits_of(cls: type[Any]) -> dict[str, str]:
    """Return what `__post_init__` says a field must be, from its checks."""
    names = {field.name for field in fields(cls)}
    found: dict[str, str] = {}
    for node in ast.walk(ast.Module(_body(cls), [])):
        if not isinstance(node, ast.Tuple) or len(node.elts) < 3:
            continue
        words = [e.value for e in node.elts if isinstance(e, ast.Constant)]
        texts = [word for word in words if isinstance(word, str)]
        if len(texts) == 2 and texts[0] in names:
            found[texts[0]] = texts[1].replace("'", "`")
    return found


def _body(cls: type[Any]) -> list[ast.stmt]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)
    return tree.body


def _table(value: Any) -> str:
    cls = type(value)
    kinds, meaning, limits = get_type_hints(cls), docs_of(cls), limits_of(cls)
    rows = ["| key | default | allowed | meaning |\n|---|---|---|---|\n"]
    for field in fields(cls):
        kind = kinds[field.name]
        options = get_args(kind) if get_origin(kind) is Literal else ()
        allowed = ", ".join(f"`{option}`" for option in options)
        allowed = allowed or limits.get(field.name) or getattr(kind, "__name__", str(kind))
        default = str(getattr(value, field.name)).replace("True", "true").replace("False", "false")
        said = _cell(meaning.get(field.name, ""))
        rows.append(f"| `{field.name}` | `{default}` | {_cell(allowed)} | {said} |\n")
    return "".join(rows)


def _prose(cls: type[Any]) -> str:
    """Return a class docstring without its numpydoc sections."""
    said = inspect.getdoc(cls) or ""
    return said.split("\nRaises\n")[0].split("\nParameters\n")[0].replace("``", "`").strip()


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")

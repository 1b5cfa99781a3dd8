"""Reference of recipes and profiles, made from their declarations."""

from __future__ import annotations

import inspect
import math
from dataclasses import fields
from typing import Any

from ecgphoton.hwsim.effects import Number
from ecgphoton.settings import Settings, declared, plain_type

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def recipe_page() -> str:
    """Return the page about recipes: every section, and the shipped ones in full."""
    from ecgphoton.recipe import Recipe
    from ecgphoton.recipes import shipped

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
    text.append(_features())
    text.append("\n## Shipped\n")
    for name, content in shipped().items():
        text.append(f"\n### {name}\n\n```toml\n{content}```\n")
    return "".join(text)


def profile_page() -> str:
    """Return the page about profiles: every key beside its shipped values, and their sources."""
    from ecgphoton.hwsim.effects import EFFECTS, Effect, numbers
    from ecgphoton.hwsim.profile_file import FOLDER, load_profile, profiles
    from ecgphoton.hwsim.receivers import RECEIVERS
    from ecgphoton.mesh.heater import HeaterDac

    names = profiles()
    values = [load_profile(name) for name in names]
    text = [
        "# Profiles\n\nA profile is a TOML file that states how large every effect of a "
        "process, of its electronics, of its surroundings and of time is. Keys are written "
        "`section.key` here; every one is optional: an effect that is not stated is absent, other "
        "keys have the default shown. An effect acts at one stage, some at two, on the way from "
        "inputs and drivers to readings; a package of yours adds one as "
        "`hwsim.effects.Effect`.\n\n"
        f"| key | allowed | meaning | stage | law | {' | '.join(names)} |\n"
        f"|---|---|---|---|---|{'---|' * len(names)}\n"
    ]
    effects: dict[str, Effect] = {}
    for effect in EFFECTS.values():
        effects = {**dict.fromkeys(effect.numbers, effect), **effects}
    for key, number in numbers().items():
        shown = " | ".join(f"{profile.numbers.get(key, math.nan):g}" for profile in values)
        place, law = "budget", ""
        if key in effects:
            place = ", ".join((effects[key].stage, *effects[key].elsewhere))
            law = effects[key].source
        text.append(
            f"| `{key}` | {number.limits}{_default(number)} | {_cell(number.meaning)} | "
            f"{place} | {_cell(law)} | {shown.replace('nan', '')} |\n"
        )
    text.append(
        "\n`name`, `description` and `date` are text, outside sections. `NAME:as-fabricated` means "
        "the chips of a profile before their static phases are trimmed, `NAME:STATE` the profile "
        "with what its tables `[state.STATE.SECTION]` state.\n\n## [driver]\n\n"
        "Phase law and voltages; without this section those of the program. Its `bits` are "
        "`dac.bits`.\n\n" + _table(HeaterDac) + "\n## Receivers\n\n"
    )
    text.append(
        "`kind` in the section `[receiver]` of a profile, or `--set receiver.kind=NAME`, chooses "
        "how its chips are read; a section without it means `balanced`, a profile without the "
        "section `homodyne`. Keys of a receiver that are not stated have their defaults.\n\n"
        "| name | reading |\n|---|---|\n"
    )
    text += [f"| `{r.name}` | {_cell(r.meaning)} |\n" for r in RECEIVERS.values()]
    text.append("\n## Shipped\n")
    for name in names:
        content = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        text.append(f"\n### {name}\n\n```toml\n{content}```\n")
    return "".join(text)


def _features() -> str:
    """Return the section about the features that tokens can name."""
    from ecgphoton.ecg.patient_features import FEATURES

    rows = [
        f"| `{feature.name}` | {feature.delay} | {_cell(feature.meaning)} |\n"
        for feature in FEATURES.values()
    ]
    return (
        "\n## Patient features\n\nA table in `student.patient` has a `name`, that of its block, "
        "and `features`, four of these names. A student with a feature of delay 1 answers a beat "
        "when the window of the next one is there. A value that needs what is not there (history "
        "of the first beats, a next beat with a window) is 0.\n\n"
        "| feature | delay, beats | meaning |\n|---|---|---|\n" + "".join(rows)
    )


def _default(number: Number) -> str:
    """Return the default of a number that is not 0."""
    return f"; default {number.default:g}" if number.default else ""


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

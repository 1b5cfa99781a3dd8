"""Device profiles read from TOML files, in any of their states."""

from contextlib import suppress
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import Any

from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.effects import numbers
from ecgphoton.hwsim.profile import EFFECTIVE, FABRICATED, Profile
from ecgphoton.hwsim.receivers import BALANCED, SECTION
from ecgphoton.intake import expecting, parse_toml, read_text
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.settings import build, nearest

FOLDER = Path(__file__).with_name("profiles")
USUAL_PROFILE = "foundry-thermo-optic"
"""Profile of calibrated chips, budgets and sheets where none is named."""
STATES = "state"
"""Table of a file that names its further states: what of the profile differs in each."""


def profiles() -> tuple[str, ...]:
    """Names of the shipped profiles."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_profile(source: Profile | str | Path) -> Profile:
    """Return a profile by name, from a TOML file, or unchanged.

    ``:STATE`` after a name or path means the profile with what its table ``state.STATE`` states;
    ``:as-fabricated`` means its chips before they are trimmed. Several follow one another.

    Raises
    ------
    InputError
        If there is no such profile, file or state, a key is unknown, or a value is outside its
        range.
    """
    if isinstance(source, Profile):
        return source
    require(
        isinstance(source, str | PathLike), "profile", source, "a name, a TOML file or a Profile"
    )
    stem, *states = [str(source)] if Path(source).is_file() else str(source).split(":")
    path = FOLDER / f"{stem}.toml" if stem in profiles() else Path(stem)
    if not path.is_file():
        raise InputError(
            f"there is no profile {stem!r} and no TOML file of that path; "
            f"{nearest(stem, profiles())}"
        )
    data = parse_toml(read_text(path), f"profile {path}")
    stated = data.pop(STATES, {})
    require(isinstance(stated, dict), f"profile {path}: {STATES}", stated, "a table of states")
    if FABRICATED in stated:
        raise InputError(f"{path}: every profile has a state {FABRICATED!r}; rename this one")
    _check_states(data, stated, path)
    own = [state for state in states if state != FABRICATED]
    for state in own:
        data = _in_state(data, stated, state, path)
    made = _read(data, path, *own)
    named = made.named(":".join([made.name, *own]))
    return named.as_fabricated() if FABRICATED in states else named


def _check_states(data: dict[str, Any], stated: dict[str, Any], path: Path) -> None:
    """Refuse a state, asked for or not, that no profile can have on top of any others."""
    found, valid, errors, joined = [data], set[str](), dict[str, InputError](), data
    for base in found:  # which grows by every state that is a profile on top of one found
        for state in (state for state in stated if state not in valid):
            changed = _in_state(base, stated, state, path)
            try:
                _read(changed, path, state)
            except InputError as error:
                errors.setdefault(state, error)
            else:
                found.append(changed)
                valid.add(state)
                with suppress(InputError):  # and on top of all others, as far as they agree
                    _read(together := _in_state(joined, stated, state, path), path, state)
                    found.append(joined := together)
    for state, refused in errors.items():
        if state not in valid:
            raise refused


def _in_state(
    data: dict[str, Any], stated: dict[str, Any], state: str, path: Path
) -> dict[str, Any]:
    """Return the content of a profile with the sections of one of its states in it."""
    if state not in stated:
        near = nearest(state, (*stated, FABRICATED))
        raise InputError(f"profile {path} has no state {state!r}; {near}")
    sections = stated[state]
    if not isinstance(sections, dict) or not all(isinstance(s, dict) for s in sections.values()):
        raise InputError(f"profile {path}: {STATES}.{state} must hold sections of a profile")
    changed = dict(data)
    for name, new in sections.items():
        old = data.get(name, {})
        changed[name] = {**old, **new} if isinstance(old, dict) else old  # which is refused
    return changed


def _read(data: dict[str, Any], path: Path, *states: str) -> Profile:
    where = ":".join([str(path), *states])
    with expecting(f"profile {where}", "a profile", "correct it"):
        return _from_dict(deepcopy(data), path.stem, where)


def _from_dict(data: dict[str, Any], stem: str, where: str) -> Profile:
    sections = sorted({key.partition(".")[0] for key in numbers()})
    texts = {"name": stem, "description": "", "date": ""}
    texts = {name: data.pop(name, text) for name, text in texts.items()}
    driver = _driver(data.pop(HeaterDac.section)) if HeaterDac.section in data else None
    for section, content in (texts | data).items():
        known = section in texts or section in sections
        if not known and not (isinstance(content, dict) and content):
            raise InputError(f"profile {where}: no section [{section}]; "
                             f"{nearest(section, sections)}")  # fmt: skip
        kind, what = (str, "a text") if section in texts else (dict, "a table")
        require(isinstance(content, kind), f"profile {where}: {section}", content, what)
    reading = data.get(SECTION.rstrip("."))
    receiver = EFFECTIVE if reading is None else reading.pop("kind", BALANCED.name)
    stated: dict[str, float] = {
        f"{section}.{name}": value for section, own in data.items() for name, value in own.items()
    }
    if not (stated or driver or receiver != EFFECTIVE):
        raise InputError(f"profile {where} states no number; perfect chips are those of 'ideal'")
    return Profile(stated, **texts, driver=driver, receiver=receiver)


def _driver(content: Any) -> HeaterDac:  # noqa: ANN401 - a section of a file
    """Return the drivers of a section [driver]."""
    require(isinstance(content, dict), "driver", content, "a table [driver]")
    if "bits" in content:
        raise InputError("driver.bits is not a setting of a profile; state dac.bits")
    if content.get("law") != "table":
        made: HeaterDac = build(HeaterDac, content, path="driver.")
        return made
    if more := sorted(set(content) - {"law", "table"}):
        raise InputError(
            f"driver.{more[0]} is given beside driver.table, whose pairs state the voltages; leave "
            "it out"
        )
    return HeaterDac.of_table(content.get("table", ()))

"""An experiment as a document: frozen dataclasses, read from TOML, overridden by key=value.

A recipe file states only what differs from the defaults; unknown keys and values of a wrong type
are refused with the nearest allowed name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.ecg.detect import Centring
from ecgphoton.errors import InputError
from ecgphoton.intake import parse_toml, read_text
from ecgphoton.legacy.balance import Balance
from ecgphoton.legacy.distill import Distillation
from ecgphoton.legacy.guards import GuardSettings
from ecgphoton.student.architecture import Architecture
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.losses import LossSettings
from ecgphoton.training.parts import Schedule


@dataclass(frozen=True)
class DataSettings:
    """Which beats, under which labels."""

    source: str = "mitdb"
    """``mitdb``, ``synthetic`` (generated beats), or ``auto``: the database where it is found."""
    protocol: str = "reference"
    labels: str = "literal"
    lead: str = "MLII"
    """Lead by name with channel 0 as fallback, or ``channel:0``."""
    split_seed: int = 0
    """Seed of the random 80/20 split of training beats (protocols that split by beat)."""
    stratified: bool = False
    centring: Centring = "annotation"
    """Where windows are centred: on the annotation, or on the middle of the QRS (``qrs``)."""


@dataclass(frozen=True)
class NoiseSettings:
    """Hardware seen during training: a fresh chip for every batch."""

    weight: float = 0.0
    """Standard deviation of the static error of every programmed weight and bias."""
    detector: float = 0.0
    """Standard deviation of detector noise per reading, fraction of full scale."""

    def __post_init__(self) -> None:
        for name in ("weight", "detector"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise InputError(f"noise.{name} is {value!r}; it must be from 0 to 1")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run but the seed."""

    name: str = "default"
    purpose: str = ""
    data: DataSettings = field(default_factory=DataSettings)
    student: Architecture = field(default_factory=Architecture)
    training: Schedule = field(default_factory=Schedule)
    decision: ThresholdPolicy = field(default_factory=ThresholdPolicy)
    balance: Balance = field(default_factory=Balance)
    guards: GuardSettings = field(default_factory=GuardSettings)
    augment: Augmentation = field(default_factory=Augmentation)
    loss: LossSettings = field(default_factory=LossSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    distill: Distillation = field(default_factory=Distillation)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for TOML and JSON."""
        return asdict(self)


def _convert(value: object, kind: Any, path: str) -> Any:  # noqa: ANN401
    """Return `value` as `kind` (bool, int, float, str, Literal or tuple of one), or InputError."""
    options = get_args(kind)
    if get_origin(kind) is Literal:
        if value in options:
            return value
        allowed = ", ".join(map(repr, options))
        raise InputError(f"{path} is {value!r}; it must be one of {allowed}")
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(_convert(item, options[0], path) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind) and type(value) is kind:
        return value
    name = getattr(kind, "__name__", str(kind))
    raise InputError(f"{path} is {value!r}; it must be a value of type {name}")


def build(cls: type[Any], data: Mapping[str, object], base: Any = None, path: str = "") -> Any:  # noqa: ANN401
    """Return `base` (or the defaults of `cls`) with the values of `data`, checked.

    Raises
    ------
    InputError
        For an unknown key (with the nearest allowed one), a wrong type or an invalid value.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{path or 'the recipe'} is {data!r}; it must be a table of settings")
    start = cls() if base is None else base
    hints = get_type_hints(cls)
    names = [entry.name for entry in fields(cls)]
    changes: dict[str, Any] = {}
    for key, value in data.items():
        where = f"{path}{key}"
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f"did you mean {path}{near[0]}?" if near else f"allowed: {', '.join(names)}"
            raise InputError(f"unknown recipe key {where!r}; {hint}")
        if is_dataclass(hints[key]):
            if not isinstance(value, Mapping):
                raise InputError(f"{where} is {value!r}; it must be a table [{where}]")
            inner = getattr(start, key)
            changes[key] = build(type(inner), value, inner, f"{where}.")
        else:
            changes[key] = _convert(value, hints[key], where)
    return replace(start, **changes)


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Apply ``section.key=value`` assignments in order.

    A value is read as TOML (``0.03``, ``true``, ``"text"``); what is not TOML is taken as text.
    """
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {assignment!r} cannot be read; write section.key=value")
        try:
            value: object = parse_toml(f"value = {text}", key)["value"]
        except InputError:
            value = text
        nested: dict[str, object] = {}
        at, *rest = reversed(key.strip().split("."))
        nested = {at: value}
        for part in rest:
            nested = {part: nested}
        recipe = build(Recipe, nested, recipe)
    return recipe


def from_dict(data: Mapping[str, object]) -> Recipe:
    """Recipe from nested plain values, checked."""
    recipe: Recipe = build(Recipe, data)
    return recipe


def shipped() -> dict[str, str]:
    """Name and first comment line of every recipe that comes with the package."""
    found = {}
    for entry in resources.files("ecgphoton.recipes").iterdir():
        if entry.name.endswith(".toml"):
            first = entry.read_text(encoding="utf-8").splitlines()[0]
            found[entry.name.removesuffix(".toml")] = first.lstrip("# ").strip()
    return dict(sorted(found.items()))


def read(name_or_path: str) -> Recipe:
    """Read a shipped recipe by name or any TOML file.

    Raises
    ------
    InputError
        If there is no such recipe, it is not TOML, or a key or value is not allowed.
    """
    path = Path(name_or_path)
    if name_or_path in shipped():
        shipped_recipe = resources.files("ecgphoton.recipes") / f"{name_or_path}.toml"
        text = shipped_recipe.read_text(encoding="utf-8")
    elif path.suffix == ".toml" or path.exists():
        text = read_text(path)
    else:
        raise InputError(
            f"there is no recipe {name_or_path!r}; shipped are {', '.join(shipped())}, "
            "or give the path of a .toml file"
        )
    return from_dict({"name": path.stem, **parse_toml(text, f"recipe {name_or_path}")})


def write(recipe: Recipe) -> str:
    """TOML text of a complete recipe."""
    import tomli_w

    return tomli_w.dumps(_without_none(recipe.to_dict()))


def _without_none(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return list(value) if isinstance(value, tuple) else value

"""Recipes of training runs: TOML and ``key=value`` come in, frozen dataclasses go out.

A recipe file states only what differs from the defaults; unknown keys and values of a wrong type
are refused with the nearest allowed name. `Recipe.parts` is where the plain training run and the
strategies of the original system (`legacy`) come together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast, get_type_hints

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.ecg.beats import MOST_VIEWS
from ecgphoton.ecg.detect import Centring
from ecgphoton.ecg.quality import Quality
from ecgphoton.errors import InputError
from ecgphoton.hwsim.aware import noisy_forward
from ecgphoton.intake import expecting, parse_toml, read_text
from ecgphoton.legacy.distill import Distillation
from ecgphoton.legacy.guards import GuardSettings
from ecgphoton.legacy.strategies import LossSettings, Strategies, extended
from ecgphoton.recipes import shipped
from ecgphoton.settings import (
    Settings,
    assignments,
    build,
    convert,
    declared,
    one_of,
    plain_type,
    setting,
    type_words,
)
from ecgphoton.student.architecture import Architecture, renewed as renewed_student
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.assemble import assemble
from ecgphoton.training.augment import Augmentation
from ecgphoton.training.balance import Balance
from ecgphoton.training.parts import (
    AfterStep,
    Examples,
    Parts,
    Schedule,
    nothing,
    plain_forward,
)


@dataclass(frozen=True)
class DataSettings(Settings, section="data"):
    """Which beats, under which labels.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    source: str = setting(
        "mitdb", "`mitdb`, `synthetic` (generated beats), or `auto`: MIT-BIH where it is found."
    )
    protocol: str = setting("reference", "Split of records: `reference`, `inter-patient`, a file.")
    labels: str = setting(
        "literal", "Labels: `literal`, `aami`, `aami-svf`, `ec57`; 4 classes: `aami4`, `aami4-svf`."
    )
    lead: str = setting(
        "MLII", "Lead by name or as `channel:0`; the default is the one the dataset prefers."
    )
    views: int = setting(1, "ECG leads that teach; `lead` alone is scored.", low=1, high=MOST_VIEWS)
    split_seed: int = setting(
        0,
        "Seed of the random 80/20 split of training beats (protocols that split by beat).",
        low=0,
    )
    stratified: bool = setting(
        False, "Whether that split keeps the share of each class in every record."
    )
    centring: Centring = setting(
        "annotation",
        "Where windows are centred: on the `annotation`, or on the middle of the QRS (`qrs`), "
        "which is the same for an annotated and a detected beat.",
    )
    quality: Quality = setting(
        "keep",
        "Whether training beats in stretches that are flat, saturated, noise alone or wrongly "
        "scaled are kept, or left out and counted (`drop`); test beats are always kept.",
    )


@dataclass(frozen=True)
class NoiseSettings(Settings, section="noise"):
    """Hardware noise during training: a fresh chip for every batch.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    weight: float = setting(
        0.0,
        "Standard deviation of the static error of every programmed weight and bias.",
        low=0,
        high=1,
    )
    detector: float = setting(
        0.0,
        "Standard deviation of detector noise per reading, as a fraction of full scale.",
        low=0,
        high=1,
    )


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run except the seed."""

    name: str = "default"
    purpose: str = ""
    data: DataSettings = field(default_factory=DataSettings)
    student: Architecture = field(default_factory=Architecture)
    training: Schedule = field(default_factory=Schedule)
    decision: ThresholdPolicy = field(default_factory=ThresholdPolicy)
    balance: Balance = field(default_factory=Balance)
    augment: Augmentation = field(default_factory=Augmentation)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    strategies: Strategies = field(default_factory=Strategies)
    guards: GuardSettings = field(default_factory=GuardSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    distill: Distillation = field(default_factory=Distillation)

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Recipe).items():
            object.__setattr__(self, name, convert(getattr(self, name), kind, name))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for TOML and JSON."""
        return asdict(self)

    def parts(self, examples: Examples, classes: int) -> Parts:
        """Return the pieces of a training run: strategies, and the hardware noise it runs under.

        Parameters
        ----------
        examples
            Training beats.
        classes
            Outputs of the model.
        """
        noisy, tracked = self.noise != NoiseSettings(), self.student.gains == "tracked"
        follow = cast("AfterStep", SegmentStudent.track_gains if tracked else nothing)
        parts = assemble(
            self.balance,
            self.augment,
            examples=examples,
            classes=classes,
            forward=noisy_forward(self.noise.weight, self.noise.detector)
            if noisy
            else plain_forward,
            after_step=follow,
        )
        legacy = (self.strategies, self.guards, self.loss, self.distill)
        if all(section == type(section)() for section in legacy):
            return parts
        return extended(
            parts, *legacy[:3], balance=self.balance, examples=examples, classes=classes
        )


OLD_FPR_WEIGHT = 1.0
"""Default of `decision.fpr_weight` where there was `decision.fpr_penalty` besides."""


def renewed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a recipe with the keys of version 0.1 under their present names.

    ``decision.fpr_penalty`` is added to ``decision.fpr_weight``; the strategies that stood in
    ``[balance]`` are in ``[strategies]``; ``guards.collapse`` is on or off instead of true or
    false; tokens of the student name their features (`student.architecture.renewed`).

    Raises
    ------
    InputError
        If a key is given under both names.
    """
    tables: dict[str, Any] = {"strategies": {}}
    tables |= {name: dict(t) if isinstance(t, Mapping) else t for name, t in data.items()}
    decision, balance, guards, strategies = (
        table if isinstance(table := tables.get(name), dict) else {}
        for name in ("decision", "balance", "guards", "strategies")
    )
    if "fpr_penalty" in decision:
        weight = convert(decision.get("fpr_weight", OLD_FPR_WEIGHT), float, "decision.fpr_weight")
        penalty = convert(decision.pop("fpr_penalty"), float, "decision.fpr_penalty")
        decision["fpr_weight"] = weight + penalty
    moved = {name: balance.pop(name) for name, *_ in declared(Strategies) if name in balance}
    for name in moved.keys() & strategies:
        raise InputError(f"balance.{name} is the old name of strategies.{name}; give only the new")
    strategies.update(moved)
    if isinstance(guards.get("collapse"), bool):
        guards["collapse"] = "on" if guards["collapse"] else "off"
    if "student" in tables:
        tables["student"] = renewed_student(tables["student"])
    return tables


def override(recipe: Recipe, texts: Iterable[str]) -> Recipe:
    """Apply ``section.key=value`` assignments in order; none may be given two values.

    A value is read as TOML (``0.03``, ``true``, ``"text"``); what is not TOML is taken as text.
    """
    for key, value in assignments(texts, _allowed, _stated).items():
        if key == "decision.fpr_penalty":
            raise InputError(
                "decision.fpr_penalty is part of decision.fpr_weight now; set that to the sum of "
                f"both (it is {recipe.decision.fpr_weight:g} here)"
            )
        if key in ("student.rhythm", "student.shape_tokens"):
            raise InputError(
                f"{key} is part of student.patient now, the list of tokens with their features; "
                'write student.patient=[{name="rhythm", features=[four names]}, ...]'
            )
        recipe = build(Recipe, renewed(_nested(key, value)), recipe)
    return recipe


def _stated(key: str, text: str) -> object:
    """Return the value that a text states as TOML, the text itself where it is none or wanted."""
    try:
        value = parse_toml(f"value = {text}", key)["value"]
    except InputError:
        return text
    named = _declared().get(key, (None, None))[1] is str  # a folder may be called 208
    return text if named and not isinstance(value, str) else value


def _nested(key: str, value: object) -> Any:  # noqa: ANN401
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _declared() -> dict[str, tuple[Any, Any]]:
    """Return declaration and type of every setting of a section, by its key."""
    hints = get_type_hints(Recipe).items()
    return {f"{section}.{name}": (entry, inner) for section, kind in hints
            if issubclass(kind, Settings) for name, entry, inner in declared(kind)}  # fmt: skip


def _allowed(key: str) -> str:
    """Return in words what the value of a setting must be; InputError for an unknown key."""
    entry, kind = _declared().get(key, (None, str))
    if entry is None:
        build(Recipe, _nested(key, ""))
        return "a text"
    limits = (type_words(plain_type(kind)), entry.limits)
    return one_of(entry.choices(kind)) if entry.choices(kind) else ", ".join(filter(None, limits))


def from_dict(data: Mapping[str, object]) -> Recipe:
    """Recipe from nested plain values, of this version or 0.1, checked."""
    recipe: Recipe = build(Recipe, renewed(data) if isinstance(data, Mapping) else data)
    return recipe


def read(name_or_path: str) -> Recipe:
    """Read a shipped recipe by name or any TOML file.

    Raises
    ------
    InputError
        If there is no such recipe, it is not TOML, or a key or value is not allowed.
    """
    path, own = Path(name_or_path), shipped()
    if name_or_path in own:
        text = own[name_or_path]
    elif path.suffix == ".toml" or path.exists():
        text = read_text(path)
    else:
        raise InputError(
            f"there is no recipe {name_or_path!r}; shipped are {', '.join(own)}, "
            "or give the path of a .toml file"
        )
    what = f"recipe {name_or_path}"
    with expecting(what, "a recipe", "correct it"):
        return from_dict({"name": path.stem, **parse_toml(text, what)})


def write(recipe: Recipe) -> str:
    """TOML text of a complete recipe."""
    import tomli_w

    return tomli_w.dumps(_without_none(recipe.to_dict()))


def _without_none(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return list(value) if isinstance(value, tuple) else value

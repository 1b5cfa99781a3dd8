"""Common parts of simulations and studies: student and beats come in; a result folder goes out."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ecgphoton import runs
from ecgphoton.alone import alone
from ecgphoton.arguments import check_seed, checked
from ecgphoton.artifacts import check_room, csv_text, write_json, write_text
from ecgphoton.ecg.beats import BeatSet
from ecgphoton.errors import InputError, shown
from ecgphoton.hwsim.conditions import following, idle, remaining
from ecgphoton.hwsim.distributed import check_workers
from ecgphoton.hwsim.montecarlo import Trial, check_chips
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE, load_profile
from ecgphoton.hwsim.simulate import DEFAULT_NOISE, profile_of, trial_of
from ecgphoton.hwsim.sweep import UNNAMED
from ecgphoton.hwsim.unused import refuse_unused
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.hwsim.weights import WeightChips
from ecgphoton.program.program import MeshProgram
from ecgphoton.report import style
from ecgphoton.run.beats import check_both, evaluation_beats, own_protocol
from ecgphoton.run.claim import DECIDING, vacant
from ecgphoton.run.known import learnt_from
from ecgphoton.run.provenance import data_of, provenance, taken_by
from ecgphoton.runs import TrainedStudent
from ecgphoton.settings import nearest, once, read_as
from ecgphoton.student.propagate import inputs_of

T = TypeVar("T")
EVALUATION = "evaluation"
"""Name of the beats in results."""
SAYING = ("simulate", "calibrate", "bits")
"""Functions whose results state which codes they use, or are about no chips."""
CONDITIONED = ("budget", "sheet")
"""Functions whose results state which conditions their chips are under."""
EARLY: Mapping[str, Callable[[Any], object]] = {
    "chips": check_chips,
    "seed": check_seed,
    "workers": check_workers,
    "noise": lambda noise: read_as(WeightChips, "sigma", noise, "noise"),
}
"""Checks of numbers, which are made before student and beats are looked for."""
LONGEST_SLUG = 60
"""Characters of the name of a folder."""
Limit = Mapping[str, float] | Iterable[tuple[str, float]]
"""Limits by name, as a mapping or as pairs."""
LIMITS = {"miss": "max_miss", "fpr": "max_fpr", "yield": "min_yield", "confidence": "confidence"}
"""Names of the limits of a verdict, and the fields of `Limits` they set."""


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """The result of a journey, and the folder it was written to."""

    report: T = field(repr=False)
    """What was computed."""
    numbers: Mapping[str, Any] = field(repr=False)
    """What the JSON file holds."""
    folder: Path
    rows: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    """What the CSV file holds."""

    @property
    def source(self) -> str:
        """Where the beats come from."""
        return str(self.numbers["source"])

    @property
    def ok(self) -> bool:
        """Whether the verdict is PASS, where there is one."""
        return bool(getattr(self.report, "passed", True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.numbers, "folder": str(self.folder)}


def limits_of(limit: Limit) -> Limits:
    """Return the limits of a verdict from the values that differ from the defaults.

    Raises
    ------
    InputError
        If a name is unknown or a value is outside its range.
    """
    try:
        pairs = tuple(limit.items() if isinstance(limit, Mapping) else limit)
        names = {*dict(pairs)}
    except (TypeError, ValueError):
        raise InputError(f"limit is {shown(limit)}; it must hold names and values") from None
    given = once(pairs, "limit ")
    for name in names - LIMITS.keys():
        raise InputError(f"there is no limit {name!r}; {nearest(str(name), LIMITS)}")
    return Limits(
        **{
            LIMITS[name]: read_as(Limits, LIMITS[name], value, f"limit {name}")
            for name, value in given.items()
        }
    )


@dataclass(frozen=True)
class Journey:
    """A simulation or study under way."""

    asked: Mapping[str, Any]
    """Arguments of the call by name, limits included."""
    limits: Limits
    profile: Profile | None
    """Profile of the chips, with its receiver and the settings of the call."""
    trained: TrainedStudent
    beats: BeatSet
    usual: Path
    """Folder to write to where none was named; numbered where it is taken."""
    files: tuple[str, ...]
    """Names of the JSON, CSV and PNG file, and of what else the folder may hold before."""
    provenance: Mapping[str, Any]
    notes: Sequence[str]
    """What was left out of the beats, which of them the student learnt from, which crosstalk codes
    undo, and which numbers of the profile do nothing."""

    @property
    def call(self) -> dict[str, Any]:
        """What decides the files that an interrupted call leaves."""
        known = {**self.asked, **self.provenance}
        return {name: known.get(name) for name in DECIDING}

    @property
    def about(self) -> dict[str, Any]:
        """What the JSON file holds besides the numbers."""
        own = {"source": self.beats.source, "notes": list(self.notes)}
        return {**own, "provenance": dict(self.provenance)}

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Positional arguments of `ecgphoton.hwsim.simulate.simulate`."""
        point = self.trained.point
        inputs = inputs_of(self.beats, self.trained.carried.architecture)
        return self.trained.carried, inputs, self.beats.label, point

    @cached_property
    def folder(self) -> Path:
        """Folder to write to, in which nothing is overwritten; made on first use."""
        return vacant(self.asked["out"], self.usual, self.files, self.call)

    def settings(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Return the settings of the call that `function` takes by the same names."""
        return taken_by(function, {**self.asked, "profile": self.profile, "settings": ()})

    def trial(self) -> Trial:
        """Return the chips, beats and threshold of the call, for a study of them."""
        return trial_of(*self.arguments, **self.settings(trial_of))

    def write(
        self,
        report: T,
        numbers: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        draw: Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], style.Figure],
    ) -> Outcome[T]:
        """Write the CSV file, the figure drawn of numbers and rows, and last the JSON file.

        With the JSON file the folder is complete; until then other calls are kept out of it.
        """
        outcome = Outcome(report, {**numbers, **self.about}, folder := self.folder, rows)
        name, table, image, *_ = self.files
        with alone(folder):
            write_text(folder / table, csv_text(rows))
            style.save(draw(outcome.numbers, rows), folder / image)
            write_json(folder / name, outcome.to_dict())
        return outcome


def begin(
    function: Callable[..., Any],
    asked: Mapping[str, Any],
    slug: str = "",
    *,
    root: str = runs.SIMULATIONS,
    files: tuple[str, ...] = (),
    most: int | None = None,
    moving: str | None = "",
) -> Journey:
    """Open the student and load the beats of a simulation or study.

    Parameters
    ----------
    function, asked
        The public function that was called, and its arguments by name.
    slug
        What the folder is called after the name of the function; by default the chips it is about.
    root
        Folder below which results of this kind are kept.
    files
        Names of the JSON, CSV and PNG file, and of what else an interrupted call may leave; by
        default they are named after the function.
    most
        Largest number of beats; more are thinned out evenly.
    moving
        Key of the profile that takes several values; None where the function itself refuses
        settings that it does not use.

    Raises
    ------
    InputError
        If a setting or `moving` changes nothing of the chips, the student has no operating point,
        a limit is wrong, or the folder is not free.
    """
    name = function.__name__
    files = files or (f"{name}.json", f"{name}.csv", f"{name}.png")
    asked = checked(function, asked)
    limits = limits_of(asked.get("limit", ()))
    asked |= asdict(limits)
    for number, check in EARLY.items():
        if asked.get(number) is not None:
            check(asked[number])
    profile = profile_of(**taken_by(profile_of, asked))
    if unnamed := profile is None and moving not in (None, "", "noise"):
        asked["profile"] = UNNAMED if asked.get("calibrated", "no") == "no" else USUAL_PROFILE
        profile = load_profile(asked["profile"])
    if profile is not None and moving is not None:
        own = () if {"over", "key"} & asked.keys() else (moving,)  # `drift` has words of its own
        refuse_unused(profile, asked.get("settings", ()), moving=moving, read=own)
    trained = runs.load(asked["model"])
    if not trained.point.binary:
        raise InputError(
            f"the student of {trained.folder} has {len(trained.classes)} classes and so no miss "
            "rate or FPR; use a student of two classes"
        )
    usual = Path(root) / trained.name / f"{name}-{slug or chips_slug(asked, profile)}"
    check_room(usual if asked["out"] is None else vacant(asked["out"], usual, files))
    loaded = evaluation_beats(trained.metadata, asked["data"], asked["data_dir"])
    beats = check_both(loaded.beats)
    if most is not None and len(beats) > most:
        beats = beats.take(np.linspace(0, len(beats) - 1, most).astype(np.int64))
    about = provenance(function, asked, trained, profile, data_of(beats, EVALUATION))
    notes = loaded.report.lines()
    if not set(beats.record.tolist()) <= set(own_protocol(trained.metadata).test):
        notes += learnt_from(trained.metadata, {EVALUATION: beats})  # else the protocol says it
    notes += _about(name, asked, profile, trained.program, moving or "")
    notes += [f"no profile is named: chips of {asked['profile']!r}"] if unnamed else []
    return Journey(asked, limits, profile, trained, beats, usual, files, about, notes)


def chips_slug(asked: Mapping[str, Any], profile: Profile | None) -> str:
    """Return a short name of the chips of a call: their profile or noise."""
    given, noise = asked.get("profile"), asked.get("noise")
    if profile is not None:
        name = Path(given).stem if isinstance(given, str | PathLike) else profile.name
        return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:LONGEST_SLUG] or "profile"
    return f"noise-{DEFAULT_NOISE if noise is None else noise:g}"


def _about(
    name: str,
    asked: Mapping[str, Any],
    profile: Profile | None,
    program: MeshProgram | None,
    moving: str,
) -> list[str]:
    """Return what a result does not say of the chips by itself: their codes, and idle numbers."""
    if name in SAYING:
        return []
    codes = following(moving, program) if asked.get("calibrated", "no") == "no" else ""
    if profile is not None:
        codes = codes or (remaining(profile, program) if program else "")
    lost = idle(profile, moving) if profile and name not in CONDITIONED else ""
    return [said for said in (codes, lost) if said]

"""Run folders: where they are, what is in them, how a trained student is read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ecgphoton import models
from ecgphoton.artifacts import MANIFEST, check_manifest, kind_of, read_json, sha256
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.settings import convert, nearest

if TYPE_CHECKING:
    from ecgphoton.ecg.detect import Centring
    from ecgphoton.program.program import MeshProgram
    from ecgphoton.recipe import Recipe
    from ecgphoton.student.network import SegmentStudent

CHECKPOINT = "checkpoint.safetensors"
STATE = "state.safetensors"
FOLDS = "folds"
HISTORY = "history.jsonl"
METRICS = "metrics.json"
RECIPE = "recipe.toml"
START = "start.json"
ENVIRONMENT = "environment.json"
KIND = "ecgphoton-run"
RUNS, BUNDLES, SIMULATIONS, CALIBRATIONS = "runs", "bundles", "simulations", "calibrations"
"""Folders that the commands write to, below the working folder."""
STATED: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("labels", "protocol", "source"), str),
    **dict.fromkeys(("selection", "recipe"), dict),
    **dict.fromkeys(("data", "provenance"), (dict, type(None))),
    "lead": (str, type(None)),
}
"""What a checkpoint states about the training of its student, and the types."""
NAMED = "named"
"""Why a student is taken that the user has named."""
CHOOSING = ("validation", "out_of_fold")
"""Sets on which epoch and operating point are chosen; all others are for tests."""


@dataclass(frozen=True, eq=False)
class TrainedStudent:
    """A student with the evidence it was trained on."""

    student: SegmentStudent = field(repr=False)
    point: OperatingPoint
    """Operating point: what decides from probabilities."""
    metadata: Mapping[str, Any] = field(repr=False)
    """Of the checkpoint: protocol, labels, lead, recipe, seed and more."""
    path: Path
    """The checkpoint file."""
    program: MeshProgram | None = field(default=None, repr=False)
    """Mesh program of a bundle."""
    chosen: str = NAMED
    """Why it is this one: named, the newest run, or the shipped one in want of a run."""

    @property
    def about(self) -> dict[str, str]:
        """Which student it is, and why, ready for JSON."""
        place = str(self.folder)
        return {"name": self.name, "path": place, "sha256": self.digest, "chosen": self.chosen}

    @property
    def carried(self) -> SegmentStudent | MeshProgram:
        """What a chip carries: the mesh program of a bundle, the student itself otherwise."""
        return self.student if self.program is None else self.program

    @property
    def folder(self) -> Path:
        """The run or bundle."""
        return self.path.parent

    @property
    def name(self) -> str:
        """Name of the run or bundle, for the folders of what is made from it."""
        return name_of(self.folder)

    @property
    def recipe(self) -> Recipe:
        """Recipe the student was trained with."""
        from ecgphoton.recipe import from_dict

        return from_dict(self.metadata["recipe"])

    @property
    def centring(self) -> Centring:
        """Where windows are centred, in training and in use."""
        return self.recipe.data.centring

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.metadata["classes"])

    @property
    def digest(self) -> str:
        """SHA-256 of the checkpoint: a run and every bundle exported from it have the same."""
        return sha256(self.path)


def name_of(folder: Path) -> str:
    """Return the name of a run or bundle; ``bundle`` itself is named after the folder it is in."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "bundle" else folder.name


def load_student(run: Path | str, why: str = NAMED) -> TrainedStudent:
    """Read the student of a run folder, of a bundle, or of a checkpoint file.

    Parameters
    ----------
    why
        Why it is this one, as `choose` says.

    Raises
    ------
    InputError
        If there is no checkpoint, or it is damaged or of another kind.
    """
    from ecgphoton.student.network import read_student

    path = Path(run)
    if path.is_dir():
        path = path / CHECKPOINT
    if not path.is_file():
        raise InputError(f"{run} holds no {CHECKPOINT}; give the folder of a finished run")
    student, _, metadata = read_student(intact(path))
    return TrainedStudent(student, _point_of(metadata, path), metadata, path, chosen=why)


def _point_of(metadata: Mapping[str, Any], path: Path) -> OperatingPoint:
    """Return the operating point that a checkpoint states.

    Raises
    ------
    InputError
        If the checkpoint does not say how its student was trained.
    """
    from ecgphoton.recipe import from_dict

    with expecting(path, "a checkpoint that says how its student was trained", "train again"):
        for key, kind in STATED.items():
            if not isinstance(metadata.get(key), kind):
                raise TypeError(f"{key} is {metadata.get(key)!r}")
        convert(metadata["selection"]["sets"], tuple[str, ...], "selection.sets")
        from_dict(metadata["recipe"])
        return OperatingPoint.from_dict(metadata["operating_point"])


def intact(path: Path) -> Path:
    """Return a file of a run or bundle; one that is alone, or of an unfinished run, as it is.

    Raises
    ------
    InputError
        If it is not the file that the manifest beside it states.
    """
    wanted = stated(path)
    if wanted is not None and path.is_file() and wanted != sha256(path):
        raise InputError(
            f"{path} is not the file that {MANIFEST} beside it states; copy the whole folder "
            "again, or give the checkpoint alone, in a folder of its own"
        )
    return path


def stated(path: Path) -> str | None:
    """Return the SHA-256 that the manifest beside a file states for it, None where none does."""
    try:
        return str(read_json(path.with_name(MANIFEST))["files"][path.name]["sha256"])
    except (InputError, KeyError, TypeError):
        return None


def changed(folder: Path) -> str:
    """Return what of a folder is not as its manifest states; empty where all that is there is."""
    if not (folder / MANIFEST).is_file():
        return ""
    try:
        problems = check_manifest(folder, kind=kind_of(folder) or "ecgphoton")
    except InputError:
        return f"its {MANIFEST} is damaged"
    return next((one for one in problems if not one.endswith(": missing")), "")


def date_of(run: Path) -> str:
    """Return when a run was finished, UTC in ISO 8601: as it states, so that copies keep it.

    It is the time of the manifest where the run does not.
    """
    try:
        return str(read_json(run / ENVIRONMENT)["date"])
    except (InputError, KeyError, TypeError):
        written = datetime.fromtimestamp((run / MANIFEST).stat().st_mtime, UTC)
        return written.isoformat(timespec="seconds").replace("+00:00", "Z")


def finished(kind: str = KIND, root: Path | str = RUNS) -> Iterator[Path]:
    """Yield the folders of finished runs, or of bundles, below `root`, the newest first."""
    found = [path.parent for path in Path(root).glob(f"*/{MANIFEST}")]
    found.sort(key=lambda run: (date_of(run), (run / MANIFEST).stat().st_mtime_ns), reverse=True)
    yield from (folder for folder in found if kind_of(folder) == kind)


class Choice(NamedTuple):
    """The folder or file of a student, and why it is this one."""

    path: Path
    why: str


def choose(
    named: Path | str | None, *, shipped: str = FLAGSHIP, kind: str = KIND, root: str = RUNS
) -> Choice:
    """Return what is named (a path or a shipped student), or the newest, or the one shipped.

    Parameters
    ----------
    shipped
        Name of the shipped student that is taken where nothing is named and nothing found.
    kind, root
        What the newest is taken of, runs or bundles, and the folder they lie in.

    Raises
    ------
    InputError
        If it does not exist.
    """
    if named is None:
        what = root.removesuffix("s")
        if newest := next(finished(kind, root), None):
            return Choice(newest, f"the newest finished {what} below {root}/; none was named")
        return Choice(
            models.bundle(shipped),
            f"shipped with ecgphoton; none was named, and {root}/ holds no finished {what}",
        )
    if Path(named).exists():
        return Choice(Path(named), NAMED)
    known = models.shipped()
    if str(named) in known:
        return Choice(known[str(named)], NAMED)
    there = [
        str(one.parent) for root in (RUNS, BUNDLES) for one in Path(root).glob(f"*/{MANIFEST}")
    ]
    raise InputError(
        f"there is no run or bundle at {named} and no shipped student of that name "
        f"({nearest(str(named), [*there, *known], listed=known)}); `ecgphoton train` makes a run, "
        "`ecgphoton export` a bundle"
    )


def load(
    named: Path | str | TrainedStudent | None = None, *, shipped: str = FLAGSHIP
) -> TrainedStudent:
    """Load a trained student: a run, bundle or checkpoint, a shipped name, or the newest run.

    A bundle is checked against its own hashes, and brings its mesh program; one whose manifest is
    lost or damaged is refused, not taken for the run it was exported from.

    Parameters
    ----------
    named
        Path or shipped name; by default the newest run. A student that is loaded already is
        returned as it is.
    shipped
        The shipped student to load where nothing is named and there is no run.

    Raises
    ------
    InputError
        If there is no such student, or a file of it is damaged.

    Examples
    --------
    >>> import ecgphoton as ep
    >>> model = ep.load("inter-patient")  # doctest: +SKIP
    """
    if isinstance(named, TrainedStudent):
        return named
    from ecgphoton.export.bundle_folder import KIND as BUNDLE, MESH

    chosen, why = choose(named, shipped=shipped)
    if kind_of(chosen) != BUNDLE and not (chosen / MESH).is_file():
        return load_student(chosen, why)
    from ecgphoton.export.bundle import load_bundle

    bundle = load_bundle(chosen)
    path = bundle.folder / CHECKPOINT
    point = _point_of(bundle.metadata, path)
    return TrainedStudent(bundle.student, point, bundle.metadata, path, bundle.program, why)

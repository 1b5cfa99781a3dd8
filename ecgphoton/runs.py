"""Run folders: where they are, what is in them, how a trained student is read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton import models
from ecgphoton.artifacts import MANIFEST, load_checkpoint, read_json, sha256
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe, from_dict
from ecgphoton.student.architecture import Architecture

if TYPE_CHECKING:
    from ecgphoton.student.network import SegmentStudent

CHECKPOINT = "checkpoint.safetensors"
STATE = "state.safetensors"
HISTORY = "history.jsonl"
METRICS = "metrics.json"
RECIPE = "recipe.toml"
KIND = "ecgphoton-run"


@dataclass(frozen=True)
class TrainedStudent:
    """A student with the evidence it was trained on."""

    student: SegmentStudent
    point: OperatingPoint | None
    metadata: Mapping[str, Any] = field(repr=False)
    path: Path
    """The checkpoint file."""

    @property
    def recipe(self) -> Recipe:
        """Recipe the student was trained with."""
        return from_dict(self.metadata["recipe"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.metadata["classes"])

    @property
    def digest(self) -> str:
        """SHA-256 of the checkpoint."""
        return sha256(self.path)


def load_student(run: Path | str) -> TrainedStudent:
    """Read the student of a run folder, or of a checkpoint file.

    Raises
    ------
    InputError
        If there is no checkpoint, or it is damaged or of another kind.
    """
    from ecgphoton.student.network import refuse_other_features, student_from_arrays

    path = Path(run)
    if path.is_dir():
        path = path / CHECKPOINT
    if not path.is_file():
        raise InputError(f"{run} holds no {CHECKPOINT}; give the folder of a finished run")
    arrays, metadata = load_checkpoint(path)
    try:
        architecture = Architecture.from_dict(metadata["architecture"])
        refuse_other_features(architecture, metadata)
        point = metadata["operating_point"]
        recipe, classes = metadata["recipe"], metadata["classes"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks the metadata of a student ({error})") from error
    if not isinstance(recipe, dict) or not isinstance(classes, list):
        raise InputError(f"{path} lacks the metadata of a student (recipe, classes)")
    return TrainedStudent(
        student_from_arrays(architecture, arrays),
        None if point is None else OperatingPoint.from_dict(point),
        metadata,
        path,
    )


def newest_run(root: Path | str = "runs") -> Path | None:
    """Return the run folder finished last below `root`, or None."""
    found = [path.parent for path in Path(root).glob(f"*/{MANIFEST}") if is_run(path)]
    return max(found, key=lambda path: (path / MANIFEST).stat().st_mtime_ns, default=None)


def is_run(manifest: Path) -> bool:
    """Whether a manifest is that of a run."""
    try:
        return bool(read_json(manifest).get("kind") == KIND)
    except (InputError, AttributeError):
        return False


def choose(named: Path | None, root: Path | str = "runs") -> Path:
    """Return what is named (a path or a shipped student), or the newest run, or the shipped one.

    Raises
    ------
    InputError
        If it does not exist.
    """
    if named is not None:
        if named.exists():
            return named
        if str(named) in models.shipped():
            return models.bundle(str(named))
        raise InputError(
            f"there is no run at {named}; `ecgphoton train` makes one, `ecgphoton models` lists "
            "the shipped students"
        )
    found = newest_run(root)
    return found if found is not None else models.bundle(models.DEFAULT)


def load(named: Path | str | None = None) -> TrainedStudent:
    """Load a trained student: a run, bundle or checkpoint, a shipped name, or the newest run.

    Examples
    --------
    >>> import ecgphoton as ep
    >>> model = ep.load("reference-rhythm")  # doctest: +SKIP
    """
    return load_student(choose(None if named is None else Path(named)))

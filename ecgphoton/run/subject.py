"""What a command acts on: a run, a bundle, the newest run, or the shipped student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from ecgphoton import runs
from ecgphoton.artifacts import MANIFEST, read_json
from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.detect import Centring
from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import KIND as BUNDLE_KIND

if TYPE_CHECKING:
    from ecgphoton.program.program import MeshProgram
    from ecgphoton.student.architecture import Architecture
    from ecgphoton.student.network import SegmentStudent


@dataclass(frozen=True)
class Subject:
    """A student, or the mesh program a bundle holds, with its operating point and provenance."""

    carried: SegmentStudent | MeshProgram
    point: OperatingPoint | None
    metadata: Mapping[str, Any]
    """Of the checkpoint: protocol, labels, lead, recipe, seed ..."""
    path: Path
    kind: str
    """``run`` or ``bundle``."""

    @property
    def name(self) -> str:
        """What to call files about it."""
        unnamed = self.path.is_file() or self.path.name == "bundle"
        return self.path.resolve().parent.name if unnamed else self.path.resolve().name

    @property
    def centring(self) -> Centring:
        """Where the windows of its training were centred; nothing said is the annotation."""
        said = self.metadata.get("centring", "annotation")
        if said not in get_args(Centring):
            raise InputError(f"{self.path} says centring {said!r}; it must be annotation or qrs")
        return cast(Centring, said)

    @property
    def architecture(self) -> Architecture:
        """Shape of the network."""
        return self.carried.architecture


def open_subject(path: Path | None) -> Subject:
    """Open a run folder, checkpoint or bundle; without one the newest run, else the shipped model.

    Raises
    ------
    InputError
        If the path is neither, or does not match its own hashes.
    """
    chosen = runs.choose(path)
    if chosen.is_dir() and _kind(chosen) == BUNDLE_KIND:
        from ecgphoton.export.bundle import load_bundle

        bundle = load_bundle(chosen)
        stored = bundle.metadata["operating_point"]
        point = None if stored is None else OperatingPoint.from_dict(stored)
        return Subject(bundle.program, point, bundle.metadata, chosen, "bundle")
    trained = runs.load_student(chosen)
    return Subject(trained.student, trained.point, trained.metadata, chosen, "run")


def _kind(folder: Path) -> str | None:
    try:
        kind = read_json(folder / MANIFEST)["kind"]
    except (InputError, KeyError, TypeError):
        return None
    return str(kind)

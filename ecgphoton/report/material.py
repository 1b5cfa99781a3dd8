"""What a report is made of: the files of a run, a bundle and the studies made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ecgphoton.artifacts import MANIFEST, load_checkpoint, read_json, sha256
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.report.scores import Scores, read_all_scores

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Material:
    """Folders whose files together make a report; the first that has a file gives it."""

    folders: tuple[Path, ...]
    data_dir: Path | None = None
    """Where recorded data are, for strips of beats; otherwise where they are usually looked for."""

    def find(self, name: str) -> Path | None:
        """Path of a file, None where no folder has it."""
        found = (folder / name for folder in self.folders)
        return next((path for path in found if path.is_file()), None)

    def beside(self, name: str, other: str) -> Path | None:
        """Path of a file in the very folder that has `name`, None where it is not there."""
        path = self.find(name)
        return (
            None if path is None or not path.with_name(other).is_file() else path.with_name(other)
        )

    def tables(self, name: str) -> list[Path]:
        """CSV files in the very folder that has `name`."""
        path = self.find(name)
        return [] if path is None else sorted(path.parent.glob("*.csv"))

    def json(self, name: str) -> Any:  # noqa: ANN401 - JSON is any value
        """Content of a JSON file, None where no folder has it."""
        path = self.find(name)
        return None if path is None else read_json(path)

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the checkpoint, empty without one."""
        path = self.find(CHECKPOINT)
        return {} if path is None else load_checkpoint(path)[1]

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """``metrics.json``, empty without one."""
        return self.json("metrics.json") or {}

    @cached_property
    def sets(self) -> Mapping[str, Any]:
        """Metrics of every set: validation, the test set, then parts of it."""
        found = self.metrics.get("sets", {})
        order = sorted(found, key=lambda name: (name != "validation", len(name), name))
        return {name: found[name] for name in order}

    @cached_property
    def scores(self) -> Mapping[str, Scores]:
        """Scores of every set, empty without any."""
        for folder in self.folders:
            if found := read_all_scores(folder):
                return found
        return {}

    @property
    def point(self) -> OperatingPoint | None:
        """Operating point of a binary student."""
        stored = self.metadata.get("operating_point") or self.metrics.get("operating_point")
        return None if stored is None else OperatingPoint.from_dict(stored)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(map(str, self.metadata.get("classes", ("normal", "abnormal"))))

    @cached_property
    def synthetic(self) -> bool:
        """Whether any number comes from made-up beats."""
        studies = ("simulation.json", "sweep.json", "blame.json", "calibration.json")
        sources = [self.metadata.get("source"), self.metrics.get("source")]
        for name in studies:
            content = self.json(name)
            sources.append(content.get("source") if isinstance(content, dict) else None)
        return any("synthetic" in str(source).split("+") for source in sources)


def gather(folder: Path, also: tuple[Path, ...] = (), data_dir: Path | None = None) -> Material:
    """Gather a folder, further ones, and sibling folders that hold the very same student.

    Raises
    ------
    InputError
        If a folder does not exist, or none holds anything to report.
    """
    for path in (folder, *also):
        if not path.is_dir():
            raise InputError(f"{path} is not a folder; give a run, a bundle or a study of one")
    folders = (folder, *also)
    folders += tuple(path for path in siblings(folder) if path not in folders)
    material = Material(folders, data_dir)
    known = ("metrics.json", CHECKPOINT, "mesh.json", "simulation.json", "sweep.json", MANIFEST)
    if not any(material.find(name) for name in known):
        raise InputError(
            f"{folder} holds nothing to report (none of {', '.join(known)}); give the folder of "
            "`ecgphoton train`, `export` or `simulate`"
        )
    return material


def siblings(folder: Path) -> list[Path]:
    """Return folders beside this one whose checkpoint has the same SHA-256."""
    own = folder / CHECKPOINT
    if not own.is_file():
        return []
    digest = sha256(own)
    beside = sorted(folder.resolve().parent.glob(f"*/{CHECKPOINT}"))
    return [
        path.parent
        for path in beside
        if path.parent != folder.resolve()
        and path.stat().st_size == own.stat().st_size
        and sha256(path) == digest
    ]

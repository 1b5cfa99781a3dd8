"""The files of a report: a run or bundle comes in, all results of the same student go out."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ecgphoton.artifacts import (
    MANIFEST,
    kind_of,
    load_checkpoint,
    read_bytes,
    read_json,
    read_manifest,
    sha256,
)
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import read_program
from ecgphoton.report.chips import is_synthetic
from ecgphoton.report.scores import Scores, read_all_scores
from ecgphoton.runs import (
    BUNDLES,
    CALIBRATIONS,
    CHECKPOINT,
    CHOOSING,
    ENVIRONMENT,
    HISTORY,
    METRICS,
    RECIPE,
    RUNS,
    SIMULATIONS,
    changed,
    name_of,
    stated,
)
from ecgphoton.training.parts import EpochRecord
from ecgphoton.wording import words

PROGRAM = "mesh.json"
KNOWN = (METRICS, CHECKPOINT, PROGRAM, "simulation.json", "sweep.json", MANIFEST)
"""Files of which a report needs at least one."""


@dataclass(frozen=True)
class Material:
    """Folders whose files together make a report; the first that has a file gives it."""

    folders: tuple[Path, ...]
    left_out: Mapping[Path, str] = field(default_factory=dict)
    """Folders that were found and are not part of the report, each with the reason."""
    data_dir: Path | None = None
    """Folder of the recordings, for strips of beats; otherwise the usual folders are searched."""

    def find(self, name: str) -> Path | None:
        """Path of a file, None where no folder has it."""
        found = (folder / name for folder in self.folders)
        return next((path for path in found if path.is_file()), None)

    def rows(self, name: str, table: str) -> list[dict[str, str]]:
        """Rows of a CSV file in the same folder as the JSON file `name`; empty without one.

        Raises
        ------
        InputError
            If it is damaged.
        """
        path = self.find(name)
        if path is None or not (path := path.with_name(table)).is_file():
            return []
        with expecting(path, "a table of results", "write it again"):
            return list(csv.DictReader(io.StringIO(read_bytes(path).decode())))

    def read(self, name: str, reader: Callable[[Path], Any] = read_json) -> Any:  # noqa: ANN401
        """Content of a file, by default of JSON; None where no folder has it."""
        path = self.find(name)
        return None if path is None else reader(path)

    @cached_property
    def program(self) -> MeshProgram | None:
        """Mesh program of the bundle, None without one."""
        program: MeshProgram | None = self.read(PROGRAM, read_program)
        return program

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the checkpoint, empty without one."""
        return (self.read(CHECKPOINT, load_checkpoint) or ({}, {}))[1]

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """``metrics.json``, empty without one."""
        return self.read(METRICS) or {}

    @cached_property
    def sets(self) -> Mapping[str, Any]:
        """Metrics of every set: that which chose the threshold, the test set, then parts of it."""
        found = self.metrics.get("sets", {})
        order = sorted(found, key=lambda name: (name not in CHOOSING, len(name), name))
        return {name: found[name] for name in order}

    @cached_property
    def scores(self) -> Mapping[str, Scores]:
        """Scores of every set, empty without any."""
        return next(filter(None, map(read_all_scores, self.folders)), {})

    @property
    def history(self) -> list[EpochRecord]:
        """Epochs of the training, in order."""
        path = self.find(HISTORY)
        if path is None:
            return []
        with expecting(path, "the history of a training", "train again"):
            lines = read_bytes(path).decode().splitlines()
            return [EpochRecord.from_dict(json.loads(line)) for line in lines]

    @property
    def recipe(self) -> str | None:
        """The recipe as it was written; None without one."""
        content: bytes | None = self.read(RECIPE, read_bytes)
        return None if content is None else content.decode(errors="replace")

    @property
    def hashes(self) -> list[tuple[str, int | None, str]]:
        """What has a hash, its bytes, and the SHA-256: sets of beats, and files of a manifest."""
        data = self.metadata.get("data", {})
        found: list[tuple[str, int | None, str]] = [
            (f"{words(name)} beats", None, digest) for name, digest in data.items()
        ]
        for folder in self.folders:
            if (folder / MANIFEST).is_file():
                files = read_manifest(folder, kind=kind_of(folder) or "ecgphoton")["files"]
                found += [(f"{folder.name}/{name}", entry["bytes"], entry["sha256"])
                          for name, entry in sorted(files.items())]  # fmt: skip
        return found

    @property
    def point(self) -> OperatingPoint:
        """Operating point of a binary student."""
        stored = self.metadata.get("operating_point") or self.metrics.get("operating_point")
        return OperatingPoint.from_dict(stored)

    @property
    def name(self) -> str:
        """Name of the student: that of its run or bundle, or as results alone state it."""
        first, held = self.folders[0], self.find(CHECKPOINT)
        made = (_provenance(first / name).get("model") for name in results_of(first))
        model = next(filter(None, made), first) if held is None else held.parent
        return name_of(Path(str(model)))

    @property
    def date(self) -> str:
        """Day of the newest result, empty where none has a date."""
        dates = [date for folder in self.folders for date in results_of(folder).values()]
        return max([*dates, str((self.read(ENVIRONMENT) or {}).get("date", ""))])[:10]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(map(str, self.metadata.get("classes", ("normal", "abnormal"))))

    @cached_property
    def synthetic(self) -> bool:
        """Whether any number comes from synthetic beats."""
        studies = ("simulation.json", "sweep.json", "blame.json", "calibration.json")
        contents = [self.metadata, self.metrics, *map(self.read, studies)]
        return any(is_synthetic(one) for one in contents if isinstance(one, Mapping))


def gather(folder: Path, also: tuple[Path, ...] = (), data_dir: Path | None = None) -> Material:
    """Gather a folder, further ones that were named, and all else that belongs to its student.

    What belongs to a student has its checkpoint, or names the SHA-256 of it as the ``student`` of
    its provenance. `places` are the folders that are searched. Of several results of a kind the
    newest is taken, after those that were named.

    Raises
    ------
    InputError
        If a folder does not exist, one that was named is of another student or has changed since
        its manifest was written, or none holds anything to report.
    """
    for path in (folder, *also):
        if not path.is_dir():
            raise InputError(f"{path} is not a folder; give a run, a bundle or a study of one")
        if why := changed(path):
            raise InputError(f"{path} cannot be on the page: {why}; copy the whole folder again")
    student = student_of(folder)
    for path in also:
        if student is not None and (other := student_of(path)) != student:
            raise InputError(
                f"{path} cannot be on the page: {_why_not(other)}; a report is about one student"
            )
    named = {path.resolve() for path in (folder, *also)}
    taken, left = [folder, *also], dict[Path, str]()
    kinds = {kind for path in taken for kind in results_of(path)}
    found = [path for path in places(folder) if path.resolve() not in named]
    dated = sorted(found, key=lambda path: max(results_of(path).values(), default=""), reverse=True)
    for path in dated if student is not None else ():
        results, other = set(results_of(path)), student_of(path)
        if other != student:
            left[path] = _why_not(other)
        elif why := changed(path):
            left[path] = why
        elif results and results <= kinds:
            names = ", ".join(sorted(Path(name).stem for name in results))
            newer = f"a newer {names} of the same student is on the page"
            left[path] = f"{newer}; --also takes this one"
        else:
            taken.append(path)
            kinds |= results
    material = Material(tuple(taken), left, data_dir)
    if not any(material.find(name) for name in KNOWN):
        raise InputError(
            f"{folder} holds nothing to report (none of {', '.join(KNOWN)}); give the folder of "
            "`ecgphoton train`, `export` or `simulate`"
        )
    return material


def places(folder: Path) -> list[Path]:
    """Return the folders that may belong to the student of a run or bundle.

    They are the folders beside it, and those that commands write to: below the working folder, and
    below the folder in which ``runs/`` or ``bundles/`` lies. A simulation or calibration lies below
    its student's name, or wherever ``--out`` has put it there.
    """
    here = folder.resolve()
    found = [path.parent for path in here.parent.glob(f"*/{CHECKPOINT}")]
    for root in (here.parent.parent, Path.cwd()):
        for kind in (RUNS, BUNDLES):
            found += [path for path in root.glob(f"{kind}/*") if path.is_dir()]
        for kind in (SIMULATIONS, CALIBRATIONS):
            holding = {
                path.parent
                for depth in ("*", "*/*")
                for path in root.glob(f"{kind}/{depth}/*.json")
            }
            found += [path for path in holding if path.parent not in holding]
    return sorted(set(found))


def results_of(folder: Path) -> dict[str, str]:
    """Return the names of the results in a folder, and when each was made."""
    about = ((path.name, _provenance(path)) for path in sorted(folder.glob("*.json")))
    return {name: str(found.get("date", "")) for name, found in about if found}


def student_of(folder: Path) -> str | None:
    """Return the SHA-256 of the checkpoint that a folder holds or was made from, None without.

    A manifest is believed, since `changed` compares it with the files.
    """
    checkpoint = folder / CHECKPOINT
    if checkpoint.is_file():
        return stated(checkpoint) or sha256(checkpoint)
    students = (_provenance(path).get("student") for path in sorted(folder.glob("*.json")))
    return next((str(student) for student in students if student), None)


def _provenance(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path).get("provenance")
    except (InputError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}


def _why_not(student: str | None) -> str:
    if student is None:
        return "no student is recorded there; make it again with this version"
    return f"made with another student (hash {student[:12]})"

"""Files that a set of beats was read from, so that a later step reads exactly these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgphoton.ecg.databases import dataset_of
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.protocols import protocol_from
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.wording import count


@dataclass(frozen=True)
class Origin:
    """The files that were read, each with its SHA-256."""

    dataset: Dataset
    folder: str
    """Where they were."""
    files: Mapping[str, str]
    """File name to SHA-256, of every record that was read."""
    records: int
    """Records that existed."""
    labels: frozenset[str] = frozenset()
    """Names of those files that hold labels alone."""

    @property
    def complete(self) -> bool:
        """Whether every record of the dataset existed."""
        return self.records == len(self.dataset.records)

    @property
    def share(self) -> str:
        """Share of the dataset that was read: ``39 of 78 records``."""
        return f"{self.records} of {len(self.dataset.records)} records"

    @property
    def copies(self) -> tuple[str, ...]:
        """A note on every content that several files of signals share."""
        names: dict[str, list[str]] = {}
        for name, digest in self.files.items():
            if name not in self.labels:
                names.setdefault(digest, []).append(name)
        return tuple(
            f"{' and '.join(same)} are the same file: a recording under two names is one patient"
            for same in names.values()
            if len(same) > 1
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form for a run: no absolute path where a published database was read."""
        return {
            "dataset": self.dataset.to_dict(),
            "records": self.records,
            "of_records": len(self.dataset.records),
            "files": dict(self.files),
        }


def dataset_read(metadata: Mapping[str, Any]) -> Dataset:
    """Return the dataset that a run or bundle was made from, with the records that were read.

    Parameters
    ----------
    metadata
        Of a checkpoint; ``metadata["provenance"]`` is `Splits.provenance`. Shipped students, and
        runs of version 0.1, state their ``source`` only.

    Raises
    ------
    InputError
        If the description is damaged, or there is no such database or folder.
    """
    stored = metadata.get("provenance") or {}
    with expecting("the provenance of the run", "whole", "name the data to use (--data)"):
        if "dataset" not in stored:
            return dataset_of(str(metadata["source"]))
        values = stored["dataset"]
        if "folder" not in values:
            return dataset_of(str(values["name"]))
        protocol = protocol_from(stored["protocol"], "the protocol of the run")
        return Dataset.from_dict(values, protocol.records)


def check_same(stored: Mapping[str, str], origin: Origin) -> None:
    """Refuse files that are not those of a run.

    Raises
    ------
    InputError
        If a file is missing, changed or new, by name.
    """
    found = origin.files
    problems = [
        *(f"{name} is missing" for name in stored if name not in found),
        *(
            f"{name} has changed"
            for name in stored
            if found.get(name, stored[name]) != stored[name]
        ),
        *(f"{name} was not there" for name in found if name not in stored),
    ]
    if problems:
        few = ", ".join(problems[:5]) + (" ..." if len(problems) > 5 else "")
        raise InputError(
            f"{origin.folder} does not hold the files that the run was trained on: {few}; restore "
            "them, or name the data to use (--data)"
        )


def namesakes(stored: Mapping[str, str], origin: Origin) -> tuple[str, ...]:
    """Return a note on files that have the names of those of a run and another content."""
    other = [name for name, digest in origin.files.items() if stored.get(name, digest) != digest]
    few = ", ".join(other[:3]) + (" ..." if len(other) > 3 else "")
    text = (
        f"{len(other)} of {len(origin.files)} files have the names of those that the student was "
        f"made from, and are others ({few}): they are divided as those were, by the protocol, and "
        "records that it does not test are left out"
    )
    return (text,) if other else ()


def copies(stored: Mapping[str, str], origin: Origin, learnt: Sequence[str]) -> tuple[str, ...]:
    """Return a note on recordings that a student learnt from and that have other names here."""
    known = {digest for name, digest in stored.items() if Path(name).stem in learnt}
    found = [
        name
        for name, digest in origin.files.items()
        if digest in known and name not in stored and name not in origin.labels
    ]
    few = ", ".join(found[:3]) + (" ..." if len(found) > 3 else "")
    text = (
        f"{count(len(found), 'file')} ({few}) of recordings that the student learnt from, under "
        "other names: no estimate for new patients"
    )
    return (text,) if found else ()

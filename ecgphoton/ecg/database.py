"""Published databases on this machine: their folder, which records are present, and checksums."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecgphoton.artifacts import sha256
from ecgphoton.ecg.cache import cache_folder
from ecgphoton.ecg.databases import MITDB
from ecgphoton.ecg.dataset import KINDS, SUMS, Dataset
from ecgphoton.errors import InputError
from ecgphoton.intake import read_bytes

VARIABLE = "ECGPHOTON_DATA"


@dataclass(frozen=True)
class Place:
    """One place where a database may be."""

    role: str
    folder: str
    records: int
    """Whose files are all there."""
    of_records: int


@dataclass(frozen=True)
class DataStatus:
    """The folders that were searched for a database, and the result."""

    dataset: str
    places: tuple[Place, ...]
    found: str | None
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


@dataclass(frozen=True)
class Verification:
    """Result of the comparison of a folder with its checksums."""

    folder: str
    checked: int
    problems: Mapping[str, str]
    """File to what is wrong with it; absent records are no problem."""
    published: bool
    """Whether the checksums are those PhysioNet published."""
    records: int
    """Whose files are all there."""
    of_records: int

    @property
    def ok(self) -> bool:
        """Whether there are records, and every file that is there is right."""
        return not self.problems and self.records > 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**asdict(self), "problems": dict(self.problems), "ok": self.ok}


def present(dataset: Dataset, folder: Path) -> tuple[str, ...]:
    """Return the records of a database whose files are all in a folder."""
    there = {path.name for path in folder.glob("*")}
    return tuple(r for r in dataset.records if all(f"{r}.{kind}" in there for kind in KINDS))


def share(dataset: Dataset, there: int) -> str:
    """Name the share of a database that is present: ``39 of the 78 records of svdb``."""
    return f"{there} of the {len(dataset.records)} records of {dataset.name}"


def status(data_dir: str | Path | None = None, dataset: Dataset = MITDB) -> DataStatus:
    """Return the folders that are searched for a database, and the one that is used."""
    total = len(dataset.records)
    places = tuple(
        Place(role, str(folder), len(present(dataset, folder)), total)
        for role, folder in places_to_look(data_dir, dataset)
    )
    found = locate(data_dir, dataset)
    advice = (
        missing(data_dir, dataset) if found is None
        else f"using {found}: {share(dataset, len(present(dataset, found)))}"
    )  # fmt: skip
    return DataStatus(dataset.name, places, None if found is None else str(found), advice)


def locate(data_dir: str | Path | None = None, dataset: Dataset = MITDB) -> Path | None:
    """Folder with records of a database, None where there is none.

    A given folder is the only one, otherwise `$ECGPHOTON_DATA`, otherwise the user's cache.
    """
    places = places_to_look(data_dir, dataset)
    return next((folder for _, folder in places if present(dataset, folder)), None)


def find(dataset: Dataset, data_dir: str | Path | None = None) -> Path:
    """Return the folder with the records of a dataset: one's own, or a published database's.

    Raises
    ------
    InputError
        If it does not exist.
    """
    if dataset.folder is not None:
        if data_dir is not None and Path(data_dir).resolve() != Path(dataset.folder):
            raise InputError(
                f"dataset {dataset.name!r} is in {dataset.folder}, not in {data_dir}; name one"
            )
        return Path(dataset.folder)
    found = locate(data_dir, dataset)
    if found is None:
        raise InputError(missing(data_dir, dataset))
    return found


def named(data_dir: str | Path | None) -> bool:
    """Whether the user has named a folder for databases."""
    return data_dir is not None or bool(os.environ.get(VARIABLE))


def missing(data_dir: str | Path | None = None, dataset: Dataset = MITDB) -> str:
    """Sentence for a user whose database was not found."""
    searched = ", ".join(f"{role} {folder}" for role, folder in places_to_look(data_dir, dataset))
    name = "" if dataset is MITDB else f" {dataset.name}"
    if data_dir is not None and Path(data_dir).is_file():
        return f"{data_dir} is a file; give the folder of {dataset.title}"
    if data_dir is not None and not Path(data_dir).is_dir():
        return (
            f"there is no folder {data_dir}; check the path, or `ecgphoton data fetch{name} "
            f"--data-dir {data_dir}` downloads {dataset.title} into it ({dataset.megabytes} MB)"
        )
    return (
        f"no record of {dataset.title} is in {searched or 'a cache: no home is known'}; "
        f"`ecgphoton data fetch{name}` downloads it ({dataset.megabytes} MB), and what reads beats "
        "also takes recordings of your own (`--data FOLDER`) or generated ones (`--data synthetic`)"
    )


def verify(folder: str | Path, dataset: Dataset = MITDB) -> Verification:
    """Compare every file of a folder with its `SHA256SUMS.txt`.

    Absent records are counted and are no error: a part of a database can be used.

    Raises
    ------
    InputError
        If there is no such folder, or no readable list of checksums and the record files
        together are not the published ones either.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder of the database")
    there, total = len(present(dataset, folder)), len(dataset.records)
    if not (folder / SUMS).is_file():
        found = {name: file_sha256(folder / name) or "" for name in dataset.record_files}
        if not is_published(found, dataset):
            raise InputError(
                f"{folder} lacks {SUMS} and its records are not all as published; "
                f"`ecgphoton data fetch {dataset.name}` fetches what is missing or wrong"
            )
        return Verification(str(folder), len(found), {}, True, there, total)
    sums = parse_sums(read_bytes(folder / SUMS), dataset)
    hashes = {name: file_sha256(folder / name) for name in dataset.files}
    begun = {name.partition(".")[0] for name, digest in hashes.items() if digest is not None}
    absent = set(dataset.records) - begun
    checked = [name for name in hashes if name.partition(".")[0] not in absent]
    problems = {
        name: "missing" if hashes[name] is None else f"SHA-256 is {hashes[name]}, not {sums[name]}"
        for name in checked
        if hashes[name] != sums[name]
    }
    published = is_published(sums, dataset)
    return Verification(str(folder), len(checked), problems, published, there, total)


def parse_sums(content: bytes, dataset: Dataset = MITDB) -> dict[str, str]:
    """Checksums by file name; every file that is needed must be listed.

    Raises
    ------
    InputError
        If the list is damaged or incomplete.
    """
    found = re.findall(r"^([0-9a-f]{64}) +\*?(\S+)\s*$", content.decode("latin-1"), re.MULTILINE)
    sums = {name: digest for digest, name in found}
    lacking = [name for name in dataset.files if name not in sums]
    if lacking:
        raise InputError(
            f"{SUMS} does not list {len(lacking)} of {len(dataset.files)} files "
            f"({lacking[0]}, ...); fetch it again"
        )
    return {name: sums[name] for name in dataset.files}


def places_to_look(
    data_dir: str | Path | None = None, dataset: Dataset = MITDB
) -> list[tuple[str, Path]]:
    """Role and path of the folder that may hold a database, none where no home is known.

    A named folder is the database, or a folder of databases by name.
    """
    if data_dir is not None:
        return [("--data-dir", _inside(Path(data_dir), dataset))]
    if chosen := os.environ.get(VARIABLE):
        return [(f"${VARIABLE}", _inside(Path(chosen), dataset))]
    cache = cache_folder()
    return [] if cache is None else [("user cache", cache / dataset.name)]


def _inside(folder: Path, dataset: Dataset) -> Path:
    inner = folder / dataset.name
    return inner if inner.is_dir() else folder


def file_sha256(path: Path) -> str | None:
    """SHA-256 of a file, None if there is none.

    Raises
    ------
    InputError
        If it is there but cannot be read.
    """
    try:
        return sha256(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def is_published(sums: Mapping[str, str], dataset: Dataset = MITDB) -> bool:
    """Whether these are the checksums PhysioNet published for the record files."""
    lines = "".join(f"{sums.get(name)} {name}\n" for name in dataset.record_files)
    return hashlib.sha256(lines.encode()).hexdigest() == dataset.published

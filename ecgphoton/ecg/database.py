"""Where the MIT-BIH Arrhythmia Database is, and whether it is whole.

References
----------
.. [1] Moody & Mark 2001, IEEE Eng. Med. Biol. 20(3):45, DOI 10.1109/51.932724.
.. [2] Goldberger et al. 2000, Circulation 101(23):e215, DOI 10.1161/01.CIR.101.23.e215.
.. [3] The database, version 1.0.0 (ODC-By 1.0), DOI 10.13026/C2F305.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecgphoton.ecg.cache import cache_folder
from ecgphoton.ecg.records import MITDB_RECORDS
from ecgphoton.errors import InputError
from ecgphoton.intake import read_bytes

VARIABLE = "ECGPHOTON_DATA"
SUMS = "SHA256SUMS.txt"
RECORD_FILES = tuple(f"{r}.{kind}" for r in MITDB_RECORDS for kind in ("hea", "dat", "atr"))
FILES = (*RECORD_FILES, "RECORDS", "ANNOTATORS")
"""What is fetched besides the checksums, 146 files of together 94 MB."""
PUBLISHED = "082a9664e00312678ebe93f561784ec6a32e8532d7e318b81cf16a99363c4a0d"
"""SHA-256 over the published checksums of `RECORD_FILES`: tells the release from look-alikes."""


@dataclass(frozen=True)
class Place:
    """One place where the database may be."""

    role: str
    folder: str
    record_files: int
    """Of 144."""

    @property
    def complete(self) -> bool:
        """Whether every record file is there (their content is `verify`'s business)."""
        return self.record_files == len(RECORD_FILES)


@dataclass(frozen=True)
class DataStatus:
    """Where was looked, and what was found."""

    places: tuple[Place, ...]
    found: str | None
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


@dataclass(frozen=True)
class VerifyReport:
    """Comparison of a folder with its checksums."""

    folder: str
    checked: int
    problems: Mapping[str, str]
    """File to what is wrong with it."""
    published: bool
    """Whether the checksums are those PhysioNet published for version 1.0.0."""

    @property
    def ok(self) -> bool:
        """Whether every file is right."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**asdict(self), "problems": dict(self.problems), "ok": self.ok}


def status(data_dir: str | Path | None = None) -> DataStatus:
    """Tell where the database was looked for and where it is."""
    places = tuple(
        Place(role, str(folder), sum((folder / name).is_file() for name in RECORD_FILES))
        for role, folder in places_to_look(data_dir)
    )
    found = next((place.folder for place in places if place.complete), None)
    advice = f"using {found}" if found else missing(data_dir)
    return DataStatus(places, found, advice)


def locate(data_dir: str | Path | None = None) -> Path | None:
    """Folder with all record files: `data_dir`, or `$ECGPHOTON_DATA`, or the user's cache."""
    for _, folder in places_to_look(data_dir):
        if all((folder / name).is_file() for name in RECORD_FILES):
            return folder
    return None


def missing(data_dir: str | Path | None = None) -> str:
    """Sentence for a user whose data was not found."""
    looked = ", ".join(f"{role} {folder}" for role, folder in places_to_look(data_dir))
    return (
        f"the MIT-BIH database is not complete in {looked}; `ecgphoton data fetch` downloads it "
        "(94 MB), `--data synthetic` does without"
    )


def verify(folder: str | Path) -> VerifyReport:
    """Compare every file of a folder with its `SHA256SUMS.txt`.

    Raises
    ------
    InputError
        If there is no such folder, or no readable list of checksums and the record files
        together are not the published ones either.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder of the database")
    if not (folder / SUMS).is_file():
        found = {name: file_sha256(folder / name) or "" for name in RECORD_FILES}
        if not is_published(found):
            raise InputError(
                f"{folder} lacks {SUMS} and its records are not all as published; "
                "`ecgphoton data fetch` brings what is missing or wrong"
            )
        return VerifyReport(str(folder), len(found), {}, published=True)
    sums = parse_sums(read_bytes(folder / SUMS))
    problems = {}
    for name in FILES:
        digest = file_sha256(folder / name)
        if digest is None:
            problems[name] = "missing"
        elif digest != sums[name]:
            problems[name] = f"SHA-256 is {digest}, not {sums[name]}"
    published = is_published(sums)
    return VerifyReport(str(folder), len(FILES), problems, published)


def parse_sums(content: bytes) -> dict[str, str]:
    """Checksums by file name; every file we need must be listed.

    Raises
    ------
    InputError
        If the list is damaged or incomplete.
    """
    found = re.findall(r"^([0-9a-f]{64}) +\*?(\S+)\s*$", content.decode("latin-1"), re.MULTILINE)
    sums = {name: digest for digest, name in found}
    lacking = [name for name in FILES if name not in sums]
    if lacking:
        raise InputError(
            f"{SUMS} does not list {len(lacking)} of {len(FILES)} files ({lacking[0]}, ...); "
            "fetch it again"
        )
    return {name: sums[name] for name in FILES}


def places_to_look(data_dir: str | Path | None = None) -> list[tuple[str, Path]]:
    """Role and path of every folder that may hold the database; a given one is the only one."""
    if data_dir is not None:
        return [("--data-dir", Path(data_dir))]
    named = os.environ.get(VARIABLE)
    chosen = [(f"${VARIABLE}", Path(named))] if named else []
    return [*chosen, ("user cache", cache_folder() / "mitdb")]


def file_sha256(path: Path) -> str | None:
    """SHA-256 of a file, None if there is none.

    Raises
    ------
    InputError
        If it is there but cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def is_published(sums: Mapping[str, str]) -> bool:
    """Whether these are the checksums PhysioNet published for the record files."""
    lines = "".join(f"{sums.get(name)} {name}\n" for name in RECORD_FILES)
    return hashlib.sha256(lines.encode()).hexdigest() == PUBLISHED

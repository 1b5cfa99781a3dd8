"""Fetch a published database from PhysioNet, or from a copy."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecgphoton.arguments import strict
from ecgphoton.artifacts import unwritten, write_bytes
from ecgphoton.ecg.database import (
    file_sha256,
    is_published,
    parse_sums,
    places_to_look,
    present,
    verify,
)
from ecgphoton.ecg.databases import DATASETS, MITDB
from ecgphoton.ecg.dataset import SUMS, Dataset
from ecgphoton.ecg.download import Meter, Patience, Progress, Web
from ecgphoton.errors import InputError
from ecgphoton.unfinished import locked


@dataclass(frozen=True)
class FetchReport:
    """What a fetch did."""

    folder: str
    kept: int
    """Files that were already right."""
    fetched: tuple[str, ...]
    imported: tuple[str, ...]
    received: int
    """Bytes that came over the network."""
    resumed: int
    """Bytes of earlier attempts that were used."""
    retries: int
    published: bool
    records: int
    """Whose files are all there now."""
    of_records: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


@strict
def fetch(
    data_dir: str | Path | None = None,
    dataset: Dataset = MITDB,
    *,
    base_url: str | None = None,
    from_dir: str | Path | None = None,
    offline: bool = False,
    progress: Callable[[Progress], object] | None = None,
    patience: Patience | None = None,
    jobs: int = 4,
) -> FetchReport:
    """Fetch a database into a folder; right files stay, wrong and missing ones are replaced.

    Parameters
    ----------
    data_dir
        Folder to fill; otherwise `$ECGPHOTON_DATA`, then the user's cache.
    dataset
        Which one.
    base_url
        A mirror's address; by default PhysioNet's.
    from_dir
        An existing copy to take files from, in place of the network. A part of the database is
        enough; fetch again without it to download the rest.
    offline
        Never use the network.
    progress
        Called after every piece, from several threads, one at a time.
    jobs
        Downloads at the same time.

    Raises
    ------
    InputError
        If a file cannot be obtained; files that are complete by then stay.
    """
    base = base_url or dataset.url
    if not base.startswith(("https://", "http://")):
        raise InputError(f"base URL {base!r}; give an https:// or http:// address")
    source = None if from_dir is None else Path(from_dir)
    if source is not None and not source.is_dir():
        raise InputError(f"{source} is not a folder; give a folder with a copy of the database")
    folder = _target(data_dir, dataset)
    if all((folder / name).is_file() for name in (*dataset.files, SUMS)):
        with contextlib.suppress(InputError):  # a damaged list of checksums is replaced below
            report = verify(folder, dataset)
            if report.ok:  # nothing to do, perhaps in a folder that cannot be written
                return FetchReport(
                    str(folder), len(dataset.files), (), (), 0, 0, 0, report.published,
                    report.records, report.of_records,
                )  # fmt: skip
    with _only_one(folder):
        meter = Meter(progress)
        silent = offline or source is not None
        web = None if silent else Web(base.rstrip("/") + "/", folder, patience, meter)
        return _bring(dataset, folder, source, web, meter, jobs)


def _target(data_dir: str | Path | None, dataset: Dataset) -> Path:
    """Choose the folder to fill: never one with the records of another database."""
    for role, folder in places_to_look(data_dir, dataset):
        if any((folder / name).is_dir() for name in DATASETS):
            return folder / dataset.name
        if all(path.stem in dataset.records for path in folder.glob("*.hea")):
            return folder
        if role == "--data-dir":
            raise InputError(
                f"{folder} holds other records than {dataset.name}; give another --data-dir"
            )
    raise InputError(f"no folder for {dataset.name}; give --data-dir")


def _bring(
    dataset: Dataset,
    folder: Path,
    source: Path | None,
    web: Web | None,
    meter: Meter,
    jobs: int,
) -> FetchReport:
    sums = _checksums(dataset, folder, source, web)
    meter.expect(len(sums))
    imported, wrong = [], []
    for name, digest in sums.items():
        right = file_sha256(folder / name) == digest
        if not right and source is not None and _import(source, folder, name, digest):
            imported.append(name)
        elif not right:
            wrong.append(name)
            continue
        meter.add(name, received=(folder / name).stat().st_size, files=1)
    kept = len(sums) - len(imported) - len(wrong)
    if web is None:
        _check_part(dataset, folder, source, wrong)
        wrong = []
    got = web.get_all(sums, wrong, jobs) if web is not None else []
    return FetchReport(
        folder=str(folder),
        kept=kept,
        fetched=tuple(wrong),
        imported=tuple(imported),
        received=sum(one.received for one in got),
        resumed=sum(one.resumed for one in got),
        retries=sum(one.retries for one in got),
        published=is_published(sums, dataset),
        records=len(present(dataset, folder)),
        of_records=len(dataset.records),
    )


def _check_part(dataset: Dataset, folder: Path, source: Path | None, wrong: list[str]) -> None:
    """Without the network: accept records that are absent, refuse those that are damaged."""
    there = [place for place in (folder, source) if place is not None]
    begun = {
        name.partition(".")[0]
        for name in dataset.record_files
        if any((place / name).is_file() for place in there)
    }
    damaged = [name for name in wrong if name.partition(".")[0] in begun]
    if damaged or not begun:
        named = damaged or wrong
        where = folder if source is None else source
        raise InputError(
            f"{len(named)} files are missing or wrong in {where} ({', '.join(named[:3])}, ...) "
            "and the network is not to be used; fetch without --from-dir and --offline"
        )


def _checksums(
    dataset: Dataset, folder: Path, source: Path | None, web: Web | None
) -> dict[str, str]:
    """Return the checksums of the files, and write their list into the folder."""

    def lists_all(content: bytes) -> str | None:
        try:
            parse_sums(content, dataset)
        except InputError as error:
            return str(error)
        return None

    for place in (folder, source):
        if place is not None and (place / SUMS).is_file():
            content = (place / SUMS).read_bytes()
            sums = {}
            with contextlib.suppress(InputError):
                sums = parse_sums(content, dataset)
            # A damaged or unknown list is requested again, where possible.
            if sums and (web is None or is_published(sums, dataset)):
                if place != folder:
                    write_bytes(folder / SUMS, content)
                return sums
    if web is not None:
        web.get(SUMS, lists_all)
        return parse_sums((folder / SUMS).read_bytes(), dataset)
    for place in (source, folder):
        if place is not None:  # copies made by other tools come without the list
            found = {name: file_sha256(place / name) or "" for name in dataset.record_files}
            if is_published(found, dataset):
                return found
    raise InputError(
        f"no {SUMS} to check against, and the files are not all as published; "
        "fetch without --from-dir and --offline"
    )


def _import(source: Path, folder: Path, name: str, digest: str) -> bool:
    """Copy one file if the source's is right."""
    right = file_sha256(source / name) == digest
    if right:
        write_bytes(folder / name, (source / name).read_bytes())
    return right


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Lock the folder against a second fetch (where the platform has file locks)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".fetch.lock").open("w")
    except OSError as error:
        raise unwritten(folder, error) from error
    with handle:
        if not locked(handle):
            raise InputError(f"another fetch is running in {folder}; wait for it")
        yield

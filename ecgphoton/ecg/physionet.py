"""Fetch a published database from PhysioNet, or from a copy."""

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecgphoton.alone import alone
from ecgphoton.arguments import strict
from ecgphoton.artifacts import write_bytes
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
from ecgphoton.ecg.download import USUAL, Counts, Meter, Patience, Web
from ecgphoton.errors import InputError
from ecgphoton.progress import Progress, silent


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
    progress: Progress = silent,
    patience: Patience = USUAL,
    jobs: int = 4,
) -> FetchReport:
    """Fetch a database into a folder; right files stay, wrong and missing ones are replaced.

    Parameters
    ----------
    data_dir
        Folder to fill; otherwise `$ECGPHOTON_DATA`, otherwise the user's cache.
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
        Called with the megabytes that are there after every piece, from several threads, one at a
        time.
    jobs
        Downloads at the same time.

    Raises
    ------
    InputError
        If a file cannot be obtained; files that are complete by then stay.
    """
    if base_url is not None and (offline or from_dir is not None):
        other = "offline" if offline else "from_dir"
        raise InputError(
            f"base_url is {base_url!r}, and with {other} nothing is downloaded; leave one out"
        )
    base = base_url or dataset.url
    if not base.startswith(("https://", "http://")):
        raise InputError(f"base URL {base!r}; give an https:// or http:// address")
    source = None if from_dir is None else Path(from_dir)
    if source is not None and not source.is_dir():
        raise InputError(f"{source} is not a folder; give a folder with a copy of the database")
    folder = _target(data_dir, dataset)
    with alone(folder):
        meter = Meter(progress, dataset.megabytes)
        unconnected = offline or source is not None
        web = None if unconnected else Web(base.rstrip("/") + "/", folder, patience, meter)
        return _bring(dataset, folder, source, web, meter, jobs)


def _target(data_dir: str | Path | None, dataset: Dataset) -> Path:
    """Choose the folder to fill: never one with the records of another database."""
    for role, folder in places_to_look(data_dir, dataset):
        if any((folder / name).is_dir() for name in DATASETS):
            return folder / dataset.name
        if all(path.stem in dataset.records for path in folder.glob("*.hea")):
            return folder
        raise InputError(
            f"{role} {folder} holds other records than {dataset.name}; name a folder that holds "
            f"one for each database ({', '.join(DATASETS)}), or give another --data-dir"
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
    imported, wrong = [], []
    for name, digest in sums.items():
        right = file_sha256(folder / name) == digest
        if not right and source is not None and file_sha256(source / name) == digest:
            write_bytes(folder / name, (source / name).read_bytes())
            imported.append(name)
        elif not right:
            wrong.append(name)
            continue
        meter.add((folder / name).stat().st_size)
    kept = len(sums) - len(imported) - len(wrong)
    if web is None:
        _check_part(dataset, folder, source, wrong)
        wrong = []
    got = web.get_all(sums, wrong, jobs) if web is not None else Counts()
    return FetchReport(
        folder=str(folder),
        kept=kept,
        fetched=tuple(wrong),
        imported=tuple(imported),
        received=got["received"],
        resumed=got["resumed"],
        retries=got["retries"],
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
    for place in (folder, source):
        if place is not None and (place / SUMS).is_file():
            content = (place / SUMS).read_bytes()
            sums = {}
            with contextlib.suppress(InputError):
                sums = parse_sums(content, dataset)
            # A damaged or unknown list is requested again, where possible, unless all files fit it.
            if sums and (web is None or is_published(sums, dataset) or _whole(place, dataset)):
                if place != folder:
                    write_bytes(folder / SUMS, content)
                return sums
    if web is not None:
        web.get(SUMS, lambda content: parse_sums(content, dataset))
        return parse_sums((folder / SUMS).read_bytes(), dataset)
    for place in (source, folder):
        if place is not None:  # copies made by other tools come without the list
            found = {name: file_sha256(place / name) or "" for name in dataset.record_files}
            if is_published(found, dataset):
                return found
    raise InputError(
        f"no {SUMS} to check against in {folder}, and the files are not all as published; "
        "fetch without --from-dir and --offline"
    )


def _whole(folder: Path, dataset: Dataset) -> bool:
    """Whether every file of a database is there, and as its list of checksums says."""
    found = verify(folder, dataset)
    return found.ok and found.records == found.of_records

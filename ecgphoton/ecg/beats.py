"""Heart beats of the MIT-BIH database, of a folder of WFDB records, or made up."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ecgphoton.ecg import database, synthetic
from ecgphoton.ecg.beatset import BeatSet, Drop, DropReport
from ecgphoton.ecg.cache import remembered
from ecgphoton.ecg.extract import Extracted, extract
from ecgphoton.ecg.reading import read_recording, record_files
from ecgphoton.ecg.records import LabelScheme, Protocol, label_scheme, protocol_of
from ecgphoton.ecg.splits import Splits, assemble, labelled
from ecgphoton.errors import InputError

__all__ = ["BeatSet", "Drop", "DropReport", "Splits", "load_records", "load_splits"]


def load_splits(
    protocol: str | Protocol = "reference",
    labels: str | LabelScheme = "literal",
    *,
    data: str | Path = "auto",
    data_dir: str | Path | None = None,
    lead: str = "MLII",
    split_seed: int = 0,
    stratified: bool = False,
    cache: bool = True,
) -> Splits:
    """Load training, validation and test beats of a protocol.

    Parameters
    ----------
    protocol, labels
        Names in `records.PROTOCOLS` and `records.LABELS`, or such values.
    data
        'mitdb'; 'synthetic'; 'auto': MIT-BIH where it is found, made-up beats otherwise; or a
        folder of WFDB records.
    data_dir
        Where MIT-BIH is; otherwise `$ECGPHOTON_DATA`, then the user's cache.
    lead
        A lead's name, with channel 0 (and a note) where a record lacks it, or ``channel:<n>``;
        the original run took ``channel:0``.
    split_seed, stratified
        Of the random division, where validation is a share of the training beats.
    cache
        Whether to remember the beats on disk.

    Raises
    ------
    InputError
        If data is missing or damaged, or a set is empty.
    """
    protocol, scheme = protocol_of(protocol), label_scheme(labels)
    folder, source = _locate(data, data_dir)
    if folder is None:
        protocol = synthetic.stand_in(protocol)
    extracted = _extract_all(protocol.records, folder, source, lead, cache=cache)
    return assemble(protocol, scheme, extracted, split_seed=split_seed, stratified=stratified)


def load_records(
    names: Iterable[str],
    *,
    data: str | Path = "mitdb",
    data_dir: str | Path | None = None,
    lead: str = "MLII",
    labels: str | LabelScheme = "literal",
    cache: bool = True,
) -> BeatSet:
    """Load all beats of some records; those outside the label scheme have label -1.

    Raises
    ------
    InputError
        If data is missing or damaged, or no record is named.
    """
    return load_reported(
        names, data=data, data_dir=data_dir, lead=lead, labels=labels, cache=cache
    )[0]


def load_reported(
    names: Iterable[str],
    *,
    data: str | Path = "mitdb",
    data_dir: str | Path | None = None,
    lead: str = "MLII",
    labels: str | LabelScheme = "literal",
    cache: bool = True,
) -> tuple[BeatSet, DropReport]:
    """Do as `load_records`, and also report what has no window or no label."""
    names, scheme = tuple(names), label_scheme(labels)
    folder, source = _locate(data, data_dir)
    extracted = _extract_all(names, folder, source, lead, cache=cache)
    classed = [labelled(extracted[name], scheme) for name in names]
    report = DropReport.join(part.report for part in classed)
    return BeatSet.concat([part.beats for part in classed]), report


def _locate(data: str | Path, data_dir: str | Path | None) -> tuple[Path | None, str]:
    """Folder of the records (None for made-up ones) and the name of the source."""
    if data == "synthetic":
        return None, "synthetic"
    if data not in ("auto", "mitdb"):
        return Path(data), str(data)
    found = database.locate(data_dir)
    if found is None and data == "mitdb":
        raise InputError(database.missing(data_dir))
    return found, "mitdb" if found else "synthetic"


def _extract_all(
    names: Iterable[str], folder: Path | None, source: str, lead: str, *, cache: bool
) -> dict[str, Extracted]:
    """Beats of every record; fails if a lead asked for by name is in none of them."""
    names = tuple(names)
    if folder is None:
        return synthetic.extracted(names, lead=lead)

    def one(name: str) -> Extracted:
        def build() -> Extracted:
            return extract(read_recording(folder, name, lead=lead), source=source)

        if not cache:
            return build()
        return remembered(name, record_files(folder, name), lead, source, build)

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        extracted = dict(zip(names, pool.map(one, names), strict=True))
    if extracted and all(_substituted(part, lead) for part in extracted.values()):
        raise InputError(
            f"no record has a lead {lead!r}; use another name (MLII, V1, V2, V5) or channel:0"
        )
    return extracted


def _substituted(part: Extracted, lead: str) -> bool:
    return any(f"no lead {lead}," in note for note in part.report.notes)

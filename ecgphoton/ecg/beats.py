"""Load heart beats: a protocol and a dataset come in, `BeatSet` values go out."""

import os
from collections.abc import Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from ecgphoton.arguments import strict
from ecgphoton.ecg import database, synthetic
from ecgphoton.ecg.beatset import BeatSet, DropReport, Extracted
from ecgphoton.ecg.cache import remembered
from ecgphoton.ecg.databases import MITDB, dataset_of
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.detect import Centring
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.formats import needs_hints, open_recording
from ecgphoton.ecg.labels import not_read, read_labels
from ecgphoton.ecg.leads import view_of
from ecgphoton.ecg.origin import Origin
from ecgphoton.ecg.protocols import Protocol, protocol_of
from ecgphoton.ecg.quality import Quality
from ecgphoton.ecg.reading import annotated, record_files, signal_of
from ecgphoton.ecg.records import LabelScheme, label_scheme
from ecgphoton.ecg.splits import Splits, assemble, labelled
from ecgphoton.ecg.views import with_views
from ecgphoton.errors import InputError, require

__all__ = [
    "BeatSet",
    "DropReport",
    "Loaded",
    "Splits",
    "load_all",
    "load_splits",
]


MOST_VIEWS = 12
"""Leads of a standard ECG."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """Beats of some records with their classes, and the files they were read from."""

    beats: BeatSet
    report: DropReport
    origin: Origin | None
    """None for synthetic beats."""


@strict
def load_splits(
    protocol: str | Path | Protocol = "reference",
    labels: str | LabelScheme | None = None,
    *,
    data: str | Path | Dataset = "mitdb",
    data_dir: str | Path | None = None,
    lead: str | None = None,
    split_seed: int = 0,
    stratified: bool = False,
    centring: Centring = "annotation",
    quality: Quality = "keep",
    views: int = 1,
    cache: bool = True,
) -> Splits:
    """Load training, validation and test beats of a protocol.

    Parameters
    ----------
    protocol, labels
        Names in `protocols.PROTOCOLS` and `records.LABELS`, a protocol file, or such values.
        Labels None are those of the protocol, else ``literal``, also for the protocol
        ``inter-patient``, whose recipe names ``aami-svf``.
    data
        A dataset by name (``mitdb``, ``svdb``), a folder of recordings, a dataset file or a
        `Dataset`; ``synthetic``; or ``auto``: MIT-BIH where it is found, generated beats where no
        folder was named and there is none.
    data_dir
        Where a published database is; otherwise `$ECGPHOTON_DATA`, otherwise the user's cache.
    lead
        By name, or ``channel:<n>``: used or refused. None is that of the protocol; else, as for
        the dataset's own first lead, the dataset's order of preference, with a note where a
        record lacks the first.
    split_seed, stratified
        Of the random division, where validation is a share of the training beats.
    centring
        Where windows are centred: on the annotation, or on the middle of the QRS (`qrs`), which
        is the same for an annotated and a detected beat.
    quality
        Whether beats of the training records (and validation beats drawn from these) are left out
        where the lead is no ECG (`drop`), see `quality`. Beats of other records are always kept.
    views
        Leads of every training record that are read: with more than one, `Splits.views` holds the
        same beats in the record's next ECG leads. Beats where a further lead is no ECG are left
        out as `quality` says, and also if they are most of that lead; the report names both.
    cache
        Whether to keep the beats in the cache on disk.

    Returns
    -------
    The sets `train`, `validation` (empty where the protocol has folds) and `test`; `report` counts
    what was left out, and `synthetic` is True where beats are generated.

    Raises
    ------
    InputError
        If data is missing or damaged, a set is empty, or `views` is below 1.
    """
    require(split_seed >= 0, "split_seed", split_seed, "at least 0")
    require(1 <= views <= MOST_VIEWS, "views", views, f"from 1 to {MOST_VIEWS}")
    protocol = protocol_of(protocol)
    scheme = label_scheme(labels or protocol.labels or "literal")
    lead = lead or protocol.lead
    dataset = _dataset(data, data_dir)
    if dataset is None:
        protocol = synthetic.stand_in(protocol)
    else:
        dataset = replace(dataset, annotator=protocol.annotator or dataset.annotator)
        protocol = replace(protocol, same_subject={**dataset.same_subject, **protocol.same_subject})
    (extracted, *seen), origin = _extract_all(
        dataset, protocol.records, data_dir, lead, centring=centring, cache=cache,
        judged=protocol.train if quality == "drop" else (), views=views, seen=protocol.train,
    )  # fmt: skip
    splits = assemble(protocol, scheme, extracted, split_seed=split_seed, stratified=stratified)
    if seen:
        splits = with_views(splits, seen)
    return replace(splits, origin=origin, report=_with_origin(splits.report, origin))


def load_all(
    names: Iterable[str] | None = None,
    *,
    data: str | Path | Dataset = "mitdb",
    data_dir: str | Path | None = None,
    lead: str | None = None,
    labels: str | LabelScheme = "literal",
    centring: Centring = "annotation",
    cache: bool = True,
) -> Loaded:
    """Load all beats of some records, or of every record of a dataset that is there.

    Parameters
    ----------
    names
        Records; None takes all that exist, and the report states how many.

    Raises
    ------
    InputError
        If data is missing or damaged.
    """
    scheme, dataset = label_scheme(labels), _dataset(data, data_dir)
    chosen = None if names is None else tuple(names)
    (extracted,), origin = _extract_all(
        dataset, chosen, data_dir, lead, centring=centring, cache=cache
    )
    classed = [labelled(extracted[name], scheme) for name in chosen or extracted]
    report = _with_origin(DropReport.join(part.report for part in classed), origin)
    beats = BeatSet.concat([part.beats for part in classed])
    if chosen is None and origin is not None and not origin.complete:
        beats = replace(beats, source=f"{beats.source} ({origin.share})")
    return Loaded(beats, report, origin)


def _dataset(data: str | Path | Dataset, data_dir: str | Path | None) -> Dataset | None:
    """Return the dataset, None for synthetic beats; a named one that does not exist is refused."""
    if data == "synthetic":
        if data_dir is not None:
            raise InputError(
                f"synthetic beats are generated, and the folder {data_dir} is not read; leave "
                "--data-dir out, or name other data"
            )
        return None
    if data == "auto":
        nowhere = database.locate(data_dir) is None and not database.named(data_dir)
        return None if nowhere else MITDB
    return dataset_of(data)


def _with_origin(report: DropReport, origin: Origin | None) -> DropReport:
    """Add notes on equal files, and on the share of a database that was read if it is not all."""
    if origin is None:
        return report
    share = () if origin.complete else (f"{origin.share} of {origin.dataset.name} read",)
    return replace(report, notes=(*report.notes, *origin.copies, *share))


def _extract_all(
    dataset: Dataset | None,
    names: tuple[str, ...] | None,
    data_dir: str | Path | None,
    lead: str | None,
    *,
    centring: Centring,
    cache: bool,
    judged: Container[str] = (),
    views: int = 1,
    seen: tuple[str, ...] = (),
) -> tuple[list[dict[str, Extracted]], Origin | None]:
    """Beats of every record, and the files they were read from; synthetic ones without a dataset.

    Without `names` they are all records that are there. Beats of `judged` records that lie where
    the lead is no ECG are left out. Behind them are the beats of the `seen` records in each further
    one of their ECG leads, without the records that have none; where it is no ECG for most beats,
    beats are left out there as well.
    """
    if dataset is None:
        lead = lead or MITDB.leads[0]
        made = [
            synthetic.extracted(some, lead=lead, centring=centring, judged=judged, view=view)
            for view, some in enumerate((names or (), *[seen] * (views - 1)))
        ]
        return made, None
    folder = database.find(dataset, data_dir)
    own = dataset.folder is not None
    there = dataset.records if own else database.present(dataset, folder)
    names = there if names is None else names
    unknown = [name for name in names if name not in dataset.records]
    if unknown:
        raise InputError(
            f"no record {unknown[0]!r} in {folder}; dataset {dataset.name} has "
            f"{len(dataset.records)}: {' '.join(dataset.records[:60])}; name records that are "
            "there, in a protocol of your own (--protocol FILE.toml)"
        )
    lacking = [name for name in names if name not in there]
    if lacking:
        raise InputError(
            f"{folder} holds {database.share(dataset, len(there))}; {len(lacking)} of the "
            f"{len(names)} asked for are not among them: {' '.join(lacking[:10])}"
            f"{' ...' * (len(lacking) > 10)}; `ecgphoton data fetch {dataset.name}` fetches the "
            "rest"
        )
    first = lead is None or lead in dataset.leads[:1]
    lead, prefer = (None, dataset.leads) if first else (lead, ())

    def one(name: str) -> tuple[list[Extracted | None], dict[str, str]]:
        quality: Quality = "drop" if name in judged else "keep"
        files = record_files(folder, name, dataset.annotator)
        hashes = {file.name: str(database.file_sha256(file)) for file in files}
        hints = dataset.hints if needs_hints(files[0]) else None
        opened = lru_cache(partial(open_recording, folder / name, hints))
        labels_in = lru_cache(partial(read_labels, symbols=dataset.symbols))

        def build(view: int) -> Extracted | None:
            at = view_of(opened(), view, lead, prefer)
            if at is None:
                return None
            read = annotated(
                name, signal_of(opened(), at, f"channel:{at}" if view else lead, prefer), files,
                labels_in, dataset.annotator,
            )  # fmt: skip
            return extract(
                read, source=dataset.source, centring=centring, quality=quality, further=view > 0
            )

        def kept(view: int) -> Extracted | None:
            if not cache:
                return build(view)
            how = (
                lead, prefer, view, dataset.symbols, dataset.hints, dataset.source, centring,
                quality,
            )  # fmt: skip
            key = (name, how, hashes, not_read(files[0], files[-1]))
            place = f"{lead or 'preferred'}{f'-further-{view}' * (view > 0)}-{centring}-{quality}"
            return remembered(name, place, dataset.source, repr(key), partial(build, view))

        return [kept(view) for view in range(views if name in seen else 1)], hashes

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        found = dict(zip(names, pool.map(one, names), strict=True))
    files = {file: digest for _, hashes in found.values() for file, digest in hashes.items()}
    extracted: list[dict[str, Extracted]] = [{} for _ in range(views)]
    for name, (parts, _) in found.items():
        for view, part in enumerate(parts):
            if part is not None:
                extracted[view][name] = part
    labels = frozenset([*hashes][-1] for _, hashes in found.values() if len(hashes) > 1)
    return extracted, Origin(dataset, str(folder), files, len(there), labels)

"""WFDB annotation files: damaged ones are refused; they are written completely or not at all."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.artifacts import atomic_files
from ecgphoton.ecg.formats.wfdb_header import header_lines
from ecgphoton.ecg.formats.wfdb_record import call_wfdb, read_part
from ecgphoton.ecg.marks import Annotations, decode
from ecgphoton.ecg.recording import LONGEST
from ecgphoton.errors import InputError

_ANNOTATOR = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,15}")
_RECORD = re.compile(r"[A-Za-z0-9_-]{1,64}")


def record_path(record: str | Path) -> Path:
    """Return the path of a record without extension; the path of a header is accepted as well.

    Raises
    ------
    InputError
        If there is no header of that name.
    """
    path = Path(record)
    path = path.with_suffix("") if path.suffix == ".hea" else path
    if not path.with_name(f"{path.name}.hea").is_file():
        raise InputError(
            f"there is no record {record} ({path.name}.hea is missing); give the path of a WFDB "
            "record without extension, such as mitdb/100"
        )
    return path


def read_annotations(
    record: str | Path, annotator: str, *, folder: Path | None = None
) -> Annotations:
    """Read an annotation file, beside the record or in another folder.

    Times are at the rate of the record, also where the file has a time resolution of its own.

    Raises
    ------
    InputError
        If record or annotation is missing or damaged.
    """
    path = record_path(record)
    _check_known(annotator)
    header = _header(path)
    where = path if folder is None else folder / path.name
    content = read_part(where.with_name(f"{path.name}.{annotator}"), path.name)
    return decode(content, f"annotation file {path.name}.{annotator}", float(header.fs))


def duration(record: str | Path) -> float | None:
    """Length of a record in seconds, None if its header does not state it.

    Raises
    ------
    InputError
        If the header is missing or damaged.
    """
    header = _header(record_path(record))
    return header.sig_len / header.fs if header.sig_len else None


def _header(path: Path) -> Any:  # noqa: ANN401
    header_lines(read_part(path.with_name(f"{path.name}.hea"), path.name), path.name)
    return call_wfdb("rdheader", f"header {path.name}.hea", str(path))


def write_annotations(
    folder: Path,
    name: str,
    annotator: str,
    sample: NDArray[np.int64],
    symbol: Sequence[str],
    *,
    fs: float,
    note: str = "",
) -> Path:
    """Write a WFDB annotation file ``<name>.<annotator>``.

    Parameters
    ----------
    folder
        Where to.
    name, annotator
        Record and annotator; letters and digits.
    sample, symbol
        In order; WFDB symbols.
    fs
        Hz, stored in the file.
    note
        A sentence stored as a comment annotation at sample 1.

    Raises
    ------
    InputError
        If a name is not allowed by WFDB, times run backwards, or the folder cannot be written.
    """
    import wfdb

    check_annotator(annotator)
    if not _RECORD.fullmatch(name):
        raise InputError(f"record name {name!r}; WFDB allows letters, digits, '-' and '_'")
    sample = np.asarray(sample, np.int64)
    if len(sample) and (sample[0] < 0 or sample[-1] > LONGEST or (np.diff(sample) < 0).any()):
        raise InputError(
            f"annotation samples of {name} from {sample.min()} to {sample.max()}; they must be "
            f"in order, from 0 to {LONGEST}"
        )
    symbols = list(symbol)
    notes = [""] * len(symbols)
    if note or not symbols:
        # At sample 1: readers take a note at sample 0 for a definition.
        at = int(np.searchsorted(sample, 1))
        sample = np.insert(sample, at, 1)
        symbols.insert(at, '"')
        notes.insert(at, note or "no beat")
    with atomic_files(folder) as place:
        wfdb.wrann(name, annotator, sample, symbols, aux_note=notes, fs=fs, write_dir=str(place))
    return folder / f"{name}.{annotator}"


def check_annotator(annotator: str) -> None:
    """Refuse an annotator that cannot be written: letters alone, as the wfdb package allows.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    _check_known(annotator)
    if not annotator.isalpha():
        raise InputError(f"annotator {annotator!r} to write; the wfdb package allows letters alone")


def _check_known(annotator: str) -> None:
    if not _ANNOTATOR.fullmatch(annotator):
        raise InputError(
            f"annotator {annotator!r}; use letters first, then digits or '_', such as atr or eph"
        )

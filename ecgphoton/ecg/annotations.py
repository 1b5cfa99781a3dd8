"""WFDB annotation files: damaged ones are refused; they are written completely or not at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ecgphoton.artifacts import atomic_files
from ecgphoton.ecg.formats.wfdb_header import header_lines
from ecgphoton.ecg.formats.wfdb_record import call_wfdb, read_part
from ecgphoton.ecg.recording import LONGEST
from ecgphoton.ecg.records import BEAT_SYMBOLS
from ecgphoton.errors import InputError
from ecgphoton.host import foreign

_ANNOTATOR = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,15}")
_RECORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODES = enumerate('NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r', 1)
_SYMBOLS = {code: symbol for code, symbol in _CODES if symbol != " "}
"""Symbol of each annotation code; annot(5) of the WFDB manual."""
LARGEST_ANNOTATION = 2**23  # bytes
LONGEST_NOTE = 255
"""Bytes of a note; wfdb writes a file of other annotations from a longer one."""
COARSEST = 25.0
"""Hz; the coarsest time resolution whose beats are within 20 ms, a quarter of a narrow QRS."""
_NOTE, _RHYTHM, _SKIP, _SUBTYPE, _TEXT = 22, 28, 59, 61, 63
_CLOCK = b"## time resolution:"
_Rhythms = tuple[tuple[float, str], ...]
_NUMBER = re.compile(rb"\s*(\d+\.?\d*(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True, eq=False)
class Annotations:
    """What one annotator marked in one record."""

    sample: NDArray[np.int64]
    """``(n,)`` in order, at the rate of the record."""
    symbol: NDArray[np.str_]
    """``(n,)`` WFDB symbols."""
    fs: float
    """Hz, of the record."""
    subtype: NDArray[np.int64] | None = None
    """``(n,)`` WFDB subtypes; None where all are 0."""
    rhythms: _Rhythms = ()
    """Sample and name, such as ``(AFIB``, of each rhythm that begins at ``+``."""

    @property
    def beats(self) -> Self:
        """The heart beats alone."""
        beat = np.isin(self.symbol, list(BEAT_SYMBOLS))
        return type(self)(self.sample[beat], self.symbol[beat], self.fs)


def decode(content: bytes, what: str, fs: float) -> Annotations:
    """Read the marks of an annotation file.

    A file may have a time resolution of its own ("## time resolution" in its first note); its
    samples are brought to the rate of the record.

    Parameters
    ----------
    content
        The file.
    what
        Its name, for messages.
    fs
        Sampling rate of the record, Hz.

    Raises
    ------
    InputError
        If the file is truncated or not in the MIT format, its times run backwards, or
        its clock cannot be read.
    """
    if len(content) < 2 or len(content) % 2 or content[-2:] != b"\0\0":
        raise InputError(
            f"{what} is truncated, or no WFDB annotation: {len(content)} bytes that do not end in "
            "the end mark; fetch it again"
        )
    sample, code, subtype, clock, rhythms = _marks(content, what)
    if len(sample) and (sample[0] < 0 or (np.diff(sample) < 0).any()):
        raise InputError(f"{what} is damaged: its times run backwards; fetch it again")
    if clock is not None and clock != fs:
        sample = np.floor(sample * (fs / clock) + 0.5).astype(np.int64)
        rhythms = tuple((at * (fs / clock), name) for at, name in rhythms)
    known = np.isin(code, list(_SYMBOLS))
    symbol = np.array([_SYMBOLS[number] for number in code[known].tolist()], "<U1")
    return Annotations(sample[known], symbol, fs, subtype[known], rhythms)


def _marks(
    content: bytes, what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], float | None, _Rhythms]:
    """Return time, code and subtype of every mark, the file's own clock, Hz or None, and rhythms.

    wfdb 4.3 never returns from some notes at sample 0 (``## `` and then anything unknown).
    """
    words = np.frombuffer(content, "<u2").tolist()
    marks: list[list[int]] = []  # time, code and subtype
    rhythms: list[tuple[float, str]] = []
    clock = None
    at = time = 0
    while at < len(words) and words[at]:
        code, low = words[at] >> 10, words[at] & 1023
        at += 1
        if code == _SKIP:
            if at + 2 > len(words):
                raise InputError(f"{what} is damaged: it ends within a time; fetch it again")
            leap = words[at] << 16 | words[at + 1]
            time += leap - (leap >> 31 << 32)
            at += 2
        elif code == _TEXT:
            text = content[2 * at : 2 * at + low]
            noted = time == 0 and bool(marks) and marks[-1][1] == _NOTE
            if clock is None and noted and text.startswith(_CLOCK):
                clock = _rate(text.removeprefix(_CLOCK), what)
            elif marks and marks[-1][1] == _RHYTHM:
                rhythms.append((time, text.decode("ascii", "replace").strip("\0 ")))
            at += (low + 1) // 2
        elif code == _SUBTYPE and marks:
            marks[-1][2] = (low + 128) % 256 - 128  # a signed byte
        elif code < _SKIP:
            time += low
            marks.append([time, code, 0])
    if any(words[at:]):
        raise InputError(
            f"{what} goes on behind its end mark: it is damaged, or not in the MIT format (that of "
            "AHA is not read); fetch it again"
        )
    times, codes, subtypes = np.array(marks, np.int64).reshape(-1, 3).T
    return times, codes, subtypes, clock, tuple(rhythms)


def _rate(text: bytes, what: str) -> float:
    """Return a time resolution in Hz; one that cannot be used raises InputError."""
    said = _NUMBER.match(text)
    rate = float(said[1]) if said else 0.0
    if not COARSEST <= rate <= 1e6:
        stated = text[:20].decode("ascii", "replace").strip()
        raise InputError(
            f"{what} states a time resolution of {stated!r} Hz, which is no rate that places beats "
            f"({COARSEST:g} Hz and more do); write it again"
        )
    return rate


def record_path(record: str | Path) -> Path:
    """Return the path of a record without extension; the path of a header is accepted as well.

    Raises
    ------
    InputError
        If there is no header of that name.
    """
    path = Path(record)
    path = path.with_suffix("") if path.suffix == ".hea" else path
    if not path.name or not path.with_name(f"{path.name}.hea").is_file():
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
    check_annotator(annotator, write=False)
    header = _header(path)
    where = path if folder is None else folder / path.name
    content = read_part(where.with_name(f"{path.name}.{annotator}"), path.name, LARGEST_ANNOTATION)
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
    header = call_wfdb("rdheader", f"header {path.name}.hea", str(path))
    if not float(header.fs or 0) > 0:
        raise InputError(f"header {path.name}.hea states {header.fs} samples a second; correct it")
    return header


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
        A sentence stored as a comment annotation at sample 1: in ASCII, with ``?`` for other
        letters, and cut where it is longer than `LONGEST_NOTE`.

    Raises
    ------
    InputError
        If a name is not allowed by WFDB, times run backwards, or the folder cannot be written.
    """
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
        plain = (note or "no beat").encode("ascii", "replace").decode()
        notes.insert(at, plain if len(plain) <= LONGEST_NOTE else f"{plain[: LONGEST_NOTE - 3]}...")
    with atomic_files(folder) as place, foreign():
        import wfdb

        wfdb.wrann(name, annotator, sample, symbols, aux_note=notes, fs=fs, write_dir=str(place))
    return folder / f"{name}.{annotator}"


def check_annotator(annotator: str, *, write: bool = True) -> None:
    """Refuse an annotator that cannot be read, or written: letters alone, as wfdb allows.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    if not _ANNOTATOR.fullmatch(annotator):
        raise InputError(
            f"annotator {annotator!r}; use letters first, then digits or '_', such as atr or eph"
        )
    if write and not annotator.isalpha():
        raise InputError(f"annotator {annotator!r} to write; the wfdb package allows letters alone")

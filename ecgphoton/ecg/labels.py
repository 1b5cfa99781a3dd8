"""Labelled beats of a recording, from a WFDB annotation, a table, or the EDF+ file itself."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.annotations import LARGEST_ANNOTATION, decode
from ecgphoton.ecg.formats.edf import edf_notes
from ecgphoton.ecg.formats.table import Table, read_table
from ecgphoton.ecg.formats.times import is_time, words_of
from ecgphoton.ecg.recording import FROM_ZERO, LONGEST, Beginning
from ecgphoton.ecg.records import BEAT_SYMBOLS
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, read_bytes
from ecgphoton.wording import count

EDF_NOTES = "edf+"
"""Annotator that means the annotations inside an EDF+ file."""
USUAL = ("atr", "labels.csv", "beats.csv", "csv")
"""Annotators that are searched for beside a recording when none is named."""
_TABLES = (".csv", ".tsv", ".txt")
_ONSET = "onset"
_SAMPLES = ("sample", "samples", "sample #", "index", "r_peak", "peak")
_APART = 1.0
"""Seconds by which the distance of two columns may vary: clock times may be whole seconds."""
_SYMBOLS = ("symbol", "label", "type", "beat", "annotation", "class", "description")


@dataclass(frozen=True, eq=False)
class Labels:
    """Beats of one recording."""

    sample: NDArray[np.int64]
    """``(n,)`` in order, at the rate asked for."""
    symbol: NDArray[np.str_]
    """``(n,)`` WFDB symbols."""
    notes: tuple[str, ...] = ()


def label_file(recording: Path, annotator: str | None) -> Path:
    """Return the file that holds the labels of a recording.

    Parameters
    ----------
    recording
        The recording's file (a WFDB record's header).
    annotator
        What follows the record's name: ``atr`` (WFDB), ``csv``, ``labels.csv``, or ``edf+`` for the
        annotations of an EDF+ file itself; None takes the first of `USUAL` that exists, then
        ``edf+``.

    Raises
    ------
    InputError
        If it does not exist, would be the recording itself, or is in another folder.
    """
    if annotator is not None and "/" in annotator:
        raise InputError(
            f"annotator {annotator!r}; give what follows the name of the record, such as atr"
        )
    edf = recording.suffix.lower() in (".edf", ".bdf")
    if annotator == EDF_NOTES and edf and recording.is_file():
        return recording
    wanted = USUAL if annotator is None else (annotator, *(annotator + kind for kind in _TABLES))
    if there := _beside(recording, wanted):
        return next(iter(there.values()))
    if annotator is None and edf:
        return recording
    others = _beside(recording, USUAL).items()
    found = [f"; there is {file.name}: annotator {ending!r}" for ending, file in others]
    raise InputError(
        f"record {recording.stem!r} lacks {recording.stem}.{annotator or 'atr'} in "
        f"{recording.parent}: its labels as WFDB annotation, as a table with the columns time (or "
        f"sample) and symbol, or EDF+ annotations{''.join(found[:1])}"
    )


def _beside(recording: Path, endings: Iterable[str]) -> dict[str, Path]:
    """Return the files beside a recording that have its name, by their endings."""
    places = {one: recording.with_name(f"{recording.stem}.{one}") for one in endings}
    return {one: file for one, file in places.items() if file.is_file() and file != recording}


def of_wfdb(file: Path) -> bool:
    """Whether a label file is a WFDB annotation, which has marks of all kinds, or holds beats."""
    return file.suffix.lower() not in (*_TABLES, ".edf", ".bdf")


def not_read(recording: Path, file: Path) -> tuple[str, ...]:
    """Return a note on other files that could hold the labels of a recording, if there are any."""
    others = [one.name for one in _beside(recording, USUAL).values() if one != file]
    said = f"{recording.stem}: labels from {file.name}, not from {', '.join(others)}"
    return (f"{said}; name the annotator to change that",) if others else ()


def read_labels(
    file: Path,
    fs: float,
    clock: float | None = None,
    symbols: Mapping[str, str] | None = None,
    *,
    begins: Beginning = FROM_ZERO,
    length: int = 0,
) -> Labels:
    """Read the beats of a label file.

    Parameters
    ----------
    file
        From `label_file`.
    fs
        Rate of the lead, Hz: beats are given at this rate.
    clock
        Rate that samples of the file count, where that is not `fs`, Hz.
    symbols
        Words of the file to WFDB symbols; words that are in neither are counted and are no beats.
    begins, length
        What the recording's own times and numbers state for its first sample, and its samples at
        `fs`, 0 where they are not known. A table may count as these do, or from the first sample;
        what fits is taken. A note says how many beats are beyond the end.

    Raises
    ------
    InputError
        If the file is damaged, its columns are not known, or both ways of counting fit.
    """
    clock = fs if clock is None else clock
    suffix = file.suffix.lower()
    if suffix in (".edf", ".bdf"):
        found = edf_notes(file)
        at = np.array([seconds * fs for seconds, _ in found], np.float64)
        words = [text.strip() for _, text in found]
    elif suffix in _TABLES:
        at, words, first = _of_table(file, read_table(file), fs, fs / clock, begins)
        at = _counted(file, at, first, length)
    else:
        marks = decode(read_bytes(file, LARGEST_ANNOTATION), f"annotation file {file.name}", clock)
        at, words = np.float64(fs / clock) * marks.sample, marks.symbol.tolist()
    known = {**{symbol: symbol for symbol in BEAT_SYMBOLS}, **(symbols or {})}
    others = Counter(word for word in words if word not in known)
    order = [i for i in np.argsort(at, kind="stable").tolist() if words[i] in known]
    at = at[order]
    if len(at) and not (np.isfinite(at).all() and at.min() >= 0 and at.max() <= LONGEST):
        raise InputError(f"{file} marks beats at negative or impossible times; check its columns")
    sample = np.rint(at).astype(np.int64)
    symbol = np.array([known[words[i]] for i in order], "<U1")
    once = (np.diff(sample, prepend=-1) > 0) | ~np.isin(symbol, list(BEAT_SYMBOLS))
    sample, symbol = sample[once], symbol[once]
    few = ", ".join(f"{word[:20]!r} {number}" for word, number in others.most_common(5))
    again, beyond = int((~once).sum()), int((sample >= length).sum()) if length else 0
    said = (
        f"{others.total()} labels are no beats: {few}" if others and not of_wfdb(file) else "",
        f"{count(again, 'beat')} {'is' if again == 1 else 'are'} marked again at one sample; the "
        "first mark counts" if again else "",
        f"{beyond} of {len(sample)} beats are marked beyond the end of the recording "
        f"({length / fs:g} s); check its rate" if beyond else "",
    )  # fmt: skip
    none = () if order else (f"{file.name} marks no beat",)
    notes = (*none, *(f"{file.stem}: {text}" for text in said if text))
    return Labels(sample, symbol, notes)


def _of_table(
    file: Path, table: Table, fs: float, per_sample: float, begins: Beginning
) -> tuple[NDArray[np.float64], list[str], float]:
    """Place at the rate `fs` and word of every line, and place of the recording's first sample."""
    names = [name.casefold().strip() for name in table.names]

    def column(known: tuple[str, ...]) -> int | None:
        return next((names.index(name) for name in known if name in names), None)

    symbol, sample = column(_SYMBOLS), column(_SAMPLES)
    time = next((at for at, name in enumerate(names) if name == _ONSET or is_time(name)), None)
    if symbol is None or (sample is None and time is None):
        raise InputError(
            f"{file} has the columns {', '.join(table.names[:8])}; labels need one called symbol, "
            "and one called time (seconds) or sample"
        )
    with expecting(file, "a table of labels", "give numbers, or times as hh:mm:ss.sss"):
        if sample is None:
            return table.seconds(time or 0) * fs, words_of(table.columns[symbol]), begins.time * fs
        given = np.asarray(table.columns[sample], np.float64)
        if (np.mod(given, 1) > 0).any():
            raise ValueError(f"sample numbers of column {table.names[sample]} with fractions")
        at = given * per_sample
        if time is not None and not _agree(at, _known(table, time) * fs, fs):
            raise ValueError(
                f"columns {table.names[sample]} and {table.names[time]} place beats differently; "
                "leave one of them out"
            )
        return at, words_of(table.columns[symbol]), begins.number * per_sample


def _counted(file: Path, at: NDArray[np.float64], first: float, length: int) -> NDArray[np.float64]:
    """Return places counted from the first sample, whether they are or count as its axis does."""
    if abs(first) <= 1 or not len(at):  # from 0 or 1
        return at
    alone, shifted = (np.mean((x >= 0) & (x < length)) for x in (at, at - first))
    if alone == shifted > 0:
        raise InputError(
            f"{file} may count from the first sample of the recording or as its own times and "
            "numbers do, which begin elsewhere; let both begin at 0"
        )
    return at if alone > shifted else at - first


def _known(table: Table, at: int) -> NDArray[np.float64]:
    """Return the times of a column beside sample numbers; NaN where it holds none."""
    try:
        return table.seconds(at)
    except ValueError:
        return np.full(len(table.columns[at]), np.nan)


def _agree(samples: NDArray[np.float64], times: NDArray[np.float64], fs: float) -> bool:
    """Whether two columns place beats alike, but for their beginning and for rounding."""
    apart = samples - times
    apart = apart[np.isfinite(apart)]
    return not len(apart) or bool(np.ptp(apart) <= _APART * fs)

"""Read recordings: files of every format come in, an `OpenRecording` goes out.

A WFDB record is given by its path without extension or by its header; every other format by its
file, or by its path without extension where it is unambiguous.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from ecgphoton.ecg.formats.columns import Hints, open_numpy
from ecgphoton.ecg.formats.dicom import open_dicom
from ecgphoton.ecg.formats.edf import open_edf
from ecgphoton.ecg.formats.table import open_table, without_numbers
from ecgphoton.ecg.formats.wfdb_segments import open_wfdb, parts_in
from ecgphoton.ecg.leads import choose
from ecgphoton.ecg.recording import OpenRecording, Recording
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting

__all__ = [
    "FORMATS",
    "Hints",
    "find_file",
    "needs_hints",
    "open_recording",
    "other_files",
    "read",
    "record_names",
]

_SAYS_ITSELF: dict[str, Callable[[Path], OpenRecording]] = {
    ".hea": lambda path: open_wfdb(path.with_suffix("")),
    ".edf": open_edf,
    ".bdf": open_edf,
    ".dcm": open_dicom,
}
_NEEDS_HINTS: dict[str, Callable[[Path, Hints], OpenRecording]] = {
    ".npz": open_numpy,
    ".npy": open_numpy,
    ".csv": open_table,
    ".tsv": open_table,
    ".txt": open_table,
}
FORMATS = (*_SAYS_ITSELF, *_NEEDS_HINTS)
"""Extensions that are read. A text file beside another recording of its name holds the labels."""
_PACKED = (".gz", ".zip", ".xz", ".bz2", ".7z", ".zst", ".tgz", ".rar")
_TEXT = tuple(suffix for suffix, reader in _NEEDS_HINTS.items() if reader is open_table)


def open_recording(path: str | Path, hints: Hints | None = None) -> OpenRecording:
    """Open a recording of any format that is read.

    Parameters
    ----------
    path
        File, or path without extension.
    hints
        Rate, unit and column, for text and NumPy files that do not state them.

    Raises
    ------
    InputError
        If there is no such file, it is damaged, or something is given that the file states.
    """
    file, hints = find_file(Path(path)), hints or Hints()
    suffix = file.suffix.lower()
    if needs_hints(file):
        return _NEEDS_HINTS[suffix](file, hints)
    if hints.given:
        raise InputError(
            f"{file.name} states its rate, units and leads; leave out "
            + ", ".join(f"--{name}" for name in hints.given)
        )
    return _SAYS_ITSELF[suffix](file)


def needs_hints(file: Path) -> bool:
    """Whether a file is of a format that does not state its rate and units."""
    return file.suffix.lower() in _NEEDS_HINTS


def find_file(path: Path) -> Path:
    """Return the file of a recording given with or without extension.

    Raises
    ------
    InputError
        If there is none, or two of different formats have that name.
    """
    with expecting(path, "a path that can be opened", "check it"):
        return _found(path)


def _found(path: Path) -> Path:
    if path.suffix.lower() in FORMATS and path.is_file():
        return path
    if path.suffix == ".dat" and path.with_suffix(".hea").is_file():
        return path.with_suffix(".hea")
    cases = (str.lower, str.upper, str.title)
    spellings = [case(suffix) for suffix in FORMATS for case in cases] if path.name else []
    found = [path.with_name(path.name + spelling) for spelling in spellings]
    found = [file for file in found if file.is_file()]
    signals = [file for file in found if file.suffix.lower() not in _TEXT]
    if len(signals) > 1 and not signals[0].samefile(signals[-1]):
        raise InputError(
            f"{path} is the name of {' and of '.join(file.name for file in signals)}; give the "
            "file with its extension, or keep recordings of one name in two folders"
        )
    if found:
        return found[0]
    if path.is_file():
        raise InputError(
            f"{path} is no recording that is read ({_why_not(path)}); give one as "
            f"{', '.join(FORMATS)}, to which other programs can convert it"
        )
    raise InputError(
        f"there is no recording {path}; give a file ({', '.join(FORMATS)}), or its path without "
        "extension, such as mitdb/100"
    )


def record_names(folder: Path) -> tuple[str, ...]:
    """Names of the recordings in a folder, sorted.

    Segments of a WFDB record in the folder are parts of it and do not count, nor do hidden files
    and what `annotate` wrote. A text file counts if it holds numbers and does not bear the name of
    another recording: checksums, documentation and labels do not.

    Raises
    ------
    InputError
        If the path is not a folder or holds no recording.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give a folder of recordings")
    files = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in FORMATS and path.name.isprintable() and not _written(path)
    ]
    stems = {path.stem for path in files}
    found = {
        path.stem
        for path in files
        if path.suffix.lower() not in _TEXT
        or not (stems.intersection(_beginnings(path.stem)[:-1]) or without_numbers(path))
    }
    found -= parts_in(folder)[0]
    if not found:
        raise InputError(f"{folder} holds no recording ({', '.join(FORMATS)}); check the path")
    return tuple(sorted(found))


def _written(path: Path) -> bool:
    """Whether a file is hidden or an answer of `annotate`, which has a JSON file beside it."""
    beside = (path.with_suffix(".jsonl"), path.with_suffix(".json"))
    return path.name[0] == "." or ("." in path.stem and any(one.is_file() for one in beside))


def _beginnings(name: str) -> list[str]:
    """Return a name up to each of its dots, and whole."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def other_files(folder: Path, names: Collection[str]) -> dict[str, str]:
    """Files in a folder that belong to none of these recordings, and its folders, each with why.

    They are sorted by name; names of folders end in a slash. Segments and signal files of a record
    belong to it.
    """
    segments, files = parts_in(folder)
    known = {*names, *segments}
    return {
        f"{path.name}/" if path.is_dir() else path.name: _why_not(path)
        for path in sorted(folder.iterdir())
        if path.is_dir() or not (path.name in files or known.intersection(_beginnings(path.name)))
    }


def _why_not(path: Path) -> str:
    """Return why a file or folder within a folder is no recording."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return "a folder, which is not searched"
    if _written(path):
        return "hidden" if path.name[0] == "." else "an answer of annotate"
    if suffix in FORMATS and not path.name.isprintable():
        return "its name holds signs that cannot be printed"
    if suffix in _TEXT:
        return without_numbers(path)
    if suffix in _PACKED:
        return "it is packed, so unpack it first"
    return "no header (.hea) of its name" if suffix == ".dat" else "no format that is read"


def read(
    path: str | Path,
    *,
    fs: float | None = None,
    unit: str | None = None,
    column: str | None = None,
) -> Recording:
    """Read a whole recording: WFDB, EDF/EDF+/BDF, CSV/TSV/text, NumPy or DICOM waveform.

    Parameters
    ----------
    path
        File, or path without extension.
    fs, unit, column
        Hz, unit (V, mV, uV, nV) and column, for text and NumPy files that do not state them.

    Returns
    -------
    Signal in mV ``(samples, leads)`` with NaN where nothing was measured. Leads at another rate
    than the first ECG lead are left out, and `notes` name them.

    Raises
    ------
    InputError
        If there is no such recording, it is damaged, or it is too long for the memory.

    Examples
    --------
    >>> import numpy as np
    >>> np.save("ecg.npy", np.sin(np.arange(1000) / 10))
    >>> read("ecg.npy", fs=250, unit="mV").signal.shape
    (1000, 1)
    """
    held = open_recording(path, Hints(fs, unit, column))
    main = held.channels[choose(held)]
    chosen = [i for i, one in enumerate(held.channels) if one.fs == main.fs]
    kept = [held.channels[i] for i in chosen]
    out = np.full((max(one.length for one in kept), len(kept)), np.nan, np.float32)
    for column_at, (channel, stored) in enumerate(zip(chosen, held.whole(chosen), strict=True)):
        out[: len(stored), column_at] = held.scaled(channel, stored)
    notes = tuple(
        f"{held.name}: lead {one.name} of {one.fs:g} Hz left out, {main.name} has {main.fs:g} Hz"
        for one in held.channels
        if one.fs != main.fs
    )
    return Recording(
        out, main.fs, tuple(one.name for one in kept),
        tuple("mV" if one.voltage else one.unit for one in kept),
        held.path, held.format, held.start, (*held.notes, *held.assumed(chosen), *notes),
    )  # fmt: skip

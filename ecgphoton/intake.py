"""Untrusted files: read within limits, or refused with a message."""

from __future__ import annotations

import contextlib
import io
import json
import math
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton.errors import EcgphotonError, InputError
from ecgphoton.settings import nearest

if TYPE_CHECKING:
    import numpy as np

LARGEST_FILE = 64 * 2**20  # bytes; no artefact of this project comes near
LARGEST_TEXT = 2**20  # bytes of a recipe, profile or table a person writes
DEEPEST = 16
"""Tables within tables of a TOML file."""


def one_line(what: object) -> str:
    """Return the message of a library as one line of at most 200 characters."""
    return " ".join(str(what).split())[:200]


@contextlib.contextmanager
def expecting(path: Path | str, what: str, advice: str = "copy it again") -> Iterator[None]:
    """Name the file in any error of the block; in one that is not ours, what it should be as well.

    Libraries that read files raise a dozen kinds of errors at damaged ones.

    Raises
    ------
    InputError
        In place of an error that is not ours.
    """
    try:
        yield
    except EcgphotonError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
    except Exception as error:
        reason = one_line(getattr(error, "strerror", None) or error)
        raise InputError(f"{path} is not {what} ({reason}); {advice}") from error


def encoding_of(text: bytes) -> str:
    """Return the encoding of a text: UTF-8, perhaps with a byte order mark, else Latin-1."""
    try:
        text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def read_bytes(path: Path | str, limit: int = LARGEST_FILE) -> bytes:
    """Content of a regular file of at most `limit` bytes, or InputError."""
    path = Path(path)
    with expecting(path, "a file that can be read", "check the path"):
        if path.is_dir():
            raise InputError(f"{path} is a folder; give the path of a file")
        if not path.is_file():
            raise InputError(f"{path} is not a file; check the path")
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise InputError(f"{path} has {path.stat().st_size} bytes; at most {limit} are read")
        return data


def read_text(path: Path | str) -> str:
    """Content of a UTF-8 text file, a byte order mark left out, or InputError."""
    with expecting(path, "UTF-8 text", "save it as UTF-8"):
        return read_bytes(path, LARGEST_TEXT).decode("utf-8-sig")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not allowed: it is no finite number")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; refuse repeated names, which readers interpret differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:80]!r} occurs twice")
    return found


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - JSON is any value
    """Parse JSON without NaN, infinity and repeated names.

    Raises
    ------
    ValueError
        If it is not such JSON.
    """
    try:
        return json.loads(
            text,
            parse_constant=_finite,
            parse_float=_finite,
            object_pairs_hook=_each_once,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_json(path: Path | str) -> Any:  # noqa: ANN401 - JSON is any value
    """Read a JSON file; NaN, infinity, repeated names and too large files are refused.

    Raises
    ------
    InputError
        If the file is missing, too large or not JSON.
    """
    with expecting(path, "valid JSON", "write it again"):
        return parse_json(read_bytes(path))


def parse_toml(text: str, what: str) -> dict[str, Any]:
    """Parse TOML.

    Parameters
    ----------
    what
        What the text should be, for the error: ``recipe x.toml``.

    Raises
    ------
    InputError
        If it is not TOML, or nested deeper than any settings are.
    """
    with expecting(what, "valid TOML", "correct it"):
        data = tomllib.loads(text)
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]
    if level:
        raise InputError(f"{what} is nested more than {DEEPEST} tables deep")
    return data


def check_table(
    data: Mapping[str, Any],
    kinds: Mapping[str, type | tuple[type, ...]],
    what: str,
    *,
    texts: Collection[str] = (),
) -> None:
    """Refuse keys of a file that are unknown, and values of another kind.

    Parameters
    ----------
    kinds
        Types that the value of each key may have.
    what
        What the file is, for the error: ``dataset x.toml``.
    texts
        Lists and tables that hold texts only: 01 without quotes would be the number 1. No text is
        empty.

    Raises
    ------
    InputError
        With the nearest known key, or the value and its key.
    """
    for key, value in data.items():
        if key not in kinds:
            raise InputError(f"{what}: unknown key {key[:40]!r}; {nearest(key, kinds)}")
        items = value.values() if isinstance(value, dict) else value
        if (
            not isinstance(value, kinds[key])
            or value == ""
            or (key in texts and not all(isinstance(item, str) and item for item in items))
        ):
            raise InputError(
                f"{what}: {key} is {one_line(value)!r}; give texts in quotes, several of them as "
                "a list, words for them as a table"
            )


def read_array(path: Path | str, what: str, limit: int = LARGEST_FILE) -> np.ndarray:
    """Array of an npy file of at most `limit` bytes, nothing ever unpickled.

    Raises
    ------
    InputError
        If the file is missing, too large or damaged.
    """
    import numpy as np

    content = read_bytes(path, limit)
    with expecting(path, what):
        _check_shape(io.BytesIO(content), len(content))
        stored: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
        return stored


def read_arrays(path: Path | str, what: str, limit: int = LARGEST_FILE) -> dict[str, np.ndarray]:
    """Arrays of an npz file, nothing ever unpickled.

    Parameters
    ----------
    what
        What the file should be, for the error: ``a golden file``.
    limit
        Bytes that the file may have, packed or unpacked.

    Raises
    ------
    InputError
        If the file is missing or damaged, or unpacks to more than `limit` bytes.
    """
    import zipfile

    import numpy as np

    stream = io.BytesIO(read_bytes(path, limit))
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
    with expecting(path, what):
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > limit:
                raise InputError(f"{path} unpacks to {unpacked} bytes; {limit} are read")
            if len({entry.filename for entry in entries}) != len(entries):
                raise ValueError("two entries have one name")
            if any(entry.compress_type not in known for entry in entries):
                raise ValueError("an entry is packed in a way that is never written")
            for entry in entries:
                with archive.open(entry) as content:
                    _check_shape(content, entry.file_size)
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}


def _check_shape(content: Any, size: int) -> None:  # noqa: ANN401 - an open entry of an archive
    """Refuse an array whose header claims more than its entry holds, before memory is allocated."""
    import numpy as np

    version = np.lib.format.read_magic(content)
    read = np.lib.format.read_array_header_1_0
    shape, _, dtype = (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(content)
    if dtype.hasobject:
        raise ValueError("an array holds Python objects, which are not read; numbers and text are")
    if math.prod(shape) * max(dtype.itemsize, 1) > size:
        raise ValueError(f"an array claims {shape} of {dtype}, its entry has {size} bytes")


def portable(name: str) -> str:
    """Return what a file name becomes where case and composition of letters do not count.

    Raises
    ------
    ValueError
        If it is no plain relative path on every system.
    """
    if (
        not name.isprintable()
        or any(part in ("", ".", "..") for part in name.split("/"))
        or any(sign in name for sign in '\\:*?"<>|')
    ):
        raise ValueError("it is no plain path below the folder")
    return unicodedata.normalize("NFC", name).casefold()

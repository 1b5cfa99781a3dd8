"""Cache of beats on disk, keyed by the hash of everything that they depend on."""

import hashlib
import json
import mmap
import os
import zlib
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.artifacts import write_bytes
from ecgphoton.ecg.beatset import BeatSet, Drop, DropReport
from ecgphoton.ecg.extract import Extracted
from ecgphoton.ecg.features import QRS, WINDOW
from ecgphoton.ecg.patient_features import FEATURES, OWN
from ecgphoton.errors import InputError

_FORMAT, _LINE = "ecgphoton-beats/1", 64
_COLUMNS = (
    ("sample", "<i8", 1),
    ("windows", "<f4", WINDOW),
    ("patient", "<f4", OWN),
    ("residual", "<f4", QRS.stop - QRS.start),
    ("size", "<f4", 1),
    ("symbol", "<U1", 1),
)
"""Name, type and values a beat of every stored column."""


def cache_folder() -> Path:
    """`$ECGPHOTON_CACHE`, or the user's cache folder of this platform."""
    chosen = os.environ.get("ECGPHOTON_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("ecgphoton"))


def remembered(
    name: str, lead: str, source: str, key: str, build: Callable[[], Extracted]
) -> Extracted:
    """Return the beats of a record from the cache, or build and store them.

    A damaged entry is rebuilt; a cache that cannot be written is not used, nor is any while other
    modules have added features, whose code it does not know.

    Parameters
    ----------
    name, lead, source
        Which older entries this one replaces.
    key
        Everything that the beats depend on besides the code that makes them: the content of the
        record's files, and how they are read.
    """
    if len(FEATURES) > OWN:
        return build()
    digest = hashlib.sha256(f"{_code()} {key}".encode()).hexdigest()
    place = hashlib.sha256(source.encode()).hexdigest()[:8]
    family = "".join(c if c.isalnum() else "-" for c in f"{name}-{lead}-{place}")
    path = cache_folder() / "beats" / f"{family}-{digest[:32]}.beats"
    known = _load(path, name)
    if known is not None:
        return known
    built = build()
    try:
        _save(path, built)
        for old in path.parent.glob(f"{family}-{'[0-9a-f]' * 32}.beats"):
            if old != path:  # of other files or older code
                old.unlink(missing_ok=True)
    except (InputError, OSError):
        pass
    return built


@cache
def _code() -> str:
    """Hash of the source code of this package, which turns files into beats."""
    sha = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        sha.update(file.read_bytes())
    return sha.hexdigest()


def _save(path: Path, extracted: Extracted) -> None:
    """Write a line of 64 bytes, the report as JSON, and every column one after the other."""
    beats = extracted.beats
    about = {
        "fs": beats.fs,
        "source": beats.source,
        "drops": [asdict(drop) for drop in extracted.report.drops],
        "notes": extracted.report.notes,
    }
    facts = json.dumps(about).encode()
    facts += b" " * (-len(facts) % _LINE)
    columns = [np.ascontiguousarray(getattr(beats, name), kind) for name, kind, _ in _COLUMNS]
    content = b"".join([facts, *(column.tobytes() for column in columns)])
    line = f"{_FORMAT} {zlib.crc32(content)} {len(facts)} {len(beats)} "
    write_bytes(path, line.ljust(_LINE).encode() + content)


def _load(path: Path, name: str) -> Extracted | None:
    """Map an entry into memory; None if it is absent or damaged."""
    try:
        with path.open("rb") as file:
            memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        form, crc, at, count = bytes(memory[:_LINE]).decode("ascii").split()
        if form != _FORMAT or zlib.crc32(memory[_LINE:]) != int(crc):
            return None
        offset = _LINE + int(at)
        about = json.loads(bytes(memory[_LINE:offset]))
        columns: dict[str, Any] = {}
        for column, kind, width in _COLUMNS:
            values = np.frombuffer(memory, kind, int(count) * width, offset)
            columns[column] = values.reshape(-1, width) if width > 1 else values
            offset += values.nbytes
        beats = BeatSet(
            **columns,
            label=np.full(int(count), -1, np.int64),
            record=np.full(int(count), name, f"<U{max(8, len(name))}"),
            fs=about["fs"],
            source=about["source"],
        )
        drops = tuple(Drop(**drop) for drop in about["drops"])
        return Extracted(beats, DropReport(drops, tuple(about["notes"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None

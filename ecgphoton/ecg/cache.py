"""Beats of a record, remembered on disk under the hash of all that they depend on."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from ecgphoton.artifacts import atomic_path
from ecgphoton.ecg import beatset, extract, features, reading, records
from ecgphoton.ecg.beatset import BeatSet, Drop, DropReport
from ecgphoton.ecg.extract import Extracted
from ecgphoton.errors import InputError

_ARRAYS = ("windows", "rhythm_causal", "rhythm_full", "residual", "symbol", "sample")


def cache_folder() -> Path:
    """`$ECGPHOTON_CACHE`, or the user's cache folder of this platform."""
    chosen = os.environ.get("ECGPHOTON_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("ecgphoton"))


def remembered(
    name: str, files: dict[str, bytes], lead: str, source: str, build: Callable[[], Extracted]
) -> Extracted:
    """Return the beats of a record from the cache, or build and remember them.

    The key covers the content of the record's files, the lead and the code that makes the beats.
    A damaged entry is rebuilt; a cache that cannot be written is done without.
    """
    sha = hashlib.sha256(f"{_code()} {name} {lead} {source}".encode())
    for file, content in sorted(files.items()):
        sha.update(f"{file} {len(content)}".encode())
        sha.update(content)
    family = "".join(c if c.isalnum() else "-" for c in f"{name}-{lead}")
    path = cache_folder() / "beats" / f"{family}-{sha.hexdigest()[:32]}.npz"
    known = _load(path, name)
    if known is not None:
        return known
    built = build()
    try:
        _save(path, built)
        for old in path.parent.glob(f"{family}-{'[0-9a-f]' * 32}.npz"):
            if old != path:  # of other files or older code
                old.unlink(missing_ok=True)
    except (InputError, OSError):
        pass
    return built


@cache
def _code() -> str:
    """Hash of the source that turns files into beats."""
    sha = hashlib.sha256()
    for module in (beatset, extract, features, reading, records):
        sha.update(Path(str(module.__file__)).read_bytes())
    return sha.hexdigest()


def _save(path: Path, extracted: Extracted) -> None:
    beats = extracted.beats
    about = {
        "fs": beats.fs,
        "source": beats.source,
        "drops": [asdict(drop) for drop in extracted.report.drops],
        "notes": extracted.report.notes,
    }
    arrays = {name: getattr(beats, name) for name in _ARRAYS}
    with atomic_path(path) as temporary, temporary.open("wb") as out:
        np.savez(out, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)


def _load(path: Path, name: str) -> Extracted | None:
    """Read an entry (the archive checks a CRC of every array); None if absent or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {column: stored[column] for column in _ARRAYS}
            about = json.loads(stored["about"].tobytes())
        count = len(arrays["sample"])
        beats = BeatSet(
            **arrays,
            label=np.full(count, -1, np.int64),
            record=np.full(count, name, f"<U{max(8, len(name))}"),
            fs=about["fs"],
            source=about["source"],
        )
        drops = tuple(Drop(**drop) for drop in about["drops"])
        return Extracted(beats, DropReport(drops, tuple(about["notes"])))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError):
        return None

"""Cache of beats on disk, keyed by the hash of everything that they depend on."""

import hashlib
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.artifacts import atomic_path
from ecgphoton.ecg.beatset import BeatSet, DropReport, Drops, Extracted
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.errors import InputError
from ecgphoton.unfinished import sweep_temporary

STORED = ("sample", "windows", "patient", "residual", "size", "symbol")
"""Columns that the content of a record determines; the others follow from its name."""


def cache_folder() -> Path | None:
    """`$ECGPHOTON_CACHE`, or the user's cache folder of this platform; None without a home."""
    chosen = os.environ.get("ECGPHOTON_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    usual = Path(platformdirs.user_cache_dir("ecgphoton"))
    return usual if usual.is_absolute() else None  # ~ stays where no home folder is known


def remembered(
    name: str, lead: str, source: str, key: str, build: Callable[[], Extracted | None]
) -> Extracted | None:
    """Return the beats of a record from the cache, or build and store them, if there are any.

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
    folder = cache_folder()
    if len(FEATURES) > len(FEATURES.shipped) or folder is None:
        return build()
    digest = hashlib.sha256(f"{_code()} {key}".encode()).hexdigest()
    place = hashlib.sha256(source.encode()).hexdigest()[:8]
    family = "".join(c if c.isalnum() else "-" for c in f"{name}-{lead}-{place}")
    path = folder / "beats" / f"{family}-{digest[:32]}.beats"
    known = _load(path, name)
    if known is not None:
        return known
    built = build()
    if built is None:
        return None
    try:
        _save(path, built)
        sweep_temporary(path.parent)
        for old in path.parent.glob(f"{family}-{'[0-9a-f]' * 32}.beats"):
            if old != path:  # of other files or older code
                old.unlink(missing_ok=True)
    except (InputError, OSError):
        pass
    return built


@cache
def _code() -> str:
    """Hash of the source code of this package, which turns files into beats."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _save(path: Path, extracted: Extracted) -> None:
    """Write the columns, and the rest as JSON, as one npz file, whose parts have checksums."""
    beats = extracted.beats
    about = {
        "fs": beats.fs,
        "source": beats.source,
        "drops": [*extracted.report.drops.items()],
        "notes": extracted.report.notes,
        "lead": extracted.lead,
    }
    columns = {name: getattr(beats, name) for name in STORED}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, about=json.dumps(about), **columns)


def _load(path: Path, name: str) -> Extracted | None:
    """Read an entry; None if it is absent or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            about = json.loads(stored["about"].item())
            columns: dict[str, Any] = {column: stored[column] for column in STORED}
        count = len(columns["sample"])
        beats = BeatSet(
            **columns,
            label=np.full(count, -1, np.int64),
            record=np.full(count, name),
            fs=about["fs"],
            source=about["source"],
        )
        drops = Drops({(record, symbol, why): n for (record, symbol, why), n in about["drops"]})
        return Extracted(beats, DropReport(drops, tuple(about["notes"])), about["lead"])
    except Exception:  # numpy and zipfile raise a dozen kinds
        return None

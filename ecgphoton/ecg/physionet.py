"""Find, fetch and verify the MIT-BIH Arrhythmia Database."""

from __future__ import annotations

import os
from pathlib import Path


def locate(data_dir: str | Path | None = None) -> Path | None:
    """Folder of the database: `data_dir`, else `$ECGPHOTON_DATA`, else None."""
    folder = Path(data_dir or os.environ.get("ECGPHOTON_DATA") or ".")
    return folder if (folder / "100.hea").is_file() else None


def missing(data_dir: str | Path | None = None) -> str:
    """Sentence for a user without data."""
    return "no MIT-BIH data; run `ecgphoton data fetch`"

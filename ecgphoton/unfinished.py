"""What a process is writing to: locked while it lives, and removed where it was killed."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

UNFINISHED = ".unfinished-"
"""Part of the name of a temporary file or folder."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """Open a file or folder for a lock; None where folders cannot be opened, nor locked."""
    number = os.open(path, os.O_RDONLY) if path.is_file() or hasattr(os, "O_DIRECTORY") else None
    try:
        yield number
    finally:
        if number is not None:
            os.close(number)


def locked(file: IO[str] | int | None) -> bool:
    """Lock an open file or folder until it is closed; False where another process has it."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]
    except (ImportError, OSError) as error:  # without locks, two calls at once are not told apart
        return not isinstance(error, BlockingIOError)
    return True


def to_make(folder: Path) -> list[Path]:
    """Return what has to be made for a folder to be there: itself, then its parents."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def sweep_temporary(folder: Path) -> None:
    """Remove what a killed process was writing to in a folder, and nothing else."""
    for path in folder.glob(f".*{UNFINISHED}????????*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            continue
        with contextlib.suppress(OSError):  # it may be gone meanwhile, or be somebody else's
            with opened(path) as left:
                abandoned = locked(left)
            if abandoned:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

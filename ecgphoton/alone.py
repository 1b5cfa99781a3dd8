"""Folders in which one process works at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ecgphoton.artifacts import unwritten
from ecgphoton.errors import InputError
from ecgphoton.unfinished import locked, opened


@contextlib.contextmanager
def alone(folder: Path, *, made: bool = False) -> Iterator[None]:
    """Keep other processes from working in a folder.

    One that was not there, or that the caller has `made`, is removed where it is left empty.

    Raises
    ------
    InputError
        If a process is working in it, or it cannot be written.
    """
    made = made or not folder.exists()
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not locked(stack.enter_context(opened(folder))):
                raise InputError(
                    f"another process is writing to {folder}; wait for it, or choose another folder"
                )
        except OSError as error:
            raise unwritten(folder, error) from error
        try:
            yield
        finally:
            if made:
                with contextlib.suppress(OSError):  # it is filled
                    folder.rmdir()

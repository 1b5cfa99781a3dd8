"""Folders in which one process works at a time."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecgphoton.artifacts import unwritten
from ecgphoton.errors import InputError
from ecgphoton.unfinished import locked, opened, to_make


@contextlib.contextmanager
def alone(folder: Path, *, made: Sequence[Path] = ()) -> Iterator[None]:
    """Keep other processes from working in a folder.

    One that was not there is removed where it is left empty, with the parents that were made for
    it; so is what the caller has `made`, the deepest first.

    Raises
    ------
    InputError
        If a process is working in it, or it cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            made = to_make(folder) or made
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
            with contextlib.suppress(OSError):  # it is filled
                for path in made:
                    path.rmdir()

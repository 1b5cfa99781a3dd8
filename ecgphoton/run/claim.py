"""Folders of results: nothing in them is overwritten, and two calls never share one.

A call that fills its folder over some time claims it.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecgphoton.alone import alone
from ecgphoton.artifacts import kind_of, to_json, unwritten, write_json
from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import is_bundle
from ecgphoton.unfinished import UNFINISHED

DECIDING = ("student", "profile", "chips", "steps", "seed", "version")
"""What decides the files that an interrupted call leaves."""
BEGUN = "begun.json"
"""What decides the files of a folder, written before the first of them."""


def outside_bundles(out: Path | str) -> Path:
    """Return a file or folder to write to.

    Raises
    ------
    InputError
        If it lies in a bundle, which is complete: `export --force` removes what was added.
    """
    place = Path(out).absolute()
    for folder in (place, *place.parents):
        if is_bundle(kind_of(folder)):
            raise InputError(
                f"{out} lies in the bundle {folder}, to which nothing is added; choose another "
                "--out"
            )
    return Path(out)


def vacant(
    out: Path | str | None,
    usual: Path,
    own: Sequence[str] = (),
    call: Mapping[str, Any] | None = None,
) -> Path:
    """Return a folder in which nothing is overwritten or mixed.

    Parameters
    ----------
    out
        The folder that was named, or None.
    usual
        Made where none was named, with a number (``usual-2`` ...) where it exists, so that two
        calls at the same moment get two folders.
    own
        Files of the result, the one written last first. A folder that holds nothing else, and not
        that one, was left by an interrupted call and is free, unless a claim of another call is
        among them.
    call
        What decides the files that an interrupted call leaves; None stands for any.

    Raises
    ------
    InputError
        If the folder named is not free, or lies in a bundle; if none can be made.
    """

    def free(folder: Path) -> bool:
        if not folder.is_dir():
            return not folder.exists()
        left = {path.name for path in folder.iterdir() if UNFINISHED not in path.name}
        begun = left <= set(own) and left.isdisjoint(own[:1])
        return begun and _continues(folder, call)

    if out is not None:
        if free(outside_bundles(out)):
            return Path(out)
        why = "is a file" if Path(out).is_file() else "is not empty"
        raise InputError(f"{Path(out)} {why}, and results are never mixed; choose another --out")
    folder, number = usual, 1
    while not (folder.is_dir() and any(folder.iterdir()) and free(folder)):
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
            folder = usual.with_name(f"{usual.name}-{number}")
        except OSError as error:
            raise unwritten(folder, error) from error
    return folder


def _continues(folder: Path, call: Mapping[str, Any] | None) -> bool:
    """Whether no process is working in a folder, and no other call has claimed it."""
    try:
        with alone(folder):
            return call is None or (folder / BEGUN).read_text(encoding="utf-8") == to_json(call)
    except FileNotFoundError:
        return True
    except (InputError, OSError, ValueError):
        return False


@contextlib.contextmanager
def claimed(folder: Path, call: Mapping[str, Any]) -> Iterator[None]:
    """Keep other calls out of a folder; where it is left empty, leave nothing.

    Parameters
    ----------
    call
        What decides the files of the folder, ready for JSON.

    Raises
    ------
    InputError
        If a process is working in the folder, or it cannot be written.
    """
    with alone(folder, made=[folder]):
        write_json(folder / BEGUN, call)
        try:
            yield
        finally:
            if [one.name for one in folder.iterdir()] == [BEGUN]:
                (folder / BEGUN).unlink()

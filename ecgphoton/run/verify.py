"""Recompute every claim of a bundle, on the test beats of its student too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecgphoton import runs
from ecgphoton.errors import InputError, VerificationError
from ecgphoton.export.verify import verify as verify_folder
from ecgphoton.run.beats import evaluation_beats
from ecgphoton.student.propagate import inputs_of

if TYPE_CHECKING:
    from ecgphoton.export.verify import VerificationReport
    from ecgphoton.student.propagate import Inputs


def verify(
    bundle: Path | str,
    *,
    beats: bool = True,
    sax: bool = True,
    data: str | None = None,
    data_dir: Path | None = None,
) -> VerificationReport:
    """Recompute every claim of an exported bundle.

    Parameters
    ----------
    bundle
        Folder, or the name of a shipped student.
    beats
        Whether to run the student's test beats through both graphs as well, where they are found.
    sax
        Whether to simulate the circuits with SAX, where it is installed.
    data, data_dir
        Where the beats come from.

    Raises
    ------
    InputError
        If the folder is not a bundle, or beats cannot be found.
    """
    folder = runs.choose(bundle)
    if runs.kind_of(folder) == runs.KIND:
        raise InputError(f"{folder} is a run, not a bundle; `ecgphoton export {folder}` makes one")
    inputs = _test_inputs(folder, data, data_dir) if beats else None
    return verify_folder(folder, beats=inputs, sax=sax)


def _test_inputs(folder: Path, data: str | None, data_dir: Path | None) -> Inputs | None:
    try:
        trained = runs.load_student(folder)
        found = evaluation_beats(trained.metadata, data, data_dir)
    except (InputError, VerificationError):
        if data is not None or data_dir is not None:
            raise
        return None  # the claims say what is wrong with the student, and which beats were run
    return inputs_of(found, trained.student.architecture)

"""Fill a run folder by training a student, and continue a run that was interrupted."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ecgphoton import runs
from ecgphoton.artifacts import (
    MANIFEST,
    check_room,
    load_checkpoint,
    read_json,
    save_checkpoint,
    write_json,
    write_text,
)
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.origin import check_same
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.progress import Progress, silent
from ecgphoton.recipe import Recipe, from_dict, write
from ecgphoton.run.beats import examples_of, monitored, taught
from ecgphoton.run.crossed import crossed
from ecgphoton.run.finish import TrainedRun, finish, write_history
from ecgphoton.run.folds import out_of_fold
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.crossfit import OutOfFold
from ecgphoton.training.fit import fit
from ecgphoton.training.judge import Judgement
from ecgphoton.training.parts import Control, EpochRecord
from ecgphoton.training.state import FitState, telling


def check_free(folder: Path) -> None:
    """Refuse a folder for a new run.

    Raises
    ------
    InputError
        If the folder is not empty or cannot be written.
    """
    check_room(folder)  # this also removes what a run left that was killed in its first file
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; choose another --out{_continuable(folder)}")


def _continuable(folder: Path) -> str:
    """Return what continues the run of a folder, nothing where it holds no unfinished run."""
    unfinished = (folder / runs.START).is_file() and not (folder / MANIFEST).is_file()
    return f", or continue it with --resume {folder}" if unfinished else ""


def start_run(recipe: Recipe, splits: Splits, folder: Path, seed: int) -> None:
    """Create a run folder that `fit_run` can fill and continue with the same beats.

    Raises
    ------
    InputError
        If the folder is not empty or cannot be written.
    """
    check_free(folder)
    files = {} if splits.origin is None else {"files": dict(splits.origin.files)}
    further = [asdict(one) for one in splits.further]
    begun = {
        "seed": seed,
        "recipe": recipe.to_dict(),
        "digests": _digests(splits),
        "further_leads": further,
        **files,
    }
    write_json(folder / runs.START, begun)


def forget_run(folder: Path) -> None:
    """Remove what `start_run` wrote, unless there is more: an epoch or a fold of the run."""
    begun = [*folder.iterdir()]
    if {path.name for path in begun} <= {runs.START, runs.RECIPE}:
        for path in begun:
            path.unlink()


def check_beats(folder: Path, splits: Splits) -> None:
    """Refuse to continue a run with other beats than those it began with.

    Raises
    ------
    InputError
        If a file has changed, by name, or beats of the same files differ.
    """
    start = read_json(folder / runs.START)
    if splits.origin is not None and isinstance(start.get("files"), dict):
        check_same(start["files"], splits.origin)
    found = _digests(splits)
    began = start.get("digests", found)
    if not isinstance(began, dict) or began != {name: found.get(name) for name in began}:
        raise InputError(
            f"{folder} began with other beats than those read now; name the data it began with, or "
            "train anew (--out)"
        )


def _digests(splits: Splits) -> dict[str, str]:
    further = {} if splits.views is None else {"further leads": splits.views}
    return {name: beats.digest for name, beats in (splits.parts | further).items()}


def resume_point(folder: Path) -> tuple[Recipe, int, FitState | None]:
    """Return recipe, seed and last saved state of an unfinished run.

    Raises
    ------
    InputError
        If the folder holds no run or a finished one, or its files are damaged.
    """
    if not (folder / runs.START).is_file():
        raise InputError(f"{folder} holds no unfinished run; give the folder of one, below runs/")
    start = read_json(folder / runs.START)
    if (folder / MANIFEST).is_file():
        raise InputError(
            f"{folder} is a finished run, of which nothing is left to train; train anew in another "
            "folder (--out), or `ecgphoton evaluate` it"
        )
    check_room(folder)
    with expecting(folder / runs.START, "the start of a run"):
        recipe, seed = from_dict(start["recipe"]), int(start["seed"])
    if not (folder / runs.STATE).exists():
        return recipe, seed, None
    arrays, metadata = load_checkpoint(folder / runs.STATE)
    with expecting(folder / runs.STATE, "the state of a run"):
        history = tuple(EpochRecord.from_dict(entry) for entry in metadata["history"])
        state = FitState(
            arrays, Control.from_dict(metadata["control"]), history, float(metadata["rate"])
        )
    return recipe, seed, state


def fit_run(
    recipe: Recipe,
    splits: Splits,
    folder: Path,
    *,
    seed: int,
    resume: FitState | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> TrainedRun:
    """Train a student and fill a run folder.

    Where the protocol has folds, a student is fitted for each of them first, and their scores
    choose the number of epochs and the operating point of the one that is trained on all patients.

    Parameters
    ----------
    recipe
        What to train and how.
    splits
        Beats, as loaded by `splits_of`.
    folder
        Made by `start_run`; the manifest is written last, so a folder without one is unfinished.
    seed
        Seed of the initial weights and of everything drawn during training.
    resume
        State of an interrupted run.
    workers
        Processes that fit the folds; None takes one for each processor core.
    progress
        Called after every epoch and fold.

    Raises
    ------
    InputError
        If the loss stops being finite, the student learns nothing, or a file cannot be written.
    """
    began = time.perf_counter()
    write_text(folder / runs.RECIPE, write(recipe))
    architecture = replace(recipe.student, classes=len(splits.labels.classes))
    student = SegmentStudent(architecture, seed=seed)
    training = taught(splits, recipe, architecture, seed)
    monitors = {
        name: examples_of(beats, architecture) for name, beats in monitored(recipe, splits).items()
    }
    choice: OutOfFold | None = None
    known: Sequence[Judgement] = ()
    if splits.folds:
        choice = out_of_fold(
            recipe, splits, training, architecture, folder,
            seed=seed, workers=workers, progress=progress,
        )  # fmt: skip
        known = choice.course(recipe.decision, recipe.training.selection)

    def save(state: FitState) -> None:
        metadata = {
            "history": [record.to_dict() for record in state.history],
            "control": state.control.to_dict(),
            "rate": state.rate,
        }
        save_checkpoint(folder / runs.STATE, state.arrays, metadata)
        write_history(folder, state.history)
        telling(progress, "training", len(known) or recipe.training.epochs)(state)

    fitted = fit(
        student,
        training,
        monitors,
        recipe.training,
        recipe.decision,
        recipe.parts(training, architecture.classes),
        seed=seed,
        known=known,
        resume=resume,
        on_epoch=save,
    )
    across = None if choice is None else crossed(recipe, splits, choice, fitted, training)
    return finish(
        recipe, splits, folder, fitted, architecture, seed=seed, began=began, across=across
    )

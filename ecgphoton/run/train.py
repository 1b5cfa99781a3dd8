"""Train a student into a run folder of its own, alone or with a teacher."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ecgphoton import runs
from ecgphoton.alone import alone
from ecgphoton.arguments import check_seed, strict
from ecgphoton.ecg.databases import dataset_of
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.errors import InputError
from ecgphoton.hwsim.distributed import check_workers, leave_imports
from ecgphoton.legacy.strategies import check_strength
from ecgphoton.metrics import check_both
from ecgphoton.progress import Progress, silent
from ecgphoton.recipe import DataSettings, Recipe, override, read
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.run.beats import divided_by, splits_of
from ecgphoton.run.claim import outside_bundles, vacant
from ecgphoton.run.distillation import distil_run, teacher_of
from ecgphoton.run.finish import TrainedRun
from ecgphoton.run.fit import (
    check_beats,
    check_free,
    fit_run,
    forget_run,
    resume_point,
    start_run,
)
from ecgphoton.run.folds import check_folds
from ecgphoton.student.architecture import Architecture
from ecgphoton.unfinished import to_make


@strict
def train(
    recipe: str | Path = FLAGSHIP,
    *,
    protocol: str | None = None,
    labels: str | None = None,
    classes: Literal[2, 4] | None = None,
    preset: str | None = None,
    strength: float | None = None,
    teacher: str | None = None,
    settings: Sequence[str] = (),
    seed: int = 0,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    resume: Path | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> TrainedRun:
    """Train a student into a run folder, and evaluate it.

    The folder holds the checkpoint, scores, metrics and pictures. With the usual recipe, the
    second ECG lead of each training record teaches too, and only the lead that the recipe names is
    scored; the setting ``data.views=1`` trains in that lead alone.

    Parameters
    ----------
    recipe
        Name of a shipped recipe (``ecgphoton recipes`` lists them), or a TOML file.
    protocol
        Which records train, validate and test: ``reference``, ``inter-patient`` or a TOML file,
        instead of the protocol of the recipe. Labels and lead that the file states replace those
        of the recipe as well.
    labels
        How symbols become classes: ``literal``, ``aami``, ``aami-svf``, ``aami4``, ``aami4-svf`` or
        ``ec57``, instead of those of the recipe.
    classes
        Number of classes; 4 without `labels` means the labels ``aami4``.
    preset
        Strategies of the original system: ``stable``, ``balanced`` or ``full``.
    strength
        Exponent of class weights and factor on the other strategies, from 0 (none) to 10; by
        default that of the recipe.
    teacher
        Distil the student from a teacher: ``auto`` trains one first, otherwise it is the path of a
        teacher checkpoint.
    settings
        Value of the recipe to change, as ``section.key=value``.
    seed
        Seed of the initial weights and of all random numbers of the training, from 0.
    data
        Where the beats come from, instead of what the recipe says: a database by name (``mitdb``,
        ``svdb``), ``synthetic``, ``auto`` (MIT-BIH where it is found, else synthetic beats), a
        folder or dataset file of your own.
    data_dir
        Folder of the database, if it is not where ``ecgphoton data status`` finds it.
    out
        Run folder to create; by default a new one below ``runs/``.
    resume
        Folder of an unfinished run to continue; recipe, beats and seed are its own, and others are
        refused.
    workers
        Processes that fit the folds of a protocol that has them; by default one for each processor
        core, where this program can start some. The student is the same for any number.
    progress
        Called after every epoch.

    Raises
    ------
    InputError
        If a value is unknown or outside its range, or beats or folder cannot be used; if training
        or validation beats are all normal or all abnormal.
    """
    leave_imports()
    state, new = None, to_make(Path(runs.RUNS))
    if resume is not None:
        _refuse_others(locals())
        chosen, seed, state = resume_point(Path(resume))
        folder = Path(resume)
    else:
        check_seed(seed)
        if workers is not None:
            check_workers(workers)
        if out is not None:
            check_free(outside_bundles(out))
        flags = {
            "data.protocol": protocol,
            "data.labels": "aami4" if classes == 4 and labels is None else labels,
            "data.source": data,
            "strategies.preset": preset,
            "strategies.strength": strength,
            "distill.teacher": teacher,
        }
        given = [f"{key}={value}" for key, value in flags.items() if value is not None]
        chosen = read(str(recipe))
        if protocol is not None:
            chosen = divided_by(chosen, protocol)
        asked = [*given, *settings]
        chosen = override(_led(override(chosen, asked)), asked)
    taught = chosen.distill.teacher != "none"
    known = teacher_of(chosen) if taught else None
    splits = splits_of(chosen, data_dir)
    if classes not in (None, len(splits.labels.classes)):
        raise InputError(
            f"classes is {classes}, but labels {splits.labels.name!r} have "
            f"{len(splits.labels.classes)}; leave one out"
        )
    named, usual = chosen.student.classes, Architecture().classes
    if any(text.partition("=")[0].strip() == "student.classes" for text in settings):
        usual = len(splits.labels.classes)
    if named not in (usual, len(splits.labels.classes)):
        raise InputError(
            f"student.classes is {named}, but labels {splits.labels.name!r} have "
            f"{len(splits.labels.classes)}, which decide; leave it out"
        )
    for name, beats in (("training", splits.train), ("validation", splits.validation)):
        if len(beats):  # there is no validation where the protocol has folds
            check_both(beats.label > 0, f"{name} beats")
    if splits.folds:
        check_folds(chosen, splits, workers)
    elif workers is not None:
        raise InputError(
            f"workers is {workers}, and protocol {splits.protocol.name!r} has no folds to share "
            "among them; leave it out"
        )
    if resume is None:
        if not taught:  # which the strength acts on as well
            check_strength(
                chosen.strategies, chosen.guards, chosen.balance, len(splits.labels.classes)
            )
        name = f"{chosen.name}-{chosen.data.protocol}-{chosen.data.labels}-seed{seed}"
        folder = vacant(None, Path(runs.RUNS) / name) if out is None else Path(out)
    made = [folder, *new] if out is None and resume is None else ()
    with alone(outside_bundles(folder), made=made):
        if resume is None:
            start_run(chosen, splits, folder, seed)
        else:
            check_beats(folder, splits)
        try:
            if taught:
                return distil_run(
                    chosen, splits, folder, teacher=known, seed=seed, progress=progress
                )
            return fit_run(
                chosen, splits, folder, seed=seed, resume=state, workers=workers, progress=progress
            )
        except InputError:
            if resume is None:
                forget_run(folder)
            raise


def _led(recipe: Recipe) -> Recipe:
    """Return the recipe with the lead that its dataset prefers, where it has the usual one.

    The lead of a protocol goes before both.
    """
    data = recipe.data
    if data.source in ("auto", "synthetic") or protocol_of(data.protocol).lead is not None:
        return recipe
    leads = dataset_of(data.source).leads
    if not leads or data.lead != DataSettings().lead:
        return recipe
    return replace(recipe, data=replace(data, lead=leads[0]))


def _refuse_others(asked: Mapping[str, Any]) -> None:
    """Refuse arguments of `train` that say what a run which is continued already states."""
    kept = {"data_dir", "resume", "workers", "progress"}
    for name, parameter in inspect.signature(train).parameters.items():
        if name not in kept and asked[name] != parameter.default:
            raise InputError(
                f"{name} is {asked[name]!r}, but the run that is continued states its own; leave "
                "it out, or train anew without resume"
            )


def distill(
    recipe: str | Path = "reference-8",
    *,
    teacher: str = "auto",
    **settings: Any,  # noqa: ANN401 - as `train` takes them
) -> TrainedRun:
    """Train a teacher, a baseline and a distilled student.

    Each model is evaluated at its own operating point.

    Parameters
    ----------
    recipe
        Name of a shipped recipe (``ecgphoton recipes`` lists them), or a TOML file.
    teacher
        ``auto`` trains a teacher first; otherwise it is the path of a teacher checkpoint.
    settings
        As `ecgphoton.run.train` takes them.

    Raises
    ------
    InputError
        As `ecgphoton.run.train`, and if the teacher cannot be read.
    """
    return train(recipe, teacher=teacher, **settings)

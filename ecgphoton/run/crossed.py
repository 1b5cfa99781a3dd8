"""The out-of-fold scores of a run: written into its folder, read back, and its estimates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.artifacts import read_arrays, read_json
from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.splits import kinds_of
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting
from ecgphoton.metrics import patients_alike
from ecgphoton.recipe import Recipe
from ecgphoton.report.scores import SUFFIX, Scores, read_scores
from ecgphoton.runs import METRICS, TrainedStudent, intact
from ecgphoton.settings import read_as
from ecgphoton.training.crossfit import NAME, OutOfFold, Scale, margin, squeezed
from ecgphoton.training.fit import Fitted
from ecgphoton.training.judge import outputs_of
from ecgphoton.training.parts import Examples

SCORES = f"{NAME}{SUFFIX}"
THRESHOLDS = 4000  # quantiles that are tried for a wish
OWN_RUN = (
    "Train one (`ecgphoton train` takes the recipe inter-patient, whose protocol has folds), and "
    "name it: runs/NAME"
)
"""What to do where a student cannot take another threshold."""
MAINLY = 1000.0  # weight of the rate that is to be small, against 1 of the limited one


@dataclass(frozen=True, eq=False)
class Crossed:
    """What folds say about the student that was trained on all patients."""

    probability: NDArray[np.float32]
    """(n, classes) of the training beats: out-of-fold scores as this student's probabilities."""
    columns: Mapping[str, NDArray[Any]]
    """Further columns of the file of scores: ``score``, ``subject`` and ``fold``."""
    scale: Scale
    point: OperatingPoint
    """On this student's probability."""
    numbers: Mapping[str, Any]
    """Estimates, patients weighted alike."""


def crossed(
    recipe: Recipe, splits: Splits, choice: OutOfFold, fitted: Fitted, training: Examples
) -> Crossed:
    """Bring the out-of-fold scores of the chosen epoch to the scale of the final student.

    Parameters
    ----------
    training
        What the student trained on, see `taught`; the beats of `choice` come first.

    Raises
    ------
    InputError
        If the student calls abnormal beats no more abnormal than normal ones.
    """
    judged = training.take(np.arange(len(choice.label)))
    logit = margin(outputs_of(fitted.model, judged).logits.numpy())
    scale = Scale.of(logit, choice.label, choice.weight)
    if not scale.learnt:
        raise InputError(
            f"the logit of abnormal training beats is {scale.abnormal:.3g} on average, that of "
            f"normal ones {scale.normal:.3g}: nothing was learnt; change training.epochs or "
            "training.learning_rate"
        )
    epoch = choice.epoch()
    probability = choice.probability[epoch]
    if fitted.point.binary:
        abnormal = scale.probability(choice.score[epoch])
        probability = np.stack([1 - abnormal, abnormal], 1)
    subjects = splits.folds
    numbers = {
        **choice.estimate(epoch, fitted.point),
        "patients": len(subjects),
        "epoch": epoch + 1,
        "nested": choice.nested(recipe.decision, recipe.training.selection),
        "folds": [
            sorted(name for name in subjects if subjects[name] == number)
            for number in range(splits.protocol.folds)
        ],
    }
    columns = {"score": choice.score[epoch], "subject": choice.subject, "fold": choice.fold + 1}
    return Crossed(probability.astype(np.float32), columns, scale, scale.own(fitted.point), numbers)


def stored(folder: Path) -> OutOfFold:
    """Read the out-of-fold scores of a run of two classes, as of one epoch.

    Raises
    ------
    InputError
        If the run has none, or they are damaged.
    """
    path = folder / SCORES
    if not path.is_file():
        raise InputError(
            f"{folder} holds no {SCORES}: only the folder of a run whose protocol has folds knows "
            "what a threshold does to patients it has not seen; bundles and shipped students do "
            f"not. {OWN_RUN}"
        )
    data = read_arrays(intact(path), "a table of out-of-fold scores; `ecgphoton train` writes it")
    with expecting(path, "whole", "copy the run again"):
        score, label, subject = data["score"], data["label"], data["subject"]
        fold, kind = data["fold"] - 1, kinds_of(data["symbol"], label)
        if len({len(column) for column in (score, label, subject, fold, kind)}) != 1:
            raise InputError(f"{path} has columns of different lengths")
    abnormal = squeezed(score)
    return OutOfFold(
        score[None],
        np.stack([1 - abnormal, abnormal], 1)[None],
        np.zeros((int(fold.max()) + 1, 1)),
        fold,
        subject,
        label,
        kind,
        patients_alike(subject, label),
    )


def at_wish(
    trained: TrainedStudent, max_miss: float | None = None, max_fpr: float | None = None
) -> tuple[TrainedStudent, dict[str, Any]]:
    """Return a student at another operating point, and what that does out of fold.

    The threshold is that of the stored out-of-fold scores, patients weighted alike, which has the
    smallest FPR with a miss rate of at most `max_miss`, or the smallest miss rate with an FPR of at
    most `max_fpr`; of those within both limits, the one with the smallest sum of the two rates.

    Returns
    -------
    student, numbers
        The student itself, and no numbers, where nothing is wished.

    Raises
    ------
    InputError
        If the student has no out-of-fold scores, or no threshold is within the limits.
    """
    wish = {"max_miss": max_miss, "max_fpr": max_fpr}
    given = {
        name: read_as(ThresholdPolicy, name, value, name)
        for name, value in wish.items()
        if value is not None
    }
    if not given:
        return trained, {}
    if not trained.point.binary:
        raise InputError(
            f"the student of {trained.folder} has {len(trained.classes)} classes and so no "
            f"threshold; leave out {' and '.join(given)}, or use a run of two classes. {OWN_RUN}"
        )
    choice, scale = stored(trained.folder), Scale(**trained.metadata["selection"]["scale"])
    policy = ThresholdPolicy(
        grid_low=0,
        grid_high=1,
        quantiles=THRESHOLDS,
        max_miss=given.get("max_miss", 1.0),
        max_fpr=given.get("max_fpr", 1.0),
        f1_weight=0,
        miss_gain=0,
        pull=0,
        recall_weight=MAINLY if max_miss is None else 1,
        fpr_weight=MAINLY if max_fpr is None else 1,
    )
    point = choice.judged(0, policy, trained.recipe.training.selection).point
    numbers = choice.estimate(0, point)
    if not point.feasible:
        limits = " and ".join(f"{name} {100 * value:g} %" for name, value in given.items())
        raise InputError(
            f"no threshold is within {limits} on the out-of-fold scores of {trained.folder}; the "
            f"nearest has a miss rate of {100 * numbers['miss']:.2f} % and an FPR of "
            f"{100 * numbers['fpr']:.2f} %"
        )
    own = scale.own(point)
    about = {"operating_point": own.to_dict(), "wish": given}
    return replace(trained, point=own, metadata={**trained.metadata, **about}), numbers


def stored_sets(trained: TrainedStudent) -> dict[str, Scores]:
    """Return the out-of-fold scores of a run as a set, nothing where it has none."""
    path = trained.folder / SCORES
    return {NAME: read_scores(intact(path))} if path.is_file() else {}


def stored_numbers(trained: TrainedStudent) -> dict[str, Any]:
    """Return the estimates that a run was written with, nothing where it has none."""
    held = (trained.folder / SCORES).is_file()
    return dict(read_json(intact(trained.folder / METRICS))[NAME]) if held else {}

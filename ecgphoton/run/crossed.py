"""The out-of-fold scores of a run: written into its folder, read back, and its estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.artifacts import read_arrays
from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.folds import kinds_of
from ecgphoton.errors import InputError
from ecgphoton.metrics import patients_alike
from ecgphoton.recipe import Recipe
from ecgphoton.report.scores import SUFFIX
from ecgphoton.training.crossfit import NAME, OutOfFold, Scale, margin, squeezed
from ecgphoton.training.fit import Fitted
from ecgphoton.training.judge import outputs_of
from ecgphoton.training.parts import Examples

SCORES = f"{NAME}{SUFFIX}"


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

    Raises
    ------
    InputError
        If the student calls abnormal beats no more abnormal than normal ones.
    """
    logit = margin(outputs_of(fitted.model, training).logits.numpy())
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
            f"{folder} holds no {SCORES}: only a run whose protocol has folds knows what a "
            "threshold does to patients it has not seen; train with such a protocol "
            "(inter-patient), and name the run"
        )
    data = read_arrays(path, "a table of out-of-fold scores; `ecgphoton train` writes it")
    try:
        score, label, subject = data["score"], data["label"], data["subject"]
        fold, kind = data["fold"] - 1, kinds_of(data["symbol"], label)
        if len({len(column) for column in (score, label, subject, fold, kind)}) != 1:
            raise InputError(f"{path} has columns of different lengths")
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error})") from error
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

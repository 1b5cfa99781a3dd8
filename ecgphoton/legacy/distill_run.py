"""Distillation run: a teacher and beats come in; baseline and distilled student go out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from ecgphoton.decision import ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.legacy.distill import Distillation, distilled
from ecgphoton.legacy.gates import Verdict, accept
from ecgphoton.legacy.teacher import train_teacher
from ecgphoton.metrics import check_both
from ecgphoton.progress import Progress, silent
from ecgphoton.training.fit import Fitted, fit
from ecgphoton.training.judge import Outputs, judge, outputs_of, probabilities, summarise
from ecgphoton.training.parts import Control, EpochRecord, Examples, Parts, Schedule
from ecgphoton.training.state import telling


@dataclass(frozen=True)
class Contestant:
    """One model of the comparison."""

    name: str
    """``teacher``, ``baseline`` or ``distilled``."""
    fitted: Fitted
    """Model, operating point and history (none for a teacher that was given)."""
    numbers: Mapping[str, Mapping[str, Any]]
    """Per set, see `judge.summarise`."""
    probability: Mapping[str, np.ndarray] = field(repr=False)
    """(n, classes) per set."""


@dataclass(frozen=True)
class DistilReport:
    """The result of a distillation."""

    verdict: Verdict
    contestants: tuple[Contestant, ...]
    """Teacher, baseline, and distilled unless it was refused."""
    outputs: Outputs
    """Cached on the training beats."""
    label: Mapping[str, np.ndarray]
    """(n,) per set."""
    took_part: tuple[str, ...]
    """Sets that trained, chose an epoch or threshold, or were looked at by the gates."""

    def summary(self) -> list[dict[str, Any]]:
        """One row per model and set: threshold, miss, FPR, F1, AUC (or macro-F1)."""
        keys = ("auc", "miss", "fpr", "f1", "macro_f1")
        return [
            {
                "model": one.name,
                "set": name,
                "threshold": one.fitted.point.threshold if one.fitted.point.binary else None,
                **{key: numbers[key] for key in keys if key in numbers},
            }
            for one in self.contestants
            for name, numbers in one.numbers.items()
        ]

    def log(self) -> list[dict[str, Any]]:
        """One row per model and epoch, for a CSV; every row has the same columns."""
        return [
            _logged(one.name, record) for one in self.contestants for record in one.fitted.history
        ]

    def roc(self) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
        """FPR and TPR per set with both classes, and model (two classes only)."""
        from sklearn.metrics import roc_curve

        return {
            name: {
                one.name: roc_curve(label, one.probability[name][:, 1])[:2]
                for one in self.contestants
                if one.fitted.point.binary
            }
            for name, label in self.label.items()
            if label.any() and not label.all()
        }


def _logged(name: str, record: EpochRecord) -> dict[str, Any]:
    """Return one epoch of a model as a row."""
    first = next(iter(record.sets.values()))
    terms = ("labels", "logits", "features", "margin")
    return {
        "model": name,
        "epoch": record.epoch,
        "loss": record.loss,
        **{term: record.loss_terms.get(term) for term in terms},
        "score": record.score,
        "learning_rate": record.learning_rate,
        "threshold": record.point.threshold if record.point.binary else None,
        **{key: first.get(key) for key in ("auc", "miss", "fpr", "f1", "macro_f1")},
        "events": "; ".join(record.events),
    }


def distil(
    student: Callable[[], nn.Module],
    settings: Distillation,
    schedule: Schedule,
    policy: ThresholdPolicy,
    parts: Parts,
    *,
    training: Examples,
    validation: Examples,
    test: Examples,
    test_name: str = "test",
    classes: int = 2,
    strength: float = 1.0,
    seed: int,
    teacher: nn.Module | None = None,
    outputs: Outputs | None = None,
    progress: Progress = silent,
) -> DistilReport:
    """Train a baseline and a distilled student under the same seed and schedule, and compare.

    Parameters
    ----------
    student
        Makes a fresh student; called twice and expected to give the same weights.
    settings
        How the teacher teaches, and its gates.
    schedule, policy, parts
        Of both students.
    training, validation, test
        The teacher learns from `training`; epochs and thresholds are chosen on `validation` (and
        on `test` only if `policy` has a blend). The gates look at ``settings.gate_on``.
    classes, strength, seed
        Outputs, ``Strategies.strength``, and the seed of everything.
    teacher
        A trained teacher; None trains one.
    outputs
        Its cached outputs on `training`; None computes them.
    progress
        Called after every epoch of every model.

    Returns
    -------
    DistilReport
        Without a distilled student when the teacher is refused: it would be the baseline, bit
        for bit.

    Raises
    ------
    InputError
        If the teacher would never take part, or it, or its cached outputs, belong to other beats.
    """
    if settings.warm_up >= schedule.epochs:
        raise InputError(
            f"distill.warm_up is {settings.warm_up} and training.epochs {schedule.epochs}; the "
            "teacher would never take part, so warm up for fewer epochs"
        )
    if settings.gate_on == "test":
        check_both(test.label.numpy() > 0, f"beats of {test_name}")
    sets = {"validation": validation, test_name: test}
    monitors = dict(list(sets.items())[: 2 if policy.blend > 0 else 1])
    if teacher is None:
        taught = train_teacher(
            training, monitors, classes, settings, policy, seed=seed, progress=progress
        )
    else:
        _, point, _ = judge(teacher, monitors, policy, "auc", Control())
        taught = Fitted(teacher, point, 0, ())
    outputs = outputs or outputs_of(taught.model, training)
    if outputs.logits.shape != (len(training), classes):
        raise InputError(
            f"the teacher outputs are of shape {tuple(outputs.logits.shape)}, training has "
            f"{len(training)} beats of {classes} classes; use a teacher and a cache of these labels"
        )

    def learn(name: str, chosen: Parts) -> Contestant:
        fitted = fit(
            student(),
            training,
            monitors,
            schedule,
            policy,
            chosen,
            seed=seed,
            on_epoch=telling(progress, name, schedule.epochs),
        )
        return _contestant(name, fitted, sets)

    judged, baseline = _contestant("teacher", taught, sets), learn("baseline", parts)
    if settings.gate_on == "test":
        gate, before = test_name, judged.numbers["validation"]
    else:
        probability = torch.softmax(outputs.logits, -1).numpy()
        gate, before = "validation", summarise(probability, training.label.numpy(), taught.point)
    verdict = accept(judged.numbers[gate], baseline.numbers[gate], settings, learnt=before)
    contestants: tuple[Contestant, ...] = (judged, baseline)
    if verdict.accepted:
        taught_parts = distilled(
            parts,
            outputs,
            training.label,
            settings,
            weight=verdict.weight,
            strength=strength,
            seed=seed,
        )
        contestants += (learn("distilled", taught_parts),)
    return DistilReport(
        verdict,
        contestants,
        outputs,
        {name: examples.label.numpy() for name, examples in sets.items()},
        tuple(dict.fromkeys(["training", *monitors, gate])),
    )


def _contestant(name: str, fitted: Fitted, sets: Mapping[str, Examples]) -> Contestant:
    probability = {key: probabilities(fitted.model, examples) for key, examples in sets.items()}
    return Contestant(
        name,
        fitted,
        {
            key: summarise(probability[key], examples.label.numpy(), fitted.point)
            for key, examples in sets.items()
        },
        probability,
    )

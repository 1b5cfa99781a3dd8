"""Evaluation in training: a model and beats come in; operating point and metrics go out."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from ecgphoton.decision import (
    LargestProbability,
    OperatingPoint,
    ThresholdPolicy,
    evaluate_at,
)
from ecgphoton.errors import InputError
from ecgphoton.metrics import REASONS, auc_by_rank, class_table, confusion_matrix, macro_f1
from ecgphoton.training.parts import SELECTION, SEVERAL, Control, Examples


class Outputs(NamedTuple):
    """What a model gives for n beats."""

    logits: torch.Tensor
    """(n, classes)."""
    feature: torch.Tensor
    """(n, length of the feature vector)."""


@torch.no_grad()
def outputs_of(model: nn.Module, examples: Examples, *, block: int = 1024) -> Outputs:
    """Run a model on beats in evaluation mode, without augmentation.

    Parameters
    ----------
    model
        ``model(window, rhythm, residual) -> (logits, feature)``.
    examples
        The n beats.
    block
        Beats that run at once.
    """
    model.eval()
    blocks = (examples.inputs.rows(slice(at, at + block)) for at in range(0, len(examples), block))
    pairs = [model(rows.window, rows.rhythm, rows.residual) for rows in blocks]
    return Outputs(*(torch.cat(part) for part in zip(*pairs, strict=True)))


def probabilities(model: nn.Module, examples: Examples, *, block: int = 1024) -> np.ndarray:
    """Class probabilities (n, classes), see `outputs_of`."""
    return torch.softmax(outputs_of(model, examples, block=block).logits, -1).numpy()


def summarise(
    probability: np.ndarray,
    label: np.ndarray,
    point: OperatingPoint,
    weight: np.ndarray | None = None,
) -> dict[str, Any]:
    """Numbers of one set at an operating point, or per class when there is none.

    With `weight` (n,) they are those of weighted beats.
    """
    if not point.binary:
        classes, calls = probability.shape[1], point.classify(probability)
        table = class_table(label, calls, [str(index) for index in range(classes)], weight)
        recalls = [row["recall"] or 0.0 for row in table.values() if row["support"]]
        return {
            "macro_f1": macro_f1(label, calls, classes, weight),
            "mean_recall": float(np.mean(recalls)) if recalls else 0.0,
            "classes": table,
            "confusion": confusion_matrix(label, calls, classes).tolist(),
        }
    abnormal = probability[:, 1]
    both = 0 < label.sum() < len(label)
    sides = label == 1, label == 0
    weights = None if weight is None else (weight[sides[0]], weight[sides[1]])
    auc = auc_by_rank(abnormal[sides[0]], abnormal[sides[1]], weights) if both else None
    numbers = evaluate_at(point, abnormal, label, weight).to_dict()
    return {"auc": auc, **{name: number for name, number in numbers.items() if name != REASONS}}


def judge(
    model: nn.Module,
    monitors: Mapping[str, Examples],
    policy: ThresholdPolicy,
    selection: str,
    control: Control,
) -> "Judgement":
    """Score a model on the monitored sets; the first selects, the second only with a blend."""
    scored = {
        name: (probabilities(model, examples), examples.label.numpy())
        for name, examples in monitors.items()
    }
    weights = {name: examples.weight for name, examples in monitors.items()}
    return judgement(scored, policy, selection, weights, miss_ema=control.miss_ema or 0.0)


class Judgement(NamedTuple):
    """What the scores of the monitored sets say about a model."""

    score: float
    """Selection score, higher is better."""
    point: OperatingPoint
    sets: dict[str, dict[str, Any]]
    """Numbers of each set, see `summarise`."""


def judgement(
    scored: Mapping[str, tuple[np.ndarray, np.ndarray]],
    policy: ThresholdPolicy,
    selection: str,
    weights: Mapping[str, np.ndarray | None],
    *,
    miss_ema: float = 0.0,
) -> Judgement:
    """Choose an operating point on scored sets, and give score and numbers at it.

    Parameters
    ----------
    scored
        (n, classes) probabilities and (n,) labels of every set.
    weights
        (n,) weights of the beats of every set, None for beats that count alike.

    Raises
    ------
    InputError
        If there is no such selection score for this number of classes.
    """
    used = list(scored)[: 2 if policy.blend > 0 else 1]
    shares = [1 - policy.blend, policy.blend] if len(used) == 2 else [1.0]
    point: OperatingPoint = LargestProbability()
    if next(iter(scored.values()))[0].shape[1] == 2:
        chosen_on = {name: (scored[name][0][:, 1], scored[name][1]) for name in used}
        point = policy.fit(chosen_on, miss_ema=miss_ema, weights=weights)
    sets = {name: summarise(p, y, point, weights[name]) for name, (p, y) in scored.items()}
    if not point.binary:
        key = SEVERAL.get(selection, "macro_f1")
        values = [sets[name][key] for name in used]
    elif selection == "auc":
        values = [sets[name]["auc"] or 0.0 for name in used]
    elif selection in SELECTION:
        values = [
            SELECTION[selection](evaluate_at(point, p[:, 1], y, weights[name]))
            for name, (p, y) in scored.items()
            if name in used
        ]
    else:
        raise InputError(
            f"training.selection is {selection!r}; for two classes it must be one of "
            f"{', '.join(['auc', *SELECTION])} ({' and '.join(SEVERAL)} are for more classes)"
        )
    return Judgement(float(np.dot(shares, values)), point, sets)

"""Settings of training that change nothing, because what they act through is not chosen.

No list states what acts through what: the strategies of a recipe are taken through made-up courses
of training, and a setting is unused if no other value of it changes a draw, a weight or the loss.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np
import torch

from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.legacy.guards import Memory
from ecgphoton.recipe import Recipe
from ecgphoton.settings import Setting, declared
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.parts import Batch, Control, EpochRecord, Examples

SECTIONS = ("balance", "strategies", "guards", "loss")
BEATS, EPOCHS, LONGEST = 60, 30, 300
"""Beats of a course; its epochs besides warm-up and ramp, and at most."""
COURSES = (
    ((0.05, 0.05), (0.4, 0.1)),
    ((0.4, 0.1), (0.05, 0.05)),
    ((0.0, 1.0), (0.0, 1.0)),
    ((1.0, 0.0), (1.0, 0.0)),
)
"""Miss rate and FPR of two monitored sets: rates that call a rescue, and both collapses."""


def _beats(classes: int) -> Examples:
    """Return few beats of three records, of which one in six is abnormal."""
    number = torch.arange(BEATS)
    label = torch.where(number % 6 > 0, 0, 1 + number // 6 % (classes - 1))
    record = np.array(["a", "b", "c"])[np.arange(BEATS) ** 2 // BEATS * 3 // BEATS]
    return Examples(Inputs(torch.zeros(BEATS, 0)), label, record)


def _course(recipe: Recipe, classes: int, sets: int) -> Iterator[Any]:
    """Yield what the strategies of a recipe do in made-up courses of training, step by step."""
    beats = _beats(classes)
    parts, ramp = recipe.parts(beats, classes), recipe.balance.ramp_for(classes)
    logits = torch.linspace(-2, 2, BEATS * classes).reshape(BEATS, classes).sin()
    index = torch.arange(BEATS)
    yield parts.loss(Batch(logits, logits, beats.label, index, None, 0, Control()))[0].item()
    for rates in COURSES if classes == 2 else COURSES[:1]:
        control, generator = Control(), torch.Generator().manual_seed(0)
        for epoch in range(min(LONGEST, EPOCHS + ramp.warm_up + ramp.length)):
            weight = parts.class_weights(epoch, control)
            yield parts.sampler(epoch, control, generator).tolist()
            yield None if weight is None else weight.tolist(), Memory.of(control).distil
            judged = {
                str(number): {"miss": miss if classes == 2 else None, "fpr": fpr}
                for number, (miss, fpr) in enumerate(rates[:sets])
            }
            control = replace(control, miss_ema=rates[0][0])
            record = EpochRecord(epoch + 1, 0.0, 0.0, 0.0, OperatingPoint(0.5, ()), judged)
            for hook in parts.after_epoch:
                control, _ = hook(control, record)


def _settings(recipe: Recipe, section: str) -> tuple[Any, tuple[tuple[str, Setting, Any], ...]]:
    """Return the settings of a section, and how each is declared."""
    settings = getattr(recipe, section)
    return settings, declared(type(settings))  # type: ignore[arg-type] # is hashable


def _changed(recipe: Recipe, section: str) -> dict[str, Any]:
    """Return the settings of a section that have not their default value."""
    settings, known = _settings(recipe, section)
    return {
        f"{section}.{name}": getattr(settings, name)
        for name, entry, _ in known
        if getattr(settings, name) != entry.default
    }


def _with_others(recipe: Recipe, key: str) -> Iterator[tuple[Any, Recipe]]:
    """Yield other values of a setting than its own, and recipes that have them.

    A number does not get its default: any other value of these sections may switch a guard on.
    """
    section, name = key.split(".")
    settings, known = _settings(recipe, section)
    entry, kind = next((entry, kind) for one, entry, kind in known if one == name)
    own = getattr(settings, name)
    values = [*entry.choices(kind)] or [entry.low, entry.high, own + 1, own / 100, 1]
    if isinstance(own, bool):
        values = [not own]
    elif not isinstance(own, str):
        values = [kind(one) for one in values if one is not None and kind(one) != entry.default]
    for value in values:
        if value != own and entry.allows(value):
            yield value, replace(recipe, **{section: replace(settings, **{name: value})})


def unused(recipe: Recipe, keys: Iterable[str], classes: int, sets: int = 2) -> tuple[str, ...]:
    """Return those of some settings of which no other value would change the training.

    Parameters
    ----------
    keys
        Settings of `SECTIONS`, such as ``guards.rescue_step``.
    classes
        Outputs of the model.
    sets
        How many sets are judged after every epoch.
    """
    usual = [*_course(recipe, classes, sets)]

    def moves(other: Recipe) -> bool:
        steps = zip_longest(_course(other, classes, sets), usual)
        return any(one != before for one, before in steps)

    return tuple(
        key for key in keys if not any(moves(other) for _, other in _with_others(recipe, key))
    )


def refuse_unused(recipe: Recipe, stated: Recipe, classes: int, sets: int) -> None:
    """Refuse settings that change nothing of a training.

    Parameters
    ----------
    recipe
        What is trained.
    stated
        The same as its file states it: what acts there may be switched off.
    classes, sets
        As `unused` takes them.

    Raises
    ------
    InputError
        If there is one; the message names a setting that it acts with.
    """
    found, before = ({k: v for section in SECTIONS for k, v in _changed(one, section).items()}
                     for one in (recipe, stated))  # fmt: skip
    taught = recipe.distill.teacher != "none"
    keys = [key for key in found if key != "strategies.strength" or not taught]
    for key in unused(recipe, keys, classes, sets) if keys else ():
        if before.get(key) != found[key] or unused(stated, [key], classes, sets):
            raise _lost(key, found[key], _partner(recipe, key, classes, sets))
    lost = {} if taught else _changed(recipe, "distill")
    for key, value in lost.items():
        raise _lost(key, value, "distill.teacher=auto")


def _lost(key: str, value: object, partner: str) -> InputError:
    also = f"it acts with {partner}: set that as well, or " if partner else ""
    return InputError(f"{key} is {value!r}, which changes nothing here; {also}leave it out")


def _partner(recipe: Recipe, key: str, classes: int, sets: int) -> str:
    """Return the choice of another setting with which a setting acts, if there is one."""
    for section in SECTIONS:
        for name, entry, kind in _settings(recipe, section)[1]:
            if kind is bool or entry.choices(kind):
                for value, one in _with_others(recipe, f"{section}.{name}"):
                    if not unused(one, [key], classes, sets):
                        return f"{section}.{name}={str(value).lower()}"
    return ""

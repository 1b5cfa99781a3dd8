"""The training loop for students and teachers.

A model, labelled beats, settings and the pieces of a run come in; the model of the best epoch, its
operating point and the history go out.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.host import single_precision
from ecgphoton.training.judge import Judgement, judge
from ecgphoton.training.parts import Batch, Control, EpochRecord, Examples, Parts, Schedule
from ecgphoton.training.state import FitState, pack, restore, weights_of

MISS_MEMORY = 0.7  # share of the past in the running miss rate
WARM_UP, START, END = 0.3, 0.04, 0.002  # one-cycle: share of rising steps, first and last rate


@dataclass(frozen=True)
class Fitted:
    """The outcome of a training run."""

    model: nn.Module
    """With the weights of the best epoch, in evaluation mode."""
    point: OperatingPoint
    """Operating point of the best epoch."""
    best_epoch: int
    history: tuple[EpochRecord, ...]


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Learning rate of a cosine one-cycle at a step (Smith & Topin 2017, arXiv:1708.07120)."""
    rising = max(1, int(WARM_UP * steps))
    if step < rising:
        low, high, part = START * peak, peak, step / rising
    else:
        low, high, part = END * peak, peak, 1 - (step - rising) / max(1, steps - rising)
    return low + (high - low) * 0.5 * (1 - math.cos(math.pi * part))


@single_precision()
def fit(
    model: nn.Module,
    training: Examples,
    monitors: Mapping[str, Examples],
    schedule: Schedule,
    policy: ThresholdPolicy,
    parts: Parts,
    *,
    seed: int,
    known: Sequence[Judgement] = (),
    resume: FitState | None = None,
    on_epoch: Callable[[FitState], None] | None = None,
) -> Fitted:
    """Train a model and return it with the weights of its best epoch.

    Parameters
    ----------
    model
        ``model(window, rhythm, residual) -> (logits, feature)``.
    training
        Beats to learn from.
    monitors
        Named sets judged after every epoch. The first one selects epoch and threshold; a second
        takes part only when `policy` has a blend.
    parts
        The replaceable pieces of the run.
    seed
        Seed of order, augmentation, noise and dropout. Epoch e depends on (seed, e) only, so a
        resumed run repeats the uninterrupted one bit for bit.
    known
        What is known of every epoch beforehand, in the place of `monitors`: training ends after
        the last of these epochs.
    resume
        State of an earlier run, as handed to `on_epoch`.
    on_epoch
        Called after every epoch, for instance to save the state.

    Raises
    ------
    InputError
        If a set is empty, or the loss stops being finite.
    """
    for name, examples in {"training": training, **monitors}.items():
        if len(examples) == 0:
            raise InputError(f"the {name} set has no beats; choose other records or labels")
    parameters = [p for p in (*model.parameters(), *parts.extra) if p.requires_grad]
    optimiser = torch.optim.Adam(
        parameters, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
    )
    averaged = copy.deepcopy(model) if schedule.ema > 0 else model
    best: dict[str, np.ndarray] = {}
    control, rate = Control(), schedule.learning_rate
    history: tuple[EpochRecord, ...] = ()
    if resume is not None:
        control, history, rate = resume.control, resume.history, resume.rate
        best = restore(resume.arrays, model, averaged, parts, optimiser)
    for epoch in range(len(history), len(known) or schedule.epochs):
        if not known and _exhausted(history, schedule):
            break
        weight = parts.class_weights(epoch, control)
        used, loss, terms = _learn(
            model,
            averaged,
            training,
            schedule,
            parts,
            optimiser,
            control,
            weight,
            epoch=epoch,
            rate=rate,
            seed=seed,
        )
        score, point, sets = (
            known[epoch]
            if known
            else judge(averaged, monitors, policy, schedule.selection, control)
        )
        record = EpochRecord(
            epoch=epoch + 1,
            loss=loss,
            score=score,
            learning_rate=used,
            point=point,
            sets=sets,
            class_weights=None if weight is None else tuple(weight.tolist()),
            loss_terms=terms,
        )
        control = _remember_miss(control, next(iter(sets.values())).get("miss"))
        for hook in parts.after_epoch:
            control, events = hook(control, record)
            record = replace(record, events=record.events + events)
        if not history or score > max(past.score for past in history):
            best = weights_of(averaged)
        history = (*history, record)
        if schedule.kind == "plateau":
            rate = _plateau(history, rate, schedule)
        if on_epoch is not None:
            on_epoch(
                FitState(pack(model, averaged, parts, optimiser, best), control, history, rate)
            )
    final = copy.deepcopy(model)
    final.load_state_dict({name: torch.as_tensor(value) for name, value in best.items()})
    chosen = history[best_epoch(history) - 1]
    return Fitted(final.eval(), chosen.point, chosen.epoch, history)


@torch.enable_grad()
def _learn(
    model: nn.Module,
    averaged: nn.Module,
    training: Examples,
    schedule: Schedule,
    parts: Parts,
    optimiser: torch.optim.Optimizer,
    control: Control,
    weight: Tensor | None,
    *,
    epoch: int,
    rate: float,
    seed: int,
) -> tuple[float, float, dict[str, float]]:
    """One pass over the training beats; return last rate, mean loss and mean loss terms."""
    generator = torch.Generator().manual_seed(_epoch_seed(seed, epoch))
    parameters = optimiser.param_groups[0]["params"]
    per_epoch = math.ceil(len(training) / schedule.batch)
    batches = torch.split(parts.sampler(epoch, control, generator), schedule.batch)
    total, terms = 0.0, dict[str, float]()
    model.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_epoch_seed(seed, epoch))  # dropout
        for step, index in enumerate(batches):
            if schedule.kind == "one-cycle":
                at = epoch * per_epoch + min(step, per_epoch - 1)
                rate = one_cycle(at, schedule.epochs * per_epoch, schedule.learning_rate)
            optimiser.param_groups[0]["lr"] = rate
            inputs = parts.augment(training.inputs.rows(index), generator)
            logits, feature = parts.forward(model, inputs, generator)
            loss, named = parts.loss(
                Batch(logits, feature, training.label[index], index, weight, epoch, control)
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, schedule.clip)
            optimiser.step()
            parts.after_step(model, inputs)
            if averaged is not model:
                _average(averaged, model, schedule.ema)
            total += float(loss.detach()) / len(batches)
            for name, value in named.items():
                terms[name] = terms.get(name, 0.0) + float(value) / len(batches)
    if not math.isfinite(total):
        raise InputError(
            f"the loss became {total} in epoch {epoch + 1}; lower training.learning_rate "
            f"(now {schedule.learning_rate}) or check the data"
        )
    return rate, total, terms


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> 1)


def best_epoch(history: Sequence[EpochRecord]) -> int:
    """Return the first epoch with the highest score: the one whose weights are kept."""
    return max(history, key=lambda record: (record.score, -record.epoch)).epoch


def _exhausted(history: tuple[EpochRecord, ...], schedule: Schedule) -> bool:
    done = len(history)
    return done >= max(schedule.min_epochs, 1) and done - best_epoch(history) >= schedule.patience


def _plateau(history: tuple[EpochRecord, ...], rate: float, schedule: Schedule) -> float:
    """Reduce the rate after every `plateau_patience` + 1 epochs without a better score."""
    waited = len(history) - best_epoch(history)
    period = schedule.plateau_patience + 1
    return rate * schedule.plateau_factor if waited and waited % period == 0 else rate


def _remember_miss(control: Control, miss: float | None) -> Control:
    if miss is None:
        return control
    past = miss if control.miss_ema is None else control.miss_ema
    return replace(control, miss_ema=MISS_MEMORY * past + (1 - MISS_MEMORY) * miss)


@torch.no_grad()
def _average(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    for mean, now in zip(averaged.parameters(), model.parameters(), strict=True):
        mean.lerp_(now, 1 - decay)
    for kept, buffer in zip(averaged.buffers(), model.buffers(), strict=True):
        kept.copy_(buffer)

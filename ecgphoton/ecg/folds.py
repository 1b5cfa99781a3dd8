"""Whole patients divided into folds of like difficulty: names and beats come in, folds go out."""

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.records import aami_group
from ecgphoton.errors import InputError
from ecgphoton.metrics import WHOLE_PATIENT

USUAL = 5
"""Folds where a protocol file names neither validation nor folds; fewer with fewer patients."""


def folds_of(
    subject: NDArray[np.str_],
    symbol: NDArray[np.str_],
    label: NDArray[np.int64],
    folds: int,
    *,
    seed: int,
) -> dict[str, int]:
    """Divide patients into folds so that each holds normal beats and every kind of abnormal ones.

    Patients with the most kinds of abnormal beats are placed first, each where its kinds are rarest
    so far; the seed decides the order of patients alike in that. The numbers of patients differ by
    one at most.

    Parameters
    ----------
    subject, symbol, label
        (n,) patient, annotation symbol and class of every beat.
    folds
        How many folds there are.
    seed
        Of the order in which patients are placed.

    Returns
    -------
    dict
        Fold of every patient, from 0.

    Raises
    ------
    InputError
        If without some fold no normal or no abnormal beats would be left to train on.
    """
    names, who = np.unique(subject, return_inverse=True)
    kinds = kinds_of(symbol, label)
    beats = [np.bincount(who[kinds == kind], minlength=len(names)) for kind in np.unique(kinds)]
    presence = np.stack(beats, 1).clip(max=WHOLE_PATIENT) / WHOLE_PATIENT
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-(presence[order] >= 1).sum(1), kind="stable")]
    sizes, load = np.zeros(folds, int), np.zeros((folds, presence.shape[1]))
    place, few = np.empty(len(names), int), len(names) // folds
    for patient in order:
        cost = (load + presence[patient]) ** 2 - load**2
        rank = (cost / presence.sum(0)).sum(1)
        rank[sizes >= (few if (sizes < few).any() else few + 1)] = np.inf
        place[patient] = np.lexsort((sizes, rank))[0]
        sizes[place[patient]] += 1
        load[place[patient]] += presence[patient]
    for what, rows in (("normal", label == 0), ("abnormal", label != 0)):
        holders = set(place[who[rows]].tolist())
        if len(holders) < 2:
            raise InputError(
                f"the training patients with {what} beats are in {len(holders)} of {folds} folds, "
                "and without it no such beat is left to train on; name more records, or give the "
                "protocol a validation_fraction in place of folds"
            )
    return dict(zip(names.tolist(), place.tolist(), strict=True))


def kinds_of(symbol: NDArray[np.str_], label: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return ``normal`` for every normal beat, and the AAMI group of every abnormal one."""
    groups = {name: aami_group(str(name)) or "?" for name in np.unique(symbol)}
    return np.where(label == 0, "normal", np.array([groups[name] for name in symbol]))

"""Beats divided by a protocol: into training, validation and test, and patients into folds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet, DropReport, Extracted, Further, count_drops
from ecgphoton.ecg.origin import Origin
from ecgphoton.ecg.protocols import Protocol, protocol_values, scheme_values
from ecgphoton.ecg.records import LabelScheme, aami_group
from ecgphoton.errors import InputError
from ecgphoton.metrics import WHOLE_PATIENT


@dataclass(frozen=True)
class Splits:
    """The three sets of a protocol, and their provenance."""

    train: BeatSet
    validation: BeatSet
    test: BeatSet
    protocol: Protocol
    labels: LabelScheme
    report: DropReport
    origin: Origin | None = None
    """The files the beats were read from; None for synthetic beats."""
    views: BeatSet | None = None
    """Training beats once more, in other leads of their records; None where none were asked for or
    found."""
    further: tuple[Further, ...] = ()
    """Which leads these are, and of which records."""
    folds: Mapping[str, int] = field(default_factory=dict)
    """Fold of every training patient, from 0; empty without folds. `validation` is empty then."""

    @property
    def synthetic(self) -> bool:
        """Whether any of these beats is synthetic."""
        return any(part.synthetic for part in (self.train, self.validation, self.test))

    @property
    def subject(self) -> NDArray[np.str_]:
        """(n,) patient of every training beat."""
        subjects = self.protocol.subjects
        return np.array([subjects[name] for name in self.train.record.tolist()])

    @property
    def held(self) -> BeatSet:
        """Beats that a choice after training may look at: validation, else the training beats."""
        return self.validation if len(self.validation) else self.train

    @property
    def provenance(self) -> dict[str, Any]:
        """Description that a run stores to read exactly these beats again, JSON-ready."""
        return {
            "protocol": protocol_values(self.protocol),
            "labels": scheme_values(self.labels),
            **({} if self.origin is None else self.origin.to_dict()),
        }

    @property
    def parts(self) -> dict[str, BeatSet]:
        """The sets by the names reports use."""
        return {
            "train": self.train,
            "validation": self.validation,
            self.protocol.test_name: self.test,
        }


def labelled(extracted: Extracted, scheme: LabelScheme) -> Extracted:
    """Give every beat its class, -1 outside the scheme, and count those outside."""
    beats = extracted.beats
    classes = [scheme.mapping.get(symbol, -1) for symbol in beats.symbol.tolist()]
    label = np.array(classes, np.int64)
    report = extracted.report
    outside = label < 0
    if outside.any():
        reason = f"outside label scheme {scheme.name}"
        drops = count_drops(str(beats.record[0]), beats.symbol[outside], reason)
        report = replace(report, drops=report.drops + drops)
    return Extracted(replace(beats, label=label), report)


def assemble(
    protocol: Protocol,
    scheme: LabelScheme,
    extracted: Mapping[str, Extracted],
    *,
    split_seed: int = 0,
    stratified: bool = False,
) -> Splits:
    """Divide the beats of a protocol's records into its three sets.

    Parameters
    ----------
    extracted
        Beats of every record of the protocol.
    split_seed
        Seed of the random division, where validation is a share of the training beats, and of the
        folds.
    stratified
        Whether that division keeps the share of every class.

    Raises
    ------
    InputError
        If one of the sets is empty.
    """
    classed = {name: labelled(extracted[name], scheme) for name in protocol.records}

    def gather(names: tuple[str, ...]) -> BeatSet:
        if not names:
            return gather(protocol.train[:1]).take(slice(0))
        parts = [classed[name].beats for name in names]
        return BeatSet.concat([part.take(part.label >= 0) for part in parts])

    train, validation, test = map(gather, (protocol.train, protocol.validation, protocol.test))
    if protocol.validation_fraction:
        first, second = _divide(
            train.label, protocol.validation_fraction, seed=split_seed, stratified=stratified
        )
        train, validation = train.take(first), train.take(second)
    for name, part in (("training", train), ("validation", validation), ("test", test)):
        if not len(part) and not (name == "validation" and protocol.folds):
            raise InputError(
                f"the {name} set of protocol {protocol.name!r} has no beats with labels "
                f"{scheme.name!r}; choose other records or labels"
            )
    report = DropReport.join(classed[name].report for name in protocol.records)
    report = replace(report, notes=(*report.notes, *_notes(protocol)))
    splits = Splits(train, validation, test, protocol, scheme, report)
    if protocol.folds == 0:
        return splits
    drawn = folds_of(splits.subject, train.symbol, train.label, protocol.folds, seed=split_seed)
    return replace(splits, folds=drawn)


def _divide(
    label: NDArray[np.int64], fraction: float, *, seed: int, stratified: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random rows for training and validation, each in their original order."""
    order = np.random.default_rng(seed).permutation(len(label))
    if stratified:
        # Spread every class evenly over [0, 1), then cut: shares hold to one beat a class.
        place = np.empty(len(label))
        for value in np.unique(label):
            rows = order[label[order] == value]
            place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
        order = order[np.argsort(place[order], kind="stable")]
    count = round(len(label) * (1 - fraction))
    return np.sort(order[:count]), np.sort(order[count:])


def choosing(protocol: Protocol) -> list[str]:
    """Return in sentences what chooses epoch and operating point."""
    folds, share, unproven = protocol.folds, protocol.validation_fraction, protocol.unproven
    sentences = (
        f"{protocol.patients} training patients in {folds} folds: epoch and operating point are "
        "chosen from the scores of students that did not train on the patient" if folds else "",
        f"validation is a random {100 * share:g} % of the beats of the training patients, and not "
        "an estimate for new patients" if share else "",
        f"validation record {' '.join(unproven)} is of a subject that also trains: epoch and "
        "operating point are not chosen on new patients alone" if unproven else "",
    )  # fmt: skip
    return [sentence for sentence in sentences if sentence]


def _notes(protocol: Protocol) -> list[str]:
    """Return what chooses, and a sentence when a subject is on both sides."""
    test, leaking = protocol.test_name, " ".join(protocol.leaking)
    both = (
        f"{test} record {leaking} is of a subject that also trains; read {test} without it as well"
    )
    return [*choosing(protocol), *([both] if leaking else [])]


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

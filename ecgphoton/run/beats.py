"""A recipe or the provenance of a student comes in; its beats go out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgphoton import metrics
from ecgphoton.ecg.beats import BeatSet, Loaded, Splits, load_all, load_splits
from ecgphoton.ecg.databases import MITDB, dataset_of
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.fibrillation import fibrillating
from ecgphoton.ecg.origin import check_same, copies, dataset_read, namesakes
from ecgphoton.ecg.protocols import Protocol, protocol_from, protocol_of, scheme_from
from ecgphoton.ecg.records import LABELS, LabelScheme, label_scheme
from ecgphoton.ecg.splits import choosing
from ecgphoton.errors import InputError
from ecgphoton.recipe import DataSettings, Recipe, from_dict
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.propagate import inputs_of
from ecgphoton.training.parts import Examples


def examples_of(beats: BeatSet, architecture: Architecture) -> Examples:
    """Tensors of a beat set, as a student of this architecture reads them."""
    return Examples(inputs_of(beats, architecture), torch.as_tensor(beats.label), beats.record)


def taught(splits: Splits, recipe: Recipe, architecture: Architecture, seed: int) -> Examples:
    """Return what a student of this recipe trains on: the beats, then other leads and copies."""
    examples, share = examples_of(splits.train, architecture), recipe.augment.fibrillation
    if splits.views is not None:
        examples = examples.join(examples_of(splits.views, architecture))
    if share:
        copies = fibrillating(splits.train, share, seed)
        examples = examples.join(examples_of(copies, architecture))
    return examples


def splits_of(recipe: Recipe, data_dir: Path | None = None) -> Splits:
    """Load the beats of a recipe.

    A protocol file may state its labels and lead; a recipe that states others contradicts it.

    Raises
    ------
    InputError
        If recipe and protocol contradict each other, or beats cannot be found.
    """
    data, usual, protocol = recipe.data, DataSettings(), protocol_of(recipe.data.protocol)
    for what, stated in stated_by(protocol).items():
        if (chosen := getattr(data, what)) not in (getattr(usual, what), stated):
            raise InputError(
                f"data.{what} is {chosen!r}, but the protocol is for {what} {stated!r}; leave one "
                "out"
            )
    labels, lead = protocol.labels or data.labels, protocol.lead or data.lead
    return _load(recipe, data.source, data_dir, protocol, labels, lead, data.views)


def divided_by(recipe: Recipe, protocol: str) -> Recipe:
    """Return the recipe with another protocol, by name or from its file.

    Labels and lead that the file states replace those of the recipe, which are of its protocol.
    """
    left = {what: getattr(DataSettings(), what) for what in stated_by(protocol_of(protocol))}
    return replace(recipe, data=replace(recipe.data, protocol=protocol, **left))


def stated_by(protocol: Protocol) -> dict[str, str]:
    """Return the settings of a recipe's data that a protocol file states itself."""
    labels = None if protocol.labels is None else protocol.labels.name
    found = {"labels": labels, "lead": protocol.lead}
    return {what: value for what, value in found.items() if value is not None}


def monitored(recipe: Recipe, splits: Splits) -> dict[str, BeatSet]:
    """Return the sets judged after every epoch: validation, and the test set only if blended.

    There are none where the protocol has folds.
    """
    blended = {splits.protocol.test_name: splits.test} if recipe.decision.blend > 0 else {}
    return {} if splits.folds else {"validation": splits.validation, **blended}


def reported(splits: Splits) -> dict[str, BeatSet]:
    """Return the sets every report shows, a test set with a leaking subject also without it."""
    test, name = splits.test, splits.protocol.test_name
    sets = {"validation": splits.validation, name: test}
    if leaking := splits.protocol.leaking:
        rest = np.flatnonzero(~np.isin(test.record, leaking))
        sets[f"{name}_without_{'_'.join(leaking)}"] = test.take(rest)
    return {name: beats for name, beats in sets.items() if len(beats)}


def splits_like(
    metadata: Mapping[str, Any],
    data: str | Path | None = None,
    data_dir: Path | None = None,
    protocol: str | Path | Protocol | None = None,
) -> Splits:
    """Load the beats of a student, as its checkpoint records them.

    Without `data` and `protocol` they are those of exactly the files it was trained, validated and
    tested on; other databases and synthetic beats are used only where they are named.

    Parameters
    ----------
    metadata
        Of a run or bundle; ``metadata["provenance"]`` is `Splits.provenance`.
    data
        A dataset by name, a folder, a dataset file, ``synthetic`` or ``auto``: in place of the
        student's own, divided by the student's protocol or by `protocol`.
    data_dir
        Where the student's own recordings are now, or where a published database is.
    protocol
        Another protocol, by name or from its file. Labels and lead that the file states replace
        those of the training.

    Raises
    ------
    InputError
        If a file is missing or is not the one that the student was trained on.
    """
    recipe, stored = from_dict(metadata["recipe"]), metadata.get("provenance") or {}
    labels, lead = scheme_of(metadata), str(metadata.get("lead", recipe.data.lead))
    if protocol is None:
        chosen = own_protocol(metadata, data)
    else:
        chosen = protocol_of(protocol)
        labels, lead = chosen.labels or labels, chosen.lead or lead
    if data is not None or "files" not in stored:  # of a shipped student there are names only
        source = metadata["source"] if data is None else data
        splits = _load(recipe, source, data_dir, chosen, labels, lead)
        said = namesakes(stored.get("files", {}), splits.origin) if splits.origin else ()
        return replace(splits, report=replace(splits.report, notes=(*splits.report.notes, *said)))
    splits = _load(recipe, dataset_read(metadata).moved(data_dir), data_dir, chosen, labels, lead)
    if protocol is None and splits.origin is not None:
        check_same(stored["files"], splits.origin)
    return splits


def scheme_of(metadata: Mapping[str, Any]) -> LabelScheme:
    """Return the label scheme that a student was trained with."""
    name, stored = str(metadata["labels"]), (metadata.get("provenance") or {}).get("labels")
    if name in LABELS or stored is None:
        return label_scheme(name)
    return scheme_from(stored, "the labels of the run")


def _load(
    recipe: Recipe,
    data: str | Path | Dataset,
    data_dir: Path | None,
    protocol: str | Path | Protocol,
    labels: str | LabelScheme,
    lead: str,
    views: int = 1,
) -> Splits:
    return load_splits(
        protocol,
        labels,
        data=data,
        data_dir=data_dir,
        lead=lead,
        split_seed=recipe.data.split_seed,
        stratified=recipe.data.stratified,
        centring=recipe.data.centring,
        quality=recipe.data.quality,
        views=views,
    )


def own_protocol(metadata: Mapping[str, Any], data: str | Path | None = None) -> Protocol:
    """Return the protocol that a student was trained with, as its run stores it.

    Raises
    ------
    InputError
        If the run does not store it, and there is no such protocol or file.
    """
    stored = metadata.get("provenance") or {}
    if "files" in stored or ("protocol" in stored and data in (None, "synthetic")):
        return protocol_from(stored["protocol"], "the protocol of the run")
    return protocol_of(from_dict(metadata["recipe"]).data.protocol)


def beats_elsewhere(
    metadata: Mapping[str, Any], data: str | Path | None, data_dir: Path | None = None
) -> Loaded | None:
    """Load all beats of a dataset that is named and that the student's protocol does not divide.

    None where no dataset is named, or where it holds the records of the protocol.

    Raises
    ------
    InputError
        As `beats_on`.
    """
    if data is None or _divides(metadata, data):
        return None
    return beats_on(metadata, data, data_dir)


def _divides(metadata: Mapping[str, Any], data: str | Path) -> bool:
    """Return whether a student's protocol divides a dataset into training and test records."""
    if data in ("auto", "synthetic"):
        return True
    return set(own_protocol(metadata, data).records) <= set(dataset_of(data).records)


def own_splits(
    metadata: Mapping[str, Any], data: str | Path | None, data_dir: Path | None = None
) -> Splits:
    """Load the sets of a student's protocol for an evaluation on some data.

    They are those of the data, if the protocol divides them; else of what the student learnt from.

    Raises
    ------
    InputError
        As `splits_like`.
    """
    divided = data is None or _divides(metadata, data)
    return splits_like(metadata, data, data_dir) if divided else splits_like(metadata)


def evaluation_beats(
    metadata: Mapping[str, Any], data: str | Path | None = None, data_dir: Path | None = None
) -> Loaded:
    """Load the test set of a student's own protocol, or all beats of another dataset."""
    other = beats_elsewhere(metadata, data, data_dir)
    if other is not None:
        return other
    splits = splits_like(metadata, data, data_dir)
    others = set(splits.protocol.records) - set(splits.protocol.test)
    report = splits.report.without(others, choosing(splits.protocol))
    return Loaded(splits.test, report, splits.origin)


def check_both(beats: BeatSet) -> BeatSet:
    """Return beats on which there is a miss rate and an FPR.

    Raises
    ------
    InputError
        If all are normal, or all abnormal.
    """
    metrics.check_both(beats.label > 0, f"beats of {beats.source}")
    return beats


def beats_on(
    metadata: Mapping[str, Any], data: str | Path | Dataset, data_dir: Path | None = None
) -> Loaded:
    """Load all beats of another dataset, as a frozen student reads them.

    Windows and features are those of every other set. The lead is the dataset's own preference,
    else the student's lead, else lead II, else the first ECG lead; the report's notes name it.

    Parameters
    ----------
    data
        A dataset by name (``svdb``), a folder of recordings or a dataset file.

    Returns
    -------
    Beats that the student's labels know; `report` says what was left out and how much of the
    dataset there was.

    Raises
    ------
    InputError
        If the dataset is not there, is damaged, or holds no beat that the labels know.
    """
    dataset = dataset_of(data)
    if not dataset.leads:
        dataset = replace(dataset, leads=(str(metadata.get("lead", MITDB.leads[0])),))
    scheme = scheme_of(metadata)
    centring = from_dict(metadata["recipe"]).data.centring
    loaded = load_all(data=dataset, data_dir=data_dir, labels=scheme, centring=centring)
    known = loaded.beats.take(loaded.beats.label >= 0)
    if not len(known):
        raise InputError(
            f"dataset {dataset.name} holds no beat with labels {scheme.name!r}; name others"
        )
    stored, own = (metadata.get("provenance") or {}).get("files", {}), own_protocol(metadata)
    said = copies(stored, loaded.origin, (*own.train, *own.validation)) if loaded.origin else ()
    report = replace(loaded.report, notes=(*loaded.report.notes, *said))
    return replace(loaded, beats=known, report=report)

"""From a recipe to the beats it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgphoton.ecg.beats import BeatSet, Splits, load_splits
from ecgphoton.recipe import Recipe, from_dict
from ecgphoton.student.propagate import inputs_of
from ecgphoton.training.parts import Examples

if TYPE_CHECKING:
    from ecgphoton.student.architecture import Architecture


def examples_of(beats: BeatSet, architecture: Architecture) -> Examples:
    """Tensors of a beat set, as a student of this architecture reads them."""
    return Examples(inputs_of(beats, architecture), torch.as_tensor(beats.label), beats.record)


def splits_of(recipe: Recipe, data_dir: Path | None = None) -> Splits:
    """Load the beats a recipe asks for."""
    data = recipe.data
    return load_splits(
        data.protocol,
        data.labels,
        data=data.source,
        data_dir=data_dir,
        lead=data.lead,
        split_seed=data.split_seed,
        stratified=data.stratified,
    )


def monitored(recipe: Recipe, splits: Splits) -> dict[str, BeatSet]:
    """Return the sets judged after every epoch: validation, and the test set only if blended."""
    sets = {"validation": splits.validation}
    if recipe.decision.blend > 0:
        sets[splits.protocol.test_name] = splits.test
    return sets


def reported(splits: Splits) -> dict[str, BeatSet]:
    """Return the sets every report shows, a test set with a leaking subject also without it."""
    test, name = splits.test, splits.protocol.test_name
    sets = {"validation": splits.validation, name: test}
    if leaking := splits.protocol.leaking:
        rest = np.flatnonzero(~np.isin(test.record, leaking))
        sets[f"{name}_without_{'_'.join(leaking)}"] = test.take(rest)
    return {name: beats for name, beats in sets.items() if len(beats)}


def splits_like(
    metadata: Mapping[str, Any], data: str | None = None, data_dir: Path | None = None
) -> Splits:
    """Load the beats a student was made for, by what its checkpoint says.

    With `data` None a student of synthetic beats gets synthetic beats, any other one the database
    where it is found, synthetic beats otherwise.
    """
    recipe = from_dict(metadata["recipe"])
    made_up = metadata["source"] == "synthetic"
    source = data if data is not None else "synthetic" if made_up else "auto"
    return splits_of(replace(recipe, data=replace(recipe.data, source=source)), data_dir)


def evaluation_beats(
    metadata: Mapping[str, Any], data: str | None = None, data_dir: Path | None = None
) -> BeatSet:
    """Return the test set of a student's own protocol."""
    return splits_like(metadata, data, data_dir).test

"""Runs come in; rates with intervals over patients and seeds go out.

One interval holds both: every draw resamples whole records, and of the seeds as many as there are,
with replacement. With one seed it is an interval over patients alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton import runs
from ecgphoton.artifacts import read_json
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.splits import kinds_of
from ecgphoton.report.scores import Scores, read_all_scores
from ecgphoton.run.beats import beats_on, examples_of
from ecgphoton.runs import TrainedStudent
from ecgphoton.training.judge import probabilities
from ecgphoton.training.parts import Examples

BINS, DRAWS = 2000, 2000
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """What one student says of the beats of one set."""

    scores: Scores
    called: NDArray[np.int64]
    """(n,) class."""
    kind: NDArray[np.str_]
    """(n,) ``normal``, or the AAMI group of an abnormal beat."""

    @classmethod
    def of(cls, trained: TrainedStudent, scores: Scores) -> Judged:
        called = trained.point.classify(scores.probability)
        return cls(scores, called, kinds_of(scores.symbol, scores.label))

    @classmethod
    def on(
        cls, trained: TrainedStudent, beats: BeatSet, examples: Examples | None = None
    ) -> Judged:
        """Let the student score beats, or the examples that were already made of them."""
        examples = examples or examples_of(beats, trained.student.architecture)
        probability = probabilities(trained.student, examples)
        scores = Scores(probability, beats.label, beats.record, beats.sample, beats.symbol)
        return cls.of(trained, scores)

    def value(self, statistic: Statistic) -> float:
        """Statistic of all records, each once."""
        return float(statistic(self, np.ones((1, len(self.records))))[0])

    @property
    def records(self) -> NDArray[np.str_]:
        return np.unique(self.scores.record)

    def counts(self, rows: NDArray[np.bool_]) -> Values:
        """(records,) how many of these beats each record has."""
        at = np.searchsorted(self.records, self.scores.record[rows])
        return np.bincount(at, minlength=len(self.records)).astype(float)


Statistic = Callable[[Judged, Values], Values]
"""Of a set and (draws, records) weights: (draws,) values."""


def ratio(
    part: Callable[[Judged], NDArray[np.bool_]], whole: Callable[[Judged], NDArray[np.bool_]]
):
    """Share of some beats in others."""

    def statistic(judged: Judged, weight: Values) -> Values:
        of = whole(judged)
        total = weight @ judged.counts(of)
        share = weight @ judged.counts(of & part(judged)) / np.maximum(total, 1)
        return np.where(total > 0, share, np.nan)

    return statistic


def missed(*kinds: str) -> Statistic:
    """Share of abnormal beats, or those of some AAMI groups, that are called normal."""
    return ratio(
        lambda j: j.called == 0,
        lambda j: np.isin(j.kind, kinds) if kinds else j.scores.label > 0,
    )


fpr = ratio(lambda j: j.called > 0, lambda j: j.scores.label == 0)


def sensitivity(index: int) -> Statistic:
    return ratio(lambda j: j.called == index, lambda j: j.scores.label == index)


def precision(index: int) -> Statistic:
    return ratio(lambda j: j.scores.label == index, lambda j: j.called == index)


def auc(judged: Judged, weight: Values) -> Values:
    """Area under the ROC, from a histogram of each record with evenly filled bins."""
    score = 1 - judged.scores.probability[:, 0].astype(float)
    order = np.argsort(np.argsort(score, kind="stable"), kind="stable")
    place = np.searchsorted(judged.records, judged.scores.record)
    table = np.zeros((2, len(judged.records), BINS))
    abnormal = (judged.scores.label > 0).astype(int)
    np.add.at(table, (abnormal, place, order * BINS // len(order)), 1)
    negative, positive = weight @ table[0], weight @ table[1]
    below = np.cumsum(negative, 1) - negative / 2
    total = positive.sum(1) * negative.sum(1)
    return (positive * below).sum(1) / np.maximum(total, 1)


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds, and the interval over patients and seeds."""

    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, seeds: Sequence[Judged], statistic: Statistic, *, seed: int = 20) -> Spread:
        rng, records = np.random.default_rng(seed), len(seeds[0].records)
        draws = rng.multinomial(records, np.full(records, 1 / records), size=DRAWS)
        weight = np.concatenate([np.ones((1, records)), draws])
        values = np.stack([statistic(one, weight) for one in seeds])
        picks = rng.integers(len(seeds), size=(DRAWS, len(seeds)))
        pooled = values[:, 1:].T[np.arange(DRAWS)[:, None], picks].mean(1)
        low, high = np.nanquantile(pooled, [0.025, 0.975])
        own = values[:, 0]
        return cls(own.mean(), own.std(ddof=min(1, len(own) - 1)), float(low), float(high))

    def text(self, digits: int = 1, scale: float = 100.0) -> str:
        """As in the tables: ``5.1 ± 0.4 [2.0, 9.1]``."""
        mean, deviation, low, high = (
            f"{scale * x:.{digits}f}" for x in (self.mean, self.deviation, self.low, self.high)
        )
        return f"{mean} ± {deviation} [{low}, {high}]"


@dataclass(frozen=True, eq=False)
class Family:
    """Runs of one recipe, one a seed."""

    name: str
    students: tuple[TrainedStudent, ...]
    sets: Mapping[str, tuple[Judged, ...]]
    """Of every set, what each of them says."""
    metrics: tuple[Mapping[str, object], ...]

    @property
    def first(self) -> TrainedStudent:
        return self.students[0]

    @property
    def test(self) -> str:
        """Name of the test set as a whole."""
        return min((name for name in self.sets if name not in runs.CHOOSING), key=len)


def families(folders: Sequence[Path], external: Sequence[str] = ()) -> dict[str, Family]:
    """Read run folders, and evaluate their students on further databases.

    Parameters
    ----------
    external
        Datasets whose beats took part in nothing; each is read once for every way of reading.
    """
    groups: dict[str, list[TrainedStudent]] = {}
    for folder in folders:
        trained = runs.load_student(folder)
        groups.setdefault(trained.recipe.name, []).append(trained)
    return {name: _family(name, group, external) for name, group in groups.items()}


def _family(name: str, students: list[TrainedStudent], external: Sequence[str]) -> Family:
    students = sorted(students, key=lambda trained: trained.metadata["seed"])
    found: dict[str, list[Judged]] = {}
    for trained in students:
        for which, scores in read_all_scores(trained.folder).items():
            found.setdefault(which, []).append(Judged.of(trained, scores))
    for dataset in external:
        beats = beats_on(students[0].metadata, dataset).beats
        examples = examples_of(beats, students[0].student.architecture)
        for trained in students:
            found.setdefault(dataset, []).append(Judged.on(trained, beats, examples))
    sets = {which: tuple(judged) for which, judged in found.items()}
    metrics = tuple(read_json(trained.folder / runs.METRICS) for trained in students)
    return Family(name, tuple(students), sets, metrics)

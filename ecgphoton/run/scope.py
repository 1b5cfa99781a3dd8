"""Whether a recording lies outside what a student knows, from beats without labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.annotate import Classify
from ecgphoton.ecg.beats import BeatSet, Splits
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.traits import BY_BEAT, beyond_for_long, rows_of, traits_of
from ecgphoton.ecg.windows import AT_EDGE, PAST_END
from ecgphoton.training.checks import Finding, poor_signal
from ecgphoton.training.scope import Scope

KEY = "scope"
"""Of the metadata of a checkpoint, and of the summary of an annotation."""
FEWEST_BEATS = 30
"""Classified beats without which nothing but poor signal is judged."""


@dataclass(frozen=True)
class ScopeReport:
    """What a recording looks like beside the training patients."""

    checked: bool
    """Whether the student holds ranges of its patients and the recording enough beats."""
    outside: bool
    """The alarm: whether any value is beyond its limit."""
    score: float | None
    """Mean position of the values: 0 in the middle of the training patients, 1 at the limits."""
    sentence: str
    checks: tuple[Finding, ...] = ()
    noisy: tuple[tuple[float, float], ...] = ()
    """Seconds from and to which noise is above its limit for many beats, where it is not usually:
    no alarm, but abnormal calls there may be false."""
    unusual: tuple[tuple[float, float], ...] = ()
    """The same of the amplitude, beyond either limit: what is called there may be no beat."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            **asdict(self),
            "checks": [{**asdict(one), "beyond": one.beyond} for one in self.checks],
        }


def scope_of(
    splits: Splits,
    features: Sequence[str],
    probability: NDArray[np.floating],
    point: OperatingPoint,
) -> dict[str, Any]:
    """Return what the checkpoint of a student keeps of its training patients.

    Parameters
    ----------
    splits
        Training beats and their patients.
    features
        Patient features that the student reads.
    probability
        ``(n, classes)`` out-of-fold scores of the training beats, as the student's probabilities.
    point
        Operating point on them.

    Returns
    -------
    A `Scope` under `KEY`, nothing where there are too few patients.
    """
    subject = splits.subject
    patients = []
    for name in np.unique(subject).tolist():
        own = np.flatnonzero(subject == name)
        rows = rows_of(splits.train.take(own), features)
        patients.append(traits_of(rows, probability[own], point))
    found = Scope.of(patients, features, point)
    return {} if found is None else {KEY: found.to_dict()}


class Observer:
    """A classifier that also collects what its beats look like."""

    def __init__(self, classify: Classify, metadata: Mapping[str, Any]) -> None:
        self._classify = classify
        held = metadata.get(KEY)
        self._scope = None if held is None else Scope.from_dict(held)
        self._seen: list[tuple[NDArray[Any], ...]] = []  # rows, probability and sample of beats

    def __call__(self, beats: BeatSet) -> NDArray[np.float32]:
        """Return class probabilities, as `Classify` says."""
        probability = self._classify(beats)
        if self._scope is not None and len(beats):
            self._seen.append((rows_of(beats, self._scope.features), probability, beats.sample))
        return probability

    def report(self, reason: NDArray[np.str_]) -> ScopeReport:
        """Judge the beats so far.

        Parameters
        ----------
        reason
            ``(n,)`` why a beat was not classified, empty where it was.
        """
        if self._scope is None:
            return ScopeReport(
                False, False, None,
                "Not checked whether the student knows such recordings: it holds no ranges of its "
                "training patients, which a student trained with folds has.",
            )  # fmt: skip
        known = f"what the student knows from {self._scope.patients} training patients"
        if not len(reason):
            return ScopeReport(False, True, None, f"Outside {known}: no beat was found.")
        classified = sum(len(rows) for rows, *_ in self._seen)
        inside = ~np.isin(reason, (AT_EDGE, PAST_END))
        found = [poor_signal(float((reason[inside] != "").mean()) if inside.any() else 0.0)]
        spans = {check: tuple[tuple[float, float], ...]() for check in BY_BEAT}
        if enough := classified >= FEWEST_BEATS:
            rows, probability, sample = map(np.concatenate, zip(*self._seen, strict=True))
            point = OperatingPoint.from_dict(self._scope.operating_point)
            found += self._scope.findings(traits_of(rows, probability, point))
            at = (sample / SAMPLING_RATE).tolist()
            for one in found:
                if one.check in spans and not one.beyond:
                    some = beyond_for_long(rows[:, BY_BEAT[one.check]], one.low, one.high)
                    spans[one.check] = tuple((at[first], at[last]) for first, last in some)
        beyond = [one.sentence for one in found if one.beyond]
        score = float(np.mean([one.position for one in found])) if enough else None
        noisy, unusual = map(_in_words, spans.values())
        absent = ", ".join(self._scope.without_range) if enough else ""
        within = f"Within {known}." if enough else ""
        sentences = (
            f"Outside {known}: {'; '.join(beyond)}." if beyond else within,
            f"Noise is above its limit at {noisy}: abnormal calls there may be false."
            if noisy else "",
            f"Amplitude is beyond its limits at {unusual}: check gain and electrodes; what is "
            "called there may be no beat." if unusual else "",
            f"Not checked: {absent}, of which the student, trained by another version, holds no "
            "range." if absent else "",
            "" if enough else f"Not checked{' for the rest' if beyond else ''}: only {classified} "
            f"beat{'s are' if classified != 1 else ' is'} classified, and {FEWEST_BEATS} are "
            "needed.",
        )  # fmt: skip
        text = " ".join(filter(None, sentences))
        return ScopeReport(enough, bool(beyond), score, text, tuple(found), *spans.values())


def _in_words(spans: Sequence[tuple[float, float]]) -> str:
    """Return the first spans in words."""
    few = ", ".join(f"{first:.0f} to {last:.0f} s" for first, last in spans[:3])
    return few + " and later" * (len(spans) > 3)

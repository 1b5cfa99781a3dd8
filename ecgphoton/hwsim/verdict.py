"""From chips to a verdict: yield within limits, its interval, and when to stop early."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.hwsim.patients import ByPatient
from ecgphoton.intervals import proportion_interval
from ecgphoton.mesh.arrays import AnyArray, Bools, Floats, Integers
from ecgphoton.settings import Settings, setting

PERCENTILES = (5, 50, 95)
LEAST_MASS = 1e-12
"""Smallest chance of a number of failures that counts."""


@dataclass(frozen=True)
class Limits(Settings):
    """What a chip, and the share of good chips, must meet.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    max_miss: float = setting(0.10, "Largest miss rate of a good chip.", low=0, high=1)
    max_fpr: float = setting(0.10, "Largest FPR of a good chip.", low=0, high=1)
    min_yield: float = setting(0.95, "Smallest share of good chips that passes.", low=0, high=1)
    confidence: float = setting(0.95, "Confidence of the verdict.", above=0, below=1)

    def good(self, miss: AnyArray, fpr: AnyArray) -> Bools:
        """Which chips meet both limits."""
        return np.asarray((miss <= self.max_miss) & (fpr <= self.max_fpr))


Decision = Literal["pass", "fail", "open"]


def decide(good: int, chips: int, limits: Limits) -> Decision:
    """Return what the one-sided bounds of Clopper and Pearson say about the yield.

    See Biometrika 26, 404 (1934), doi:10.1093/biomet/26.4.404.
    299 good chips of 299 prove a yield of 99 % at 95 % confidence, 59 of 59 prove 95 %.
    """
    if chips == 0:
        return "open"
    passes, fails = _decided(np.array(good), chips, limits)
    return "pass" if passes else "fail" if fails else "open"


def _decided(good: Integers, chips: int, limits: Limits) -> tuple[Bools, Bools]:
    """Where so many good chips pass, and where they fail.

    A bound of the yield lies beyond `min_yield` where so many good chips, or more, or fewer, are
    unlikely at that yield.
    """
    from scipy.stats import binom

    wanted, alpha = limits.min_yield, 1 - limits.confidence
    passes = (binom.sf(good - 1, chips, wanted) <= alpha) | (wanted <= 0)
    return np.asarray(passes), np.asarray(~passes & (binom.cdf(good, chips, wanted) < alpha))


def chips_to_prove(limits: Limits) -> int:
    """Chips without a failure that prove `min_yield`: ln(1 - confidence) / ln(min_yield)."""
    if limits.min_yield >= 1:
        raise InputError("no number of chips proves a yield of 1; ask for less, for example 0.99")
    if limits.min_yield <= 0:
        return 1
    return math.ceil(math.log(1 - limits.confidence) / math.log(limits.min_yield))


def false_pass(limits: Limits, chips: int, step: int) -> float:
    """Chance that early stopping passes a yield that is exactly `min_yield`, looks included.

    Each look is one more chance to stop on a fluctuation. The probability is exact: a walk over
    the number of failures, with one look every `step` chips.
    """
    mass, least, passed = np.ones(1), 0, 0.0  # of `least` failures and more
    for seen in range(1, chips + 1):
        mass = np.convolve(mass, (limits.min_yield, 1 - limits.min_yield))
        if seen % step == 0 or seen == chips:
            bad = np.flatnonzero(mass > LEAST_MASS)
            passes, fails = _decided(seen - least - bad, seen, limits)
            passed += float(mass[bad[passes]].sum())
            mass[bad[passes | fails]] = 0
            if not len(walking := np.flatnonzero(mass > LEAST_MASS)):
                break
            mass, least = mass[walking[0] : walking[-1] + 1], least + int(walking[0])
    return passed


@dataclass(frozen=True, eq=False)
class SimulationReport:
    """Every simulated chip, and the verdict.

    ``passed`` compares the observed yield with `Limits.min_yield`; ``proven`` says whether its
    one-sided confidence bound is on the same side.
    """

    miss: Floats
    """(chips,) missed share of abnormal beats."""
    fpr: Floats
    """(chips,) share of normal beats called abnormal."""
    auc: Floats
    """(chips,) area under the ROC; NaN with one class only."""
    perfect: tuple[float, float, float]
    """Miss, FPR and AUC of the perfect chip without noise, with the same electronics."""
    limits: Limits
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Provenance: seed, noise, profile, beats, threshold, readout ..."""
    stopped_early: bool = False
    false_pass: float | None = None
    """Chance that a yield of exactly `min_yield` counts as proven, where chips were judged on the
    way."""
    seconds: float = 0.0
    by_patient: ByPatient | None = None
    """Wrong calls of every chip, record by record, where the records of the beats are known."""
    conditions: Callable[[], str] | None = None
    """Says what the chips of a profile stand for; only a result that is written needs it."""

    @property
    def chips(self) -> int:
        """Number of chips."""
        return len(self.miss)

    @cached_property
    def good(self) -> Bools:
        """Which chips meet both limits."""
        return self.limits.good(self.miss, self.fpr)

    @property
    def observed_yield(self) -> float:
        """Share of good chips."""
        return float(self.good.mean())

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Two-sided Clopper-Pearson interval of the yield."""
        return proportion_interval(
            int(self.good.sum()), self.chips, confidence=self.limits.confidence
        )

    @property
    def passed(self) -> bool:
        """Whether the observed yield reaches `min_yield`."""
        return self.observed_yield >= self.limits.min_yield

    @property
    def proven(self) -> bool:
        """Whether the confidence bound alone decides."""
        wanted = "pass" if self.passed else "fail"
        return decide(int(self.good.sum()), self.chips, self.limits) == wanted

    @cached_property
    def over_patients(self) -> dict[str, Any] | None:
        """What other patients would change, for JSON: ``patients``, ``intervals``, ``sentence``.

        The verdict does not use it. None where the records of the beats are not known.
        """
        if self.by_patient is None:
            return None
        patients, confidence = self.by_patient.patients, self.limits.confidence
        few = [f"one patient with {kind} beats"
               for kind, found in self.by_patient.holders.items() if found == 1]  # fmt: skip
        few = ["one patient"] if patients == 1 else few
        few += ["one chip"] if self.chips == 1 else []
        if few:
            sentence = f"Intervals over patients are not given: {' and '.join(few)}."
            return {"patients": patients, "intervals": None, "sentence": sentence}
        found = self.by_patient.intervals(self.limits.good, confidence)
        miss, fpr, good = (
            "{:.1f} to {:.1f} %".format(*(100 * end for end in over["both"]))
            for over in found.values()
        )
        values = float(self.miss.mean()), float(self.fpr.mean()), self.observed_yield
        rows = {
            name: {"value": value, **over}
            for (name, over), value in zip(found.items(), values, strict=True)
        }
        sentence = (
            f"On other patients and other chips of the same kind ({100 * confidence:g} % intervals "
            f"over {patients} records and {self.chips} chips) the mean miss rate is "
            f"{miss}, the mean FPR {fpr}, the yield {good}."
        )
        if any(low == high for low, high in (over["both"] for over in found.values())):
            sentence += (
                " Where an interval has no width, all of these agree; other patients and chips may "
                "still differ."
            )
        return {"patients": patients, "intervals": rows, "sentence": sentence}

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Mean, median, 5th and 95th percentile, worst and perfect chip of every metric."""
        table = {}
        worst = {"miss": np.max, "fpr": np.max, "auc": np.min}
        for index, (name, extreme) in enumerate(worst.items()):
            values = getattr(self, name)
            low, middle, high = np.percentile(values, PERCENTILES)
            row = {
                "mean": values.mean(),
                "median": middle,
                "p5": low,
                "p95": high,
                "worst": extreme(values),
                "perfect": self.perfect[index],
            }
            table[name] = {
                key: None if math.isnan(value) else float(value) for key, value in row.items()
            }
        return table

    def chip_rows(self) -> list[dict[str, Any]]:
        """One row a chip, for a CSV."""
        return [
            {
                "chip": chip,
                "miss": float(self.miss[chip]),
                "fpr": float(self.fpr[chip]),
                "auc": None if math.isnan(self.auc[chip]) else float(self.auc[chip]),
                "good": bool(self.good[chip]),
            }
            for chip in range(self.chips)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the single chips."""
        beyond = np.maximum(self.miss - self.limits.max_miss, self.fpr - self.limits.max_fpr)
        return {
            "chips": self.chips,
            "yield": self.observed_yield,
            "yield_interval": list(self.interval),
            "verdict": "pass" if self.passed else "fail",
            "proven": self.proven,
            "stopped_early": self.stopped_early,
            "false_pass": self.false_pass,
            "limits": asdict(self.limits),
            "metrics": self.summary(),
            "over_patients": self.over_patients,
            "worst_chip": int(np.argmax(beyond)),
            "seconds": round(self.seconds, 3),
            "conditions": self.conditions and self.conditions(),
            **dict(self.settings),
        }

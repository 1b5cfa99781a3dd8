r"""What the scores of folds say: outputs of several students come in, choices and estimates go out.

Every patient is scored by a student that trained on the other folds only. The logits of two
students are not on one scale, so each is mapped linearly: with :math:`l` the logit of a beat (that
of not normal minus that of normal), the score is

.. math:: s = (l - l_0) / (l_1 - l_0)

where :math:`l_0` and :math:`l_1` are the mean logits of the normal and of the abnormal beats that
*this* student trained on, patients weighted alike. A normal beat then has score 0 on average, an
abnormal one 1. The student that is trained on all patients afterwards has two such numbers too, and
with them a threshold on the common scale becomes a threshold on its own probability.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.intervals import record_bootstrap
from ecgphoton.mesh.arrays import AnyArray, Bools, Floats, Integers
from ecgphoton.metrics import RATES, auc_by_rank, by_group, confusion, macro_f1
from ecgphoton.training.judge import Judgement, judgement

NAME = "out_of_fold"
"""Name of the set of out-of-fold scores."""
STEEPNESS = 8.0
"""Of the logistic function that squeezes scores into 0 to 1: a score of 0 becomes 0.018."""
SMALLEST_GAP = 1e-3  # of the mean logits; a student with less has learnt nothing yet
BOOTSTRAP_SEED = 21


def margin(logits: AnyArray) -> Floats:
    """Return the (n,) logit of not normal minus that of normal, from (n, classes) logits."""
    wide = np.asarray(logits, np.float64)
    return np.asarray(np.logaddexp.reduce(wide[:, 1:], axis=1) - wide[:, 0])


def logistic(x: Any) -> Any:  # noqa: ANN401 - a number or an array
    """Return ``1 / (1 + exp(-x))``."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x)))


def squeezed(score: Any) -> Any:  # noqa: ANN401 - a number or an array
    """Return scores of the common scale as values from 0 to 1, for a `ThresholdPolicy`."""
    return logistic(STEEPNESS * (np.asarray(score) - 0.5))


@dataclass(frozen=True)
class Scale:
    """Mean logits of a student's own training beats, patients weighted alike."""

    normal: float
    abnormal: float

    @staticmethod
    def of(logit: AnyArray, label: AnyArray, weight: AnyArray) -> "Scale":
        """Return the scale of a student from its logits of the beats that it trained on.

        Parameters
        ----------
        logit
            (n,) see `margin`.
        label
            (n,) nonzero means abnormal.
        weight
            (n,) see `metrics.patients_alike`.
        """
        sides = (label == 0, label != 0)
        return Scale(*(float(np.average(logit[side], weights=weight[side])) for side in sides))

    @property
    def learnt(self) -> bool:
        """Whether abnormal beats have the larger mean, as after the first steps they have."""
        return self.abnormal - self.normal > SMALLEST_GAP

    @property
    def gap(self) -> float:
        """Difference of the two means, at least `SMALLEST_GAP`."""
        return max(self.abnormal - self.normal, SMALLEST_GAP)

    def score(self, logit: AnyArray) -> Floats:
        """Return logits of this student on the common scale."""
        return np.asarray((logit - self.normal) / self.gap)

    def probability(self, score: Any) -> Any:  # noqa: ANN401 - a number or an array
        """Return scores of the common scale as probabilities of this student."""
        return logistic(self.normal + self.gap * np.asarray(score))

    def own(self, point: OperatingPoint) -> OperatingPoint:
        """Return an operating point on `squeezed` scores as one on this student's probability."""
        if not point.binary:
            return point
        with np.errstate(divide="ignore"):  # a threshold of 0 or 1 is one
            odds = np.log(point.threshold) - np.log1p(-point.threshold)
        score = odds / STEEPNESS + 0.5
        return OperatingPoint(float(self.probability(score)), point.fitted_on, point.feasible)


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Out-of-fold scores of n beats after every epoch, and how the folds rank the epochs."""

    score: Floats
    """(epochs, n) on the common scale."""
    probability: Floats
    """(epochs, n, classes): with two classes `squeezed` scores, with more the student's own."""
    selection: Floats
    """(folds, epochs) selection score of every fold, patients weighted alike."""
    fold: Integers
    """(n,) from 0."""
    subject: AnyArray
    label: Integers
    kind: AnyArray
    """(n,) ``normal``, or the AAMI group of an abnormal beat."""
    weight: Floats

    def epoch(self, folds: Bools | slice = slice(None)) -> int:
        """Return the epoch (from 0) with the best mean selection score of these folds.

        Of several the earliest.
        """
        return int(self.selection[folds].mean(0).argmax())

    def judged(
        self,
        epoch: int,
        policy: ThresholdPolicy,
        selection: str,
        rows: Bools | slice = slice(None),
    ) -> Judgement:
        """Choose the operating point of an epoch on the scores of some beats."""
        scored = {NAME: (self.probability[epoch][rows], self.label[rows])}
        found = judgement(scored, policy, selection, {NAME: self.weight[rows]})
        return found._replace(score=float(self.selection[:, epoch].mean()))

    def course(self, policy: ThresholdPolicy, selection: str) -> list[Judgement]:
        """Return what the folds say of every epoch up to the best."""
        return [self.judged(epoch, policy, selection) for epoch in range(self.epoch() + 1)]

    def estimate(self, epoch: int, point: OperatingPoint) -> dict[str, Any]:
        """Return the numbers of an epoch at an operating point on its `squeezed` scores."""
        return self._numbers(
            self.score[epoch], self.probability[epoch], point.classify(self.probability[epoch])
        )

    def nested(self, policy: ThresholdPolicy, selection: str) -> dict[str, Any]:
        """Estimate what such a run does on new patients.

        For every fold, epoch and operating point are chosen on the other folds only, and then
        applied to it. This nests the choices that a run makes itself; what people chose before on
        the same patients (features, augmentation) is not nested.
        """
        score, probability = self.score[0].copy(), self.probability[0].copy()
        calls, epochs = np.empty(len(self.label), np.int64), []
        for number in range(len(self.selection)):
            held = self.fold == number
            epoch = self.epoch(np.arange(len(self.selection)) != number)
            point = self.judged(epoch, policy, selection, ~held).point
            score[held], probability[held] = self.score[epoch][held], self.probability[epoch][held]
            calls[held] = point.classify(probability[held])
            epochs.append(epoch + 1)
        return {**self._numbers(score, probability, calls), "epochs": epochs}

    def _numbers(self, score: AnyArray, probability: AnyArray, calls: AnyArray) -> dict[str, Any]:
        """Return areas, rates and their intervals over patients, patients weighted alike."""
        normal = self.label == 0
        areas = {}
        for kind in ["abnormal", *np.unique(self.kind[~normal]).tolist()]:
            own = ~normal if kind == "abnormal" else self.kind == kind
            weights = self.weight[own], self.weight[normal]
            areas[kind] = auc_by_rank(score[own], score[normal], weights)
        total = confusion(self.label, calls, self.weight)
        counts = list(by_group(self.label, calls, self.subject, self.weight).values())
        numbers: dict[str, Any] = {
            "auc": areas.pop("abnormal"),
            "class_auc": areas,
            "miss": total.miss_rate,
            "fpr": total.fpr,
            "interval_95": {
                name: record_bootstrap(counts, RATES[name], seed=BOOTSTRAP_SEED)
                for name in ("miss", "fpr")
            },
        }
        if (classes := probability.shape[1]) > 2:
            numbers["macro_f1"] = macro_f1(self.label, calls, classes, self.weight)
        return numbers

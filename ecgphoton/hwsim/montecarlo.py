"""Monte Carlo over chips: miss rate, FPR and AUC of each, and the share within the limits.

Chips are taken in groups of `GROUP` and beats in blocks of `BEATS`, both aligned to zero and each
computed by one thread, so the answer for chip k is the same bit for bit in any batch, on any number
of threads and on any worker. Of a chip only rates and counts are kept.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from ecgphoton.arguments import check_seed
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.distributed import check_workers, computed, single_threaded
from ecgphoton.hwsim.patients import ByPatient, counted
from ecgphoton.hwsim.propagate import ChipDetector, plan_powers
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.streams import BEATS, CHIPS, shot_generator
from ecgphoton.hwsim.verdict import Limits, SimulationReport
from ecgphoton.hwsim.weights import Carrier, Chips, ChipSource
from ecgphoton.mesh.arrays import Bools, Floats, Integers, Singles
from ecgphoton.metrics import auc_by_rank
from ecgphoton.settings import convert
from ecgphoton.student.propagate import Inputs, read_out, walk

GROUP = 4
"""Chips of one work item; with `BEATS` it keeps the working set in the cache."""
Read = Callable[[torch.Tensor], Singles]


@dataclass(frozen=True, eq=False)
class Trial:
    """All that is needed to evaluate chips: chip source, electronics, beats and threshold."""

    carrier: Carrier
    source: ChipSource
    inputs: Inputs
    label: Bools
    """(B,), True for abnormal."""
    point: OperatingPoint
    seed: int = 0
    readout: Readout = field(default_factory=Readout)
    sampled: bool = False
    """Draw the noise of every sample (the slow reference)."""
    record: Integers | None = None
    """(B,) number of the record of each beat, where chips are to be judged record by record."""

    def __post_init__(self) -> None:
        if len(self.inputs) == 0 or len(self.inputs) != len(self.label):
            raise InputError(
                f"a simulation needs as many labels as beats and at least one, got "
                f"{len(self.inputs)} beats and {len(self.label)} labels"
            )
        if self.record is not None and len(self.record) != len(self.label):
            raise InputError(f"{len(self.record)} records of {len(self.label)} beats")
        self.inputs.finite()
        check_seed(self.seed)

    def chips(self, first: int) -> Chips:
        """Return the chips of one work item, `first` ... ``first + GROUP - 1``."""
        return self.source.draw(self.seed, first, GROUP)

    def perfect(self) -> Singles:
        """Probability of abnormal (B,) on the perfect chip without noise."""
        return np.asarray(self.score(self.source.nominal(), None)[0])

    def report(self, rows: Floats, limits: Limits, **more: Any) -> SimulationReport:  # noqa: ANN401
        """Return the verdict on chips by their rows of `tally`; `more` are fields of the report."""
        miss, fpr, auc = rows[:, :3].T
        perfect: Any = tuple(rates(self.perfect()[None], self.label, self.point)[0].tolist())
        patients = ByPatient.of(rows[:, 3:], self.label, self.record)
        return SimulationReport(miss, fpr, auc, perfect, limits, by_patient=patients, **more)

    def score(
        self,
        chips: Chips,
        first: int | None,
        read: Read | None = None,
        *,
        inputs: Inputs | None = None,
        block: int = 0,
    ) -> Singles:
        """Probability of abnormal (C, B) on given chips; `first` numbers their noise, or None.

        Parameters
        ----------
        read
            Turns logits (C, b, classes) into another score than the probability.
        inputs
            Other beats than those of the trial.
        block
            Number of the first block of `BEATS` beats, which chooses their noise.
        """
        inputs, read = inputs or self.inputs, read or abnormal
        count, shared, parts = len(chips.stack.matrices), {}, []  # type: ignore[var-annotated]
        with torch.no_grad(), single_threaded():
            for number, at in enumerate(range(0, len(inputs), BEATS), block):
                part, streams = inputs.rows(slice(at, at + BEATS)), []
                if first is not None:
                    streams = [shot_generator(self.seed, first + k, number) for k in range(count)]
                detector = ChipDetector(
                    self.readout,
                    chips,
                    self.powers,
                    len(part),
                    streams,
                    sampled=self.sampled,
                    coefficients=shared,
                )
                tokens = walk(chips.stack, part, self.carrier.architecture, detector)
                parts.append(read(read_out(self.carrier.head, tokens.mean(2))))
        return np.concatenate(parts, 1)

    @cached_property
    def powers(self) -> tuple[int | None, ...]:
        """Degree of the noise polynomials of every block: the same for every chip."""
        nominal = self.source.nominal()
        margin = 1.25 if nominal.relative else 1.0
        return plan_powers(nominal.stack, nominal.additive, margin=margin)


def abnormal(logits: torch.Tensor) -> Singles:
    """Probability of abnormal: everything that is not class 0."""
    probability = torch.softmax(logits, -1)
    return np.asarray(
        probability[..., 1] if logits.shape[-1] == 2 else 1 - probability[..., 0], np.float32
    )


def margin(logits: torch.Tensor) -> Singles:
    """Log-odds of abnormal: what the threshold is compared with, before the softmax."""
    return np.asarray(torch.logsumexp(logits[..., 1:], -1) - logits[..., 0], np.float32)


def rates(probability: Singles, label: Bools, point: OperatingPoint) -> Any:  # noqa: ANN401
    """(C, 3) miss rate, FPR and AUC of score rows (C, B); AUC is NaN with one class only."""
    called = point.decide(probability)
    positives, negatives = int(label.sum()), int((~label).sum())
    table = np.full((len(probability), 3), np.nan)
    table[:, 0] = (~called[:, label]).sum(1) / max(positives, 1)
    table[:, 1] = called[:, ~label].sum(1) / max(negatives, 1)
    if positives and negatives:
        for row, scores in zip(table, probability, strict=True):
            row[2] = auc_by_rank(scores[label], scores[~label])
    return table


def tally(trial: Trial, probability: Singles, point: OperatingPoint) -> Floats:
    """Judge score rows (C, B) of the beats of a trial.

    Returns
    -------
    (C, 3) rates; where the trial knows the records of its beats (C, 3 + 2 P), the false alarms in
    each of P records and the missed beats in each of them as well.
    """
    found = np.asarray(rates(probability, trial.label, point))
    if trial.record is None:
        return found
    wrong = point.decide(probability) != trial.label
    counts = [counted(row, trial.label, trial.record).ravel() for row in wrong]
    return np.concatenate([found, counts], axis=1)


def run_group(trial: Trial, chips: int, group: int) -> Floats:
    """Rows of `tally` of those of chips ``group * GROUP`` ... that are among the first `chips`."""
    first = group * GROUP
    return tally(trial, trial.score(trial.chips(first), first)[: chips - first], trial.point)


def check_chips(chips: int) -> int:
    """Return `chips`, a number of chips that can be simulated, or InputError."""
    chips = convert(chips, int, "chips")
    require(1 <= chips <= CHIPS, "chips", chips, f"from 1 to {CHIPS}")
    return chips


def run(
    trial: Trial,
    chips: int,
    *,
    workers: int = 1,
    dask: str | None = None,
    threads: int | None = None,
) -> Generator[Floats, None, None]:
    """Return the rows of `tally` of chips 0 ... chips - 1, in order, a group at a time.

    Raises
    ------
    InputError
        If the number of chips or workers is outside its range.
    """
    chips = check_chips(chips)
    check_workers(workers)
    work = partial(run_group, trial, chips)
    return computed(work, -(-chips // GROUP), threads=threads, workers=workers, dask=dask)

"""Judge chips under a drive table: their matrices, rates and thresholds.

Simulated chips are judged by the simulator, from their exact errors. The errors of other chips are
unknown, so these are judged by the matrices that their table predicts.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from ecgphoton.calibration.report import AFTER, BEFORE, OWN, CalibrationReport
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint, ThresholdPolicy, abnormal_of
from ecgphoton.hwsim.distributed import computed
from ecgphoton.hwsim.montecarlo import GROUP, Trial, tally
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.hwsim.weights import Carrier, Chips, ChipSource, WeightChips
from ecgphoton.mesh.arrays import AnyArray, Floats, Singles
from ecgphoton.progress import Progress
from ecgphoton.student.propagate import Inputs, Stack

BATCH = 8
"""Chips whose matrices are computed together."""
SET = "chip calibration"
"""Name under which calibration beats are recorded in an operating point."""


class Labelled(NamedTuple):
    """Beats with their labels."""

    inputs: Inputs
    label: AnyArray
    """(B,), nonzero means abnormal."""


def driven(source: Any, table: DriveTable) -> Any:  # noqa: ANN401 - of a trial on mesh chips
    """Return the same mesh chips, driven and read by a table."""
    return replace(
        source,
        volts=torch.as_tensor(table.device.dac.voltage_of(table.reaching(table.settings)[0])),
        row_gain=torch.as_tensor(table.row_gain),
        row_offset=torch.as_tensor(table.row_offset),
    )


@dataclass(frozen=True, eq=False)
class PredictedChips:
    """A chip source: the matrices that a table predicts for its chips, and their readings' noise.

    Detectors' zeros are taken for what they were measured to be, and so for subtracted.
    """

    carrier: Carrier
    table: DriveTable

    def nominal(self) -> Chips:
        """Return the program itself, read with the largest noise of the table."""
        ideal = WeightChips(self.carrier).nominal()
        return ideal._replace(additive=self.additive.amax(0, keepdim=True))

    @property
    def additive(self) -> torch.Tensor:
        """(C, K, 4) noise of every reading, in units of ``W x``."""
        found = self.table.in_units(self.table.noise[..., None, None])[..., 0]
        return torch.as_tensor(found, dtype=torch.float32)

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips `first` ... of the table; the last one again beyond its end."""
        del seed
        rows = np.arange(first, first + count).clip(max=len(self.table) - 1)
        table, stack = self.table, self.carrier.stack
        matrices = torch.as_tensor(table.predicted()[rows], dtype=torch.float32)
        biases = stack.biases.expand(count, -1, -1)
        return Chips(Stack(matrices, biases, stack.gains), self.additive[rows])


def matrix_errors(source: ChipSource, table: DriveTable, seed: int) -> Floats:
    """(C, K) relative Frobenius error of the matrices that the chips of a source perform."""
    spans = [(at, min(BATCH, len(table) - at)) for at in range(0, len(table), BATCH)]
    drawn = [source.draw(seed, *span).stack.matrices.numpy() for span in spans]
    return table.error(np.concatenate(drawn))


def refit(probability: AnyArray, label: AnyArray, policy: ThresholdPolicy) -> list[OperatingPoint]:
    """Fit the operating point of every chip by the policy that fitted the student's.

    Parameters
    ----------
    probability
        (C, B) probability of abnormal of calibration beats on C chips. Beats a chip is judged on
        never take part.
    label
        (B,), nonzero means abnormal.
    policy
        A blend with a second set is left out: there is none on a chip.
    """
    single = replace(policy, blend=0.0)
    return [single.fit({SET: (row, np.asarray(label))}) for row in probability]


def judge(
    before: Trial,
    after: ChipSource,
    table: DriveTable,
    *,
    validation: Labelled | None,
    policy: ThresholdPolicy | None,
    limits: Limits | None,
    threads: int,
    progress: Progress,
) -> CalibrationReport:
    """Judge the chips of a table on the same beats before and after calibration.

    Parameters
    ----------
    before
        The chips as they were.
    after
        The same chips, driven by the table.
    validation
        Calibration beats. With them every chip also gets its own threshold, by `policy`.
    """
    trials = {BEFORE: before, AFTER: replace(before, source=after)}
    own = None
    if validation is not None:
        label = abnormal_of(validation.label)
        own = replace(trials[AFTER], inputs=validation.inputs, label=label, record=None)

    def group(number: int) -> tuple[dict[str, Floats], list[float]]:
        first, rows = number * GROUP, dict[str, Floats]()
        scores: Singles = np.empty((0, 0), np.float32)
        for name, trial in trials.items():
            scores = trial.score(trial.chips(first), first)
            rows[name] = tally(trial, scores, trial.point)
        if own is None:
            return rows, []
        points = refit(own.score(own.chips(first), first), own.label, policy or ThresholdPolicy())
        each = [tally(before, row[None], p) for row, p in zip(scores, points, strict=True)]
        rows[OWN] = np.concatenate(each)
        return rows, [p.threshold for p in points]

    parts, chips = [], len(table)
    for part in computed(group, -(-chips // GROUP), threads=threads):
        parts.append(part)
        progress("judging", min(len(parts) * GROUP, chips), chips)
    every = {name: np.concatenate([rows[name] for rows, _ in parts]) for name in parts[0][0]}
    stages = {name: before.report(each[:chips], limits or Limits()) for name, each in every.items()}
    points = [point for _, group in parts for point in group][:chips]
    return CalibrationReport(
        stages=stages,
        errors={
            name: matrix_errors(trial.source, table, trial.seed) for name, trial in trials.items()
        },
        thresholds=np.array(points) if points else None,
        cost=table.cost,
        findings=table.findings,
        settings={
            "dac_bits": table.program.dac.bits,
            "readout": before.readout.pooling,
            "beats": len(before.inputs),
            "abnormal_beats": int(before.label.sum()),
            "calibration_beats": 0 if validation is None else len(validation.inputs),
            "operating_point": before.point.to_dict(),
            "limits": asdict(limits or Limits()),
        },
    )

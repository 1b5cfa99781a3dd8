"""Quantisation-aware fine-tuning: the one training loop, through the codes."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.export.fake_quantize import QuantDetector, fake_quantised
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.fit import fit
from ecgphoton.training.parts import Examples, Parts, Schedule, Shuffled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ecgphoton.export.quantize import Quantisation
    from ecgphoton.student.propagate import Inputs

SCHEDULE = Schedule(learning_rate=0.005, epochs=6, patience=6, min_epochs=6)


@dataclass(frozen=True, eq=False)
class FineTuned:
    """A student trained through its codes, with the ranges it was trained for."""

    student: SegmentStudent
    ranges: NDArray[np.float64]
    """(blocks, 2), to be stored as ``range_lo`` and ``range_hi`` in a checkpoint."""
    point: OperatingPoint | None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of a checkpoint: `export_bundle` takes the ranges from there."""
        return self.student.arrays() | {
            "range_lo": self.ranges[:, 0],
            "range_hi": self.ranges[:, 1],
        }


class QuantForward:
    """A forward pass of the training loop through fake codes; see `Parts.forward`."""

    def __init__(self, quantisation: Quantisation, ranges: NDArray[np.float64]) -> None:
        self.quantisation, self.ranges = quantisation, ranges

    def __call__(
        self, model: nn.Module, inputs: Inputs, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return logits and ``h_pool`` of a batch."""
        del generator
        assert isinstance(model, SegmentStudent)
        architecture = model.architecture
        stack = fake_quantised(model.stack(), architecture, self.quantisation)
        detector = QuantDetector(architecture.activation, self.quantisation, self.ranges)
        logits, h_pool = model.run(inputs, stack=stack, detector=detector)
        return logits[0], h_pool[0]


def fine_tune(
    student: SegmentStudent,
    training: Examples,
    monitors: Mapping[str, Examples],
    quantisation: Quantisation,
    *,
    schedule: Schedule = SCHEDULE,
    policy: ThresholdPolicy | None = None,
    parts: Parts | None = None,
    seed: int = 0,
) -> FineTuned:
    """Train a student a little longer with its weights and converters rounded.

    Parameters
    ----------
    student
        Where to start; it is not changed.
    training, monitors
        As for `ecgphoton.training.fit.fit`. Converter ranges come from the training beats.
    parts
        Strategies of the loop; their forward pass is replaced.

    Raises
    ------
    InputError
        If a set is empty, or the loss stops being finite.
    """
    ranges = calibrate_ranges(student, training.inputs, bits=quantisation.adc_bits)
    through = replace(
        parts or Parts(Shuffled(len(training))), forward=QuantForward(quantisation, ranges)
    )
    fitted = fit(
        copy.deepcopy(student),
        training,
        monitors,
        schedule,
        policy or ThresholdPolicy(),
        through,
        seed=seed,
    )
    assert isinstance(fitted.model, SegmentStudent)
    return FineTuned(fitted.model, ranges, fitted.point)

"""Quantisation-aware fine-tuning: the one training loop, through the codes."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.export.fake_quantize import QuantDetector, fake_quantised
from ecgphoton.export.quantize import quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Stack
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
    """Fitted on what the first monitored set gets from the integer student; None above 2 classes.
    """

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of a checkpoint: `export_bundle` takes the ranges from there."""
        return self.student.arrays() | {
            "range_lo": self.ranges[:, 0],
            "range_hi": self.ranges[:, 1],
        }


class QuantForward:
    """A forward pass of the training loop through fake codes; see `Parts.forward`.

    Parameters
    ----------
    weight_noise
        Standard deviation of an error drawn for every weight and bias of every batch, so that a
        student trained under noise keeps what it learnt.
    """

    def __init__(
        self,
        quantisation: Quantisation,
        ranges: NDArray[np.float64],
        *,
        weight_noise: float = 0.0,
    ) -> None:
        self.quantisation, self.ranges, self.weight_noise = quantisation, ranges, weight_noise

    def __call__(
        self, model: nn.Module, inputs: Inputs, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return logits and ``h_pool`` of a batch."""
        assert isinstance(model, SegmentStudent)
        architecture = model.architecture
        stack = fake_quantised(model.stack(), architecture, self.quantisation)
        if self.weight_noise > 0:
            matrices, biases = (
                part + self.weight_noise * torch.randn(part.shape, generator=generator)
                for part in (stack.matrices, stack.biases)
            )
            stack = Stack(matrices, biases, stack.gains)
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
    weight_noise: float = 0.0,
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
    weight_noise
        Of `QuantForward`; give what the student was trained with.

    Raises
    ------
    InputError
        If a set is empty, or the loss stops being finite.
    """
    ranges = calibrate_ranges(student, training.inputs, bits=quantisation.adc_bits)
    forward = QuantForward(quantisation, ranges, weight_noise=weight_noise)
    through = replace(parts or Parts(Shuffled(len(training))), forward=forward)
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
    quantised = quantize(fitted.model, ranges, quantisation)
    name, judged = next(iter(monitors.items()))
    point = None
    if student.architecture.classes == 2:
        scores = (quantised.predict(judged.inputs)[:, 1], judged.label.numpy())
        point = (policy or ThresholdPolicy()).without_blend().fit({name: scores})
    return FineTuned(fitted.model, ranges, point)

"""Fine-tuning for hardware: on many calibrated chips, or for one chip that is out in the field.

What calibration leaves of a chip is the difference of its matrices and biases from the program's.
*Noise-aware*: every batch runs on another chip of a collection, so that the student learns to live
with what calibration leaves. *Chip-specific*: the collection is one chip, as its table or its bench
describe it. The loop is `ecgphoton.training.fit`, the propagation that of `ecgphoton.hwsim`.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import torch
from torch import Tensor

from ecgphoton.calibration.bench import Bench
from ecgphoton.calibration.trim import measure
from ecgphoton.errors import InputError
from ecgphoton.hwsim.propagate import ChipDetector, plan_powers
from ecgphoton.hwsim.readout import Readout
from ecgphoton.student.propagate import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from ecgphoton.calibration.table import DriveTable
    from ecgphoton.decision import ThresholdPolicy
    from ecgphoton.hwsim.meshchips import MeshChips
    from ecgphoton.student.network import SegmentStudent
    from ecgphoton.student.propagate import Inputs
    from ecgphoton.training.fit import Fitted
    from ecgphoton.training.parts import Examples, Forward, Parts, Schedule

Trained = Literal["everything", "electronics", "head"]
ELECTRONICS = ("raw_bias", "log_gain", "raw_head_weight", "raw_head_bias")
HEAD = ("raw_head_weight", "raw_head_bias")


class Residuals(NamedTuple):
    """What C calibrated chips do differently from their program, and their detectors' noise."""

    matrices: Tensor
    """(C, K, 4, 4) effective minus programmed matrices."""
    biases: Tensor
    """(C, K, 4) the same of biases."""
    additive: Tensor
    """(1, K, 4) per-shot detector noise in units of ``W x``."""


def residuals_of(source: MeshChips, seed: int, chips: int) -> Residuals:
    """Return what chips 0 ... chips - 1 of a simulated source really leave (`judge.driven`)."""
    nominal, drawn = source.nominal(), source.draw(seed, 0, chips)
    return Residuals(
        drawn.stack.matrices - nominal.stack.matrices,
        drawn.stack.biases - nominal.stack.biases,
        drawn.additive,
    )


def residuals_measured(bench: Bench, table: DriveTable, *, shots: int = 256) -> Residuals:
    """Return what chips leave as their bench shows it: this needs no simulator."""
    matrices = measure(bench, table, shots) - table.circuit.targets
    noise = (table.circuit.scale[:, None] * table.noise[..., None]).mean(0, keepdims=True)
    return Residuals(
        torch.as_tensor(matrices, dtype=torch.float32),
        torch.zeros(matrices.shape[:-1]),
        torch.as_tensor(noise, dtype=torch.float32).expand(1, -1, 4),
    )


def chip_forward(residuals: Residuals) -> Forward:
    """Return a forward pass that runs every batch on one chip of a collection, drawn at random."""
    if len(residuals.matrices) == 0:
        raise InputError("fine-tuning needs the residuals of at least one chip, got none")
    noisy = bool(residuals.additive.any())

    def forward(
        model: nn.Module, inputs: Inputs, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        student = cast("SegmentStudent", model)
        own = student.stack()
        chip = torch.randint(len(residuals.matrices), (1,), generator=generator)
        stack = Stack(
            own.matrices + residuals.matrices[chip], own.biases + residuals.biases[chip], own.gains
        )
        reader = None
        if noisy:
            reader = ChipDetector(
                Readout(student.architecture.activation),
                residuals.additive,
                plan_powers(stack, residuals.additive),
                len(inputs),
                (generator,),
                beats=len(inputs),
            )
        logits, h_pool = student.run(inputs, stack=stack, detector=reader)
        return logits[0], h_pool[0]

    return forward


def fine_tune(
    student: SegmentStudent,
    training: Examples,
    monitors: Mapping[str, Examples],
    schedule: Schedule,
    policy: ThresholdPolicy,
    residuals: Residuals,
    *,
    parts: Parts,
    trained: Trained = "everything",
    seed: int = 0,
) -> Fitted:
    """Train a student further on what its chips leave.

    Parameters
    ----------
    student
        As its checkpoint holds it; it is not changed.
    training, monitors, schedule, policy, parts
        As `ecgphoton.training.fit.fit` takes them; the forward pass of `parts` is replaced.
    residuals
        Of many chips (noise-aware) or of one (chip-specific).
    trained
        ``everything``: the program changes, and chips are programmed anew. ``electronics``: the
        optics stay as they are; biases, amplifier gains and the head move. ``head``: the digital
        head alone, an update that needs no hardware at all.

    Raises
    ------
    InputError
        If the residuals are of another student, or `trained` is unknown.
    """
    from ecgphoton.training.fit import fit

    moving = {"everything": None, "electronics": ELECTRONICS, "head": HEAD}
    if trained not in moving:
        raise InputError(f"trained is {trained!r}; use one of {', '.join(moving)}")
    blocks = len(student.architecture.blocks)
    if residuals.matrices.shape[1] != blocks:
        raise InputError(
            f"the residuals have {residuals.matrices.shape[1]} blocks, the student {blocks}; use "
            "chips that carry this student"
        )
    tuned = copy.deepcopy(student)
    names = moving[trained]
    for name, parameter in tuned.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and (names is None or name in names))
    return fit(
        tuned,
        training,
        monitors,
        schedule,
        policy,
        replace(parts, forward=chip_forward(residuals)),
        seed=seed,
    )

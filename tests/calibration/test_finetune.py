"""Fine-tuning runs the one loop on what chips leave, and moves only what it may."""

import numpy as np
import pytest
import torch

from ecgphoton.calibration.calibrate import calibrate
from ecgphoton.calibration.finetune import (
    Residuals,
    chip_forward,
    fine_tune,
    residuals_measured,
    residuals_of,
)
from ecgphoton.calibration.judge import driven
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.profile import Profile
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.parts import Examples, Parts, Schedule

SCHEDULE = Schedule(kind="constant", learning_rate=0.003, batch=100, epochs=4, min_epochs=4)


@pytest.fixture(scope="module")
def examples(student, inputs) -> Examples:
    """Beats labelled by the student itself."""
    with torch.no_grad():
        logits, _ = student.run(inputs)
    score = logits[0, :, 1] - logits[0, :, 0]
    label = (score > score.median()).long()
    return Examples(inputs, label, np.repeat("a", len(label)))


def shift(student: SegmentStudent, size: float) -> Residuals:
    """One chip with that much error."""
    blocks = len(student.architecture.blocks)
    draw = torch.Generator().manual_seed(0)
    return Residuals(
        size * torch.randn(1, blocks, 4, 4, generator=draw),
        size * torch.randn(1, blocks, 4, generator=draw),
        torch.zeros(1, blocks, 4),
    )


def run(student, examples, residuals, trained):
    """Fine-tune for a few epochs."""
    parts = Parts(sampler=lambda epoch, control, generator: torch.arange(len(examples)))
    return fine_tune(
        student,
        examples,
        {"validation": examples},
        SCHEDULE,
        ThresholdPolicy(),
        residuals,
        parts=parts,
        trained=trained,
    ).model


def test_without_residuals_the_pass_is_the_students_own(student, inputs) -> None:
    """A perfect, silent chip changes nothing."""
    forward = chip_forward(shift(student, 0.0))
    with torch.no_grad():
        logits, pooled = forward(student, inputs, torch.Generator().manual_seed(0))
        own, own_pooled = student.run(inputs)
    assert torch.equal(logits, own[0])
    assert torch.equal(pooled, own_pooled[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trained", "moving"),
    [
        ("head", {"raw_head_weight", "raw_head_bias"}),
        ("electronics", {"raw_bias", "log_gain", "raw_head_weight", "raw_head_bias"}),
        ("everything", {"raw_weight", "raw_bias", "log_gain", "raw_head_weight", "raw_head_bias"}),
    ],
)
def test_only_what_may_move_moves(student, examples, trained, moving) -> None:
    """A head update leaves optics and electronics alone, to the bit; the student is untouched."""
    before = student.arrays()
    tuned = run(student, examples, shift(student, 0.05), trained)
    changed = {n for n, v in tuned.state_dict().items() if not np.array_equal(v.numpy(), before[n])}
    assert changed == moving
    assert all(np.array_equal(v, before[n]) for n, v in student.arrays().items())


@pytest.mark.slow
def test_a_chip_gets_better_with_its_own_electronics(student, examples) -> None:
    """On the chip it was tuned for, the loss falls; the optics did not have to change."""
    residuals = shift(student, 0.1)
    forward = chip_forward(residuals)

    def loss(model) -> float:
        with torch.no_grad():
            logits, _ = forward(model, examples.inputs, torch.Generator().manual_seed(0))
        return float(torch.nn.functional.cross_entropy(logits, examples.label))

    assert loss(run(student, examples, residuals, "electronics")) < loss(student)


def test_measured_and_true_residuals_agree(student, program, inputs) -> None:
    """What a bench shows of a calibrated chip is what the simulator knows of it."""
    foundry = Foundry(Profile(dac_bits=10, splitter_sigma=0.02, detector_noise=1e-3))
    bench = SimulatedBench(foundry.chips(0, 0, 1, program), bits=10)
    table = calibrate(bench, program).table
    seen = residuals_measured(bench, table)
    true = residuals_of(driven(mesh_source(program, inputs, foundry), table), 0, 1)
    assert torch.allclose(seen.matrices, true.matrices, atol=1e-3)
    assert torch.allclose(seen.additive, true.additive, rtol=0.2)


def test_what_does_not_fit_is_refused(student, examples) -> None:
    """Residuals of another student, of no chip, and unknown parts are user errors."""
    residuals = shift(student, 0.1)
    with pytest.raises(InputError, match="blocks"):
        run(student, examples, residuals._replace(matrices=residuals.matrices[:, :3]), "head")
    with pytest.raises(InputError, match="trained is"):
        run(student, examples, residuals, "hands")
    with pytest.raises(InputError, match="at least one chip"):
        chip_forward(residuals._replace(matrices=residuals.matrices[:0]))

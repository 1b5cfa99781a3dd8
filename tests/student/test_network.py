"""The student is exactly what the specification says, and answers for each beat alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from ecgphoton.ecg.features import FEATURES_VERSION
from ecgphoton.errors import InputError
from ecgphoton.student.activations import TANH
from ecgphoton.student.architecture import GAIN_RANGE, TOKENS, Architecture
from ecgphoton.student.network import (
    SegmentStudent,
    filled,
    predict,
    refuse_other_features,
)
from ecgphoton.student.propagate import Inputs, Stack, pooled_activation

EVERY = [
    Architecture(),
    Architecture(activation="relu", gains="tracked"),
    Architecture(patient=TOKENS[:1], template=True, layers=2, classes=4),
    Architecture(bounded=False, gains="unit", layers=4),
    Architecture(patient=TOKENS, layers=2),
    Architecture(patient=TOKENS[1:2]),
]


def inputs(beats: int, seed: int = 0, features: int = 4) -> Inputs:
    """Random inputs with every part."""
    draw = torch.Generator().manual_seed(seed)
    shapes = ((beats, 360), (beats, features), (beats, 120))
    return Inputs(*(torch.rand(shape, generator=draw) * 2 - 1 for shape in shapes))


def width_of(arch: Architecture) -> int:
    """Features a student of this architecture reads; four where it reads none."""
    return 4 * max(1, len(arch.patient))


def block_of(stack: Stack, index: int) -> tuple[torch.Tensor, ...]:
    """Weight, bias and gain of one block of a student."""
    block = stack.block(index)
    return block.weight[0], block.bias[0], block.gain[0]


def plainly(student: SegmentStudent, x: Inputs) -> torch.Tensor:
    """Compute logits with Conv1d, AvgPool1d and Linear, as the specification words it."""
    arch, stack = student.architecture, student.stack()

    def act(z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(z) if arch.activation == "tanh" else z.relu().clamp(max=1)

    tokens = []
    for index, branch in enumerate(arch.sliding):
        weight, bias, gain = block_of(stack, index)
        source = x.window if branch.source == "window" else x.residual
        assert source is not None
        segment = source[:, None, branch.start : branch.stop]
        y = act(gain * functional.conv1d(segment, weight[:, None], bias))
        tokens.append(functional.avg_pool1d(y, branch.kernel, branch.kernel))
    block = len(arch.sliding)
    for at in range(len(arch.patient)):
        weight, bias, gain = block_of(stack, block)
        assert x.rhythm is not None
        four = x.rhythm[:, 4 * at : 4 * at + 4]
        tokens.append(act(gain * functional.linear(four, weight, bias))[..., None])
        block += 1
    h = torch.cat(tokens, -1).transpose(1, 2)
    assert h.shape == (len(x), arch.tokens, 4)
    for index in range(block, len(arch.blocks)):
        weight, bias, gain = block_of(stack, index)
        h = act(gain * functional.linear(h, weight, bias))
    return functional.linear(h.mean(1), *student.head())


@pytest.mark.parametrize("arch", EVERY)
def test_fused_network_is_the_plain_network(arch: Architecture) -> None:
    """The fused propagation equals convolution, activation, pooling and linear layers."""
    student, x = SegmentStudent(arch, seed=3), inputs(17, features=width_of(arch))
    logits, h_pool = student(x.window, x.rhythm, x.residual)
    assert logits.shape == (17, arch.classes)
    assert h_pool.shape == (17, 4)
    torch.testing.assert_close(logits, plainly(student, x), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("arch", EVERY)
def test_gradients_are_those_of_the_plain_network(arch: Architecture) -> None:
    """The hand-written backward pass agrees with autograd on the plain formula."""
    student, x = SegmentStudent(arch, seed=4).double(), inputs(9, features=width_of(arch))
    x = Inputs(x.window.double(), x.rhythm.double(), x.residual.double())  # type: ignore[union-attr]
    parameters = [p for p in student.parameters() if p.requires_grad]
    mine = torch.autograd.grad(
        student(x.window, x.rhythm, x.residual)[0].square().sum(), parameters
    )
    theirs = torch.autograd.grad(plainly(student, x).square().sum(), parameters)
    for ours, reference in zip(mine, theirs, strict=True):
        torch.testing.assert_close(ours, reference, atol=1e-9, rtol=1e-7)


def test_reference_network_has_150_parameters() -> None:
    """Three layers and two classes make 150 weights and biases; both extensions make 190."""
    reference = Architecture()
    assert reference.parameters == 150
    assert reference.tokens == 8
    assert Architecture(patient=TOKENS[:1], template=True).parameters == 190
    shaped = Architecture(patient=TOKENS, layers=2)
    assert shaped.parameters == 190
    assert shaped.tokens == 11
    assert shaped.blocks[4:7] == ("rhythm", "shape", "detail")
    student = SegmentStudent(reference)
    counted = sum(p.numel() for name, p in student.named_parameters() if name != "log_gain")
    assert counted == 150
    assert student.log_gain.numel() == len(reference.blocks) == 7


def test_a_beat_does_not_see_its_neighbours() -> None:
    """Logits of a beat are the same alone, in company, and whatever the company."""
    student = SegmentStudent(Architecture(activation="relu", gains="tracked"), seed=1).eval()
    x = inputs(40)
    together = student(x.window)[0]
    alone = torch.cat([student(x.window[i : i + 1])[0] for i in range(40)])
    loud = x.window.clone()
    loud[1:] *= 100
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(student(loud)[0][0], together[0], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_weights_and_biases_stay_bounded(scale: float) -> None:
    """However far the raw parameters go, weights and biases stay in [-scale, scale]."""
    student = SegmentStudent(Architecture(scale=scale))
    with torch.no_grad():
        student.raw_weight.mul_(1e6)
        student.raw_bias.add_(1e6)
        student.log_gain.fill_(1e6)
    stack = student.stack()
    assert stack.matrices.abs().max() <= scale
    assert stack.biases.abs().max() <= scale
    assert stack.gains.max() <= GAIN_RANGE[1] * (1 + 1e-6)


@pytest.mark.slow
def test_tracked_gains_bring_detector_peaks_to_one() -> None:
    """Tracking moves each gain to 1 / the largest value its block detects."""
    student, x = SegmentStudent(Architecture(activation="relu", gains="tracked")), inputs(64)
    for _ in range(400):
        student.track_gains(x)
    weight, bias, gain = block_of(student.stack(), 0)
    segment = x.window[:, None, :120]
    peak = functional.conv1d(segment, weight[:, None], bias).abs().max()
    torch.testing.assert_close(gain[0] * peak, torch.tensor(1.0), atol=1e-3, rtol=0)
    fixed = SegmentStudent(Architecture())
    before = fixed.log_gain.clone()
    fixed.track_gains(x)
    assert torch.equal(fixed.log_gain, before)


def test_same_seed_same_student() -> None:
    """Initial weights depend on the seed alone, not on torch's global generator."""
    first = SegmentStudent(seed=7).arrays()
    torch.manual_seed(99)
    second = SegmentStudent(seed=7).arrays()
    other = SegmentStudent(seed=8).arrays()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["raw_weight"], other["raw_weight"])


def test_student_survives_its_arrays() -> None:
    """A student rebuilt from its arrays gives the same probabilities, in blocks of any size."""
    student, x = SegmentStudent(EVERY[2], seed=5), inputs(50)
    again = filled(SegmentStudent(EVERY[2]), student.arrays(), "checkpoint")
    np.testing.assert_array_equal(predict(student, x), predict(again, x))
    np.testing.assert_allclose(predict(again, x, block=7), predict(again, x), atol=1e-6)
    np.testing.assert_allclose(predict(again, x).sum(1), 1, atol=1e-6)


def test_wrong_shapes_are_named() -> None:
    """A wrong window, a missing feature and a damaged array are refused with their shape."""
    student = SegmentStudent(Architecture(patient=TOKENS[:1]))
    with pytest.raises(InputError, match=r"\(n, 360\), got \(3, 100\)"):
        student(torch.zeros(3, 100))
    with pytest.raises(InputError, match="reads 4 rhythm values a beat, but none were"):
        student(torch.zeros(3, 360))
    arrays = student.arrays()
    with pytest.raises(InputError, match="'raw_bias' has nothing"):
        filled(student, {k: v for k, v in arrays.items() if k != "raw_bias"}, "checkpoint")
    with pytest.raises(InputError, match=r"'raw_weight' has \(2, 4, 4\)"):
        filled(student, {**arrays, "raw_weight": arrays["raw_weight"][:2]}, "checkpoint")


@pytest.mark.parametrize(
    ("field", "value"),
    [("layers", 1), ("classes", 1), ("activation", "gelu"), ("scale", 0.0), ("dropout", 1.0)],
)
def test_impossible_architectures_are_refused(field: str, value: object) -> None:
    """An architecture outside what the student supports names the field and what is allowed."""
    with pytest.raises(InputError, match=rf"student\.{field} is .*must be"):
        Architecture(**{field: value})  # type: ignore[arg-type]


def test_a_window_of_one_beat_may_have_a_channel_axis() -> None:
    """``(B, 1, 360)`` and ``(B, 360)`` are the same beats."""
    student, x = SegmentStudent(), inputs(3)
    assert torch.equal(student(x.window)[0], student(x.window[:, None])[0])


@pytest.mark.slow
def test_many_chips_at_once_are_each_chip_alone() -> None:
    """The rows of many chips through the fused kernel give each chip's own tokens."""
    draw = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(12, 4, generator=draw), torch.randn(12, generator=draw)
    branch = Architecture().sliding[1]
    segment = inputs(5).window[:, branch.start : branch.stop]
    together = pooled_activation(weight, bias, segment, branch, TANH)
    for chip in range(3):
        rows = slice(4 * chip, 4 * chip + 4)
        alone = pooled_activation(weight[rows], bias[rows], segment, branch, TANH)
        torch.testing.assert_close(together[rows], alone, atol=1e-6, rtol=0)


def test_features_of_another_version_are_refused() -> None:
    """A student of older features is refused, unless it reads samples alone."""
    for reads in ({"patient": TOKENS[:1]}, {"template": True}):
        for version in (3, FEATURES_VERSION):  # 4 added features, and changed none
            refuse_other_features(Architecture(**reads), {"features_version": version})
        with pytest.raises(InputError, match="trained on version 2"):
            refuse_other_features(Architecture(**reads), {"features_version": 2})
    refuse_other_features(Architecture(), {"features_version": 2})


def test_a_wrong_number_of_features_is_refused() -> None:
    """Four features for a student that reads twelve are named as what they are."""
    student = SegmentStudent(Architecture(patient=TOKENS))
    x = inputs(3)
    with pytest.raises(InputError, match=r"reads 12 rhythm values a beat, but 4 were"):
        student(x.window, x.rhythm)


def test_tensors_stored_by_columns_are_read_by_rows():
    """The order of a tensor in memory does not change what a student says."""
    given, student = inputs(6), SegmentStudent(Architecture(), seed=1)
    turned = Inputs(given.window.t().contiguous().t(), given.rhythm)
    np.testing.assert_allclose(predict(student, turned), predict(student, given), atol=1e-6)


def test_shorter_products_of_the_user_change_no_answer():
    """Under ``torch.autocast`` and "medium" products a student answers as always; both stay set."""
    given, student = inputs(2000), SegmentStudent(Architecture(), seed=1)
    expected = predict(student, given)
    torch.set_float32_matmul_precision("medium")
    with torch.autocast("cpu"):
        np.testing.assert_array_equal(predict(student, given), expected)
        assert torch.is_autocast_enabled("cpu")
    assert torch.get_float32_matmul_precision() == "medium"
    torch.set_float32_matmul_precision("highest")

"""A quantized student is exact integer arithmetic."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.export.golden import golden_inputs, synthetic_inputs
from ecgphoton.export.quantize import Quantization, quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.program.blocks import largest_code, nearest_codes
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

FULL = Architecture(patient=TOKENS[:2], template=True, layers=2)


def quantized(student, bits=8, **widths):
    """Quantize a student with ranges from made-up beats."""
    q = Quantization(**({"weight_bits": bits, "bias_bits": bits, "input_bits": bits} | widths))
    q = replace(q, adc_bits=widths.get("adc_bits", bits))
    beats = synthetic_inputs(student.architecture, beats=20)
    return quantize(student, calibrate_ranges(student, beats, bits=q.adc_bits), q)


def by_hand(student, inputs, beat):
    """One beat through a quantized student with Python's own integers and fractions."""
    arch = student.architecture
    blocks = {block.name: block for block in student.blocks}
    n_x = largest_code(student.input_bits)
    codes = {
        name: nearest_codes(getattr(inputs, name)[beat].numpy(), student.input_bits).tolist()
        for name in ("window", "rhythm", "residual")
        if getattr(inputs, name) is not None
    }

    def detect(block, x):
        n_w, n_b, n_a = (
            largest_code(b) for b in (block.weight_bits, block.bias_bits, block.adc_bits)
        )
        middle = round((block.adc_low + block.adc_high) / 2 / (block.gain * block.unit))
        out = []
        for row, bias in zip(block.weight_codes.tolist(), block.bias_codes.tolist(), strict=True):
            total = (
                n_b * sum(w * v for w, v in zip(row, x, strict=True)) + n_w * n_x * bias - middle
            )
            code = round(float(total) * block.multiplier)
            out.append(int(block.table[max(-n_a, min(n_a, code)) + n_a]))
        return out

    tokens = []
    for branch in arch.sliding:
        samples = codes[branch.source][branch.start : branch.stop]
        values = [detect(blocks[branch.name], samples[p : p + 4]) for p in range(branch.positions)]
        for token in range(branch.tokens):
            part = values[token * branch.kernel : (token + 1) * branch.kernel]
            tokens.append([(sum(column), branch.kernel) for column in zip(*part, strict=True)])
    for at, name in enumerate(token.name for token in arch.patient):
        four = codes["rhythm"][4 * at : 4 * at + 4]
        tokens.append([(value, 1) for value in detect(blocks[name], four)])
    x = [[round(s * (n_x / (k * 32767))) for s, k in token] for token in tokens]
    for block in student.blocks[-arch.layers :]:
        values = [detect(block, token) for token in x]
        x = [[round(v * (n_x / 32767)) for v in token] for token in values]
    sums = [sum(column) for column in zip(*values, strict=True)]
    n = arch.tokens * 32767
    exact = [
        (sum(Fraction(w) * s for w, s in zip(row, sums, strict=True)) + n * Fraction(b)) / n
        for row, b in zip(student.head_weight.tolist(), student.head_bias.tolist(), strict=True)
    ]
    return sums, [np.float32(float(value)) for value in exact]


@pytest.mark.parametrize("bits", [2, 5, 8, 16])
def test_equals_python_integers(make_student, bits) -> None:
    """Double precision gives the very integers, and float32 logits, of exact arithmetic."""
    student = quantized(make_student(), bits)
    inputs = golden_inputs(FULL)
    trace = student.trace(inputs)
    for beat in (0, 29, 31):
        sums, logits = by_hand(student, inputs, beat)
        assert trace["h_sum"][beat].tolist() == sums
        assert trace["logits"][beat].tolist() == logits


def test_answer_does_not_depend_on_neighbours(make_student) -> None:
    """Any batch size gives the same bits, and so does any order of the beats."""
    student = quantized(make_student())
    inputs = golden_inputs(FULL)
    whole, _ = student.logits(inputs)
    assert np.array_equal(whole, student.logits(inputs, block=5)[0])
    shuffled = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(whole[shuffled.numpy()], student.logits(inputs.rows(shuffled))[0])
    assert student.logits(inputs.rows(slice(0, 0)))[0].shape == (0, 2)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_many_bits_are_the_float_student(make_student, activation) -> None:
    """With 16 bits everywhere the logits are those of the float student to 5e-3."""
    architecture = Architecture(activation=activation)
    student = make_student(architecture)
    inputs = synthetic_inputs(architecture, beats=10)
    error = {}
    for bits in (4, 8, 16):
        logits, _ = quantized(student, bits).logits(inputs)
        error[bits] = np.abs(logits - student(inputs.window)[0].detach().numpy()).max()
    assert error[16] < 5e-3
    assert error[16] < error[8] < error[4]


def test_unbounded_students_keep_their_scale() -> None:
    """Without the bound each block's largest magnitude is its full scale."""
    architecture = Architecture(bounded=False)
    student = SegmentStudent(architecture, seed=1)
    with torch.no_grad():
        student.raw_weight *= 3
    result = quantized(student, 12)
    for index, block in enumerate(result.blocks):
        weight = student.raw_weight[index].detach().numpy()
        assert np.abs(block.matrix - weight).max() <= 0.51 * block.full_scale / 2047


def test_wide_input_saturates_like_the_converter(make_student) -> None:
    """Samples beyond [-1, 1] are clipped by the DAC, and NaN is refused."""
    student = quantized(make_student(Architecture()))
    window = torch.full((1, 360), 7.0)
    clipped, _ = student.logits(Inputs(window))
    assert np.array_equal(clipped, student.logits(Inputs(torch.ones(1, 360)))[0])
    window[0, 3] = float("nan")
    with pytest.raises(InputError, match="window of 1 of 1 beats holds NaN"):
        student.logits(Inputs(window))


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_ranges_cover_what_matters(make_student, method) -> None:
    """Narrower methods lie inside the minmax range; the MSE range never has the larger error."""
    student, beats = make_student(), synthetic_inputs(FULL, beats=20)
    widest = calibrate_ranges(student, beats, method="minmax")
    ranges = calibrate_ranges(student, beats, method=method, bits=6)
    assert (ranges[:, 0] >= widest[:, 0] - 1e-9).all()
    assert (ranges[:, 1] <= widest[:, 1] + 1e-9).all()
    assert (ranges[:, 0] < ranges[:, 1]).all()


def test_ranges_need_beats(make_student) -> None:
    """No beats, no ranges: the error says so."""
    empty = synthetic_inputs(FULL, beats=20).rows(slice(0, 0))
    with pytest.raises(InputError, match="no beats"):
        calibrate_ranges(make_student(), empty)


def test_widths_are_checked() -> None:
    """1 bit and 17 bits do not exist."""
    for bits in (1, 17, 8.0):
        with pytest.raises(InputError, match="weight_bits"):
            Quantization(weight_bits=bits)


def test_a_chip_that_performs_the_program_is_the_program(make_student) -> None:
    """Matrices equal to the programmed ones change no bit; others change the logits."""
    student = quantized(make_student())
    inputs = golden_inputs(FULL)
    matrices = np.stack([block.matrix for block in student.blocks])
    exact, _ = student.logits(inputs)
    same, _ = student.logits(inputs, matrices=matrices)
    assert np.abs(same - exact).max() < 1e-2
    assert (same == exact).all(1).mean() > 0.9  # a tie may fall the other way
    assert not np.array_equal(student.logits(inputs, matrices=0.5 * matrices)[0], exact)

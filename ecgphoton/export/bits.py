"""How many bits are enough: decisions, miss rate and FPR against the width of every code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from ecgphoton.export.fake_quantize import QuantDetector
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import Quantisation, QuantizedStudent, quantize, softmax
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.metrics import Confusion, confusion
from ecgphoton.student.network import predict
from ecgphoton.student.propagate import Head, Inputs, Stack, features, read_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from ecgphoton.decision import OperatingPoint
    from ecgphoton.export.fine_tune import FineTuned
    from ecgphoton.mesh.device import MeshKind
    from ecgphoton.student.network import SegmentStudent

    FineTune = Callable[[Quantisation], FineTuned]
    Array = NDArray[Any]

Part = Literal["weights", "converters", "heaters"]


@dataclass(frozen=True)
class BitsRow:
    """One width of one kind of code, everything else at its default of 8 bits."""

    part: Part
    """``weights`` and biases; ``converters``: input DAC and detector ADC; ``heaters``: DACs."""
    bits: int
    fine_tuned: bool
    agreement: float
    """Share of beats decided like the float student of before."""
    miss_rate: float
    fpr: float
    delta_miss: float
    """Miss rate minus that of the float student."""
    delta_fpr: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def decide(probability: Array, point: OperatingPoint | None) -> NDArray[np.bool_]:
    """Return True where a beat is called abnormal: by threshold, or by the largest class."""
    if point is None:
        return np.asarray(probability.argmax(-1) != 0)
    return np.asarray(point.decide(probability[:, 1]))


def bits_table(
    student: SegmentStudent,
    beats: Inputs,
    label: NDArray[np.integer],
    point: OperatingPoint | None,
    calibration: Inputs,
    *,
    weight_bits: Iterable[int] = range(2, 9),
    converter_bits: Iterable[int] = range(4, 13),
    dac_bits: Iterable[int] = range(4, 13),
    mesh: MeshKind = "svd-clements",
    fine_tune: FineTune | None = None,
) -> list[BitsRow]:
    """Sweep the widths of weights, converters and heater DACs, one at a time.

    Parameters
    ----------
    beats, label
        Beats to report on, and their classes (0 is normal).
    calibration
        Training beats for the converter ranges.
    fine_tune
        Fine-tunes for some widths; adds a row to each of weights and converters, decided with the
        fine-tuned student's own operating point.

    Returns
    -------
    list of BitsRow
        Post-training rows, at the float student's threshold, each followed by its fine-tuned row
        if there is one.
    """
    wanted = decide(predict(student, beats), point)
    before = confusion(label, wanted)
    sweeps: list[tuple[Part, int, Quantisation]] = [
        *(("weights", n, Quantisation(weight_bits=n, bias_bits=n)) for n in weight_bits),
        *(("converters", n, Quantisation(input_bits=n, adc_bits=n)) for n in converter_bits),
    ]

    def row(part: Part, bits: int, decision: Array, *, tuned: bool = False) -> BitsRow:
        after: Confusion = confusion(label, decision)
        return BitsRow(
            part=part,
            bits=bits,
            fine_tuned=tuned,
            agreement=float(np.mean(decision == wanted)),
            miss_rate=after.miss_rate,
            fpr=after.fpr,
            delta_miss=after.miss_rate - before.miss_rate,
            delta_fpr=after.fpr - before.fpr,
        )

    rows = []
    for part, bits, widths in sweeps:
        quantised = _quantised(student, calibration, widths)
        rows.append(row(part, bits, decide(quantised.predict(beats), point)))
        if fine_tune is not None:
            better = fine_tune(widths)
            quantised = quantize(better.student, better.ranges, widths)
            decision = decide(quantised.predict(beats), better.point)
            rows.append(row(part, bits, decision, tuned=True))
    quantised = _quantised(student, calibration, Quantisation())
    for bits in dac_bits:
        probability = _on_heaters(quantised, beats, bits, mesh)
        rows.append(row("heaters", bits, decide(probability, point)))
    return rows


def _quantised(student: SegmentStudent, beats: Inputs, widths: Quantisation) -> QuantizedStudent:
    ranges = calibrate_ranges(student, beats, bits=widths.adc_bits)
    return quantize(student, ranges, widths)


@torch.no_grad()
def _on_heaters(student: QuantizedStudent, beats: Inputs, bits: int, mesh: MeshKind) -> Array:
    """Probabilities on an ideal chip whose heaters take codes of `bits` bits."""
    names = [str(index) for index in range(student.architecture.classes)]
    program, _ = lower(student, operating_point=None, classes=names, mesh=mesh, dac_bits=bits)
    coded, blocks = program.matrices(program.device.phases(program.codes)), student.blocks
    stack = Stack(
        torch.as_tensor(coded, dtype=torch.float32)[None],
        torch.as_tensor(np.stack([block.bias for block in blocks]), dtype=torch.float32)[None],
        torch.tensor([[block.gain for block in blocks]], dtype=torch.float32),
    )
    first = blocks[0]
    widths = Quantisation(input_bits=first.input_bits, adc_bits=first.adc_bits)
    ranges = [(block.adc_low, block.adc_high) for block in blocks]
    detector = QuantDetector(student.architecture.activation, widths, ranges)
    head = Head(
        torch.as_tensor(student.head_weight, dtype=torch.float32),
        torch.as_tensor(student.head_bias, dtype=torch.float32),
    )
    parts = [
        read_out(
            head, features(stack, beats.rows(slice(at, at + 1024)), student.architecture, detector)
        )
        for at in range(0, len(beats), 1024)
    ]
    return softmax(torch.cat(parts, 1)[0].numpy())


def enough(rows: list[BitsRow], part: Part, *, points: float = 0.5) -> int | None:
    """Return the least width from which on miss rate and FPR stay within `points` per cent."""
    good = None
    for item in sorted(
        (r for r in rows if r.part == part and not r.fine_tuned), key=lambda r: -r.bits
    ):
        if max(abs(item.delta_miss), abs(item.delta_fpr)) > points / 100:
            break
        good = item.bits
    return good

"""Decisions, miss rate and FPR against the width of every code: how many bits are enough."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

import numpy as np

from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import Quantization, QuantizedStudent, quantize, softmax
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.mesh.device import MeshKind
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.metrics import Confusion, confusion
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import Inputs

Part = Literal["weights", "converters", "heaters"]


@dataclass(frozen=True)
class BitsRow:
    """One width of one kind of code, everything else at its default of 8 bits."""

    part: Part
    """``weights`` and biases; ``converters``: input DAC and detector ADC; ``heaters``: DACs."""
    bits: int
    agreement: float
    """Share of beats decided like the float student."""
    miss_rate: float
    fpr: float
    delta_miss: float
    """Miss rate minus that of the float student."""
    delta_fpr: float


def bits_table(
    student: SegmentStudent,
    beats: Inputs,
    label: AnyArray,
    point: OperatingPoint,
    calibration: Inputs,
    *,
    weight_bits: Iterable[int] = range(2, 9),
    converter_bits: Iterable[int] = range(4, 13),
    dac_bits: Iterable[int] = range(4, 13),
    mesh: MeshKind = "svd-clements",
    drivers: HeaterDac | None = None,
) -> list[BitsRow]:
    """Sweep the widths of weights, converters and heater DACs, one at a time.

    Parameters
    ----------
    beats, label
        Beats to report on, and their classes (0 is normal).
    calibration
        Training beats for the converter ranges.
    drivers
        Phase law and voltages of the DACs, whose bits do not count; default those of an export.

    Returns
    -------
    list of BitsRow
        Each at the float student's threshold, without training the student again.
    """
    wanted = point.classify(predict(student, beats)) != 0
    before = confusion(label, wanted)
    sweeps: list[tuple[Part, int, Quantization]] = [
        *(("weights", n, Quantization(weight_bits=n, bias_bits=n)) for n in weight_bits),
        *(("converters", n, Quantization(input_bits=n, adc_bits=n)) for n in converter_bits),
    ]

    def row(part: Part, bits: int, probability: AnyArray) -> BitsRow:
        decision = point.classify(probability) != 0
        after: Confusion = confusion(label, decision)
        return BitsRow(
            part=part,
            bits=bits,
            agreement=float(np.mean(decision == wanted)),
            miss_rate=after.miss_rate,
            fpr=after.fpr,
            delta_miss=after.miss_rate - before.miss_rate,
            delta_fpr=after.fpr - before.fpr,
        )

    usual, dac = _quantized(student, calibration, Quantization()), drivers or HeaterDac()
    return [
        *(row(p, n, _quantized(student, calibration, q).predict(beats)) for p, n, q in sweeps),
        *(
            row("heaters", n, _on_heaters(usual, beats, mesh, replace(dac, bits=n)))
            for n in dac_bits
        ),
    ]


def _quantized(student: SegmentStudent, beats: Inputs, widths: Quantization) -> QuantizedStudent:
    return quantize(student, calibrate_ranges(student, beats, bits=widths.adc_bits), widths)


def _on_heaters(
    student: QuantizedStudent, beats: Inputs, mesh: MeshKind, dac: HeaterDac
) -> AnyArray:
    """Probabilities on an ideal chip whose phases are those of the codes of a DAC."""
    names = [str(index) for index in range(student.architecture.classes)]
    point = LargestProbability()
    program, _ = lower(student, operating_point=point, classes=names, mesh=mesh, dac=dac)
    return softmax(student.logits(beats, matrices=program.performed)[0])


def enough(rows: list[BitsRow], part: Part, *, points: float = 0.5) -> int | None:
    """Return the least width from which on miss rate and FPR stay within `points` per cent."""
    widest_first = sorted((row for row in rows if row.part == part), key=lambda row: -row.bits)
    close = takewhile(
        lambda row: max(abs(row.delta_miss), abs(row.delta_fpr)) <= points / 100, widest_first
    )
    return min((row.bits for row in close), default=None)

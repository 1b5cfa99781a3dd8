"""Benches on which something is broken."""

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Fault:
    """Something broken on one chip."""

    kind: Literal["dead heater", "stuck bit", "saturated detector"]
    chip: int
    """Position in the batch."""
    block: int
    index: int
    """Driver, or detector."""
    bit: int = 0
    """Which DAC bit is stuck, 0 being the least."""
    level: float = 1.0
    """What a stuck bit is stuck at (0 or 1), or the reading a detector cannot exceed."""


class FaultyBench:
    """A bench whose codes and readings go through faults."""

    def __init__(self, bench, *faults) -> None:
        self.bench, self.faults = bench, faults
        self.shape, self.bits, self.kinds = bench.shape, bench.bits, bench.kinds

    @property
    def cost(self):
        """What was read so far."""
        return self.bench.cost

    def read(self, codes, vectors, kind="field"):
        """See `Bench.read`."""
        codes = np.broadcast_to(codes, (len(codes), *self.shape)).copy()
        for fault in self.faults:
            place = codes[:, fault.chip, fault.block, fault.index]
            if fault.kind == "dead heater":
                place[:] = 0
            elif fault.kind == "stuck bit":
                mask = 1 << fault.bit
                place[:] = place | mask if fault.level else place & ~mask
        readings = self.bench.read(codes, vectors, kind)
        for fault in self.faults:
            if fault.kind == "saturated detector":
                place = readings[:, fault.chip, fault.block, :, fault.index]
                for part in (place.real, place.imag) if kind == "field" else (place,):
                    np.clip(part, -fault.level, fault.level, out=part)
        return readings

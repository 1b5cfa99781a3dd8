"""Detectors: their reading without light, their noise, and what they bring to every product."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.calibration.probing import BASIS
from ecgphoton.calibration.table import DriveTable, Finding
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.calibration.bench import Bench

WRONG_GAIN = 0.2
"""Relative error of a detector's gain that is named."""


@dataclass(frozen=True)
class ReadDark:
    """Measure what detectors read without light, and how much they scatter with it.

    Light is off for the first half of the readings; in the second half every port is lit in turn
    with the program's codes, and only the scatter counts.
    """

    shots: int = 64

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table with `Beliefs.zero`, `noise` and `row_offset`."""
        codes = np.repeat(table.settings, self.shots, 0)
        dark = bench.read(codes, np.zeros((1, WIDTH)))[..., 0, :]
        lit = bench.read(codes[: max(self.shots // 2, 2)], BASIS)
        scatter = (lit.real.var(0, ddof=1) + lit.imag.var(0, ddof=1)).mean((-2, -1)) / 2
        beliefs = replace(table.beliefs, zero=dark.real.mean(0))
        return with_offsets(replace(table, beliefs=beliefs, noise=np.sqrt(scatter)))


def with_offsets(table: DriveTable) -> DriveTable:
    """Return the table with the row offsets that its zeros and row gains call for."""
    offset = -table.circuit.scale[:, None] * table.row_gain * table.beliefs.zero
    return replace(table, row_offset=offset)


def lightened(table: DriveTable, readings: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return readings (S, C, K, N, 4) less what both quadratures read in the dark."""
    zero = table.beliefs.zero[None, :, :, None]
    return np.asarray(readings - (1 + 1j) * zero)


def saturated(table: DriveTable, readings: NDArray[np.complex128]) -> list[Finding]:
    """Name detectors whose largest reading repeats exactly at many different settings.

    `readings` (S, C, K, N, 4) come from settings that differ in every heater, so that nothing but
    a clipped detector can repeat itself.
    """
    parts = np.stack([readings.real, readings.imag])
    size = np.abs(parts)
    top = size.max((0, 1, 4), keepdims=True)
    share = (size >= top * (1 - 1e-9)).sum((0, 1, 4))
    found = []
    for chip, block, port in np.argwhere((share >= 8) & (top[0, 0, :, :, 0] > 0)):
        level = float(top[0, 0, chip, block, 0, port])
        found.append(
            Finding(
                "saturated detector",
                int(chip),
                table.circuit.names[block],
                f"detector[{port}]",
                f"{int(share[chip, block, port])} readings at {level:.4g}, none above",
            )
        )
    return found


def wrong_gains(table: DriveTable) -> list[Finding]:
    """Name detectors whose gain is far off."""
    places = np.argwhere(np.abs(table.beliefs.gain) > WRONG_GAIN)
    return [
        Finding(
            "wrong gain",
            int(chip),
            table.circuit.names[block],
            f"detector[{port}]",
            f"{1 + table.beliefs.gain[chip, block, port]:.3f} of nominal",
        )
        for chip, block, port in places
    ]

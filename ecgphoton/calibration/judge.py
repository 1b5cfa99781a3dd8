"""What chips really do under a table: judged by the simulator, which alone knows them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from ecgphoton.calibration.report import OWN
from ecgphoton.calibration.threshold import refit
from ecgphoton.decision import ThresholdPolicy
from ecgphoton.hwsim.meshchips import MeshChips
from ecgphoton.hwsim.montecarlo import GROUP, Trial, rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecgphoton.calibration.table import DriveTable

    Floats = NDArray[np.float64]

BATCH = 8
"""Chips whose matrices are computed together."""


def driven(source: MeshChips, table: DriveTable) -> MeshChips:
    """Return the same chips, driven and read by a table."""
    return replace(
        source,
        volts=torch.as_tensor(table.circuit.dac.voltage_of(table.reaching(table.settings)[0])),
        row_gain=torch.as_tensor(table.row_gain),
        row_offset=torch.as_tensor(table.row_offset),
    )


def matrix_errors(source: MeshChips, table: DriveTable, seed: int, chips: int) -> Floats:
    """(chips, K) relative Frobenius error of the matrices that chips really perform."""
    parts = []
    for at in range(0, chips, BATCH):
        count = min(BATCH, chips - at)
        chip = source.foundry.chips(seed, at, count, source.program)
        volts = (
            chip.driven(source.wanted) if source.volts is None else source.volts[at : at + count]
        )
        matrices = chip.matrices(volts).numpy()
        if source.row_gain is not None:
            matrices = source.row_gain[at : at + count].numpy()[..., None] * matrices
        parts.append(table.error(matrices))
    return np.concatenate(parts)


def judge(
    trials: dict[str, Trial],
    own: Trial | None,
    policy: ThresholdPolicy | None,
    chips: int,
    threads: int,
    tell: Callable[[str, int, int], None],
) -> tuple[dict[str, Floats], Floats | None]:
    """Rates (chips, 3) of every stage, and the chips' own thresholds."""

    def group(first: int) -> tuple[dict[str, Floats], list[float]]:
        rows: dict[str, Floats] = {}
        scores: NDArray[np.float32] = np.empty((0, 0), np.float32)
        for name, trial in trials.items():
            scores = trial.probabilities(first)
            rows[name] = np.asarray(rates(scores, trial.label, trial.point))
        if own is None:
            return rows, []
        points = refit(own.probabilities(first), own.label, policy or ThresholdPolicy())
        each = [rates(row[None], trial.label, p) for row, p in zip(scores, points, strict=True)]
        rows[OWN] = np.concatenate(each)
        return rows, [p.threshold for p in points]

    parts = []
    with ThreadPoolExecutor(threads) as pool:
        for at, part in enumerate(pool.map(group, range(0, chips, GROUP))):
            parts.append(part)
            tell("judging", min((at + 1) * GROUP, chips), chips)
    names = parts[0][0]
    joint = {name: np.concatenate([rows[name] for rows, _ in parts])[:chips] for name in names}
    if own is None:
        return joint, None
    return joint, np.concatenate([points for _, points in parts])[:chips]

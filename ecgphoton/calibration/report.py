"""What a calibration campaign brought, as numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecgphoton.calibration.table import DriveTable
    from ecgphoton.decision import OperatingPoint
    from ecgphoton.hwsim.verdict import SimulationReport

    Floats = NDArray[np.float64]

CLOSE = 0.005
"""Half a percentage point: how near to the digital student a chip should come."""


@dataclass(frozen=True, eq=False)
class CalibrationReport:
    """Chips before and after calibration."""

    before: SimulationReport
    """The program's own codes."""
    after: SimulationReport
    error_before: Floats
    """(C, K) relative error of the matrices, known to the simulator alone."""
    error_after: Floats
    table: DriveTable
    steps: tuple[str, ...]
    seconds: float
    """Computing time of the calibration."""
    points: tuple[OperatingPoint, ...] | None = None
    """Operating point of every chip, where they were fitted anew."""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the yield after calibration is high enough."""
        return self.after.passed

    def close(self, report: SimulationReport, distance: float = CLOSE) -> NDArray[np.bool_]:
        """(C,) chips whose miss rate and FPR are both within `distance` of the digital student's."""
        miss, fpr, _ = report.perfect
        worst = np.maximum(np.abs(report.miss - miss), np.abs(report.fpr - fpr))
        return np.asarray(worst <= distance + 1e-12)

    def rows(self) -> list[dict[str, Any]]:
        """Before and after, for a table."""
        return [
            _row("before", self.before, self.error_before, self.close(self.before)),
            _row("after", self.after, self.error_after, self.close(self.after)),
        ]

    def chip_rows(self) -> list[dict[str, Any]]:
        """One row a chip."""
        return [
            {
                "chip": chip,
                "miss_before": float(self.before.miss[chip]),
                "miss_after": float(self.after.miss[chip]),
                "fpr_before": float(self.before.fpr[chip]),
                "fpr_after": float(self.after.fpr[chip]),
                "good_before": bool(self.before.good[chip]),
                "good_after": bool(self.after.good[chip]),
                "error_before": _rms(self.error_before[chip]),
                "error_after": _rms(self.error_after[chip]),
                "threshold": None if self.points is None else self.points[chip].threshold,
                "findings": "; ".join(map(str, self.table.chip(chip).findings)),
            }
            for chip in range(self.before.chips)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the single chips."""
        return {
            "chips": self.before.chips,
            "steps": list(self.steps),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "rows": self.rows(),
            "cost_per_chip": self.table.cost.to_dict(),
            "findings": [str(item) for item in self.table.findings],
            "verdict": "pass" if self.passed else "fail",
            "seconds": round(self.seconds, 3),
            **dict(self.settings),
        }


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _row(
    name: str, report: SimulationReport, error: Floats, close: NDArray[np.bool_]
) -> dict[str, Any]:
    return {
        "stage": name,
        "miss": float(np.median(report.miss)),
        "miss_p95": float(np.percentile(report.miss, 95)),
        "fpr": float(np.median(report.fpr)),
        "fpr_p95": float(np.percentile(report.fpr, 95)),
        "yield": report.observed_yield,
        "close": float(close.mean()),
        "matrix_error": _rms(error),
        "digital_miss": report.perfect[0],
        "digital_fpr": report.perfect[1],
    }

"""The report of a calibration: rates, yields and matrix errors before and after, chip by chip."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from ecgphoton.calibration.beliefs import Finding
from ecgphoton.calibration.bench import Cost
from ecgphoton.hwsim.verdict import SimulationReport
from ecgphoton.intervals import with_interval
from ecgphoton.mesh.arrays import Bools, Floats

BEFORE, AFTER, OWN = "uncalibrated", "calibrated", "own threshold"
NEAR = 0.005
"""Distance from the digital student's miss rate and FPR that counts as near it."""
SMALL_ERROR = 1e-3
"""Relative error of a matrix that counts as performed."""


@dataclass(frozen=True, eq=False)
class CalibrationReport:
    """Every stage of a campaign over the same chips and beats."""

    stages: Mapping[str, SimulationReport]
    """``uncalibrated``, ``calibrated`` and, with calibration beats, ``own threshold``."""
    errors: Mapping[str, Floats]
    """(C, K) relative Frobenius error of the matrices, ``uncalibrated`` and ``calibrated``; of a
    laboratory's bench also ``measured``."""
    thresholds: Floats | None
    """(C,) of ``own threshold``."""
    cost: Cost
    """Spent on every chip."""
    findings: tuple[Finding, ...] = ()
    """What was found broken; `Finding.chip` is the number of the chip."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Provenance."""
    seconds: float = 0.0
    """Wall time in all."""
    calibration_seconds: float = 0.0
    """Wall time of the calibration of all chips; 0 for tables found on disk."""
    unknown: str = ""
    """Why there is no verdict; empty where there is one."""

    @property
    def final(self) -> SimulationReport:
        """The last stage: what the verdict is about."""
        return list(self.stages.values())[-1]

    @property
    def passed(self) -> bool:
        """Whether there is a verdict, and the yield after calibration reaches the one wanted."""
        return not self.unknown and self.final.passed

    @property
    def proven(self) -> bool:
        """Whether there is a verdict, and the confidence bound of the yield alone decides it."""
        return not self.unknown and self.final.proven

    @property
    def verdict(self) -> Literal["pass", "fail", "none"]:
        """The verdict in a word."""
        return "none" if self.unknown else "pass" if self.passed else "fail"

    def near(self, stage: str) -> Bools:
        """(C,) which chips are within `NEAR` of the perfect chip, in miss rate and in FPR."""
        report = self.stages[stage]
        miss, fpr, _ = report.perfect
        apart = np.maximum(np.abs(report.miss - miss), np.abs(report.fpr - fpr))
        return np.asarray(apart <= NEAR + 1e-12)

    def rows(self) -> list[dict[str, Any]]:
        """One row a stage, for a table."""
        table = []
        for name, report in self.stages.items():
            near, about = self.near(name), (report.chips, report.limits.confidence)
            errors = self.errors[BEFORE if name == BEFORE else AFTER]
            numbers = {
                f"{metric}_{end}": float(value)
                for metric, values in (("miss", report.miss), ("fpr", report.fpr))
                for end, value in (
                    ("mean", values.mean()),
                    ("p95", np.percentile(values, 95)),
                    ("worst", values.max()),
                )
            }
            table.append(
                {
                    "stage": name,
                    **with_interval("yield", int(report.good.sum()), *about),
                    **with_interval("near", int(near.sum()), *about),
                    **numbers,
                    "error_median": float(np.median(errors)),
                    "error_p95": float(np.percentile(errors, 95)),
                    "error_small": float((errors <= SMALL_ERROR).mean()),
                }
            )
        return table

    def recovered(self) -> dict[str, float | None]:
        """Share of the mean loss against the perfect chip that calibration won back.

        1 is all of it, 0 nothing, negative is worse than before; None where there was no loss.
        """
        answer: dict[str, float | None] = {}
        first = self.stages[BEFORE]
        for index, name in enumerate(("miss", "fpr")):
            # Distance, not difference: a lower FPR bought with misses is no gain.
            before, after = (
                float(np.abs(getattr(report, name) - report.perfect[index]).mean())
                for report in (first, self.final)
            )
            answer[name] = None if before == 0 else 1 - after / before
        return answer

    def chip_rows(self) -> list[dict[str, Any]]:
        """One row a chip, for a CSV."""
        return [self._chip_row(chip) for chip in range(self.final.chips)]

    def _chip_row(self, chip: int) -> dict[str, Any]:
        row: dict[str, Any] = {"chip": chip}
        for name, report in self.stages.items():
            key = name.replace(" ", "_")
            row |= {
                f"{key}_miss": float(report.miss[chip]),
                f"{key}_fpr": float(report.fpr[chip]),
                f"{key}_good": bool(report.good[chip]),
            }
        row |= {f"{name}_error": float(part[chip].max()) for name, part in self.errors.items()}
        if self.thresholds is not None:
            row["threshold"] = float(self.thresholds[chip])
        return row | {"findings": "; ".join(str(f) for f in self.findings if f.chip == chip)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the single chips."""
        return {
            "chips": self.final.chips,
            "verdict": self.verdict,
            "no_verdict_because": self.unknown or None,
            "proven": self.proven,
            "stages": {
                name: {
                    "yield": report.observed_yield,
                    "yield_interval": list(report.interval),
                    "metrics": report.summary(),
                }
                for name, report in self.stages.items()
            },
            "over_patients": self.final.over_patients,
            "table": self.rows(),
            "recovered": self.recovered(),
            "cost_per_chip": self.cost.to_dict(),
            "findings": [asdict(item) for item in self.findings],
            "seconds": round(self.seconds, 3),
            "calibration_seconds": round(self.calibration_seconds, 3),
            **dict(self.settings),
        }

"""Drift: how long a table holds, and the cheapest schedule of re-calibration that keeps the limits.

Phases walk at random after they were set (`time.drift` of a profile, rad per square root of an
hour). A chip that is calibrated again every ``T`` hours is at its worst just before: so limits are
kept over a day if they are kept by chips of age ``T``, and if re-calibration brings chips of that
age back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.calibration.bench import Cost
from ecgphoton.calibration.calibrate import STANDARD, calibrate, steps_of
from ecgphoton.calibration.campaign import RANGE, Campaign
from ecgphoton.calibration.judge import driven, matrix_errors
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.montecarlo import GROUP, Trial, rates, single_threaded
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.streams import check_seed
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Progress, silent
from ecgphoton.student.propagate import Inputs

DAY = 24.0
HOURS = (1.0, 2.0, 4.0, 8.0, 12.0)
AGAIN: dict[str, tuple[str, ...]] = {"trim": ("trim",), "full": STANDARD}
"""Ways to calibrate again, by name."""


@dataclass(frozen=True)
class Plan:
    """Re-calibrating every `hours` in one way, and what it keeps and costs."""

    hours: float
    way: str
    """Name in `AGAIN`; ``none`` where a whole day passes without."""
    good_before: float
    """Share of chips within limits at that age, just before."""
    good_after: float
    """The same just after."""
    error_before: float
    """Median relative error of their matrices just before."""
    error_after: float
    cost: Cost
    """Of one re-calibration of one chip."""
    keeps: bool
    """Whether both shares reach the yield wanted."""

    @property
    def times(self) -> int:
        """Re-calibrations a day."""
        return math.ceil(DAY / self.hours) - 1

    @property
    def seconds(self) -> float:
        """Seconds a day that a chip is being calibrated instead of working."""
        return self.times * self.cost.seconds()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "hours": self.hours,
            "way": self.way,
            "yield_before": self.good_before,
            "yield_after": self.good_after,
            "error_before": self.error_before,
            "error_after": self.error_after,
            "times_a_day": self.times,
            "seconds_a_day": self.seconds,
            "keeps": self.keeps,
        }


@dataclass(frozen=True)
class DriftReport:
    """All plans, and the cheapest that keeps the limits."""

    fresh: float
    """Share of chips within limits right after calibration."""
    plans: tuple[Plan, ...]

    @property
    def cheapest(self) -> Plan | None:
        """The plan of least seconds a day that keeps the limits, the rarest of equal ones."""
        kept = [plan for plan in self.plans if plan.keeps]
        return min(kept, key=lambda plan: (plan.seconds, -plan.hours), default=None)

    def rows(self) -> list[dict[str, Any]]:
        """One row a plan, for a table."""
        return [plan.to_dict() | {"cheapest": plan is self.cheapest} for plan in self.plans]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        best = self.cheapest
        return {
            "yield_fresh": self.fresh,
            "plans": [plan.to_dict() for plan in self.plans],
            "cheapest": None if best is None else best.to_dict(),
        }


def drift_schedule(
    program: MeshProgram,
    inputs: Inputs,
    labels: NDArray[Any],
    point: OperatingPoint,
    *,
    profile: Profile | str = "foundry-thermo-optic",
    chips: int = 40,
    seed: int = 0,
    hours: Sequence[float] = HOURS,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> DriftReport:
    """Find how often calibrated chips must be calibrated again, and how.

    Parameters
    ----------
    inputs, labels
        Beats the limits are about; nonzero labels mean abnormal.
    hours
        Intervals to try, each between 0 and 24; doing nothing for a day is tried as well.
    progress
        Called with ``plans``, how many are done, and how many there are.

    Raises
    ------
    InputError
        If an interval or the number of chips is outside its range.
    """
    if chips < 1 or not hours or not all(0 < age < DAY for age in hours):
        raise InputError(
            f"chips is {chips} and hours {tuple(hours)}; at least 1 chip and intervals between 0 "
            "and 24 are needed"
        )
    limits, foundry = limits or Limits(), Foundry.of(profile)
    study = _Study(program, foundry, chips, check_seed(seed), limits)
    with single_threaded() as threads, ThreadPoolExecutor(threads) as pool:
        trial = trial_of(program, inputs, labels, point, seed=seed, profile=foundry.profile)
        table = DriveTable.joined(list(pool.map(study.fresh, study.spans)))
        fresh, _ = study.judge(trial, table, 0.0, pool)
        ways = [(age, way) for age in sorted(hours) for way in AGAIN]
        plans: list[Plan] = []
        for age, way in ways:
            before, error = study.judge(trial, table, age, pool)
            again = [(span, table, age, way) for span in study.spans]
            renewed = DriveTable.joined(list(pool.map(lambda what: study.renew(*what), again)))
            after, rest = study.judge(trial, renewed, age, pool)
            spent = renewed.cost - table.cost
            keeps = min(before, after) >= limits.min_yield
            plans.append(Plan(age, way, before, after, error, rest, spent, keeps))
            progress("plans", len(plans), len(ways) + 1)
        late, error = study.judge(trial, table, DAY, pool)
        keeps = late >= limits.min_yield
        plans.append(Plan(DAY, "none", late, late, error, error, Cost(), keeps))
        progress("plans", len(plans), len(ways) + 1)
    return DriftReport(fresh, tuple(plans))


@dataclass(frozen=True, eq=False)
class _Study:
    program: MeshProgram
    foundry: Foundry
    chips: int
    seed: int
    limits: Limits

    @property
    def spans(self) -> list[tuple[int, int]]:
        return [(at, min(RANGE, self.chips - at)) for at in range(0, self.chips, RANGE)]

    def aged(self, hours: float) -> Foundry:
        return replace(self.foundry, profile=self.foundry.profile.with_value("time.hours", hours))

    def fresh(self, span: tuple[int, int]) -> DriveTable:
        steps = steps_of(STANDARD)
        return Campaign(self.program, self.foundry, steps, self.seed).calibrate(*span)

    def renew(self, span: tuple[int, int], table: DriveTable, hours: float, way: str) -> DriveTable:
        """Calibrate chips of an age again, going on from their table."""
        first, count = span
        chip = self.aged(hours).chips(self.seed, first, count, self.program)
        # Another stream of readings than that of the first calibration.
        bench = SimulatedBench(chip, bits=table.program.dac_bits, seed=self.seed + 1, first=first)
        start = table.chips(slice(first, first + count))
        return calibrate(bench, self.program, steps_of(AGAIN[way]), start=start).table

    def judge(
        self, trial: Trial, table: DriveTable, hours: float, pool: ThreadPoolExecutor
    ) -> tuple[float, float]:
        """Share of chips of an age within limits, and their median matrix error."""
        source = replace(driven(trial.source, table), foundry=self.aged(hours))  # type: ignore[arg-type]
        now = replace(trial, source=source)

        def group(first: int) -> Any:  # noqa: ANN401
            return rates(now.probabilities(first), now.label, now.point)

        rows = np.concatenate(list(pool.map(group, range(0, self.chips, GROUP))))[: self.chips]
        good = self.limits.good(rows[:, 0], rows[:, 1])
        return float(good.mean()), float(np.median(matrix_errors(source, table, self.seed)))

"""Drift: how long a table holds, and what restores chips that changed.

`calibrated_over` judges calibrated chips over a parameter. *Once*: chips are calibrated where the
parameter is 0 and keep their codes while it changes. *Again*: they are calibrated anew at every
value.

`drift_schedule` finds the cheapest schedule of re-calibration that keeps the limits. Phases drift
as a random walk after they were set (`time.drift` of a profile, rad per square root of an hour). A
chip that is calibrated again every ``T`` hours is worst just before that: limits are
kept over a day if chips of age ``T`` keep them, and if re-calibration restores chips of that age.
That is looked at once; trims of later intervals begin farther from the estimates that they use,
and leave more where phases walk far in a day (docs/calibration.md).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np

from ecgphoton.arguments import check_seed
from ecgphoton.calibration.bench import Cost
from ecgphoton.calibration.calibrate import STANDARD, steps_of
from ecgphoton.calibration.campaign import Campaign
from ecgphoton.calibration.judge import driven, matrix_errors
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint, abnormal_of
from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.effects import number_of
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE, load_profile
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.unused import refuse_unused
from ecgphoton.hwsim.verdict import Limits, SimulationReport, decide
from ecgphoton.intervals import with_interval
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.metrics import check_both
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Progress, silent
from ecgphoton.settings import Setting
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

DAY = 24.0
DRIFT, AGE = "time.drift", "time.hours"
HOURS = (1.0, 2.0, 4.0, 8.0, 12.0)
AGAIN: dict[str, tuple[str, ...]] = {"trim": ("trim",), "full": STANDARD}
"""Ways to calibrate again, by name."""
When = Literal["once", "again"]


def calibrated_over(
    key: str,
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    labels: AnyArray,
    point: OperatingPoint,
    *,
    when: When,
    profile: Profile | str | None = None,
    chips: int = 40,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    limits: Limits | None = None,
    workers: int = 1,
) -> Callable[[float], SimulationReport]:
    """Return what judges calibrated chips at a value of a key of their profile.

    Parameters
    ----------
    key
        Such as ``temperature.change``.
    when
        ``once``: calibrated where the key is 0; ``again``: at every value.
    carried, inputs, labels, point, profile, chips, seed, readout, settings, workers
        As `ecgphoton.hwsim.simulate.simulate` takes them; default profile
        ``foundry-thermo-optic``.

    Raises
    ------
    InputError
        If the key is no error of a profile, the chips are not trimmed, or all beats are normal or
        all abnormal.
    """
    if key == "noise" or number_of(key).better == "more":
        raise InputError(
            f"{key} is nothing that calibrated chips drift by; choose an error of a profile, such "
            "as temperature.change, or ask about chips that are not calibrated"
        )
    check_both(abnormal_of(labels))
    made = load_profile(profile or USUAL_PROFILE).with_settings(settings)
    refuse_unused(made, settings, moving=key)
    program = program_of(carried)

    @cache
    def table(value: float) -> DriveTable:
        foundry = Foundry(made.with_value(key, value))
        with single_threaded() as threads:
            return Campaign(program, foundry, steps_of(STANDARD), seed).joined(chips, threads)

    def judge(value: float) -> SimulationReport:
        here = made.with_value(key, value)
        trial = trial_of(program, inputs, labels, point, seed=seed, profile=here, readout=readout)
        trial = replace(
            trial, source=driven(trial.source, table(value if when == "again" else 0.0))
        )
        rows = np.concatenate([*run(trial, chips, workers=workers)])
        about = {
            "readout": readout,
            "receiver": here.receiver,
            "seed": seed,
            "calibrated": when,
            "profile": here.name,
            "profile_values": dict(here.on(program).numbers),
        }
        return trial.report(rows, limits or Limits(), settings=about)

    return judge


@dataclass(frozen=True)
class Plan:
    """Re-calibrating every `hours` in one way, and what it keeps and costs."""

    hours: float
    way: str
    """Name in `AGAIN`; ``none`` where a whole day passes without."""
    chips: int
    good_before: int
    """Chips within limits at that age, just before."""
    good_after: int
    """The same just after."""
    error_before: float
    """Median relative error of their matrices just before."""
    error_after: float
    cost: Cost
    """Of one re-calibration of one chip."""
    limits: Limits

    @property
    def keeps(self) -> bool:
        """Whether both shares reach the yield wanted."""
        return self.worse / self.chips >= self.limits.min_yield

    @property
    def worse(self) -> int:
        """Chips within limits before or after, where there are fewer."""
        return min(self.good_before, self.good_after)

    @property
    def proven(self) -> bool:
        """Whether the confidence bound of the worse share alone says whether limits are kept."""
        wanted = "pass" if self.keeps else "fail"
        return decide(self.worse, self.chips, self.limits) == wanted

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
        about = (self.chips, self.limits.confidence)
        return {
            "hours": self.hours,
            "way": self.way,
            **with_interval("yield_before", self.good_before, *about),
            **with_interval("yield_after", self.good_after, *about),
            "error_before": self.error_before,
            "error_after": self.error_after,
            "times_a_day": self.times,
            "seconds_a_day": self.seconds,
            "keeps": self.keeps,
            "proven": self.proven,
        }


@dataclass(frozen=True)
class DriftReport:
    """All plans, and the cheapest that keeps the limits."""

    fresh: int
    """Chips within limits right after calibration."""
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
        best, one = self.cheapest, self.plans[0]
        return {
            "chips": one.chips,
            **with_interval("yield_fresh", self.fresh, one.chips, one.limits.confidence),
            "plans": [plan.to_dict() for plan in self.plans],
            "cheapest": None if best is None else best.to_dict(),
        }


def check_hours(hours: Sequence[float]) -> None:
    """Refuse an interval that is no part of a day; a whole one without calibration is tried too."""
    require(hours, "hours", hours, "one or more intervals, above 0 and below 24 hours")
    for age in hours:
        Setting(1.0, "", above=0, below=DAY, unit="hours").read(age, float, "hours")


def drift_schedule(
    program: MeshProgram,
    inputs: Inputs,
    labels: AnyArray,
    point: OperatingPoint,
    *,
    profile: Profile | str = USUAL_PROFILE,
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
        Intervals to try, each above 0 and below 24; doing nothing for a day is tried as well.
    progress
        Called with ``plans``, how many are done, and how many there are.

    Raises
    ------
    InputError
        If an interval or the number of chips is outside its range, the profile states no drift, or
        all beats are normal or all abnormal.
    """
    require(chips >= 1, "chips", chips, "at least 1")
    check_hours(hours)
    check_both(abnormal_of(labels))
    limits, foundry = limits or Limits(), Foundry.of(profile)
    if not foundry.profile[DRIFT]:
        raise InputError(
            f"the profile {foundry.profile.name!r} does not state {DRIFT}, so its chips would hold "
            f"for ever; state it, or choose it with --set {DRIFT}=0.01"
        )
    if stated := foundry.profile[AGE]:
        raise InputError(
            f"the profile {foundry.profile.name!r} states {AGE} of {stated:g}, but ages are "
            "what is tried here; leave it out, and state intervals as hours"
        )
    fresh = Campaign(program, foundry, steps_of(STANDARD), check_seed(seed))

    def aged(age: float) -> Foundry:
        return replace(foundry, profile=foundry.profile.with_value(AGE, age))

    def judge(table: DriveTable, age: float) -> tuple[int, float]:
        """Chips of an age that are within limits, and the median error of their matrices."""
        source = replace(driven(trial.source, table), foundry=aged(age))
        rows = np.concatenate([*run(replace(trial, source=source), chips, threads=threads)])
        good = limits.good(rows[:, 0], rows[:, 1])
        return int(good.sum()), float(np.median(matrix_errors(source, table, seed)))

    ways = [(age, way) for age in sorted({*hours}) for way in AGAIN]
    plans: list[Plan] = []
    with single_threaded() as threads:
        trial = trial_of(program, inputs, labels, point, seed=seed, profile=foundry.profile)
        table = fresh.joined(chips, threads)
        for age, way in [*ways, (DAY, "none")]:
            before, error = judge(table, age)
            after, rest, cost = before, error, Cost()
            if way in AGAIN:
                again = replace(fresh, foundry=aged(age), steps=steps_of(AGAIN[way]), start=table)
                renewed = again.joined(chips, threads)
                after, rest = judge(renewed, age)
                cost = renewed.cost - table.cost
            plans.append(Plan(age, way, chips, before, after, error, rest, cost, limits))
            progress("plans", len(plans), len(ways) + 1)
        good, _ = judge(table, 0.0)
    return DriftReport(good, tuple(plans))

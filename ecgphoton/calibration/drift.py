"""A day of drift: how often a chip must be calibrated again, and with how little work.

Phases walk at random (`Profile.time_drift` rad per square root of an hour). A schedule calibrates
chips anew every so many hours, starting from the table they have; between two calibrations they
only get worse. Chips are looked at on a grid of hours, always before they are calibrated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgphoton.calibration.bench import Cost
from ecgphoton.calibration.calibrate import STANDARD, Step, calibrate, steps_of
from ecgphoton.calibration.estimate import Fit
from ecgphoton.calibration.judge import driven, matrix_errors
from ecgphoton.calibration.phases import Correct
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.trim import Trim
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Chip, Foundry
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.hwsim.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ecgphoton.calibration.table import DriveTable
    from ecgphoton.decision import OperatingPoint
    from ecgphoton.hwsim.profile import Profile
    from ecgphoton.mesh.program import MeshProgram
    from ecgphoton.student.propagate import Inputs

    Floats = NDArray[np.float64]

NEVER = math.inf


@dataclass(frozen=True)
class Schedule:
    """What is done to a chip again, and how often.

    Raises
    ------
    InputError
        If `every` is not above 0.
    """

    name: str
    every: float = NEVER
    """Hours."""
    steps: tuple[Step, ...] = (Trim(),)

    def __post_init__(self) -> None:
        if not self.every > 0:
            raise InputError(f"schedule {self.name!r} repeats every {self.every!r} h; above 0")


SCHEDULES = (
    Schedule("never"),
    *(Schedule(f"trim every {hours} h", hours) for hours in (12, 6, 2)),
    Schedule("refit offsets every 6 h", 6, (Fit(("offset",), settings=32), Correct(), Trim())),
    Schedule("all steps every 6 h", 6, steps_of(STANDARD)),
)
"""From nothing to everything."""


@dataclass(frozen=True, eq=False)
class DriftedFoundry(Foundry):
    """A foundry whose chips have drifted by given random walks."""

    walk: torch.Tensor = field(default_factory=lambda: torch.zeros(1, 1, 1))
    """(chips, K, drivers), in units of `Profile.time_drift` rad; chips beyond repeat the last."""

    def chips(self, seed: int, first: int, count: int, program: MeshProgram | Wiring) -> Chip:
        """See `Foundry.chips`."""
        chip = super().chips(seed, first, count, program)
        rows = torch.arange(first, first + count).clamp_max(len(self.walk) - 1)
        return replace(chip, luck=chip.luck._replace(drift=self.walk[rows]))


@dataclass(frozen=True, eq=False)
class Day:
    """A schedule over a day."""

    schedule: Schedule
    hours: Floats
    """(T,) when chips were looked at."""
    yields: Floats
    """(T,) share of chips within the limits."""
    miss: Floats
    """(T, C)."""
    fpr: Floats
    """(T, C)."""
    errors: Floats
    """(T,) median relative error of a matrix."""
    cost: Cost
    """Of all repetitions on one chip, without the first calibration."""

    def row(self, limits: Limits) -> dict[str, Any]:
        """Plain values for a table."""
        return {
            "schedule": self.schedule.name,
            "settings": self.cost.settings,
            "seconds": self.cost.seconds(),
            "least_yield": float(self.yields.min()),
            "worst_miss": float(self.miss.max()),
            "worst_fpr": float(self.fpr.max()),
            "error_largest": float(self.errors.max()),
            "kept": bool(self.yields.min() >= limits.min_yield),
        }


@dataclass(frozen=True, eq=False)
class DriftReport:
    """Schedules compared on the same chips, beats and random walks."""

    days: tuple[Day, ...]
    limits: Limits
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cheapest(self) -> Schedule | None:
        """Schedule of least cost that keeps the yield at every hour; None if no schedule does."""
        kept = [day for day in self.days if day.yields.min() >= self.limits.min_yield]
        if not kept:
            return None
        return min(kept, key=lambda day: day.cost.seconds()).schedule

    def rows(self) -> list[dict[str, Any]]:
        """One row a schedule."""
        return [day.row(self.limits) for day in self.days]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        cheapest = self.cheapest
        return {
            "schedules": self.rows(),
            "cheapest": None if cheapest is None else cheapest.name,
            "limits": asdict(self.limits),
            **dict(self.settings),
        }


def compare_schedules(
    program: MeshProgram,
    inputs: Inputs,
    labels: NDArray[Any],
    point: OperatingPoint,
    *,
    profile: Profile | str = "foundry-thermo-optic",
    schedules: Sequence[Schedule] = SCHEDULES,
    chips: int = 20,
    seed: int = 0,
    hours: float = 24.0,
    look: float = 2.0,
    limits: Limits | None = None,
) -> DriftReport:
    """Let calibrated chips drift for a day under every schedule.

    Parameters
    ----------
    inputs, labels, point
        Beats (nonzero labels mean abnormal) and the student's operating point.
    hours, look
        Length of the day, and time between two looks, h. Calibrations happen at looks.
    limits
        What a schedule has to keep: at every look at least `min_yield` of the chips good.

    Raises
    ------
    InputError
        If a number is outside its range.
    """
    if chips < 1 or not 0 < look <= hours < math.inf:
        raise InputError(
            f"{chips} chips looked at every {look} h of {hours} h is not possible; at least one "
            "chip, and a look within the day"
        )
    limits = limits or Limits()
    foundry = Foundry.of(profile)
    moving = foundry.profile.with_value("time.hours", 1.0)  # walks are in units of its drift
    trial = trial_of(program, inputs, labels, point, seed=seed, profile=moving)
    bits = int(moving.dac_bits) or program.dac_bits
    still = foundry.chips(seed, 0, chips, program)
    fresh = SimulatedBench(still, bits=bits, seed=seed)
    first = calibrate(fresh, program).table
    times: Floats = look * np.arange(1, int(hours / look) + 1, dtype=float)
    walks = _walks(chips, (len(program.blocks), still.wiring.drivers), len(times), look, seed)
    source: Any = trial.source

    def day(schedule: Schedule) -> Day:
        table, cost, last = first, Cost(), 0.0
        seen, errors = [], []
        for index, (now, walk) in enumerate(zip(times, walks, strict=True)):
            drifted = DriftedFoundry(moving, walk=walk)
            chip = driven(replace(source, foundry=drifted), table)
            seen.append(run(replace(trial, source=chip), chips)[0])
            errors.append(np.median(matrix_errors(chip, table, seed, chips)))
            if now - last >= schedule.every - 1e-9 and now < hours:
                table, spent = _again(drifted, program, schedule, table, seed, index)
                cost, last = cost + spent, now
        rates = np.array(seen)
        miss, fpr = rates[..., 0], rates[..., 1]
        yields = limits.good(miss, fpr).mean(1)
        return Day(schedule, times, yields, miss, fpr, np.array(errors), cost)

    return DriftReport(
        tuple(day(schedule) for schedule in schedules),
        limits,
        {
            "profile": moving.name,
            "drift": moving.time_drift,
            "chips": chips,
            "seed": seed,
            "hours": hours,
            "look": look,
            "beats": len(inputs),
        },
    )


def _again(
    foundry: DriftedFoundry,
    program: MeshProgram,
    schedule: Schedule,
    table: DriveTable,
    seed: int,
    index: int,
) -> tuple[DriveTable, Cost]:
    chip = foundry.chips(seed, 0, len(table), program)
    shots = int(np.random.SeedSequence([seed, 1 + index]).generate_state(1)[0])
    bench = SimulatedBench(chip, bits=table.circuit.dac.bits, seed=shots)
    return calibrate(bench, program, schedule.steps, start=table)


def _walks(
    chips: int, shape: tuple[int, int], looks: int, look: float, seed: int
) -> list[torch.Tensor]:
    """Random walks (chips, K, drivers) at every look, every chip from its own stream."""
    steps = [
        np.random.default_rng([seed, chip, 24]).standard_normal((looks, *shape))
        for chip in range(chips)
    ]
    walk = math.sqrt(look) * np.cumsum(np.stack(steps, 1), 0)
    return list(torch.as_tensor(walk))

"""Wide views of the verdict: curves over a parameter, and the largest value that still passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import LARGEST, load_profile
from ecgphoton.hwsim.simulate import simulate

if TYPE_CHECKING:
    from ecgphoton.hwsim.verdict import SimulationReport

MOST = 1001
"""Largest number of points of a sweep."""
Simulate = Callable[..., "SimulationReport"]


@dataclass(frozen=True)
class Sweep:
    """A parameter and the values it takes."""

    parameter: str
    """``noise``, or a key of a profile such as ``splitter.sigma``."""
    values: tuple[float, ...]


def check_parameter(name: str) -> str:
    """Return `name` if it can be swept, else raise InputError."""
    if name != "noise" and name not in LARGEST:
        raise InputError(
            f"{name!r} cannot be swept or solved for; use noise or one of {', '.join(LARGEST)}"
        )
    return name


def parse_sweep(text: str) -> Sweep:
    """Read ``name=first:last:count`` or ``name=a,b,c``.

    Raises
    ------
    InputError
        If the text is neither, or the parameter is unknown.
    """
    name, equals, values = text.partition("=")
    wrong = InputError(
        f"sweep {text!r} cannot be read; write name=first:last:count, for example noise=0:0.1:11, "
        "or name=a,b,c"
    )
    if not equals or not values:
        raise wrong
    check_parameter(name)
    try:
        if ":" in values:
            first, last, count = values.split(":")
            points = np.linspace(float(first), float(last), int(count))
        else:
            points = np.array([float(value) for value in values.split(",")])
    except ValueError:
        raise wrong from None
    if not 1 <= len(points) <= MOST or not np.isfinite(points).all() or (points < 0).any():
        raise InputError(
            f"sweep {text!r} has {len(points)} values; it needs 1 to {MOST} finite numbers of at "
            "least 0"
        )
    return Sweep(name, tuple(float(f"{point:.12g}") for point in points))


@dataclass(frozen=True, eq=False)
class SweepReport:
    """A `SimulationReport` for every value."""

    sweep: Sweep
    reports: tuple[SimulationReport, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row a value: yield with interval, and the percentile band of every metric."""
        rows = []
        for value, report in zip(self.sweep.values, self.reports, strict=True):
            low, high = report.interval
            row: dict[str, Any] = {
                self.sweep.parameter: value,
                "yield": report.observed_yield,
                "yield_low": low,
                "yield_high": high,
                "verdict": "pass" if report.passed else "fail",
            }
            for metric, numbers in report.summary().items():
                row |= {f"{metric}_{name}": number for name, number in numbers.items()}
            rows.append(row)
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"parameter": self.sweep.parameter, "rows": self.rows()}


def settings_at(parameter: str, value: float, settings: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of `simulate` with one parameter set (a profile is assumed ideal)."""
    if parameter == "noise":
        return {**settings, "noise": value}
    profile = load_profile(settings.get("profile") or "ideal")
    return {**settings, "profile": profile.with_value(parameter, value)}


def run_sweep(
    sweep: Sweep,
    *subject: Any,  # noqa: ANN401 - the positional arguments of simulate
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,  # noqa: ANN401 - its keyword arguments
) -> SweepReport:
    """Simulate every value of a sweep, the same chips at each (common random numbers).

    Parameters
    ----------
    subject, settings
        As `ecgphoton.hwsim.simulate.simulate` takes them.
    """
    reports = []
    for done, value in enumerate(sweep.values):
        reports.append(simulate(*subject, **settings_at(sweep.parameter, value, settings)))
        if progress is not None:
            progress(done + 1, len(sweep.values))
    return SweepReport(sweep, tuple(reports))


@dataclass(frozen=True, eq=False)
class Requirement:
    """The largest value of a parameter that meets the verdict: a line for the foundry."""

    parameter: str
    value: float | None
    """Largest value that passed; None if nothing did."""
    failing: float | None
    """Smallest value that failed; None if the largest allowed one passed."""
    tried: tuple[tuple[float, float], ...]
    """(value, yield) in the order tried."""
    report: SimulationReport | None
    """The simulation at `value`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "parameter": self.parameter,
            "value": self.value,
            "failing": self.failing,
            "tried": [{"value": value, "yield": share} for value, share in self.tried],
            "simulation": None if self.report is None else self.report.to_dict(),
        }


def solve(
    parameter: str,
    *subject: Any,  # noqa: ANN401 - the positional arguments of simulate
    largest: float | None = None,
    precision: float = 0.02,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,  # noqa: ANN401 - its keyword arguments
) -> Requirement:
    """Find the largest value of a parameter that still passes, by bisection.

    The same chips are used at every value, so that yield falls almost smoothly.

    Parameters
    ----------
    largest
        Where to begin; default 0.2 for noise, else a quarter of what a profile may hold.
    precision
        Relative width at which to stop.
    """
    check_parameter(parameter)
    if parameter == "dac.bits":
        raise InputError("more DAC bits are better, not worse: sweep dac.bits instead of solving")
    high = largest if largest is not None else 0.2 if parameter == "noise" else None
    high = LARGEST[parameter] / 4 if high is None else high
    tried: list[tuple[float, float]] = []
    best: SimulationReport | None = None
    steps = int(np.ceil(np.log2(1 / precision))) + 6

    def passes(value: float) -> bool:
        nonlocal best
        report = simulate(*subject, **settings_at(parameter, value, settings))
        tried.append((value, report.observed_yield))
        if report.passed:
            best = report
        if progress is not None:
            progress(min(len(tried), steps), steps)
        return report.passed

    if not passes(0.0):
        return Requirement(parameter, None, 0.0, tuple(tried), None)
    if passes(high):
        return Requirement(parameter, high, None, tuple(tried), best)
    low = 0.0
    while high - low > precision * high and len(tried) < steps:
        middle = (low + high) / 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return Requirement(parameter, low, high, tuple(tried), best)

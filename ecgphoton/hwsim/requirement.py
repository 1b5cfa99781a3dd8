"""The limit of a parameter up to which chips still pass: the only search for one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgphoton.hwsim.effects import Number
from ecgphoton.hwsim.sweep import Judge, nothing_moves, parameter, simulated, unmoved
from ecgphoton.hwsim.verdict import SimulationReport
from ecgphoton.progress import Steps, silent
from ecgphoton.wording import count, percent

MOST = 64.0
"""Largest factor on a value that a search starts from, and its inverse the smallest."""


@dataclass(frozen=True, eq=False)
class Requirement:
    """The limit of a parameter up to which chips meet the verdict: a line for the foundry."""

    parameter: str
    number: Number
    """Its declaration: unit, and which way is better."""
    value: float | None
    """Worst value that passed; None if nothing did."""
    failing: float | None
    """Best value that failed; None if the worst one tried passed."""
    tried: tuple[tuple[float, float], ...]
    """(value, yield) in the order tried."""
    report: SimulationReport | None
    """The simulation at `value`: its yield, the interval of it, and the number of chips."""
    without_effect: bool = False
    """Whether every chip has the same rates at all values tried."""

    @property
    def sentence(self) -> str:
        """The requirement in words, with unit, yield and interval."""
        if self.without_effect:
            return f"none, because {nothing_moves(self.parameter)}"
        if self.value is None or self.report is None:
            best, share = self.number.written(self.tried[0][0]), self.tried[0][1]
            return (
                f"no value of {self.parameter} passes, not even {best}, where "
                f"{percent(share, None)} of chips are within the limits"
            )
        bound = "at least" if self.number.better == "more" else "at most"
        low, high = self.report.interval
        beyond = (
            "nothing tried failed"
            if self.failing is None
            else f"{self.number.written(self.failing)} fails"
        )
        return (
            f"{self.parameter} must be {bound} {self.number.written(self.value)} ({beyond}); yield "
            f"{percent(self.report.observed_yield, 1)} of {count(self.report.chips, 'chip')}, "
            f"{percent(self.report.limits.confidence, None)} interval {100 * low:.1f} to "
            f"{percent(high, 1)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "parameter": self.parameter,
            "unit": self.number.unit,
            "better": self.number.better,
            "without_effect": self.without_effect,
            "value": self.value,
            "failing": self.failing,
            "sentence": self.sentence,
            "tried": [{"value": value, "yield": share} for value, share in self.tried],
            "simulation": None if self.report is None else self.report.to_dict(),
        }


def solve(
    name: str,
    *subject: Any,  # noqa: ANN401 - the positional arguments of simulate
    judge: Judge | None = None,
    number: Number | None = None,
    start: float | None = None,
    largest: float | None = None,
    precision: float = 0.02,
    progress: Steps = silent,
    **settings: Any,  # noqa: ANN401 - its keyword arguments
) -> Requirement:
    """Find the worst value of a parameter that still passes, by bisection.

    The same chips are used at every value, so that yield falls almost smoothly. Worse is more for
    an error (``splitter.sigma``) and less for a resource (``dac.bits``).

    Parameters
    ----------
    judge
        What gives the verdict at a value instead of `simulate`.
    number
        Declaration of a parameter that is no key of a profile.
    start
        Value to begin with; it is doubled and halved, at most by `MOST`, until one passes and one
        fails. Without it both ends of the range are tried.
    largest
        Largest value to try; default a quarter of what a profile may hold, or all of it for a
        resource and for a level in dB.
    precision
        Relative width at which to stop, of a level in dB that of its amplitude; whole numbers are
        found exactly.

    Raises
    ------
    InputError
        If the parameter is unknown or a value outside its range.
    """
    number = number or parameter(name)
    start = None if start is None else number.size(start)
    least, most = (number.size(end) if end else 0.0 for end in (number.least, number.largest))
    top = number.size(largest) if largest is not None else most
    if number.better == "more":
        ends = top, least
    else:
        top = top if number.level or largest is not None else top / 4
        ends = max(start / MOST if start else 0.0, least), top
    tried: list[tuple[float, float]] = []
    reports: list[SimulationReport] = []
    best: SimulationReport | None = None
    judge = judge or simulated(name, *subject, **settings)
    steps = int(np.ceil(np.log2(1 / precision))) + 10

    def passes(size: float) -> bool:
        nonlocal best
        report = judge(value := number.at_size(size))
        tried.append((value, report.observed_yield))
        reports.append(report)
        if report.passed:
            best = report
        progress(min(len(tried), steps), steps)
        return report.passed

    good, bad = _bracketed(passes, ends, start, number)
    while (
        good is not None
        and bad is not None
        and abs(good - bad) > (1 if number.whole else precision * bad)
        and len(tried) < steps
    ):
        # As long as nothing but 0 passes, its order of magnitude is not known.
        middle = bad / 8 if good == 0 else (good + bad) / 2
        if number.whole:
            middle = float(int(middle))
        elif number.least or start:  # a size that is never 0 is known over decades
            middle = float(np.sqrt(good * bad))
        good, bad = (middle, bad) if passes(middle) else (good, middle)
    value, failing = (None if size is None else number.at_size(size) for size in (good, bad))
    return Requirement(name, number, value, failing, tuple(tried), best, unmoved(reports))


def _bracketed(
    passes: Callable[[float], bool],
    ends: tuple[float, float],
    start: float | None,
    number: Number,
) -> tuple[float | None, float | None]:
    """Return a size that passes and one that fails; None where no size tried does.

    Sizes lie between the best and the worst end; without a start only these are tried.
    """
    best, worst = ends
    if start is None:
        if not passes(best):
            return None, best
        return (worst, None) if passes(worst) else (best, worst)
    good: float | None = None
    bad: float | None = None
    value = min(start, max(ends))
    while good is None or bad is None:
        fine = passes(value)
        good, bad = (value, bad) if fine else (good, value)
        end = worst if fine else best
        if value == end:
            break
        value = min(2 * value, end) if end > value else max(value / 2, end)
        value = float(int(value)) if number.whole else value
    return good, bad

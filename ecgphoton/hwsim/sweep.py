"""The verdict over the values of a parameter."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import DRIVER, GONE, Number, likely, number_of
from ecgphoton.hwsim.effects.supply import LASER
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.hwsim.unused import giving, refuse_unused
from ecgphoton.hwsim.verdict import SimulationReport
from ecgphoton.hwsim.weights import FULL_SCALE
from ecgphoton.progress import Steps, silent

POINTS = 1001
"""Largest number of points of a sweep."""
UNNAMED = "ideal"
"""Profile of the chips of which a key changes, where none is named."""
NOISE = Number(
    "Static error of every weight and bias, and noise of every reading.", 0.8, "of full scale"
)
"""The parameter of the weights level; what is solved for is searched for up to there."""


@dataclass(frozen=True)
class Sweep:
    """A parameter and the values it takes."""

    parameter: str
    """``noise``, or a key of a profile such as ``splitter.sigma``."""
    values: tuple[float, ...]


def parameter(name: str) -> Number:
    """Return the declaration of what can be swept and solved for: ``noise`` or a profile's key.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        return NOISE if name == "noise" else number_of(name)
    except InputError:
        if name in (*DRIVER, *GONE):
            raise
        advice = likely(name, noise=NOISE.meaning)
        raise InputError(f"{name!r} cannot be swept or solved for; {advice}") from None


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
    number = parameter(name := name.strip())
    try:
        if ":" in values:
            first, last, count = values.split(":")
            points = np.linspace(float(first), float(last), int(count))
            if len(points) == 1 and float(first) != float(last):
                raise wrong  # one point is not both of them
        else:
            points = np.array([float(value) for value in values.split(",")])
    except ValueError:
        raise wrong from None
    if not 1 <= len(points) <= POINTS:
        raise InputError(f"sweep {text!r} has {len(points)} values; it needs 1 to {POINTS}")
    if len({*points}) < len(points):
        raise InputError(f"sweep {text!r} has a value twice; give every value once")
    if number is NOISE:
        number = replace(number, largest=FULL_SCALE)
    try:
        for point in points:
            number.check(name, float(point))
    except InputError as error:
        raise InputError(f"sweep {text!r} cannot be computed: {error}") from None
    return Sweep(name, tuple(float(f"{point + 0.0:.12g}") for point in points))


def _bands(report: SimulationReport) -> dict[str, Any]:
    """Return the yield and the bands of the metrics as a row."""
    low, high = report.interval
    return {
        "yield": report.observed_yield,
        "yield_low": low,
        "yield_high": high,
        "verdict": "pass" if report.passed else "fail",
        "proven": report.proven,
        **{
            f"{metric}_{name}": number
            for metric, found in report.summary().items()
            for name, number in found.items()
        },
    }


@dataclass(frozen=True, eq=False)
class SweepReport:
    """A `SimulationReport` for every value."""

    sweep: Sweep
    reports: tuple[SimulationReport, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row a value: yield with interval, and the percentile band of every metric."""
        pairs = zip(self.sweep.values, self.reports, strict=True)
        return [{self.sweep.parameter: value, **_bands(report)} for value, report in pairs]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        first = self.reports[0]
        return {
            "parameter": self.sweep.parameter,
            "without_effect": unmoved(self.reports),
            "unit": parameter(self.sweep.parameter).unit,
            "chips": first.chips,
            "limits": asdict(first.limits),
            "rows": self.rows(),
        }


def refuse_twice(name: str, noise: float | None, settings: Sequence[str]) -> None:
    """Refuse a value of the parameter that changes: it would not be used."""
    given = giving(name, settings)
    given += ["--noise"] * (name == "noise" and noise is not None)
    if given:
        raise InputError(f"{given[0]} is given for {name}, which changes here; leave it out")


def unmoved(reports: Sequence[SimulationReport]) -> bool:
    """Whether several values were tried and every chip has the same rates at all of them."""
    first, *others = reports
    return bool(others) and all(
        np.array_equal(getattr(first, name), getattr(other, name), equal_nan=True)
        for other in others
        for name in ("miss", "fpr", "auc")
    )


def nothing_moves(name: str) -> str:
    """Return the warning of a parameter for which `unmoved` is true."""
    return (
        f"{name} changes no rate of any chip at the values tried: it is too small to change a "
        "decision of this program"
    )


Judge = Callable[[float], SimulationReport]
"""Returns the verdict at a value of a parameter."""


def simulated(name: str, *subject: Any, **settings: Any) -> Judge:  # noqa: ANN401 - as `simulate`
    """Return the verdict on chips as they are, with one parameter of `simulate` set.

    Raises
    ------
    InputError
        If a setting is for that parameter, or it or the parameter changes nothing of the chips.
    """
    texts = settings.get("settings", ())
    refuse_twice(name, settings.get("noise"), texts)
    if name == "noise":
        return lambda value: simulate(*subject, **settings | {"noise": value})
    chosen = load_profile(settings.get("profile") or UNNAMED).with_settings(texts)
    refuse_unused(chosen, texts, moving=name, read=(LASER,))  # whose budget has a silent receiver

    def judge(value: float) -> SimulationReport:
        changed = {"profile": chosen.with_value(name, value), "settings": ()}
        return simulate(*subject, **settings | changed)

    return judge


def run_sweep(
    sweep: Sweep,
    *subject: Any,  # noqa: ANN401 - the positional arguments of simulate
    judge: Judge | None = None,
    progress: Steps = silent,
    **settings: Any,  # noqa: ANN401 - its keyword arguments
) -> SweepReport:
    """Simulate every value of a sweep, the same chips at each (common random numbers).

    Parameters
    ----------
    subject, settings
        As `ecgphoton.hwsim.simulate.simulate` takes them.
    judge
        What gives the verdict at a value instead of `simulate`.
    """
    judge, reports = judge or simulated(sweep.parameter, *subject, **settings), []
    for done, value in enumerate(sweep.values):
        reports.append(judge(value))
        progress(done + 1, len(sweep.values))
    return SweepReport(sweep, tuple(reports))

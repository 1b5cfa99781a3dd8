"""How large every error of a profile may be: alone and all together, before and after calibration.

The sizes of a profile are scaled by a factor, and the largest factor is sought at which enough
chips pass. The same chips are used at every factor. Factors are doubled or halved until one passes
and one fails, then bisected on a logarithmic scale, widths of converters to the bit.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from ecgphoton.calibration.campaign import calibrate_chips
from ecgphoton.calibration.report import AFTER
from ecgphoton.errors import InputError
from ecgphoton.hwsim.distributed import computed
from ecgphoton.hwsim.effects import EFFECTS, Number
from ecgphoton.hwsim.meshchips import coded_for
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.requirement import MOST, solve
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.hwsim.unused import unused
from ecgphoton.hwsim.verdict import Limits, SimulationReport
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Steps, silent
from ecgphoton.settings import nearest

ALL = "all together"
"""The row in which every size of the profile is scaled by one factor."""
State = Literal["uncalibrated", "calibrated"]
STATES: tuple[State, ...] = get_args(State)


def number_for(key: str) -> Number:
    """Return the declaration of a parameter; of `ALL` that of a factor."""
    return Number("One factor on all sizes.", MOST) if key == ALL else EFFECTS[key].number


def times(number: Number, value: float, factor: float) -> float:
    """Return the value of a size that is so many times as large, within what is allowed."""
    least, most = number.least, number.largest
    return min(max(number.at_size(factor * number.size(value)), least), most)


@dataclass(frozen=True)
class Line:
    """The requirement on one parameter, or on all together."""

    parameter: str
    state: State
    unit: str
    stated: float
    """Size in the profile; 1 for all together."""
    chips: int
    """Chips at every size."""
    value: float | None
    """Worst size that passes; None if none tried does."""
    failing: float | None
    """Best size that fails; None if none tried does."""
    share: float | None
    """Share of chips that pass at `value`; None where there is no value."""
    low: float | None
    """Lower end of the interval of `share`."""
    high: float | None
    """Upper end of the interval of `share`."""

    @property
    def ratio(self) -> float | None:
        """How many times as large the error may be; of a resource, how many times as scarce.

        Of a level in dB that of the amplitude.
        Below 1 the process as stated is not good enough.
        """
        if self.value is None:
            return None
        key = self.parameter
        number = number_for(key)
        stated, value = number.size(self.stated), number.size(self.value)
        return stated / value if number.better == "more" else value / stated

    def row(self) -> dict[str, Any]:
        """Plain values for a table."""
        row = {**vars(self), "ratio": self.ratio}
        row["yield"] = row.pop("share")
        return row


@dataclass(frozen=True, eq=False)
class Sheet:
    """Everything that a line of a requirement sheet is computed from."""

    subject: tuple[Any, ...]
    """Student or program, beats, labels and threshold, as `simulate` takes them."""
    profile: Profile
    keys: tuple[str, ...]
    """Parameters, in order, and `ALL`."""
    states: tuple[State, ...] = STATES
    chips: int = 20
    seed: int = 0
    precision: float = 0.15
    """Relative width of a factor at which a search stops."""
    limits: Limits = Limits()  # noqa: RUF009 - frozen

    @property
    def tasks(self) -> tuple[tuple[str, State], ...]:
        """Parameter and state of every line."""
        return tuple((key, state) for key in self.keys for state in self.states)

    def stated(self, key: str) -> float:
        """Return the size in the profile."""
        return 1.0 if key == ALL else self.profile[key]

    def at(self, key: str, value: float) -> Profile:
        """Return the profile with one error of this size alone, or all scaled by it.

        What is better where it is larger stays where all are scaled.
        """
        if key != ALL:
            return self.profile.only(EFFECTS[key]).with_value(key, value)
        scaled = {
            effect.name: times(effect.number, self.profile[effect.name], value)
            for effect in self.profile.active
            if effect.error and effect.number.better == "less"
        }
        return replace(self.profile, numbers={**self.profile.stated, **scaled})

    def alone(self, key: str) -> "Sheet":
        """Return the sheet whose program has the codes for one error alone."""
        carried, *beats = self.subject
        if key == ALL or not isinstance(carried, MeshProgram):
            return self
        return replace(self, subject=(coded_for(carried, EFFECTS[key]), *beats))

    def judged(self, profile: Profile, state: State) -> SimulationReport:
        """Return the verdict on chips of a profile in one state."""
        if state == "uncalibrated":
            return simulate(
                *self.subject,
                profile=profile,
                chips=self.chips,
                seed=self.seed,
                **asdict(self.limits),
            )
        report = calibrate_chips(
            *self.subject, profile=profile, chips=self.chips, seed=self.seed, limits=self.limits
        )
        return report.stages[AFTER]

    def line(self, task: int) -> Line:
        """Compute a line."""
        key, state = self.tasks[task]
        number, stated, alone = number_for(key), self.stated(key), self.alone(key)
        found = solve(
            key,
            judge=lambda value: alone.judged(self.at(key, value), state),
            number=number,
            start=stated,
            largest=times(number, stated, 2 if number.better == "more" else MOST),
            precision=self.precision,
        )
        report = found.report
        shares = (None,) * 3 if report is None else (report.observed_yield, *report.interval)
        sizes = (None if v is None else float(v) for v in (found.value, found.failing))
        return Line(key, state, number.unit, stated, self.chips, *sizes, *shares)


def idle(profile: Profile, program: MeshProgram) -> tuple[str, ...]:
    """Return the errors of a profile that change no reading while they are alone.

    Drift is one of them as long as ``time.hours`` is 0, and what a receiver does not have.
    """
    errors = (effect for effect in profile.active if effect.error)
    return tuple(key for one in errors for key in unused(profile.only(one), [one.name], program))


def parameters_of(profile: Profile, keys: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the errors that a profile states, or those of them that were asked for, and `ALL`.

    Raises
    ------
    InputError
        If one asked for is no error of the profile, or there is none.
    """
    known = tuple(effect.name for effect in profile.active if effect.error)
    if not known:
        raise InputError(f"the profile {profile.name!r} states no error, so nothing is required")
    for key in keys:
        if key not in (*known, ALL):
            offered = nearest(key, (*known, ALL))
            raise InputError(f"{key!r} is no error of the profile {profile.name!r}; {offered}")
    return tuple(dict.fromkeys(keys)) or (*known, ALL)


def lines_of(sheet: Sheet, *, workers: int = 1, progress: Steps = silent) -> tuple[Line, ...]:
    """Compute all lines of a sheet, on one thread or on several processes."""
    found = []
    for line in computed(sheet.line, len(sheet.tasks), workers=workers, threads=1):
        found.append(line)
        progress(len(found), len(sheet.tasks))
    return tuple(found)

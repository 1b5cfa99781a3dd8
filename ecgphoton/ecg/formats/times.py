"""Times of samples: which columns hold them, in which unit, and the rate that they give."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.recording import unit_name
from ecgphoton.errors import InputError

SECONDS = {
    f"{name}{plural}": seconds
    for names, seconds in (
        ("s sec second", 1.0), ("ms msec millisecond", 1e-3), ("us usec microsecond", 1e-6),
        ("ns nsec nanosecond", 1e-9), ("min minute", 60.0), ("h hr hour", 3600.0),
    )
    for name in names.split()
    for plural in ("", "s")
}  # fmt: skip
_ALONE = "|".join(name for name, seconds in SECONDS.items() if seconds <= 1)
_NAME = re.compile(
    r"(?:elapsed )?(?:(?:time|t|timestamp|zeit|temps|tiempo|tempo|tijd)[\s_]*"
    rf"[\[(]?({'|'.join(SECONDS)})?[\])]?|({_ALONE}))"
)
CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
DAY = 86_400
"""Seconds."""
ROUNDED = 1e-3
"""Seconds to which times may be rounded."""
_EVEN = "resample it to even steps, with empty cells where nothing was measured"
_FITTING = f"where they are rounded, give the --fs that fits them; if samples are missing, {_EVEN}"
_BEGINNING = 1000
"""Samples that decide whether a whole column is looked at."""
_OTHERS = 0.1
"""Share of the steps of an axis that may be others, where lines are missing."""


def words_of(cells: NDArray[Any]) -> list[str]:
    """Return a column as text without quotes and brackets, unless it is nothing else."""
    words = [str(cell).strip() for cell in cells.tolist()]
    return [word.strip("'\"[]").strip() or word for word in words]


def is_time(name: str) -> bool:
    """Whether a column of this name holds times.

    Examples
    --------
    >>> [is_time(name) for name in ("Time [ms]", "timestamp", "time_\u00b5s", "seconds", "V5")]
    [True, True, True, True, False]
    """
    return _NAME.fullmatch(_plain(name)) is not None


def holds_times(cells: NDArray[Any]) -> bool:
    """Whether a column of text begins with a clock time, or with a date and a time."""
    first = "" if cells.dtype.kind in "iuf" else "".join(words_of(cells[:1]))
    return bool(CLOCK.fullmatch(first) or (DATE.match(first) and len(first) > len("2019-03-01")))


def _plain(text: str) -> str:
    return unit_name(text).casefold()


def seconds_of(name: str, unit: str, cells: NDArray[Any]) -> NDArray[np.float64]:
    """Return a column of times in seconds.

    Its name or unit may state ms, us, ns, min or h. Clock times (h:mm:ss.s) may pass midnight;
    dates are those of ISO 8601.

    Raises
    ------
    ValueError
        If a cell is neither, or the unit is none of time.
    """
    if cells.dtype.kind in "iuf":
        found = _NAME.fullmatch(_plain(name))
        said = (found and (found[1] or found[2])) or _plain(unit)
        if said and said not in SECONDS:
            raise ValueError(f"{unit!r} is no unit of time; known are s, ms, us, ns, min and h")
        return np.asarray(cells, np.float64) * SECONDS.get(said, 1.0)
    words = words_of(cells)
    if words and DATE.match(words[0]):
        dates = map(datetime.fromisoformat, words)
        return np.array([date.replace(tzinfo=date.tzinfo or UTC).timestamp() for date in dates])
    clocks = [CLOCK.fullmatch(word) for word in words]
    if None in clocks:
        strange = [word for word, clock in zip(words, clocks, strict=True) if clock is None]
        no_number = [word for word in strange if not word.replace(".", "", 1).isdecimal()]
        raise ValueError(f"{(no_number or strange)[0]!r} is no time")
    clock = np.array(
        [3600 * int(at[1] or 0) + 60 * int(at[2]) + float(at[3]) for at in clocks if at is not None]
    )
    midnights = np.cumsum(np.diff(clock, prepend=clock[:1]) < -DAY / 2)
    return np.asarray(clock + DAY * midnights, np.float64)


def rate_of(path: Path, name: str, seconds: NDArray[np.float64]) -> float:
    """Return the samples a second from their times, which must be even.

    It is a whole number where times that are rounded to a millisecond cannot tell it from one.

    Raises
    ------
    InputError
        If the times do not rise by even steps, or are no seconds.
    """
    steps = np.diff(seconds)
    usual = float(np.median(steps)) if len(steps) else 0.0
    if not usual > 0 or not np.isfinite(seconds).all():
        raise InputError(f"{path}: the times in column {name} do not rise; {_FITTING}")
    lasts = float(seconds[-1] - seconds[0])
    mean = lasts / len(steps)
    if abs(mean / usual - 1) > 0.2 or (np.abs(steps - mean) > 0.5 * mean + ROUNDED).any():
        raise InputError(
            f"{path}: the times in column {name} repeat; {_FITTING}"
            if (steps == 0).any()
            else f"{path}: samples are missing between its times; {_EVEN}"
        )
    rate = 1 / mean
    if rate < 1:
        raise InputError(
            f"{path}: read as seconds, the times in column {name} give {rate:g} Hz; name the "
            "column with its unit, such as time (ms)"
        )
    whole = float(round(rate))
    return whole if abs(rate / whole - 1) <= 1.01 * ROUNDED / lasts else rate


def rounded(seconds: NDArray[np.float64], fs: float) -> bool:
    """Whether times repeat, because they are rounded, and are those of samples at a rate."""
    steps = np.diff(seconds)
    unit = steps.min(initial=np.inf, where=steps > 0)
    apart = seconds - np.arange(len(seconds)) / fs
    known = np.isfinite(unit) and (steps == 0).any() and (steps >= 0).all()
    return bool(known and np.ptp(apart) <= unit + ROUNDED)


def rises_evenly(values: NDArray[np.number]) -> bool:
    """Whether samples are an axis of times or numbers: they rise by even steps to the end."""
    for part in (values[:_BEGINNING], values):
        steps = np.diff(part.astype(np.float64))
        if len(steps) < 2 or not (np.abs(steps - steps.mean()) < 0.5 * steps.mean()).all():
            return False
    return True


def check_lines(path: Path, name: str, values: NDArray[np.number]) -> None:
    """Refuse an axis without some of its lines: nearly all of its steps are one.

    A counter that begins again at its smallest value lacks none, nor does a clock whose steps are
    late and early in turn.

    Raises
    ------
    InputError
        If lines are missing.
    """
    for part in (values[:_BEGINNING], values):
        steps = np.diff(part.astype(np.float64))
        usual = float(np.median(steps)) if len(steps) else 0.0
        at = np.flatnonzero(~(np.abs(steps - usual) < 0.5 * usual))
        if not usual > 0 or len(at) > _OTHERS * len(steps):
            return
    apart = steps[at] - usual
    lasting = abs(apart.sum()) > 0.5 * np.abs(apart).sum()
    if lasting and (values[at + 1] > values.min()).any():
        raise InputError(
            f"{path}: lines are missing between the times or sample numbers in column {name!r}; "
            f"{_EVEN}"
        )


def check_axis(path: Path, name: str, values: NDArray[np.number], fs: float | None) -> bool:
    """Return whether an axis without a known name holds sample numbers.

    Raises
    ------
    InputError
        If there is no rate, or the steps are neither samples nor times at it.
    """
    step = float(values[-1] - values[0]) / (len(values) - 1)
    steps = () if fs is None else (1, *(scale / float(fs) for scale in (1, 1e3, 1e6, 1e9)))
    if not any(abs(step / expected - 1) < 0.01 for expected in steps):
        raise InputError(
            f"{path}: column {name} rises by {step:g} a line: times or sample numbers, no lead"
            + (f", and no times at {fs:g} Hz" if fs else "")
            + "; name it (time (s), time (ms)), or give the --fs that fits"
        )
    return abs(step - 1) < 0.01

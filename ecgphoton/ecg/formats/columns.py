"""Columns of numbers: what the caller says of files that do not state it, and NumPy files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.formats.heading import Heading
from ecgphoton.ecg.formats.times import (
    check_axis,
    check_lines,
    holds_times,
    is_time,
    rate_of,
    rises_evenly,
    rounded,
    seconds_of,
)
from ecgphoton.ecg.recording import (
    LARGEST_RECORDING,
    Beginning,
    Channel,
    HeldRecording,
    millivolts,
    unit_name,
    units_in,
)
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, read_array, read_arrays
from ecgphoton.settings import convert, hints_of
from ecgphoton.wording import count

_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")
NO_SAMPLE = -(2**15)
"""What WFDB stores, and programs that read it write, where nothing was measured.

Samples of more than 16 bits, among which are smaller ones, have it as a value."""


@dataclass(frozen=True)
class Hints:
    """Rate, unit and column of a text or NumPy file."""

    fs: float | None = None
    """Hz."""
    unit: str | None = None
    """Of the samples: V, mV, uV or nV."""
    column: str | None = None
    """Name of the column to read, or its number in the file, from 0."""

    def __post_init__(self) -> None:
        for name, kind in hints_of(Hints).items():
            object.__setattr__(self, name, convert(getattr(self, name), kind, name))
        if self.fs is not None and not 0 < self.fs < 1e6:
            raise InputError(f"fs is {self.fs!r}; give the samples a second, above 0")
        if self.unit is not None and millivolts(self.unit) is None:
            raise InputError(f"unit {self.unit!r} is not a voltage; give V, mV, uV or nV")

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the values that are given."""
        return tuple(name for name in ("fs", "unit", "column") if getattr(self, name) is not None)


def from_columns(
    path: Path,
    form: str,
    columns: Mapping[str, NDArray[Any]],
    units: Mapping[str, str],
    stated: Heading,
    hints: Hints,
    remarks: Sequence[str] = (),
) -> HeldRecording:
    """Make a recording of columns.

    Columns of times, by their names or else by clock times and dates in them, give the rate. A
    column of any other name that rises evenly is an axis, not a lead, and must not contradict it.

    Parameters
    ----------
    columns
        Samples by the name of their column, NaN where missing; those of times may be text.
    units
        By the same names; empty where the file does not state it.
    stated
        Rate and unit that the file states besides.
    hints
        Values given by the caller. They complete the file and must not contradict it.
    remarks
        Notes on what of the file was not read.

    Raises
    ------
    InputError
        If nothing gives the rate, a hint contradicts the file, there is no such column, or it holds
        something else than numbers.
    """
    times = [
        name
        for at, name in enumerate(columns)
        if len(columns) > 1 and is_time(name) and (at == 0 or len(name) > 1)
    ]
    times = times or [name for name, cells in columns.items() if holds_times(cells)]
    rates, begins, notes = dict[str, float](), dict[str, float](), [*remarks]
    given = {} if hints.fs is None else {"--fs": hints.fs}
    nominal = next(iter((given | stated.rate).values()), None)
    for name in times:
        with expecting(f"{path}: column {name}", "a column of times", "correct it"):
            seconds = seconds_of(name, units[name], columns[name])
        if nominal is not None and rounded(seconds, nominal):
            notes.append(f"{path.name}: times in column {name} are rounded; {nominal:g} Hz fits")
        else:
            rates[f"the times in column {name}"] = rate_of(path, name, seconds)
        begins.setdefault("time", float(seconds[0]))
    names = [name for name in columns if name not in times]
    chosen = names if hints.column is None else [_asked(path, list(columns), times, hints.column)]
    rates |= stated.rate | given
    source, rate = next(iter(rates.items()), ("", None))
    for name in names if len(columns) > 1 else ():
        if columns[name].dtype.kind not in "iuf":
            continue
        if rises_evenly(columns[name]):
            if check_axis(path, name, columns[name], rate):
                begins.setdefault("number", float(columns[name][0]))
            chosen = [one for one in chosen if one != name or hints.column is not None]
        elif name == names[0] and hints.column is None:
            check_lines(path, name, columns[name])
    if rate is None:
        raise InputError(
            f"{path} does not state its sampling rate{_unclear(stated.no_rate)}; give it: --fs 250 "
            "(fs=250)"
        )
    if not 0 < rate < 1e6:
        raise InputError(f"{path} states a sampling rate of {rate:g} Hz; check it")
    for other, one in rates.items():
        if abs(one / rate - 1) > 0.01:
            raise InputError(
                f"{path} states a sampling rate of {rate:g} Hz by {source}, not {one:g} Hz by "
                f"{other}; {'leave --fs out, or ' * (other in given)}correct the file"
            )
    if source in stated.rate and stated.lines:  # an array of rates needs no note
        notes.append(f"{path.name}: {rate:g} Hz by {source}")
    if not chosen:
        raise InputError(f"{path} holds times or sample numbers alone; check its columns")
    channels, values = [], []
    apart = {unit_name(units[name]) for name in chosen} & {"", *stated.unit.values()}
    for name in chosen:
        unit, source = _unit(path, name, units[name], stated, hints, apart=bool(apart))
        if source in stated.unit:
            notes.append(f"{path.name}: {unit} by {source}")
        advice = "correct it, or name the column to read (--column)"
        with expecting(f"{path}: column {name}", "a column of numbers", advice):
            numbers = columns[name]
            if numbers.dtype.kind not in "iuf":
                texts = [one for one in map(str, numbers.tolist()) if "." in one]
                if texts and all(map(_THOUSANDS.fullmatch, texts)):
                    raise ValueError(f"{texts[0]} may be thousands: other columns have commas")
                numbers = np.asarray(numbers, np.float64)
        factor = np.float32(millivolts(unit or "mV") or 1.0)
        with np.errstate(over="ignore"):  # what single precision does not hold is missing below
            value = numbers.astype(np.float32) * factor
        known = np.isfinite(value)
        coded = numbers == NO_SAMPLE
        if coded.any() and not (numbers < NO_SAMPLE).any():
            notes.append(
                f"{path.name}: {count(int(coded.sum()), 'sample')} of {NO_SAMPLE} in {name} missing"
            )
            known &= ~coded
        values.append(np.where(known, value, np.float32(np.nan)))
        channels.append(Channel(name, unit, rate, len(values[-1])))
    return HeldRecording(
        path, form, tuple(channels), (path,), notes=tuple(dict.fromkeys(notes)),
        begins=Beginning(**begins), values=tuple(values),
    )  # fmt: skip


def _unit(
    path: Path, name: str, own: str, stated: Heading, hints: Hints, *, apart: bool
) -> tuple[str, str]:
    """Return the unit of a column and what gives it; empty where nothing does.

    With `apart`, the lines above are about other columns than one that states a unit.

    Raises
    ------
    InputError
        If two units are given for it, or one is stated in a form that is not read.
    """
    inside = units_in(name)
    own = unit_name(own) or "".join(inside[:1])
    found = {"its column": own} if own else {}
    found |= stated.unit if not own or (millivolts(own) is not None and not apart) else {}
    found |= {"its name": inside[-1]} if inside and inside[-1] != own else {}
    found |= {"--unit": unit_name(hints.unit)} if hints.unit is not None else {}
    source, unit = next(iter(found.items()), ("", ""))
    for other, one in found.items():
        if one != unit:
            raise InputError(
                f"{path} gives {name} in {unit} by {source}, not in {one} by {other}; "
                f"{'leave --unit out, or ' * (other == '--unit')}correct the file"
            )
    if not unit and stated.no_unit:
        raise InputError(
            f"{path} does not state the unit of {name}{_unclear(stated.no_unit)}; give it: --unit "
            "mV (unit='mV')"
        )
    return unit, source


def _unclear(lines: Sequence[str]) -> str:
    """Return which lines speak of what is not stated."""
    return f" in a form that is read: {'; '.join(lines)}" if lines else ""


def _asked(path: Path, names: Sequence[str], times: Sequence[str], column: str) -> str:
    """Return the name of the column asked for by name, or by its number in the file."""
    known = [name for name in names if name.casefold() == column.casefold()]
    if column.isdigit() and not known and int(column) < len(names):
        known = [names[int(column)]]
    if len(known) != 1 or known[0] in times:
        raise InputError(
            f"{path} has no column of samples {column!r}; its columns are "
            + ", ".join(f"{i}: {name}" for i, name in enumerate(names))
        )
    return known[0]


def open_numpy(path: Path, hints: Hints) -> HeldRecording:
    """Open ``.npy`` (``(samples,)`` or ``(samples, leads)``) or ``.npz``.

    An npz file has the array ``signal``, and may have ``fs`` (Hz), ``unit`` and ``leads`` (names);
    or one array of samples for each lead, under the lead's name.

    Raises
    ------
    InputError
        If the file is damaged, is not of that form, or neither the file nor a hint states its rate.
    """
    if path.suffix.lower() == ".npy":
        stored: dict[str, Any] = {"signal": read_array(path, "a NumPy file", LARGEST_RECORDING)}
    else:
        stored = read_arrays(path, "a NumPy file", LARGEST_RECORDING)
    about = {name: stored.pop(name) for name in ("fs", "unit", "leads") if name in stored}
    signal = stored.pop("signal", None)
    names = [str(name) for name in np.atleast_1d(about["leads"])] if "leads" in about else []
    left = [] if signal is None else [f"{path.name}: array {name} is not read" for name in stored]
    advice = "store `signal` as (samples, leads), with `fs`, and perhaps `unit` and `leads`"
    with expecting(path, "a recording", advice):
        rate = {"its array fs": _rate(about["fs"])} if "fs" in about else {}
        if signal is None:
            for name, one in stored.items():
                _check_samples(name, one)
            sizes = {name: len(one) for name, one in stored.items()}
            if len({*sizes.values()}) != 1:
                raise ValueError(f"its arrays have different lengths: {sizes}")
            names, signal = list(stored), np.column_stack(list(stored.values()))
        _check_samples("signal", signal)
        if not signal.size:
            raise ValueError("it holds no samples")
        signal = signal.reshape(len(signal), -1)
        rows, leads = signal.shape
        if not 0 < leads < rows:
            raise ValueError(f"it holds {leads} leads of {rows} samples; is it turned?")
        if names and len(names) != leads:
            raise ValueError(f"it names {len(names)} leads for {leads} columns")
        if len(set(names)) != len(names):
            raise ValueError(f"it names two leads alike: {', '.join(names)}")
        units = np.atleast_1d(about.get("unit", "")).astype(str).tolist()
        if len(units) not in (1, leads):
            raise ValueError(f"it names {len(units)} units for {leads} columns")
    columns = {names[i] if names else f"channel {i}": signal[:, i] for i in range(leads)}
    stated = dict(zip(columns, units * (leads // len(units)), strict=True))
    return from_columns(path, "NumPy", columns, stated, Heading(rate), hints, left)


_WORDS = {"b": "truth values", "c": "complex numbers", "S": "text", "U": "text"}


def _check_samples(name: str, values: NDArray[Any]) -> None:
    """Raise ValueError unless an array holds numbers on one or two axes."""
    if values.dtype.kind not in "iuf":
        found = _WORDS.get(values.dtype.kind, str(values.dtype))
        raise ValueError(f"its array {name} holds {found}, not numbers")
    if values.ndim not in (1, 2):
        found = f"has {values.ndim} axes" if values.ndim else "is a single number"
        raise ValueError(f"its array {name} {found}; it must have one axis, or two")


def _rate(stored: NDArray[Any]) -> float:
    """Return the one number of an array of any shape; ValueError if there is none, or several."""
    values = stored.ravel()
    try:
        return float(values[0] if len(values) == 1 else stored)
    except (TypeError, ValueError) as error:
        found = repr(values[0].item()) if len(values) == 1 else f"{len(values)} values"
        raise ValueError(f"its fs is {found}; it must be one number, Hz") from error

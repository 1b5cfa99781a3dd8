"""Columns of numbers: what the caller says of files that do not state it, and NumPy files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.recording import (
    LARGEST_RECORDING,
    Channel,
    HeldRecording,
    millivolts,
    unit_name,
)
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, read_array, read_arrays


@dataclass(frozen=True)
class Hints:
    """Rate, unit and column of a text or NumPy file."""

    fs: float | None = None
    """Hz."""
    unit: str | None = None
    """Of the samples: V, mV, uV or nV."""
    column: str | None = None
    """Name of the column to read, or its number from 0."""

    def __post_init__(self) -> None:
        if self.fs is not None and not 0 < self.fs < 1e6:
            raise InputError(f"fs is {self.fs!r}; give the samples a second, above 0")
        if self.unit is not None and millivolts(self.unit) is None:
            raise InputError(f"unit {self.unit!r} is not a voltage; give V, mV, uV or nV")

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the values that are given."""
        return tuple(name for name in ("fs", "unit", "column") if getattr(self, name) is not None)


def rises_evenly(values: NDArray[np.floating]) -> bool:
    """Whether samples are an axis of times or numbers: they rise by even steps to the end."""
    steps = np.diff(values.astype(np.float64))
    return len(steps) > 1 and bool((np.abs(steps - steps.mean()) < 0.5 * steps.mean()).all())


def check_axis(path: Path, name: str, values: NDArray[np.floating], fs: float | None) -> None:
    """Refuse an axis without a known name whose steps are not those of the rate that is given.

    Raises
    ------
    InputError
        If no rate is given, or the steps are neither samples, seconds nor milliseconds at it.
    """
    step = float(values[-1] - values[0]) / (len(values) - 1)
    steps = () if fs is None else (1, 1 / float(fs), 1e3 / float(fs))
    if not any(abs(step / expected - 1) < 0.01 for expected in steps):
        raise InputError(
            f"{path}: column {name} rises by {step:g} a line: times or sample numbers, no lead"
            + (f", and no times at {fs:g} Hz" if fs else "")
            + "; name it (time (s), time (ms)) in a text file, or give the --fs that fits"
        )


def from_columns(
    path: Path,
    form: str,
    columns: Mapping[str, NDArray[np.number]],
    units: Mapping[str, str],
    fs: float | None,
    hints: Hints,
    remarks: Sequence[str] = (),
) -> HeldRecording:
    """Make a recording of columns of numbers.

    Parameters
    ----------
    columns
        Samples by the name of their column, NaN where missing.
    units
        By the same names; empty where the file does not state it.
    fs
        Hz, where the file states it.
    hints
        Values given by the caller. They complete the file and must not contradict it.
    remarks
        Notes on what of the file was not read.

    Raises
    ------
    InputError
        If nothing gives the rate, a hint contradicts the file, or there is no such column.
    """
    rate = fs if fs is not None else hints.fs
    if rate is None:
        raise InputError(f"{path} does not state its sampling rate; give it: --fs 250 (fs=250)")
    if hints.fs is not None and abs(hints.fs / rate - 1) > 0.01:
        raise InputError(f"{path} states a sampling rate of {rate:g} Hz, not {hints.fs:g} Hz")
    if not 0 < rate < 1e6:
        raise InputError(f"{path} states a sampling rate of {rate:g} Hz; check it")
    names = list(columns)
    if hints.column is not None:
        known = [name for name in names if name.casefold() == hints.column.casefold()]
        if hints.column.isdigit() and not known and int(hints.column) < len(names):
            known = [names[int(hints.column)]]
        if len(known) != 1:
            raise InputError(
                f"{path} has no column {hints.column!r}; its columns are "
                + ", ".join(f"{i} {name}" for i, name in enumerate(names))
            )
        names = known
    channels, values = [], []
    for name in names:
        stated = unit_name(units[name])
        if hints.unit is not None and stated and unit_name(hints.unit) != stated:
            raise InputError(f"{path} gives {name} in {stated}, not in {hints.unit}")
        unit = stated or unit_name(hints.unit or "")
        factor = np.float32(millivolts(unit or "mV") or 1.0)
        with np.errstate(over="ignore"):  # what single precision does not hold is missing below
            value = columns[name].astype(np.float32) * factor
        values.append(np.where(np.isfinite(value), value, np.float32(np.nan)))
        channels.append(Channel(name, unit, rate, len(values[-1])))
    return HeldRecording(
        path, form, tuple(channels), (path,), notes=tuple(remarks), values=tuple(values)
    )


def open_numpy(path: Path, hints: Hints) -> HeldRecording:
    """Open ``.npy`` (``(samples,)`` or ``(samples, leads)``) or ``.npz``.

    An npz file has the array ``signal``, and may have ``fs`` (Hz), ``unit`` and ``leads`` (names);
    or one array of samples for each lead, under the lead's name; a first array that rises evenly
    is an axis of times or sample numbers, not a lead.

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
        rate = _rate(about["fs"]) if "fs" in about else None
        if signal is None:
            for name, one in stored.items():
                _check_samples(name, one)
            first = next(iter(stored), "")
            if len(stored) > 1 and stored[first].ndim == 1 and rises_evenly(stored[first]):
                check_axis(path, first, stored.pop(first), hints.fs if rate is None else rate)
            sizes = {name: len(one) for name, one in stored.items()}
            if len({*sizes.values()}) != 1:
                raise ValueError(f"its arrays have different lengths: {sizes}")
            names, signal = list(stored), np.column_stack(list(stored.values()))
        _check_samples("signal", signal)
        signal = signal.reshape(len(signal), -1)
        rows, leads = signal.shape
        if not 0 < leads < rows:
            raise ValueError(f"it holds {leads} leads of {rows} samples; is it turned?")
        if names and len(names) != leads:
            raise ValueError(f"it names {len(names)} leads for {leads} columns")
        units = np.atleast_1d(about.get("unit", "")).astype(str).tolist()
        if len(units) not in (1, leads):
            raise ValueError(f"it names {len(units)} units for {leads} columns")
    columns = {names[i] if names else f"channel {i}": signal[:, i] for i in range(leads)}
    stated = dict(zip(columns, units * (leads // len(units)), strict=True))
    return from_columns(path, "NumPy", columns, stated, rate, hints, left)


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

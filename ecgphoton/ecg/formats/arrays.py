"""NumPy files: an array of samples, or an npz file of one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.ecg.formats.hints import Hints, check_axis, from_columns, rises_evenly
from ecgphoton.ecg.recording import LARGEST_RECORDING, HeldRecording
from ecgphoton.errors import InputError
from ecgphoton.intake import read_array, read_arrays


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
        return _opened(path, {"signal": read_array(path, "a NumPy file", LARGEST_RECORDING)}, hints)
    return _opened(path, read_arrays(path, "a NumPy file", LARGEST_RECORDING), hints)


def _opened(path: Path, stored: dict[str, Any], hints: Hints) -> HeldRecording:
    about = {name: stored.pop(name) for name in ("fs", "unit", "leads") if name in stored}
    signal = stored.pop("signal") if "signal" in stored else None
    names = [str(name) for name in np.atleast_1d(about["leads"])] if "leads" in about else []
    left = [] if signal is None else [f"{path.name}: array {name} is not read" for name in stored]
    try:
        if signal is None:
            first = next(iter(stored), "")
            if len(stored) > 1 and stored[first].ndim == 1 and rises_evenly(stored[first]):
                check_axis(path, first, stored.pop(first), about.get("fs", hints.fs))
            names, signal = list(stored), np.column_stack(list(stored.values()))
        if signal.ndim == 1:
            signal = signal[:, None]
        rows, leads = signal.shape
        if signal.dtype.kind not in "iuf" or not 0 < leads < rows:
            raise ValueError(f"it holds {signal.dtype} of shape {signal.shape}")
        if names and len(names) != leads:
            raise ValueError(f"it names {len(names)} leads for {leads} columns")
        rate = float(about["fs"]) if "fs" in about else None
        units = np.atleast_1d(about.get("unit", "")).astype(str).tolist()
        if len(units) not in (1, leads):
            raise ValueError(f"it names {len(units)} units for {leads} columns")
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no recording: {error}; store `signal` as (samples,) or (samples, leads), "
            "with `fs`, and perhaps `unit` and `leads`"
        ) from error
    columns = {
        names[i] if names else f"channel {i}": np.asarray(signal[:, i], np.float32)
        for i in range(leads)
    }
    stated = dict(zip(columns, units * (leads // len(units)), strict=True))
    found = from_columns(path, "NumPy", columns, stated, rate, hints)
    return replace(found, notes=(*found.notes, *left))

"""EDF, EDF+ and BDF files, read with edfio; nothing about the patient is kept.

References
----------
.. [1] Kemp & Olivan 2003, Clin. Neurophysiol. 114(9):1755, DOI 10.1016/S1388-2457(03)00123-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.ecg.recording import (
    LARGEST_RECORDING,
    Channel,
    HeldRecording,
    millivolts,
    unit_name,
)
from ecgphoton.errors import InputError
from ecgphoton.intake import one_line

if TYPE_CHECKING:
    from datetime import datetime

_HEADER = 256  # bytes before the signals, and of every signal
_SIZE = {"EDF": 2, "BDF": 3}  # bytes of a sample
MOST_SIGNALS = 512


@dataclass(frozen=True)
class Note:
    """An annotation of an EDF+ file."""

    seconds: float
    """From the start of the recording."""
    text: str


def open_edf(path: Path) -> HeldRecording:
    """Open an EDF, EDF+ or BDF file; samples outside the digital range of a signal are missing.

    Raises
    ------
    InputError
        If it is damaged, truncated, discontinuous (EDF+D) or too large.
    """
    held = _read(path)
    channels, values = [], []
    for signal in held.signals:
        low, high = signal.digital_range
        bottom, top = signal.physical_range
        if high == low or top == bottom:
            raise InputError(
                f"{path} gives signal {signal.label!r} the range {bottom:g} to {top:g} for "
                f"{low} to {high}; a scale needs two different ends"
            )
        unit = unit_name(signal.physical_dimension)
        factor = (millivolts(unit) or 1.0) * (top - bottom) / (high - low)
        offset = (millivolts(unit) or 1.0) * bottom - factor * low
        value = (signal.digital * np.float32(factor) + np.float32(offset)).astype(np.float32)
        value[(signal.digital < min(low, high)) | (signal.digital > max(low, high))] = np.nan
        values.append(value)
        channels.append(
            Channel(signal.label, unit, float(signal.sampling_frequency), len(values[-1]))
        )
    if not channels:
        raise InputError(f"{path} holds annotations only; give the file with the signals")
    kind = "BDF" if type(held).__name__ == "Bdf" else "EDF"
    return HeldRecording(path, kind, tuple(channels), (path,), _start(held), values=tuple(values))


def edf_notes(path: Path) -> list[Note]:
    """Return the annotations of an EDF+ file, in order.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        return [Note(float(note.onset), str(note.text)) for note in _read(path).annotations]
    except InputError:
        raise
    except Exception as error:  # any error of the library means a damaged file
        raise _damaged(path, error) from error


def _read(path: Path) -> Any:  # noqa: ANN401 - an Edf or Bdf of edfio
    """Compare the header with the size of the file, then read it with edfio."""
    import edfio

    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER)
            kind = "BDF" if header[:1] == b"\xff" else "EDF"
            count, length = int(header[252:256]), int(header[184:192])
            records = int(header[236:244])
            if not 0 < count <= MOST_SIGNALS or length != _HEADER * (count + 1):
                raise ValueError(f"{count} signals and {length} bytes of header")
            file.seek(_HEADER * (count + 1) - 40 * count)
            each = file.read(8 * count)
        samples = [int(each[8 * i : 8 * i + 8]) for i in range(count)]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise _damaged(path, error) from error
    needed = length + records * sum(samples) * _SIZE[kind]
    if records < 0 or min(samples) < 0 or size != needed:
        raise InputError(
            f"{path} is truncated, or was not closed by its recorder: {size} bytes, its header "
            f"promises {needed if records >= 0 else 'an unknown number'}; copy it again"
        )
    if size > LARGEST_RECORDING:
        raise InputError(f"{path} has {size} bytes; at most {LARGEST_RECORDING} are read")
    if header[192:197] in (b"EDF+D", b"BDF+D"):
        raise InputError(
            f"{path} is discontinuous ({header[192:197].decode()}), which is not read; cut it into "
            "continuous files (EDF+C)"
        )
    try:
        read = edfio.read_bdf if kind == "BDF" else edfio.read_edf
        held = read(path, header_encoding="latin-1")
        for signal in held.signals:
            _ = (signal.label, signal.physical_dimension, signal.digital_range)
            if not (len(signal.digital) and signal.sampling_frequency > 0):
                raise ValueError(f"signal {signal.label!r} has no samples")
            if not np.isfinite([*signal.physical_range, signal.sampling_frequency]).all():
                raise ValueError(f"signal {signal.label!r} has no finite scale")
    except Exception as error:  # any error of the library means a damaged file
        raise _damaged(path, error) from error
    return held


def _start(held: Any) -> datetime | None:  # noqa: ANN401
    try:
        found: datetime = held.startdatetime
    except Exception:  # an anonymised or impossible date is none
        return None
    return found


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is not a whole EDF file ({one_line(error)}); export it again")

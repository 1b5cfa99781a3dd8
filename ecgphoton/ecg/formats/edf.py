"""EDF, EDF+ and BDF files, read with edfio; nothing about the patient is kept.

Every data record of an EDF+ file states when it begins: the first annotation of its first
annotation signal [1]_. What lies between two data records is missing, also where the header calls
the file continuous (EDF+C).

References
----------
.. [1] Kemp & Olivan 2003, Clin. Neurophysiol. 114(9):1755, DOI 10.1016/S1388-2457(03)00123-8.
"""

import contextlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.recording import (
    LARGEST_RECORDING,
    MOST_AT_ONCE,
    Channel,
    HeldRecording,
    millivolts,
    unit_name,
)
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, read_bytes
from ecgphoton.wording import count

_HEADER = 256  # bytes before the signals, and of every signal
_BDF = b"\xff"  # how a BDF file begins: its samples have three bytes, those of an EDF file two
MOST_SIGNALS = 512
_WHOLE = "a whole EDF file", "export it again"
_DISCONTINUOUS, _CONTINUOUS = ("EDF+D", "BDF+D"), ("EDF+C", "BDF+C")
_ROUNDED = 1e-3
"""Seconds by which a recorder may round the beginnings of data records."""
_LEAST_GAP = 0.1
"""Seconds; shorter differences in a file that is called continuous are those of a clock."""
_BEGINS = re.compile(rb"([+-]\d{1,9}(?:\.\d{1,9})?)\x14\x14")


def open_edf(path: Path) -> HeldRecording:
    """Open an EDF, EDF+ or BDF file; samples outside the digital range of a signal are missing.

    Raises
    ------
    InputError
        If it is damaged, truncated or too large, or its data records overlap.
    """
    held = _read(path)
    seconds, gaps = float(held.data_record_duration), np.zeros(1)
    if held.reserved[:5] in _DISCONTINUOUS:
        gaps = _gaps(path, seconds)
    elif held.reserved[:5] in _CONTINUOUS:
        with contextlib.suppress(InputError):  # its data records need not state when they begin
            gaps = _gaps(path, seconds)
            gaps[gaps < _LEAST_GAP] = 0
    begins = np.arange(len(gaps)) * seconds + np.cumsum(gaps)
    many, missing = int(np.count_nonzero(gaps)), gaps.sum()
    note = f"{path.stem}: {missing:g} s in {count(many, 'gap')} of the file are missing samples"
    channels: list[Channel] = []
    values = []
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
        fs = float(signal.sampling_frequency)
        values.append(_spread(path, value, begins, fs) if many else value)
        name = signal.label or f"channel {len(channels)}"
        channels.append(Channel(name, unit, fs, len(values[-1])))
    if not channels:
        raise InputError(f"{path} holds annotations only; give the file with the signals")
    kind = "BDF" if type(held).__name__ == "Bdf" else "EDF"
    return HeldRecording(
        path,
        kind,
        tuple(channels),
        (path,),
        _start(held),
        notes=(note,) if many else (),
        values=tuple(values),
    )


def _gaps(path: Path, seconds: float) -> NDArray[np.float64]:
    """Return the seconds that are missing before each data record of a discontinuous file."""
    content = read_bytes(path, LARGEST_RECORDING)
    _, length, _, labels, each = _layout(path)
    clock = next((i for i, label in enumerate(labels) if label.endswith(b"DF Annotations")), None)
    if clock is None:
        raise InputError(f"{path} is discontinuous, but has no clock; export it as EDF+C")
    first = length + sum(each[:clock])
    found = [_BEGINS.match(content, at) for at in range(first, len(content), sum(each))]
    begins = np.array([np.nan if one is None else float(one[1]) for one in found])
    gaps = np.diff(begins, prepend=begins[:1] - seconds) - seconds
    gaps[np.abs(gaps) <= _ROUNDED] = 0
    if not (gaps >= 0).all():
        raise InputError(
            f"{path} is discontinuous, and its data records overlap or do not state when they "
            "begin; export it as EDF+C"
        )
    return gaps


def _spread(
    path: Path, value: NDArray[np.float32], begins: NDArray[np.floating], fs: float
) -> NDArray[np.float32]:
    """Return the samples of a discontinuous signal on the clock, NaN between its data records."""
    first = np.floor(begins * fs + 0.501).astype(np.int64)  # halves always up
    length = len(value) // len(begins)
    if first[-1] + length > MOST_AT_ONCE:
        raise InputError(
            f"{path} lasts {first[-1] / fs / 3600:.0f} hours with its gaps; at most {MOST_AT_ONCE} "
            "samples are read at once: cut it into parts"
        )
    out = np.full(first[-1] + length, np.nan, np.float32)
    for at, piece in zip(first.tolist(), value.reshape(len(begins), length), strict=True):
        out[at : at + length] = piece
    return out


def edf_notes(path: Path) -> list[tuple[float, str]]:
    """Return seconds from the start, and text, of the annotations of an EDF+ file, in order.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    with expecting(path, *_WHOLE):
        return [(float(note.onset), str(note.text)) for note in _read(path).annotations]


def _read(path: Path) -> Any:  # noqa: ANN401 - an Edf or Bdf of edfio
    """Compare the header with the size of the file, then read it with edfio."""
    import edfio

    with expecting(path, *_WHOLE):
        size = path.stat().st_size
        bdf, length, records, _, each = _layout(path)
    needed = length + records * sum(each)
    if records < 0 or min(each) < 0 or size != needed:
        raise InputError(
            f"{path} is truncated, or was not closed by its recorder: {size} bytes, its header "
            f"promises {needed if records >= 0 else 'an unknown number'}; copy it again"
        )
    if size > LARGEST_RECORDING:
        raise InputError(f"{path} has {size} bytes; at most {LARGEST_RECORDING} are read")
    with expecting(path, *_WHOLE):
        read = edfio.read_bdf if bdf else edfio.read_edf
        held = read(path, header_encoding="latin-1")
        for signal in held.signals:
            _ = (signal.label, signal.physical_dimension, signal.digital_range)
            if not (len(signal.digital) and signal.sampling_frequency > 0):
                raise ValueError(f"signal {signal.label!r} has no samples")
            if not np.isfinite([*signal.physical_range, signal.sampling_frequency]).all():
                raise ValueError(f"signal {signal.label!r} has no finite scale")
    return held


def _layout(path: Path) -> tuple[bool, int, int, list[bytes], list[int]]:
    """Whether it is BDF, bytes of the header, data records; of signals label and bytes a record."""
    with path.open("rb") as file:
        header = file.read(_HEADER * (MOST_SIGNALS + 1))
    count, length, records = (int(header[a:b]) for a, b in ((252, 256), (184, 192), (236, 244)))
    if not 0 < count <= MOST_SIGNALS or length != _HEADER * (count + 1):
        raise ValueError(f"{count} signals and {length} bytes of header")
    labels = [header[_HEADER + 16 * i :][:16].strip() for i in range(count)]
    bdf = header[:1] == _BDF
    each = [
        int(header[_HEADER + 216 * count + 8 * i :][:8]) * (3 if bdf else 2) for i in range(count)
    ]
    return bdf, length, records, labels, each


def _start(held: Any) -> datetime | None:  # noqa: ANN401
    try:
        return datetime.combine(held.startdate, held.starttime)
    except Exception:  # an anonymised or impossible date is none
        return None

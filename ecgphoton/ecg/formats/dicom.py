"""DICOM waveforms (ECG objects), read with pydicom; nothing about the patient is kept."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.ecg.recording import (
    LARGEST_RECORDING,
    Channel,
    HeldRecording,
    millivolts,
    unit_name,
)
from ecgphoton.errors import InputError
from ecgphoton.intake import one_line, read_bytes

_PACKED = "1.2.840.10008.1.2.1.99"  # deflated: it could unpack to any size


def open_dicom(path: Path) -> HeldRecording:
    """Open the first multiplex group (the rhythm) of a DICOM waveform.

    Raises
    ------
    InputError
        If pydicom is not installed, or the file is damaged or holds no waveform.
    """
    try:
        import pydicom
        from pydicom.waveforms.numpy_handler import multiplex_array
    except ImportError as error:
        raise InputError(
            f"{path} is a DICOM file; install what reads it: pip install ecgphoton[dicom]"
        ) from error
    content = read_bytes(path, LARGEST_RECORDING)
    try:
        meta = pydicom.filereader.read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") == _PACKED:
            raise ValueError("it is deflated, which is not read")
        held = pydicom.dcmread(io.BytesIO(content))
        if not held.get("WaveformSequence"):
            raise ValueError("it holds no waveform")
        group = held.WaveformSequence[0]
        rate, length = float(group.SamplingFrequency), int(group.NumberOfWaveformSamples)
        count = int(group.NumberOfWaveformChannels)
        if not (0 < rate < 1e6 and length > 0 and 0 < count <= 256):
            raise ValueError(f"{length} samples of {count} channels at {rate:g} Hz")
        stored = multiplex_array(held, 0, as_raw=True)
        padding = group.get("WaveformPaddingValue")
        missing = padding
        if isinstance(padding, bytes):
            missing = np.frombuffer(padding, stored.dtype)[0]
        channels, values = [], []
        for number, one in enumerate(group.ChannelDefinitionSequence):
            name, unit, gain, offset = _described(one, number)
            factor = gain * (millivolts(unit) or 1.0)
            value = (stored[:, number] * np.float64(factor) + offset * factor / gain).astype("f4")
            if missing is not None:
                value[stored[:, number] == missing] = np.nan
            values.append(value)
            channels.append(Channel(name, unit, rate, length))
    except Exception as error:  # any error of the library means a damaged file
        reason = one_line(error)
        raise InputError(f"{path} is not a DICOM waveform ({reason}); export it again") from error
    return HeldRecording(
        path, "DICOM", tuple(channels), (path,), _start(held), values=tuple(values)
    )


def _described(one: Any, number: int) -> tuple[str, str, float, float]:  # noqa: ANN401
    """Name, unit, units a step, and value of a stored zero of a channel."""
    source = one.get("ChannelSourceSequence")
    name = one.get("ChannelLabel") or (source[0].get("CodeMeaning") if source else "")
    if "ChannelSensitivity" not in one:
        raise ValueError(f"channel {number} has no scale")
    units = one.get("ChannelSensitivityUnitsSequence")
    unit = unit_name(str(units[0].CodeValue)) if units else ""
    gain = float(one.ChannelSensitivity) * float(one.get("ChannelSensitivityCorrectionFactor", 1))
    offset = float(one.get("ChannelBaseline", 0))
    if not np.isfinite([gain, offset]).all() or gain == 0:
        raise ValueError(f"channel {number} has a scale of {gain:g}")
    return str(name or f"channel {number}"), unit, gain, offset


def _start(held: Any) -> datetime | None:  # noqa: ANN401
    text = str(held.get("AcquisitionDateTime") or "")[:14]
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return None

"""DICOM waveforms (ECG objects), read with pydicom; nothing about the patient is kept.

A lead is what the code of its channel says (PS3.16, CID 3001), not what a label in free text says.

A waveform holds multiplex groups, each with channels, a rate, a length and a beginning of its own
(DICOM PS3.3, C.10.9). All that were recorded become channels on one clock; groups that were derived
from others, such as median beats, are left out and named.
"""

import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.leads import lead_name, names_lead
from ecgphoton.ecg.recording import (
    LARGEST_RECORDING,
    MOST_AT_ONCE,
    Channel,
    HeldRecording,
    millivolts,
    unit_name,
)
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, one_line, read_bytes

_PACKED = "1.2.840.10008.1.2.1.99"  # deflated: it could unpack to any size
_ORIGIN, _OFFSET = "WaveformOriginality", "MultiplexGroupTimeOffset"  # the offset in ms
_LINEAR = ("SB", "UB", "SS", "US", "SL", "UL")  # the others are of mu-law and A-law
MOST_GROUPS = 64
_LEADS = dict(enumerate(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), 1))
_LEADS |= dict(enumerate(("III", "aVR", "aVL", "aVF", "-aVR"), 61))
"""Lead by its number in SCP-ECG and in ISO/IEEE 11073-10101, whose part 2 the leads are."""
_CODE = re.compile(r"(?:5\.6\.3-9-|2:)(\d{1,3})")


def open_dicom(path: Path) -> HeldRecording:
    """Open the recorded groups of a DICOM waveform.

    Raises
    ------
    InputError
        If pydicom is not installed, or the file is damaged or holds no waveform.
    """
    try:
        import pydicom
    except ImportError as error:
        raise InputError(
            f"{path} is a DICOM file; install what reads it: pip install ecgphoton[dicom]"
        ) from error
    content = read_bytes(path, LARGEST_RECORDING)
    with expecting(path, "a DICOM waveform", "export it again"):
        if pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID") == _PACKED:
            raise ValueError("it is deflated, which is not read")
        held = pydicom.dcmread(io.BytesIO(content))
        groups = list(held.get("WaveformSequence") or ())
        if not 0 < len(groups) <= MOST_GROUPS:
            raise ValueError(f"it holds {len(groups) or 'no'} waveform{'s' * (len(groups) > 1)}")
        derived = [at for at, one in enumerate(groups) if one.get(_ORIGIN) == "DERIVED"]
        if len(derived) == len(groups):
            derived = []
        kept = [_channels(held, at) for at in range(len(groups)) if at not in derived]
        notes = [f"{path.stem}: {_name(groups, at)} is derived and left out" for at in derived]
    found = [pair for group in kept for pair, _ in group]
    called = [said for group in kept for _, said in group if said]
    if called:
        notes.append(f"{path.stem}: leads by their codes, not by their labels: {', '.join(called)}")
    return HeldRecording(
        path, "DICOM", tuple(channel for channel, _ in found), (path,), _start(held),
        notes=tuple(notes), values=tuple(value for _, value in found),
    )  # fmt: skip


def _channels(
    held: Any,  # noqa: ANN401
    at: int,
) -> list[tuple[tuple[Channel, NDArray[np.float32]], str]]:
    """Return the channels of a group with their samples, missing before the group begins.

    With each comes what is to be said of its name.
    """
    from pydicom.waveforms.numpy_handler import multiplex_array

    group = held.WaveformSequence[at]
    rate, length = float(group.SamplingFrequency), int(group.NumberOfWaveformSamples)
    count, begin = int(group.NumberOfWaveformChannels), float(group.get(_OFFSET) or 0) / 1e3
    form = str(group.WaveformSampleInterpretation)
    if form not in _LINEAR:
        raise ValueError(f"its samples are of kind {form}, which is not read")
    if not (0 < rate < 1e6 and length > 0 and 0 < count <= 256):
        raise ValueError(f"{length} samples of {count} channels at {rate:g} Hz")
    stored = multiplex_array(held, at, as_raw=True)
    missing = group.get("WaveformPaddingValue")
    if isinstance(missing, bytes):
        missing = np.frombuffer(missing, stored.dtype)[0]
    found = []
    for number, one in enumerate(group.ChannelDefinitionSequence):
        name, said = _named(one, number)
        unit, gain, offset = _scale(one, number)
        factor = gain * (millivolts(unit) or 1.0)
        value = (stored[:, number] * np.float64(factor) + offset * factor / gain).astype("f4")
        if missing is not None:
            value[stored[:, number] == missing] = np.nan
        skew = float(one.get("ChannelSampleSkew") or 0) + rate * float(
            one.get("ChannelTimeSkew") or 0
        )
        before = round(begin * rate + skew)
        if not 0 <= before * count <= MOST_AT_ONCE:
            raise ValueError(f"channel {number} begins at {before / rate:g} s")
        value = np.concatenate([np.full(before, np.nan, np.float32), value]) if before else value
        found.append(((Channel(name, unit, rate, len(value)), value), said))
    return found


def _name(groups: list[Any], at: int) -> str:
    """Return a group in words: its number, label, channels and length."""
    one = groups[at]
    label = f" {one_line(one.MultiplexGroupLabel)}" if one.get("MultiplexGroupLabel") else ""
    seconds = float(one.NumberOfWaveformSamples) / float(one.SamplingFrequency)
    return f"group {at + 1}{label} ({one.NumberOfWaveformChannels} leads, {seconds:g} s)"


def _named(one: Any, number: int) -> tuple[str, str]:  # noqa: ANN401
    """Return the name of a channel, and its code and label in words where they differ."""
    source = (one.get("ChannelSourceSequence") or [{}])[0]
    words = [str(one.get("ChannelLabel") or ""), str(source.get("CodeMeaning") or "")]
    code = _CODE.fullmatch(str(source.get("CodeValue") or ""))
    coded = _LEADS.get(int(code[1])) if code else None
    if coded is None and names_lead(words[1]):
        coded = words[1]
    name = next(filter(None, words), f"channel {number}")
    others = [word for word in words if word and coded and lead_name(word) != lead_name(coded)]
    if coded is None or not others:
        return name, ""
    return coded, f"channel {number} is {coded}, labelled {one_line(others[0])!r}"


def _scale(one: Any, number: int) -> tuple[str, float, float]:  # noqa: ANN401
    """Return unit, units a step, and value of a stored zero of a channel."""
    if "ChannelSensitivity" not in one:
        raise ValueError(f"channel {number} has no scale")
    units = one.get("ChannelSensitivityUnitsSequence")
    unit = unit_name(str(units[0].CodeValue)) if units else ""
    gain = float(one.ChannelSensitivity) * float(one.get("ChannelSensitivityCorrectionFactor", 1))
    offset = float(one.get("ChannelBaseline", 0))
    if not np.isfinite([gain, offset]).all() or gain == 0:
        raise ValueError(f"channel {number} has a scale of {gain:g}")
    return unit, gain, offset


def _start(held: Any) -> datetime | None:  # noqa: ANN401
    text = str(held.get("AcquisitionDateTime") or "")[:14]
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return None

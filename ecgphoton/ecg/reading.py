"""One WFDB record in, one `Recording` out, or one clear sentence about what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.header import signal_files
from ecgphoton.ecg.marks import decode
from ecgphoton.ecg.resample import ratio, resample, scaled
from ecgphoton.errors import InputError
from ecgphoton.intake import read_bytes

SYNTHETIC_MARK = "SYNTHETIC"
"""A header comment that starts with this word marks a made-up record."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
LONGEST = 2**31 - 1  # samples: what an annotation file can number
MOST_AT_ONCE = 2**28  # samples of all signals of a file; more are read block by block
# What each digital format stores for "no sample" (WFDB signal(5) manual page).
INVALID = {"8": -(2**7), "80": -(2**7), "16": -(2**15), "61": -(2**15), "160": -(2**15)}
INVALID |= {"24": -(2**23), "32": -(2**31), "212": -(2**11), "310": -(2**9), "311": -(2**9)}
# Bytes a sample takes, where the size of the file tells whether it is whole.
_BYTES = {"8": 1.0, "80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "24": 3.0, "32": 4.0, "212": 1.5}
_BYTES |= {"310": 4 / 3, "311": 4 / 3}


@dataclass(frozen=True, eq=False)
class Recording:
    """One lead of one record with its beat annotations."""

    name: str
    signal: NDArray[np.float32]
    """``(samples,)`` in any unit; NaN where nothing was measured."""
    samples: NDArray[np.int64]
    """``(beats,)`` R sample of every beat annotation, in order."""
    symbols: NDArray[np.str_]
    """``(beats,)`` their WFDB symbols."""
    lead: str
    fs: float = SAMPLING_RATE
    """Hz."""
    synthetic: bool = False
    notes: tuple[str, ...] = ()


def record_names(folder: Path) -> tuple[str, ...]:
    """Names of the WFDB records in a folder, sorted.

    Raises
    ------
    InputError
        If the path is not a folder or holds no WFDB header.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give a folder of WFDB records (.hea files)")
    names = sorted(path.stem for path in folder.glob("*.hea") if _NAME.fullmatch(path.stem))
    if not names:
        raise InputError(f"{folder} holds no WFDB record (no .hea file); check the path")
    return tuple(names)


def record_files(folder: Path, name: str, annotator: str = "atr") -> tuple[Path, ...]:
    """Header, signal and annotation files of a record.

    Raises
    ------
    InputError
        If the record is unknown, its header is damaged, or one of its files is missing.
    """
    if not _NAME.fullmatch(name) or not (folder / f"{name}.hea").is_file():
        known = record_names(folder)
        raise InputError(
            f"no record {name!r} in {folder}; there are {len(known)}: {' '.join(known[:60])}"
        )
    header = folder / f"{name}.hea"
    signals = signal_files(read_file(header, name), name)
    files = (header, *(folder / file for file in signals), folder / f"{name}.{annotator}")
    for path in files:
        if not path.is_file():
            raise _lacking(path, name)
    return files


def read_recording(
    folder: Path, name: str, *, lead: str = "MLII", annotator: str = "atr"
) -> Recording:
    """Read one lead of a WFDB record and its beats, at 360 Hz.

    Parameters
    ----------
    lead
        A lead's name, with channel 0 (and a note) where a record lacks it, or ``channel:<n>``.

    Raises
    ------
    InputError
        If a file is missing, truncated or corrupt, or the channel does not exist.
    """
    record_files(folder, name, annotator)
    path = str(folder / name)
    header = call_wfdb("rdheader", f"header {name}.hea", path)
    notes: list[str] = []
    channel, found = choose_channel(header, lead, name, notes)
    signal = _signal(header, path, channel)
    rate = float(header.fs)
    content = read_file(folder / f"{name}.{annotator}", name)
    samples, symbols = read_beats(path, annotator, content, rate)
    if rate != SAMPLING_RATE:
        factor = ratio(rate, name)
        signal, samples = resample(signal, factor), scaled(samples, factor)
        notes.append(f"{name}: resampled from {rate:g} Hz to {SAMPLING_RATE:g} Hz")
    synthetic = any(comment.startswith(SYNTHETIC_MARK) for comment in header.comments)
    return Recording(name, signal, samples, symbols, found, SAMPLING_RATE, synthetic, tuple(notes))


def read_file(path: Path, name: str) -> bytes:
    """Read a file of a record, or raise InputError."""
    if not path.is_file():
        raise _lacking(path, name)
    return read_bytes(path)


def _lacking(path: Path, name: str) -> InputError:
    return InputError(
        f"record {name!r} lacks {path.name} in {path.parent}, or it cannot be read; "
        "`ecgphoton data verify` tells which files are wrong"
    )


def call_wfdb(function: str, what: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401
    """Call a reader of wfdb; whatever it stumbles over is the file's fault."""
    import wfdb

    try:
        return getattr(wfdb, function)(*arguments, **options)
    except Exception as error:
        raise InputError(
            f"{what} is damaged ({type(error).__name__}: {error}); "
            "`ecgphoton data verify` tells which files are wrong"
        ) from error


def choose_channel(header: Any, lead: str, name: str, notes: list[str]) -> tuple[int, str]:  # noqa: ANN401
    """Return number and name of the wanted channel, noting a substitute."""
    leads = [str(lead) for lead in header.sig_name]
    if lead.startswith("channel:"):
        number = lead.removeprefix("channel:")
        if not number.isdigit() or int(number) >= len(leads):
            raise InputError(
                f"record {name!r} has no {lead}; its leads are "
                + ", ".join(f"channel:{i} {known}" for i, known in enumerate(leads))
            )
        return int(number), leads[int(number)]
    if lead in leads:
        return leads.index(lead), lead
    notes.append(f"{name}: no lead {lead}, channel 0 ({leads[0]}) used")
    return 0, leads[0]


def samples_together(header: Any, channel: int) -> int:  # noqa: ANN401
    """Count the samples of one frame in the file of a channel, all its signals together."""
    pairs = zip(header.file_name, header.samps_per_frame, strict=True)
    return sum(count or 1 for file, count in pairs if file == header.file_name[channel])


def check_channel(header: Any, path: str, channel: int) -> None:  # noqa: ANN401
    """Refuse a scale that is none, and a signal file shorter than its header promises."""
    file, fmt, length = header.file_name[channel], header.fmt[channel], header.sig_len or 0
    gain, baseline = header.adc_gain[channel], header.baseline[channel] or 0
    if gain is not None and not 1e-9 <= gain <= 1e12:
        raise InputError(
            f"record {header.record_name} has a gain of {gain:g} in channel {channel}; give a "
            "positive one, and swap the signal's sign if it is recorded upside down"
        )
    if abs(baseline) > 2**31 or length > LONGEST:
        raise InputError(
            f"record {header.record_name} declares {length} samples with a baseline of {baseline}; "
            f"at most {LONGEST} samples and 32-bit values are read"
        )
    if fmt in _BYTES and length:
        needed = int(length * samples_together(header, channel) * _BYTES[fmt])
        needed += header.byte_offset[channel] or 0
        size = Path(path).with_name(file).stat().st_size
        if size < needed:
            raise InputError(
                f"{file} is truncated: {size} bytes, its header promises {needed}; fetch it again"
            )


def _signal(
    header: Any,  # noqa: ANN401
    path: str,
    channel: int,
) -> NDArray[np.float32]:
    """One channel as float32, NaN where invalid, after checking that the file is whole."""
    file, fmt = header.file_name[channel], header.fmt[channel]
    check_channel(header, path, channel)
    together = (header.sig_len or 0) * samples_together(header, channel)
    if together > MOST_AT_ONCE:
        raise InputError(
            f"{file} holds {together} samples; at most {MOST_AT_ONCE} are read at once. "
            "`ecgphoton annotate` reads block by block; cut the record into parts for training"
        )
    what = f"signal file {file}"
    record = call_wfdb("rdrecord", what, path, physical=False, channels=[channel], return_res=32)
    digital = record.d_signal[:, 0]
    stated = header.checksum[channel] if header.checksum else None
    if (header.samps_per_frame[channel] or 1) > 1 or header.skew[channel]:
        stated = None  # it counts samples before they were averaged or shifted
    if stated is not None and (int(digital.sum(dtype=np.int64)) - stated) % 2**16:
        raise InputError(
            f"{file} is corrupt: the checksum of channel {channel} differs from its header; "
            "fetch it again"
        )
    signal: NDArray[np.float32] = digital.astype(np.float32)
    signal[digital == INVALID.get(fmt, -(2**31))] = np.nan
    return signal


def read_beats(
    path: str, annotator: str, content: bytes, fs: float = SAMPLING_RATE
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Return R samples, at the rate of the record, and symbols of the beat annotations."""
    found = decode(content, f"annotation file {Path(path).name}.{annotator}", fs).beats
    return found.sample, found.symbol

"""Decode WFDB annotations: the bytes of a file come in, marks at the rate of the record go out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.records import BEAT_SYMBOLS
from ecgphoton.errors import InputError

_CODES = enumerate('NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r', 1)
_SYMBOLS = {code: symbol for code, symbol in _CODES if symbol != " "}
"""Symbol of each annotation code; annot(5) of the WFDB manual."""
LARGEST_ANNOTATION = 2**23  # bytes
_NOTE, _SKIP, _SUBTYPE, _TEXT = 22, 59, 61, 63
_CLOCK = b"## time resolution:"
_NUMBER = re.compile(rb"\s*(\d+\.?\d*(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True, eq=False)
class Annotations:
    """What one annotator marked in one record."""

    sample: NDArray[np.int64]
    """``(n,)`` in order, at the rate of the record."""
    symbol: NDArray[np.str_]
    """``(n,)`` WFDB symbols."""
    fs: float
    """Hz, of the record."""
    subtype: NDArray[np.int64] | None = None
    """``(n,)`` WFDB subtypes; None where all are 0."""

    @property
    def beats(self) -> Annotations:
        """The heart beats alone."""
        beat = np.isin(self.symbol, list(BEAT_SYMBOLS))
        return Annotations(self.sample[beat], self.symbol[beat], self.fs)


def decode(content: bytes, what: str, fs: float) -> Annotations:
    """Read the marks of an annotation file.

    A file may have a time resolution of its own ("## time resolution" in its first note); its
    samples are brought to the rate of the record.

    Parameters
    ----------
    content
        The file.
    what
        Its name, for messages.
    fs
        Sampling rate of the record, Hz.

    Raises
    ------
    InputError
        If the file is truncated, too large, its times run backwards or its clock cannot be read.
    """
    if len(content) < 2 or len(content) % 2 or content[-2:] != b"\0\0":
        raise InputError(
            f"{what} is truncated: {len(content)} bytes that do not end in the end mark; "
            "fetch it again"
        )
    if len(content) > LARGEST_ANNOTATION:
        raise InputError(f"{what} has {len(content)} bytes; at most {LARGEST_ANNOTATION} are read")
    sample, code, subtype, clock = _marks(content, what)
    if len(sample) and (sample[0] < 0 or (np.diff(sample) < 0).any()):
        raise InputError(f"{what} is damaged: its times run backwards; fetch it again")
    if clock is not None and clock != fs:
        sample = np.floor(sample * (fs / clock) + 0.5).astype(np.int64)
    known = np.isin(code, list(_SYMBOLS))
    symbol = np.array([_SYMBOLS[number] for number in code[known].tolist()], "<U1")
    return Annotations(sample[known], symbol, fs, subtype[known])


def _marks(
    content: bytes, what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], float | None]:
    """Return time, code and subtype of every mark, and the file's own time resolution, Hz or None.

    wfdb 4.3 never returns from some notes at sample 0 (``## `` and then anything unknown).
    """
    words = np.frombuffer(content, "<u2").tolist()
    samples: list[int] = []
    codes: list[int] = []
    subtypes: list[int] = []
    clock = None
    at = time = 0
    while at < len(words) and words[at]:
        code, low = words[at] >> 10, words[at] & 1023
        at += 1
        if code == _SKIP:
            if at + 2 > len(words):
                raise InputError(f"{what} is damaged: it ends within a time; fetch it again")
            leap = words[at] << 16 | words[at + 1]
            time += leap - (leap >> 31 << 32)
            at += 2
        elif code == _TEXT:
            text = content[2 * at : 2 * at + low]
            if clock is None and time == 0 and codes[-1:] == [_NOTE] and text.startswith(_CLOCK):
                clock = _rate(text.removeprefix(_CLOCK), what)
            at += (low + 1) // 2
        elif code == _SUBTYPE and subtypes:
            subtypes[-1] = (low + 128) % 256 - 128  # a signed byte
        elif code < _SKIP:
            time += low
            samples.append(time)
            codes.append(code)
            subtypes.append(0)
    at_samples, with_codes, of_kinds = (
        np.array(column, np.int64) for column in (samples, codes, subtypes)
    )
    return at_samples, with_codes, of_kinds, clock


def _rate(text: bytes, what: str) -> float:
    """Return a time resolution in Hz; one that cannot be used raises InputError."""
    said = _NUMBER.match(text)
    rate = float(said[1]) if said else 0.0
    if not 1e-3 <= rate <= 1e6:
        stated = text[:20].decode("ascii", "replace").strip()
        raise InputError(
            f"{what} states a time resolution of {stated!r} Hz, which is no rate; write it again"
        )
    return rate

"""One lead of a WFDB record of any length, read block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.annotations import record_path
from ecgphoton.ecg.header import signal_files
from ecgphoton.ecg.reading import (
    INVALID,
    SYNTHETIC_MARK,
    call_wfdb,
    check_channel,
    choose_channel,
    read_file,
    samples_together,
)
from ecgphoton.ecg.resample import ratio, reach, resample
from ecgphoton.errors import InputError

BLOCK_SECONDS = 600.0
LARGEST_BLOCK = 2**26
"""Samples of all signals of a file that are read at a time."""
_MILLIVOLT = {"mV": 1.0, "uV": 1e-3, "µV": 1e-3, "V": 1e3}


@dataclass(frozen=True)
class Signal:
    """Where one lead is and how it was digitised; samples are read when asked for."""

    path: Path
    """Record without extension."""
    channel: int
    lead: str
    fs: float
    """Hz, as recorded."""
    length: int
    """Samples at `fs`."""
    factor: Fraction
    """360 Hz over `fs`."""
    invalid: int
    """Digital value that means no sample."""
    checksum: int | None
    gain: float
    """Digital units per mV (or per the record's own unit)."""
    baseline: float
    """Digital value of 0 mV."""
    synthetic: bool
    notes: tuple[str, ...]
    together: int = 1
    """Samples of one moment in the file: reading one signal reads them all."""

    @property
    def name(self) -> str:
        """Name of the record."""
        return self.path.name

    @property
    def length_360(self) -> int:
        """Samples at 360 Hz."""
        return int(-(-self.length * self.factor.numerator // self.factor.denominator))

    def digital(self, start: int, stop: int) -> NDArray[np.int64]:
        """Digital samples `start` to `stop` at the recorded rate."""
        what = f"signal of record {self.name}"
        record = call_wfdb(
            "rdrecord", what, str(self.path), sampfrom=start, sampto=stop, physical=False,
            channels=[self.channel], return_res=32,
        )  # fmt: skip
        return np.asarray(record.d_signal[:, 0], np.int64)

    def measured(self, digital: NDArray[np.int64]) -> NDArray[np.float32]:
        """Digital samples as float32, NaN where nothing was measured."""
        signal = digital.astype(np.float32)
        signal[digital == self.invalid] = np.nan
        return signal

    def millivolts(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples at the recorded rate in mV, NaN where nothing was measured."""
        start, stop = max(start, 0), min(stop, self.length)
        if stop <= start:
            return np.empty(0, np.float32)
        return (self.measured(self.digital(start, stop)) - np.float32(self.baseline)) / np.float32(
            self.gain
        )

    def blocks(self, seconds: float = BLOCK_SECONDS) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the whole lead at 360 Hz, piece after piece with the first sample of each.

        The samples are in digital units and the same whatever the size of the pieces; memory
        grows with that size only.

        Raises
        ------
        InputError
            If the file is damaged; its checksum is known to differ only at the end.
        """
        up, down = self.factor.as_integer_ratio()
        margin = reach(self.factor)
        step = max(1, min(round(seconds * self.fs), LARGEST_BLOCK // self.together))
        held, held_first, done, total = np.empty(0, np.float32), 0, 0, 0
        for start in range(0, self.length, step):
            stop = min(start + step, self.length)
            digital = self.digital(start, stop)
            total += int(digital.sum())
            held = np.concatenate([held, self.measured(digital)])
            whole = stop == self.length
            ready = self.length_360 if whole else max(done, (stop - margin) * up // down)
            if ready > done:
                first = held_first * up // down
                yield done, resample(held, self.factor)[done - first : ready - first]
                done = ready
                keep = max(held_first, (done * down // up - margin) // down * down)
                held, held_first = held[keep - held_first :], keep
        if self.checksum is not None and (total - self.checksum) % 2**16:
            raise InputError(
                f"record {self.name} is corrupt: the checksum of channel {self.channel} differs "
                "from its header; copy it again"
            )


def open_signal(record: str | Path, lead: str = "MLII") -> Signal:
    """Open one lead of a WFDB record.

    Parameters
    ----------
    record
        Path without extension.
    lead
        A lead's name, with channel 0 (and a note) where the record lacks it, or ``channel:<n>``.

    Raises
    ------
    InputError
        If the record is missing or damaged, has no such channel, or its rate cannot be used.
    """
    path = record_path(record)
    name = path.name
    files = signal_files(read_file(path.with_name(f"{name}.hea"), name), name)
    for file in files:
        if not path.with_name(file).is_file():
            raise InputError(f"record {name!r} lacks its signal file {file}; copy it again")
    header = call_wfdb("rdheader", f"header {name}.hea", str(path))
    notes: list[str] = []
    channel, found = choose_channel(header, lead, name, notes)
    if not header.sig_len:
        raise InputError(f"header {name}.hea does not say how long the record is; add it")
    check_channel(header, str(path), channel)
    rate = float(header.fs)
    factor = ratio(rate, name)
    if factor != 1:
        notes.append(f"{name}: resampled from {rate:g} Hz to 360 Hz")
    unit = header.units[channel]
    if unit not in _MILLIVOLT:
        notes.append(f"{name}: unit {unit!r} of lead {found} taken for mV in pictures")
    stated = header.checksum[channel] if header.checksum else None
    if (header.samps_per_frame[channel] or 1) > 1 or header.skew[channel]:
        stated = None  # it counts samples before they were averaged or shifted
    return Signal(
        path=path,
        channel=channel,
        lead=found,
        fs=rate,
        length=int(header.sig_len),
        factor=factor,
        invalid=INVALID.get(header.fmt[channel], -(2**31)),
        checksum=stated,
        gain=float(header.adc_gain[channel] or 200.0) / _MILLIVOLT.get(unit, 1.0),
        baseline=float(header.baseline[channel] or 0),
        synthetic=any(comment.startswith(SYNTHETIC_MARK) for comment in header.comments),
        notes=tuple(notes),
        together=samples_together(header, channel),
    )

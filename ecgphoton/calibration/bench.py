"""The bench: the only interface through which calibration accesses a chip.

A bench sets DAC codes, sends light and reads detectors. `calibrate` and its steps use nothing else,
so a simulated chip, a recorded session and a laboratory are driven by the same code. Every
operation is counted.

A bench for real hardware implements `Bench` in a few lines; ``docs/howto/own-bench.md`` shows
one over a socket. Its conventions:

- drivers of one block are numbered as in `ecgphoton.mesh.device.Device`;
- ``field`` readings are the two quadratures of a homodyne detector (local oscillator at 0 and at
  90 degrees) as a complex number, 1 being a unit field through a path of mean loss;
- ``power`` readings are plain photodiodes: the squared field, real.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from ecgphoton import artifacts
from ecgphoton.errors import EcgphotonError, InputError
from ecgphoton.host import as_array
from ecgphoton.intake import expecting, one_line
from ecgphoton.mesh.arrays import AnyArray, Floats, Integers

Readings = AnyArray

Kind = Literal["field", "power"]
HEATER_SECONDS = 10e-6
"""Time a thermo-optic heater takes to settle (device table of SimPhony, ScopeX-ASU)."""
READING_SECONDS = 1e-6
"""One reading of all detectors, 1 MHz."""
LARGEST = 1e6
"""Largest reading, in units of full scale, which is 1."""
RECORDING = "ecgphoton-bench-recording/1"


@dataclass(frozen=True)
class Cost:
    """What was done to one chip; its blocks are driven and read side by side."""

    settings: int = 0
    """Times the heaters were set, each followed by the wait for heat to settle."""
    readings: int = 0
    """Readings of all detectors; a homodyne field takes two."""

    def __add__(self, other: "Cost") -> "Cost":
        """Sum of two costs."""
        return Cost(self.settings + other.settings, self.readings + other.readings)

    def __sub__(self, other: "Cost") -> "Cost":
        """Return what was spent since `other`."""
        return Cost(self.settings - other.settings, self.readings - other.readings)

    def seconds(self, heater: float = HEATER_SECONDS, reading: float = READING_SECONDS) -> float:
        """Seconds on hardware with these times (s) of a heater to settle and of a reading."""
        return self.settings * heater + self.readings * reading

    def to_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return {"settings": self.settings, "readings": self.readings, "seconds": self.seconds()}


class Bench(Protocol):
    """C chips with K blocks of the same design, set and read side by side."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Chips, blocks and drivers of a block."""

    @property
    def bits(self) -> int:
        """Width of the DACs: codes run from 0 to ``2^bits - 1``."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of readings it offers; steps that need another are refused before they start."""

    @property
    def cost(self) -> Cost:
        """What was done so far."""

    def read(self, codes: Integers, vectors: Floats, kind: Kind = "field") -> Readings:
        """Set codes, send input fields one after the other and read all detectors.

        Parameters
        ----------
        codes
            (S, C or 1, K or 1, drivers) integers: S settings, one after the other.
        vectors
            (N, 4) input fields in [-1, 1].
        kind
            ``field`` or ``power``.

        Returns
        -------
        ndarray
            (S, C, K, N, 4) readings, complex for ``field``.
        """


class _Around:
    """What a bench has that stands before another one."""

    def __init__(self, bench: Bench) -> None:
        self.bench: Bench = bench
        self.shape, self.bits, self.kinds = bench.shape, bench.bits, bench.kinds

    @property
    def cost(self) -> Cost:
        """What was done so far."""
        return self.bench.cost


class CheckedBench(_Around):
    """A bench whose failures and unusable readings are errors that say so, at any call."""

    def read(self, codes: Integers, vectors: Floats, kind: Kind = "field") -> Readings:
        """See `Bench.read`.

        Raises
        ------
        InputError
            If the bench fails, or its readings are of another shape or type, masked, NaN, or no
            fractions of full scale.
        """
        try:  # what it does to the arrays it is given is its own affair
            readings = as_array(self.bench.read(codes.copy(), vectors.copy(), kind), "readings")
        except EcgphotonError:
            raise
        except Exception as error:  # whatever instruments and their drivers raise
            raise InputError(
                f"the bench failed while {kind} was read: {type(error).__name__}: "
                f"{one_line(error)}; check its connection, and calibrate again"
            ) from error
        wanted = (len(codes), *self.shape[:2], len(vectors), 4)
        numbers, words = ("c", "complex numbers") if kind == "field" else ("iuf", "real numbers")
        if readings.shape != wanted or readings.dtype.kind not in numbers:
            raise InputError(
                f"the bench answered {kind} with {readings.dtype} of shape {readings.shape}; "
                f"{words} of shape {wanted} are needed"
            )
        lost = ~(np.abs(readings) <= LARGEST)  # NaN is at most nothing
        if lost.any():
            first = ", ".join(map(str, np.argwhere(lost)[0]))
            raise InputError(
                f"{lost.sum()} of {lost.size} readings of the bench are NaN or infinite, or beyond "
                f"{LARGEST:g} of full scale, the first at [{first}] (setting, chip, block, vector, "
                "detector); check its connections"
            )
        return readings.astype(complex if kind == "field" else float)


@dataclass(frozen=True, eq=False)
class Session:
    """A recorded session: every operation with its readings, in order."""

    shape: tuple[int, int, int]
    bits: int
    operations: tuple[dict[str, AnyArray], ...]

    def save(self, path: Path | str) -> None:
        """Write the session as one npz file, atomically."""
        arrays: dict[str, AnyArray] = {
            "format": np.array(RECORDING),
            "shape": np.array(self.shape),
            "bits": np.array(self.bits),
        }
        for index, operation in enumerate(self.operations):
            arrays |= {f"{index}.{name}": value for name, value in operation.items()}
        artifacts.write_arrays(path, **arrays)

    @classmethod
    def load(cls, path: Path | str) -> "Session":
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or not a recording.
        """
        arrays = artifacts.read_arrays(path, "a recorded bench session")
        with expecting(path, "a recorded bench session", "record it again"):
            if str(arrays["format"]) != RECORDING:
                raise ValueError(f"its format is {arrays['format']}, and {RECORDING} is read")
            shape = tuple(int(size) for size in arrays["shape"])
            count = sum(name.endswith(".codes") for name in arrays)
            names = ("codes", "vectors", "kind", "readings")
            operations = tuple(
                {name: arrays[f"{index}.{name}"] for name in names} for index in range(count)
            )
            return cls((shape[0], shape[1], shape[2]), int(arrays["bits"]), operations)


class RecordingBench(_Around):
    """A bench that records the requests to another one, and its readings."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.operations: list[dict[str, AnyArray]] = []

    def read(self, codes: Integers, vectors: Floats, kind: Kind = "field") -> Readings:
        """See `Bench.read`."""
        readings = self.bench.read(codes, vectors, kind)
        question = {"codes": np.array(codes), "vectors": np.array(vectors), "kind": np.array(kind)}
        self.operations.append({**question, "readings": readings})
        return readings

    @property
    def session(self) -> Session:
        """What was recorded so far."""
        return Session(self.shape, self.bits, tuple(self.operations))


class ReplayBench:
    """A bench that repeats a recorded session for the same requests.

    Raises
    ------
    InputError
        From `read`, if a request differs from the recorded one or the recording has ended.
    """

    kinds: tuple[Kind, ...] = ("field", "power")

    def __init__(self, session: Session) -> None:
        self.session, self.shape, self.bits = session, session.shape, session.bits
        self.cost, self._next = Cost(), 0

    def read(self, codes: Integers, vectors: Floats, kind: Kind = "field") -> Readings:
        """See `Bench.read`."""
        if self._next >= len(self.session.operations):
            raise InputError(
                f"the recorded session ends after {self._next} operations; record a longer one "
                "with the same steps"
            )
        operation = self.session.operations[self._next]
        asked = {"codes": codes, "vectors": vectors, "kind": np.array(kind)}
        for name, value in asked.items():
            if not np.array_equal(operation[name], value):
                raise InputError(
                    f"operation {self._next} of the recorded session has other {name}; replay it "
                    "with the program and steps it was recorded with"
                )
        self._next += 1
        self.cost += cost_of(codes, vectors, kind)
        return operation["readings"]


def cost_of(codes: Integers, vectors: Floats, kind: Kind) -> Cost:
    """Cost of one `Bench.read`."""
    return Cost(len(codes), len(codes) * len(vectors) * (2 if kind == "field" else 1))


def check_request(bench: Bench, codes: Integers, vectors: Floats, kind: str) -> None:
    """Refuse what a bench cannot do.

    Raises
    ------
    InputError
        If shapes do not fit, codes are outside the DAC, fields exceed 1, or it cannot read `kind`.
    """
    chips, blocks, drivers = bench.shape
    good = codes.ndim == 4 and codes.shape[1] in (1, chips) and codes.shape[2] in (1, blocks)
    if not good or codes.shape[3] != drivers or codes.dtype.kind not in "iu":
        raise InputError(
            f"codes have shape {codes.shape} and type {codes.dtype}; integers (settings, "
            f"{chips} or 1, {blocks} or 1, {drivers}) are needed"
        )
    top = (1 << bench.bits) - 1
    if codes.size and (codes.min() < 0 or codes.max() > top):
        raise InputError(f"codes run from {codes.min()} to {codes.max()}; the DAC has 0 to {top}")
    if vectors.ndim != 2 or vectors.shape[1] != 4 or np.abs(vectors).max(initial=0) > 1:
        raise InputError(
            f"input vectors have shape {vectors.shape}; (n, 4) fields in [-1, 1] are needed"
        )
    if kind not in bench.kinds:
        raise InputError(f"kind of reading is {kind!r}; use {' or '.join(map(repr, bench.kinds))}")

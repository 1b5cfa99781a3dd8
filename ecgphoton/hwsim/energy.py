"""Power, time and energy of one beat: on photonic blocks, and on digital processors.

A symbol is one product of a 4x4 matrix with a vector: 16 multiply-adds. A branch has a symbol for
every position of its kernel, another block one for every token.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecgphoton.hwsim.effects.effect import Numbers
from ecgphoton.mesh.arrays import Floats
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.architecture import WIDTH, Architecture

PERIOD = 1.0
"""Seconds from one beat to the next: 60 beats a minute."""
MACS = WIDTH * WIDTH
"""Multiply-adds of one symbol."""
PHASES = 1000
"""Phases of a turn over which a mean is taken."""
PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
Blocks = Literal["one block each", "one block reused"]
Duty = Literal["always on", "duty-cycled"]


def prefixed(value: float, unit: str) -> str:
    """Return a number with its unit, and the prefix that leaves one to three digits in front."""
    prefix = next((name for name, size in PREFIXES.items() if abs(value) >= size), "")
    return f"{value / PREFIXES[prefix]:.3g} {prefix}{unit}"


@dataclass(frozen=True)
class Work:
    """What one block does for one beat."""

    name: str
    symbols: int
    """Vectors that meet its matrix."""
    conversions: int
    """Vectors that its ADCs convert."""
    parallel: bool
    """Whether it waits for no other block: a branch or a patient token."""


def work_of(architecture: Architecture, *, digital: bool = False) -> tuple[Work, ...]:
    """Return the work of every block for one beat.

    Parameters
    ----------
    digital
        Whether every sample is converted; otherwise a branch converts each token once.
    """
    sliding = [
        Work(one.name, one.positions, one.positions if digital else one.tokens, parallel=True)
        for one in architecture.sliding
    ]
    patient = [Work(one.name, 1, 1, parallel=True) for one in architecture.patient]
    tokens = architecture.tokens
    rest = architecture.blocks[len(sliding) + len(patient) :]
    return (*sliding, *patient, *(Work(name, tokens, tokens, parallel=False) for name in rest))


def shifter_powers(program: MeshProgram, p_pi: float) -> Floats:
    """(K,) power (W) that the phase shifters of every block take for the program's phases.

    ``P_pi shift / pi`` of every driver, with `p_pi` in mW: the power of a heater is its drive.
    """
    return np.asarray(1e-3 * p_pi * np.abs(program.shifts).sum(-1) / np.pi)


def trimming_power(program: MeshProgram, p_pi: float) -> float:
    """Power (W) of all phase shifters where they also undo static phases, spread over a turn.

    The phases set are then spread over a turn as well, whatever the program.

    Parameters
    ----------
    p_pi
        In mW.
    """
    turn = np.linspace(0, 2 * np.pi, PHASES, endpoint=False)
    mean = np.abs(program.dac.wrapped(turn)).mean() / np.pi
    return float(1e-3 * p_pi * mean * program.phases.size)


@dataclass(frozen=True)
class Plan:
    """One way to build and drive a chip, and what a beat costs in it."""

    blocks: Blocks
    duty: Duty
    seconds: float
    """From the first symbol of a beat to its decision, settling included."""
    power: Mapping[str, float]
    """Mean power (W) over a beat of `PERIOD`, by what takes it."""

    @property
    def name(self) -> str:
        """The way in words."""
        return f"{self.blocks}, {self.duty}"

    @property
    def joules(self) -> float:
        """Energy of one beat."""
        return PERIOD * sum(self.power.values())

    @property
    def in_time(self) -> bool:
        """Whether a beat is decided before the next one; otherwise its power is too small."""
        return self.seconds <= PERIOD


def plans(program: MeshProgram, number: Numbers, work: Sequence[Work]) -> tuple[Plan, ...]:
    """Return what one beat costs with one block for every matrix and with one for all of them.

    With one block each, all branches run at once and the layers follow; a reused block is set to
    every matrix in turn and settles each time. Always on, phases, laser and receivers stay on
    between beats; duty-cycled, they are off, and phases have to settle once a beat.

    Parameters
    ----------
    number
        Numbers of a profile by its keys ``link`` and ``power``.
    work
        From `work_of`.
    """
    symbols = np.array([one.symbols for one in work])
    rate, settling = number("link.rate"), 1e-6 * number("power.settling")
    first = max(one.symbols for one in work if one.parallel)
    follow = sum(one.symbols for one in work if not one.parallel)
    shifters = shifter_powers(program, number("power.p_pi"))
    efficiency = number("power.wall_plug") or math.inf  # a laser of unknown efficiency is left out
    held = symbols / rate + settling
    ways: dict[Blocks, tuple[int, float, float]] = {
        "one block each": (len(work), (first + follow) / rate, float(shifters.sum())),
        "one block reused": (1, float(held.sum()), float(shifters @ held / held.sum())),
    }
    converted = sum(one.conversions for one in work)
    switched = {
        "modulators": number("power.modulator") * float(symbols.sum()),
        "converters": number("power.dac") * float(symbols.sum()) + number("power.adc") * converted,
    }
    found = []
    for blocks, (count, active, heat) in ways.items():
        on = {
            "phase shifters": heat,
            "phase drivers": 1e-3 * number("power.driver") * program.device.drivers * count,
            "laser": 1e-3 * number("link.laser") * count / efficiency,
            "receivers": 1e-3 * number("power.receiver") * WIDTH * count,
        }
        woken = active + settling if count > 1 else active
        for duty, seconds, share in (
            ("always on", active, 1.0),
            ("duty-cycled", woken, min(woken / PERIOD, 1.0)),
        ):
            power = {
                **{name: share * watts for name, watts in on.items()},
                **{name: 1e-12 * WIDTH * pico / PERIOD for name, pico in switched.items()},
                "control": 1e-3 * number("power.control"),
            }
            found.append(Plan(blocks, duty, seconds, power))  # type: ignore[arg-type]
    return tuple(found)


@dataclass(frozen=True)
class Digital:
    """A processor that does the same multiply-adds."""

    name: str
    seconds: float
    """Of one beat."""
    joules: float
    """Of one beat."""
    source: str


MLPERF_MACS = 2 * 640 * 128 + 6 * 128 * 128 + 2 * 128 * 8
"""Multiply-adds of the anomaly detector of MLPerf Tiny: 640-128-128-128-128-8-128-...-640."""
CORE_WATTS = 270 / 40
"""Power of one server core: an Intel Xeon Platinum 8380 has 270 W and 40 cores."""


def microcontroller(macs: int) -> Digital:
    """Return a Cortex-M4 with 8-bit weights, by its energy and time per multiply-add."""
    share = macs / MLPERF_MACS
    return Digital(
        "Cortex-M4 (STM32L4R5)",
        share / 132.077,
        share * 322.977e-6,
        "MLPerf Tiny v1.0, closed division, STMicroelectronics on NUCLEO-L4R5ZI, anomaly "
        f"detection: 322.977 uJ and 132.077 inferences a second at {MLPERF_MACS:,} multiply-adds; "
        "scaled by the number of multiply-adds, without the overhead of small layers",
    )


def core(seconds: float) -> Digital:
    """Return one core of a server that takes a measured time for a beat."""
    return Digital(
        "onnxruntime on one core",
        seconds,
        seconds * CORE_WATTS,
        "time of a beat in a batch of 512, measured here; a core at "
        f"{CORE_WATTS:g} W, one of 40 of an Intel Xeon Platinum 8380 of 270 W",
    )

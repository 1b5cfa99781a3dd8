"""`calibrate`: a bench and a program come in; a table of the chips' errors and codes goes out."""

from collections.abc import Sequence
from dataclasses import replace
from operator import index
from typing import NamedTuple, Protocol, cast, get_args

import numpy as np

from ecgphoton.calibration.bench import Bench, CheckedBench, Cost, Kind
from ecgphoton.calibration.estimate import Fit
from ecgphoton.calibration.heaters import SweepHeaters
from ecgphoton.calibration.nulling import NullMeshes
from ecgphoton.calibration.phases import Correct, Trim
from ecgphoton.calibration.probing import ReadDark
from ecgphoton.calibration.table import DriveTable
from ecgphoton.errors import InputError, require
from ecgphoton.program.program import MeshProgram
from ecgphoton.settings import nearest, one_of


class Step(Protocol):
    """Measures through the bench, or chooses codes, and returns a better table."""

    @property
    def kind(self) -> Kind | None:
        """Kind of readings it takes; None if it measures nothing."""

    @property
    def drives(self) -> bool:
        """Whether it chooses codes."""

    def __call__(self, bench: Bench, table: DriveTable) -> DriveTable:
        """Return the table after this step."""


STEPS: dict[str, Step] = {
    "dark": ReadDark(),
    "sweep": SweepHeaters(),
    "sweep-power": SweepHeaters(kind="power"),
    "null": NullMeshes(),
    "splitters": Fit(("alpha", "beta")),
    "crosstalk": Fit(("coupling",)),
    "fit": Fit(),
    "correct": Correct(),
    "trim": Trim(),
}
"""Steps by their names on the command line."""
STANDARD = ("dark", "sweep", "fit", "correct", "trim")
"""All that homodyne readings can tell of a chip."""
PHOTODIODES = ("sweep-power", "null", "correct")
"""The same with photodiodes alone: phases of the outputs leave no trace in power."""


PARTS = ("shape", "bits", "kinds", "cost", "read")
"""Attributes of a `Bench`."""


class Calibrated(NamedTuple):
    """Outcome of `calibrate`."""

    table: DriveTable
    cost: Cost
    """Spent on every chip; ``cost.seconds()`` at a heater response of 10 us."""


def steps_of(steps: Sequence[str | Step]) -> tuple[Step, ...]:
    """Return steps; names are replaced by the steps of `STEPS`.

    Raises
    ------
    InputError
        If a name is unknown or there is none.
    """
    if not steps:
        raise InputError(f"no calibration step is named; choose from {', '.join(STEPS)}")
    for step in steps:
        if isinstance(step, str) and step not in STEPS:
            raise InputError(f"there is no calibration step {step!r}; {nearest(step, STEPS)}")
    return tuple(STEPS[step] if isinstance(step, str) else step for step in steps)


def named(step: Step) -> str:
    """Return the name of a step, or what it is."""
    return next((name for name, known in STEPS.items() if known == step), repr(step))


def check_steps(steps: Sequence[Step], kinds: Sequence[Kind] = get_args(Kind)) -> None:
    """Refuse steps that cannot work on a bench with these kinds of readings, or change no code.

    Raises
    ------
    InputError
        With the step and what to choose instead.
    """
    for step in steps:
        good = callable(step) and hasattr(step, "kind") and hasattr(step, "drives")
        require(good, "a step", step, "a `Step`; steps_of(['dark', 'correct']) makes some by name")
        if step.kind is not None and step.kind not in kinds:
            raise InputError(
                f"step {named(step)} needs {step.kind!r} readings, and this bench offers "
                f"{' and '.join(map(repr, kinds))}; steps for photodiodes are "
                f"{','.join(PHOTODIODES)}"
            )
    if not any(step.drives for step in steps):
        raise InputError(
            f"steps {','.join(map(named, steps))} measure and choose no codes, so no chip would "
            "change; add correct or trim"
        )


def check_bench(bench: object, name: str = "of that call") -> Bench:
    """Return a bench, or an InputError that names what it lacks."""
    lacking = [part for part in PARTS if not hasattr(bench, part)]
    if lacking:
        raise InputError(
            f"bench {name} lacks {', '.join(lacking)}; a Bench has {', '.join(PARTS)}, see "
            "docs/howto/own-bench.md"
        )
    found, kinds = cast("Bench", bench), get_args(Kind)
    try:
        sizes = [index(size) for size in found.shape]
    except TypeError:
        sizes = []
    counts = "three whole numbers: chips (at least 1), blocks, drivers of a block"
    require(len(sizes) == 3 and sizes[0] > 0, f"shape of bench {name}", found.shape, counts)
    listed = isinstance(found.kinds, list | tuple | set | frozenset)
    good = listed and found.kinds and set(found.kinds) <= set(kinds)
    require(good, f"kinds of bench {name}", found.kinds, f"a tuple of {one_of(kinds)}, or both")
    counted = isinstance(found.cost, Cost)
    require(counted, f"cost of bench {name}", found.cost, "a Cost, see docs/howto/own-bench.md")
    return found


def usual_steps(bench: Bench) -> tuple[str, ...]:
    """Return the steps for what a bench can read."""
    return STANDARD if "field" in bench.kinds else PHOTODIODES


def calibrate(
    bench: Bench,
    program: MeshProgram,
    steps: Sequence[Step] | None = None,
    *,
    start: DriveTable | None = None,
) -> Calibrated:
    """Estimate the errors of the chips of a bench, and choose codes for a program.

    Parameters
    ----------
    bench
        Chips of the program's design, accessed through this interface alone.
    program
        Program that the chips have to perform.
    steps
        In order; default `STANDARD`, or `PHOTODIODES` on a bench that offers power alone. Steps
        that only measure are allowed here: their table can be continued later.
    start
        An earlier table of the same chips, to continue.

    Returns
    -------
    Drive table of the chips (codes, digital row gains and offsets, estimated errors, findings), and
    the settings and readings spent on each chip.

    Raises
    ------
    InputError
        If the bench has another number of blocks or drivers, fails, or cannot read what a step
        needs.
    """
    chips, blocks, drivers = check_bench(bench).shape
    if (blocks, drivers) != program.phases.shape:
        raise InputError(
            f"the bench has {blocks} blocks with {drivers} drivers; this program needs "
            f"{program.phases.shape[0]} with {program.phases.shape[1]}"
        )
    chosen = steps_of(usual_steps(bench)) if steps is None else tuple(steps)
    check_steps((*chosen, STEPS["correct"]), bench.kinds)
    program = program.with_bits(bench.bits)
    table = DriveTable.start(program, chips) if start is None else start
    if len(table) != chips:
        raise InputError(f"the table to go on from has {len(table)} chips, the bench {chips}")
    bench, before = CheckedBench(bench), bench.cost
    for step in chosen:
        table = step(bench, table)
    spent = bench.cost - before
    table = replace(table, cost=table.cost + spent)
    for name, part in table.beliefs._asdict().items():
        if not np.isfinite(part).all():
            raise InputError(f"the bench's readings left {name} undefined; check its connections")
    return Calibrated(table, spent)

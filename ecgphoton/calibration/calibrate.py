"""`calibrate`: run steps through a bench, from the program to a table of what the chips are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ecgphoton.calibration.circuit import Circuit
from ecgphoton.calibration.estimate import Fit
from ecgphoton.calibration.heaters import SweepHeaters
from ecgphoton.calibration.nulling import NullMeshes
from ecgphoton.calibration.phases import Correct
from ecgphoton.calibration.readout import ReadDark
from ecgphoton.calibration.table import DriveTable
from ecgphoton.calibration.trim import Trim
from ecgphoton.errors import InputError

if TYPE_CHECKING:
    from ecgphoton.calibration.bench import Bench, Cost
    from ecgphoton.program.program import MeshProgram

Step = Callable[["Bench", DriveTable], DriveTable]
"""Looks through the bench and returns a better table."""

STEPS: dict[str, Step] = {
    "dark": ReadDark(),
    "sweep": SweepHeaters(),
    "null": NullMeshes(),
    "splitters": Fit(("alpha", "beta")),
    "crosstalk": Fit(("coupling",)),
    "fit": Fit(),
    "correct": Correct(),
    "trim": Trim(),
}
"""Steps by the names the command line knows."""
STANDARD = ("dark", "sweep", "fit", "correct", "trim")
"""What a chip needs. ``null`` serves where only photodiodes are at hand."""


class Calibrated(NamedTuple):
    """Outcome of `calibrate`."""

    table: DriveTable
    cost: Cost
    """Spent on every chip; ``cost.seconds()`` at a heater response of 10 us."""


def steps_of(names: Sequence[str]) -> tuple[Step, ...]:
    """Return steps by name.

    Raises
    ------
    InputError
        If a name is unknown or there is none.
    """
    unknown = [name for name in names if name not in STEPS]
    if unknown or not names:
        raise InputError(
            f"calibration steps are {', '.join(names) or 'none'}; choose from {', '.join(STEPS)}"
        )
    return tuple(STEPS[name] for name in names)


def calibrate(
    bench: Bench,
    program: MeshProgram,
    steps: Sequence[Step] | None = None,
    *,
    start: DriveTable | None = None,
) -> Calibrated:
    """Learn the chips behind a bench and choose codes that make them perform a program.

    Parameters
    ----------
    bench
        Chips of the program's design; nothing else of them is looked at.
    program
        What they shall perform.
    steps
        In order; default `STANDARD`.
    start
        An earlier table of the same chips, to go on from.

    Raises
    ------
    InputError
        If the bench carries another number of blocks or drivers.
    """
    circuit = Circuit.of(program, bench.bits)
    chips, blocks, drivers = bench.shape
    if (blocks, drivers) != circuit.phases.shape:
        raise InputError(
            f"the bench has {blocks} blocks with {drivers} drivers; this program needs "
            f"{circuit.phases.shape[0]} with {circuit.phases.shape[1]}"
        )
    table = DriveTable.start(circuit, chips) if start is None else start
    if len(table) != chips:
        raise InputError(f"the table to go on from has {len(table)} chips, the bench {chips}")
    before = bench.cost
    for step in steps_of(STANDARD) if steps is None else steps:
        table = step(bench, table)
    spent = bench.cost - before
    table = replace(table, cost=table.cost + spent)
    for name, part in table.beliefs.arrays().items():
        if not np.isfinite(part).all():
            raise InputError(f"the bench's readings left {name} undefined; check its connections")
    return Calibrated(table, spent)

"""Calibrate one chip with large errors step by step; its matrices approach the program's.

python examples/calibrate_one_chip.py --out calibrate.png
"""

from __future__ import annotations

import numpy as np
from _start import options, picture

import ecgphoton as ep
from ecgphoton.calibration.calibrate import STANDARD, STEPS, calibrate
from ecgphoton.calibration.judge import driven, matrix_errors
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import mesh_source, program_of
from ecgphoton.report.style import BLUE

given = options(__doc__, seed=0)
program = program_of(ep.load("inter-patient").student)
foundry = Foundry.of("pessimistic")
chip = foundry.chip(given.seed, 0, program)
bench = SimulatedBench(chip, bits=chip.device.dac.bits, seed=given.seed)
source = mesh_source(program, synthetic_inputs(program.architecture), foundry)

table, names, errors = None, ["as made"], []
for name in STANDARD:
    after = calibrate(bench, program, (STEPS[name],), start=table).table
    if table is None:  # after `dark` alone the codes are still the program's
        errors.append(matrix_errors(source, after, given.seed)[0])
    table = after
    names.append(name)
    errors.append(matrix_errors(driven(source, table), table, given.seed)[0])

with picture(given.out, height=3.2) as axes:
    hidden = [f"_{number}" for number in range(1, len(errors[0]))]
    axes.plot(names, errors, color=BLUE, alpha=0.35, lw=0.9, label=["a block", *hidden])
    axes.plot(names, np.median(errors, axis=1), color=BLUE, marker="o", label="their median")
    axes.set(yscale="log", ylabel="relative error of a matrix", title="one pessimistic chip")
    axes.legend()
print(f"spent: {table.cost.settings:,} settings, {table.cost.readings:,} readings")

"""An external bench: opened by name; its chips are calibrated, and judged by their drive table.

What the chips really perform is hidden, unlike that of simulated chips. The verdict is about the
matrices that the table predicts, and there is none where the table does not know the chips.
"""

import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecgphoton.calibration.bench import Bench, CheckedBench
from ecgphoton.calibration.calibrate import (
    Step,
    calibrate,
    check_bench,
    check_steps,
    steps_of,
    usual_steps,
)
from ecgphoton.calibration.estimate import EVERYTHING, Fit
from ecgphoton.calibration.judge import Labelled, PredictedChips, judge
from ecgphoton.calibration.phases import measure
from ecgphoton.calibration.report import CalibrationReport
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint, ThresholdPolicy, abnormal_of
from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.hwsim.weights import Carrier
from ecgphoton.mesh.arrays import AnyArray, Floats
from ecgphoton.metrics import check_both
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Progress, silent
from ecgphoton.student.propagate import Inputs

SHOTS = 128
"""Readings of the matrices after calibration."""
DIFFERS = 0.02
"""Relative distance of a matrix as read from that predicted, beyond three standard deviations of
the readings, above which the table does not know its chips."""


def open_bench(name: str, program: MeshProgram) -> Bench:
    """Return the bench that a function of a module makes for a program.

    Parameters
    ----------
    name
        ``MODULE:FUNCTION``. The module is looked for in the working folder as well.
    program
        Passed to the function: it says how many blocks and drivers the bench has to have.

    Raises
    ------
    InputError
        If there is no such function, it fails, or it does not return a `Bench`.
    """
    module, _, function = name.partition(":")
    allowed = "MODULE:FUNCTION, a function that takes a mesh program and returns a Bench"
    require(module and function, "bench", name, allowed)
    path, here = sys.path, str(Path.cwd())
    try:
        sys.path = [here, *path]
        bench = getattr(importlib.import_module(module), function)(program)
    except Exception as error:  # whatever the module of another raises
        raise InputError(
            f"bench {name} cannot be opened: {type(error).__name__}: {error}; the module must "
            "lie in the working folder or be installed"
        ) from error
    finally:
        sys.path = path
    return check_bench(bench, name)


def calibrate_bench(
    bench: Bench,
    program: MeshProgram,
    inputs: Inputs,
    labels: AnyArray,
    point: OperatingPoint,
    *,
    steps: Sequence[str | Step] | None = None,
    validation: Labelled | None = None,
    policy: ThresholdPolicy | None = None,
    limits: Limits | None = None,
    records: AnyArray | None = None,
    progress: Progress = silent,
) -> tuple[DriveTable, CalibrationReport]:
    """Calibrate the chips of a bench and judge them by what their table predicts.

    The stages ``uncalibrated`` and ``calibrated`` are the matrices that the estimated errors
    predict for the program's codes and for the table's, with the measured noise of a reading.
    Where the bench reads fields, `CalibrationReport.errors` has a third entry, ``measured``: the
    errors of the matrices as they are read afterwards.

    Parameters
    ----------
    inputs, labels
        Beats the verdict is about; nonzero labels mean abnormal.
    steps
        Names or steps; by default those for what the bench can read.
    validation
        Calibration beats. With them every chip also gets its own threshold, by `policy`.
    records
        (B,) record of each beat; with them the report says what other patients change.

    Raises
    ------
    InputError
        As `calibrate`; also if the steps choose no codes, or all beats are normal or all abnormal.
    """
    started = time.perf_counter()
    check_both(abnormal_of(labels))
    chosen = steps_of(usual_steps(bench) if steps is None else steps)
    check_steps(chosen, bench.kinds)
    with single_threaded() as threads:
        table = calibrate(bench, program, chosen).table
        seconds = time.perf_counter() - started
        progress("calibrating", len(table), len(table))
        read = measure(CheckedBench(bench), table, SHOTS) if "field" in bench.kinds else None
        plain = DriveTable.start(table.program, len(table))
        plain = replace(plain, beliefs=table.beliefs, noise=table.noise)
        trial = trial_of(program, inputs, labels, point, noise=0.0, records=records)
        asked = Carrier.of(program)
        report = judge(
            replace(trial, source=PredictedChips(asked, plain)),
            PredictedChips(asked, table),
            table,
            validation=validation,
            policy=policy,
            limits=limits,
            threads=threads,
            progress=progress,
        )
    about = {"steps": [repr(step) for step in chosen], "judged_by": "predictions of the table"}
    return table, replace(
        report,
        errors=dict(report.errors) | ({} if read is None else {"measured": table.error(read)}),
        settings={**report.settings, **about},
        seconds=time.perf_counter() - started,
        calibration_seconds=seconds,
        unknown=_unknown(chosen, table, read),
    )


def _unknown(steps: Sequence[Step], table: DriveTable, read: Floats | None) -> str:
    """Return why a table cannot say what its chips perform, or an empty text.

    `read` are the matrices (C, K, 4, 4) as read afterwards, None where they cannot be.
    """
    if not any(isinstance(step, Fit) and set(step.parts) == set(EVERYTHING) for step in steps):
        return (
            "no step estimates all errors of these chips (fit does), so their matrices are unknown"
        )
    wrong = (item for item in table.findings if "all readings" in item.part or "poor" in item.kind)
    poor = sorted({item.block for item in wrong})
    if poor or read is None:
        return f"readings of {', '.join(poor)} do not fit the model of a chip" if poor else ""
    scatter = np.broadcast_to(table.noise[..., None, None] / np.sqrt(SHOTS), read.shape)
    allowed = DIFFERS + 3 * table.error(table.in_units(scatter), 0 * read)
    other = np.argwhere(table.error(read, table.predicted()) > allowed)[:, 1]
    names = ", ".join(table.program.names[block] for block in np.unique(other))
    return f"matrices of {names} as read afterwards are not those predicted" if names else ""

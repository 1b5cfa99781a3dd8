"""A campaign: fabricate chips, calibrate them through a bench, judge them before and after.

This module has access to the simulated errors, to evaluate the chips; the steps of `calibrate`
have access to a `Bench` alone.
Chips are calibrated in ranges. With a folder, the table of every range is written as soon as it is
known, and an interrupted campaign continues where it stopped.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ecgphoton import artifacts
from ecgphoton.arguments import check_seed
from ecgphoton.calibration.calibrate import STANDARD, Step, calibrate, check_steps, steps_of
from ecgphoton.calibration.judge import Labelled, driven, judge
from ecgphoton.calibration.report import CalibrationReport
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint, ThresholdPolicy, abnormal_of
from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.conditions import conditions, recoded
from ecgphoton.hwsim.distributed import computed, single_threaded
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.metrics import check_both
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import to_dict
from ecgphoton.progress import Progress, silent
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.unfinished import sweep_temporary
from ecgphoton.version import __version__

RANGE = 8
"""Chips calibrated together, and in one file."""
TABLES = "tables"
KIND = "ecgphoton-calibration/1"


def refuse_untrimmed(profile: Profile) -> None:
    """Refuse chips that no step of calibration can start from."""
    if not profile.trimmed:
        raise InputError(
            f"the chips of profile {profile.name!r} are as fabricated: with static phases anywhere "
            "in a turn (phase.static), no step can start from the program's codes yet; calibrate "
            "trimmed chips, with phase.static = 0"
        )


@dataclass(frozen=True, eq=False)
class Campaign:
    """Chips of a foundry that are to perform a program, and how they are calibrated."""

    program: MeshProgram
    foundry: Foundry
    steps: tuple[Step, ...]
    seed: int = 0
    start: DriveTable | None = None
    """Table of the same chips to go on from, by readings of another stream than the first."""

    def __post_init__(self) -> None:
        """Drive the program as the profile says; refuse chips that no step can start from."""
        object.__setattr__(self, "program", self.foundry.profile.driving(self.program))
        refuse_untrimmed(self.foundry.profile)

    @property
    def bits(self) -> int:
        """Width of the DACs, see `Profile.device_of`."""
        return self.foundry.profile.device_of(self.program).dac.bits

    def calibrate(self, first: int, count: int) -> DriveTable:
        """Fabricate chips `first` ... and calibrate them through a bench."""
        chip = self.foundry.chips(self.seed, first, count, self.program)
        start = None if self.start is None else self.start.chips(slice(first, first + count))
        seed = self.seed if start is None else self.seed + 1
        bench = SimulatedBench(chip, bits=self.bits, seed=seed, first=first)
        return calibrate(bench, self.program, self.steps, start=start).table

    @cached_property
    def about(self) -> dict[str, Any]:
        """Everything a table depends on, chips apart."""
        return {
            "version": __version__,
            "program": artifacts.sha256(artifacts.json_bytes(to_dict(self.program))),
            "profile": self.foundry.profile.to_dict(),
            "receiver": self.foundry.profile.receiver,
            "steps": [repr(step) for step in self.steps],
            "seed": self.seed,
            "bits": self.bits,
        }

    def table(self, chips: int, folder: Path | None, number: int) -> tuple[DriveTable, bool]:
        """Return the table of a range of the chips and whether it was found in the folder."""
        first = number * RANGE
        count = min(RANGE, chips - first)
        if folder is None:
            return self.calibrate(first, count), False
        path = folder / f"chips-{first:06d}-{first + count - 1:06d}.npz"
        key = artifacts.sha256(artifacts.json_bytes({**self.about, "chips": [first, count]}))
        with suppress(InputError):  # absent, damaged, or of another campaign: calibrated again
            found, header = DriveTable.load(path, self.program.with_bits(self.bits))
            if header.get("key") == key:
                return found, True
        made = self.calibrate(first, count)
        made.save(path, key=key, first=first, seed=self.seed)
        return made, False

    def tables(
        self, chips: int, folder: Path | None, threads: int
    ) -> Iterator[tuple[DriveTable, bool]]:
        """Tables of all ranges, in order."""
        work = partial(self.table, chips, folder)
        return computed(work, -(-chips // RANGE), threads=threads)

    def joined(self, chips: int, threads: int) -> DriveTable:
        """Calibrate chips 0 ... and return their table."""
        return DriveTable.joined([table for table, _ in self.tables(chips, None, threads)])


def calibrate_chips(
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    labels: AnyArray,
    point: OperatingPoint,
    *,
    profile: Profile | str = USUAL_PROFILE,
    chips: int = 100,
    seed: int = 0,
    steps: Sequence[str | Step] = STANDARD,
    validation: Labelled | None = None,
    policy: ThresholdPolicy | None = None,
    limits: Limits | None = None,
    folder: Path | None = None,
    records: AnyArray | None = None,
    progress: Progress = silent,
) -> CalibrationReport:
    """Calibrate simulated chips and judge them on the same beats before and after.

    Parameters
    ----------
    inputs, labels
        Beats the verdict is about; nonzero labels mean abnormal.
    point
        The student's operating point.
    profile
        Where chips come from, by name, TOML file or value.
    steps
        Names of `ecgphoton.calibration.calibrate.STEPS`, or steps themselves.
    validation
        Calibration beats. With them every chip also gets its own threshold, by `policy`.
    folder
        Where tables go and are looked for (``tables/chips-*.npz``); None keeps them in memory.
    records
        (B,) record of each beat; with them the report says what other patients change.

    Raises
    ------
    InputError
        If a number is outside its range, a step unknown, beats and labels do not fit, or all beats
        are normal or all abnormal.
    """
    started = time.perf_counter()
    require(chips >= 1, "chips", chips, "at least 1")
    check_both(abnormal_of(labels))
    chosen = steps_of(steps)
    check_steps(chosen)
    foundry, program = Foundry.of(profile), program_of(carried)
    campaign = Campaign(program, foundry, chosen, check_seed(seed))
    tables: list[DriveTable] = []
    made = 0
    with single_threaded() as threads:
        where = None if folder is None else folder / TABLES
        for table, found in campaign.tables(chips, where, threads):
            tables.append(table)
            made += 0 if found else len(table)
            progress("calibrating", sum(map(len, tables)), chips)
        calibrated = time.perf_counter() - started
        if where is not None:
            sweep_temporary(where)
            artifacts.write_manifest(where, kind=KIND, extra={**campaign.about, "chips": chips})
        table = DriveTable.joined(tables)
        before = trial_of(
            program, inputs, labels, point, seed=seed, profile=foundry.profile, records=records
        )
        report = judge(
            before,
            driven(before.source, table),
            table,
            validation=validation,
            policy=policy,
            limits=limits,
            threads=threads,
            progress=progress,
        )
    settings = {
        "seed": seed,
        "profile": foundry.profile.name,
        "steps": [repr(step) for step in chosen],
        "chips_calibrated_now": made,
        "recoded": recoded(foundry.profile, program),
        "conditions": conditions(foundry.profile),
    }
    return replace(
        report,
        settings={**report.settings, **settings},
        seconds=time.perf_counter() - started,
        calibration_seconds=calibrated if made else 0.0,
    )

"""A requirement sheet: a student comes in; what a foundry has to keep goes out."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import cast

from ecgphoton.calibration.requirements import STATES, Line, Sheet, idle, lines_of, parameters_of
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.progress import Progress, silent
from ecgphoton.report.sheet import draw_sheet, write_sheet
from ecgphoton.run.journey import Limit, Outcome, begin, limits_of

FILES = ("sheet.json", "sheet.csv", "sheet.png", "sheet.html")
SHEET_BEATS = 2048


def sheet(
    model: Path | str | None = None,
    *,
    profile: Profile | str = "foundry-thermo-optic",
    key: Sequence[str] = (),
    settings: Sequence[str] = (),
    calibrated: bool = True,
    chips: int = 20,
    seed: int = 0,
    limit: Limit = (),
    workers: int = 1,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[tuple[Line, ...]]:
    """Find how large every error may be: one page for the foundry.

    For every error of the profile the largest size is sought at which enough chips pass, alone,
    and the one factor on all sizes together; uncalibrated, and after calibration of trimmed chips.

    Writes ``sheet.json``, ``sheet.csv``, ``sheet.png`` and the page ``sheet.html``; on at most
    2,048 beats. A calibrated size of 20 chips takes about 20 seconds on one core.

    Parameters
    ----------
    profile
        Device profile, a TOML file or the name of a shipped one.
    key
        One parameter of the profile to look at, such as ``splitter.sigma``, or ``all together``;
        by default all of them.
    calibrated
        Whether sizes are sought for calibrated chips as well.
    chips
        How many chips are simulated at every size.
    workers
        Processes, each of which computes one line at a time; the answer is the same.
    model, settings, seed, limit, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    journey = begin(sheet, locals(), files=FILES, most=SHEET_BEATS)
    program = program_of(journey.trained.carried)
    stated = cast(Profile, journey.profile).on(program)
    without = () if key else idle(stated, program)
    keys = tuple(name for name in parameters_of(stated, key) if name not in without)
    asked = Sheet(
        journey.arguments,
        stated,
        keys,
        STATES if calibrated else STATES[:1],
        chips=chips,
        seed=seed,
        limits=limits_of(limit),
    )
    lines = lines_of(asked, workers=workers, progress=partial(progress, "lines"))
    rows = [line.row() for line in lines]
    numbers = {
        "chips": chips,
        "limits": asdict(asked.limits),
        "precision": asked.precision,
        "idle": list(without),
        "lines": rows,
    }
    write_sheet(journey.folder / FILES[3], {**numbers, **journey.about}, rows)
    return journey.write(lines, numbers, rows, draw_sheet)

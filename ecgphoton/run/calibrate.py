"""From a bundle to calibrated chips, judged before and after on the same beats."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ecgphoton import runs
from ecgphoton.calibration.calibrate import STANDARD
from ecgphoton.calibration.campaign import TABLES, Labelled, calibrate_chips
from ecgphoton.progress import Progress, silent
from ecgphoton.report.calibration import draw_calibration
from ecgphoton.run.beats import splits_like
from ecgphoton.run.journey import Limit, Outcome, begin, limits_of
from ecgphoton.student.propagate import inputs_of

if TYPE_CHECKING:
    from ecgphoton.calibration.report import CalibrationReport
    from ecgphoton.hwsim.profile import Profile

CALIBRATION = "calibration.json"


def calibrate(
    model: Path | str | None = None,
    *,
    profile: Profile | str = "foundry-thermo-optic",
    chips: int = 100,
    seed: int = 0,
    steps: str = ",".join(STANDARD),
    own_thresholds: bool = False,
    limit: Limit = (),
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[CalibrationReport]:
    """Calibrate simulated chips through a bench, and judge them before and after.

    Writes ``calibration.json``, ``calibrated_chips.csv``, ``calibration.png`` and a table of every
    chip below ``tables/``. Tables that an interrupted call has left are kept.

    Parameters
    ----------
    model
        A bundle, run or checkpoint, or the name of a shipped student; by default the newest run,
        otherwise the shipped student.
    profile
        Device profile by name, TOML file or value.
    chips, seed
        How many chips, and the seed they are drawn with.
    steps
        Calibration steps by name, in order, with commas between.
    own_thresholds
        Fit the threshold of every chip on the validation beats as well.
    limit
        Limits that differ from the default: ``miss`` 0.1, ``fpr`` 0.1, ``yield`` 0.95,
        ``confidence`` 0.95.
    data, data_dir
        Where the beats come from; those of the student's own test set.
    out
        Folder to write to; by default one of its own below ``calibrations/``.
    progress
        Called with the stage, how many chips are done, and how many there are.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    files = (CALIBRATION, "calibrated_chips.csv", "calibration.png", TABLES)
    journey = begin(calibrate, locals(), root=runs.CALIBRATIONS, files=files)
    trained, validation = journey.trained, None
    if own_thresholds:
        beats = splits_like(trained.metadata, data, data_dir).validation
        validation = Labelled(inputs_of(beats, trained.carried.architecture), beats.label)
    report = calibrate_chips(
        *journey.arguments,
        profile=profile,
        chips=chips,
        seed=seed,
        steps=[name.strip() for name in steps.split(",")],
        validation=validation,
        policy=trained.recipe.decision,
        limits=limits_of(limit),
        folder=journey.folder,
        progress=progress,
    )
    draw = partial(draw_calibration, report=report, source=journey.beats.source)
    return journey.write(report, report.to_dict(), report.chip_rows(), draw)

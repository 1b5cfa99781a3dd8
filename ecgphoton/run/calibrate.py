"""From a bundle to calibrated chips, judged before and after on the same beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton.artifacts import check_room, write_json, write_text
from ecgphoton.errors import InputError
from ecgphoton.recipe import from_dict
from ecgphoton.run.beats import splits_like
from ecgphoton.run.simulate import table_text
from ecgphoton.run.subject import Subject
from ecgphoton.student.propagate import inputs_of

if TYPE_CHECKING:
    from ecgphoton.calibration.report import CalibrationReport

CALIBRATION = "calibration.json"


def calibrate_subject(
    subject: Subject,
    out: Path,
    *,
    profile: str,
    chips: int,
    seed: int,
    steps: Sequence[str] | None,
    own_thresholds: bool,
    max_miss: float,
    max_fpr: float,
    min_yield: float,
    data: str | None = None,
    data_dir: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[CalibrationReport, str]:
    """Calibrate simulated chips of a bundle, and write tables, report and chip list.

    Returns
    -------
    report, source of the beats
    """
    from ecgphoton.calibration.calibrate import STANDARD
    from ecgphoton.calibration.campaign import calibrate_chips
    from ecgphoton.calibration.judge import Labelled
    from ecgphoton.hwsim.verdict import Limits
    from ecgphoton.report.calibration import draw_calibration

    if subject.point is None:
        raise InputError("a student of several classes has no operating point; use a binary one")
    check_room(out)
    splits = splits_like(subject.metadata, data, data_dir)
    architecture = subject.architecture
    validation = Labelled(inputs_of(splits.validation, architecture), splits.validation.label)
    report = calibrate_chips(
        subject.carried,
        inputs_of(splits.test, architecture),
        splits.test.label,
        subject.point,
        profile=profile,
        chips=chips,
        seed=seed,
        steps=STANDARD if steps is None else steps,
        validation=validation if own_thresholds else None,
        policy=from_dict(subject.metadata["recipe"]).decision,
        limits=Limits(max_miss, max_fpr, min_yield),
        folder=out,
        progress=progress,
    )
    numbers: dict[str, Any] = {**report.to_dict(), "source": splits.test.source}
    write_json(out / CALIBRATION, numbers)
    write_text(out / "calibrated_chips.csv", table_text(report.chip_rows()))
    draw_calibration(out / "calibration.png", report, source=splits.test.source)
    return report, splits.test.source

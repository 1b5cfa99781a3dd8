"""Requirements on electronics: a student comes in; bit widths and calibration intervals go out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, get_args

from ecgphoton.calibration.drift import AGE, HOURS, DriftReport, check_hours, drift_schedule
from ecgphoton.errors import InputError
from ecgphoton.export.bits import BitsRow, Part, bits_table, enough
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.progress import Progress, silent
from ecgphoton.report import style
from ecgphoton.report.chips import draw_lines
from ecgphoton.run.beats import own_splits
from ecgphoton.run.journey import Limit, Outcome, begin
from ecgphoton.student.propagate import inputs_of

DRIFT_BEATS = 8192


def drift(
    model: Path | str | None = None,
    *,
    profile: Profile | str = USUAL_PROFILE,
    chips: int = 40,
    seed: int = 0,
    settings: Sequence[str] = (),
    hours: Sequence[float] = HOURS,
    limit: Limit = (),
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[DriftReport]:
    """Find how often chips must be calibrated again.

    For each interval, it is checked whether calibrated chips stay within the limits; the cheapest
    schedule that keeps them is named.

    Writes ``drift.json``, ``drift.csv`` and ``drift.png``; on at most 8,192 beats.

    Parameters
    ----------
    profile
        Device profile of the chips, a TOML file or the name of a shipped one.
    chips
        How many chips.
    hours
        Interval between two calibrations to try, above 0 and below 24 hours.
    model, seed, settings, limit, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    check_hours(hours := tuple(hours))
    journey = begin(drift, locals(), most=DRIFT_BEATS, moving=AGE)
    carried, *rest = journey.arguments
    report = drift_schedule(
        program_of(carried),
        *rest,
        profile=journey.profile or profile,
        chips=chips,
        seed=seed,
        hours=hours,
        limits=journey.limits,
        progress=progress,
    )
    numbers = {**report.to_dict(), "limits": asdict(journey.limits)}
    return journey.write(report, numbers, report.rows(), _draw_trims)


def _draw_trims(found: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> style.Figure:
    trims = [row for row in rows if row["way"] == "trim"]
    axis = "hours between two calibrations"
    lines = {"yield_before": "before calibration", "yield_after": "after calibration"}
    return draw_lines(found, trims, x="hours", lines=lines, axis=axis, value="yield")


def bits(
    model: Path | str | None = None,
    *,
    fewest: int = 4,
    most: int = 10,
    profile: Profile | str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
) -> Outcome[tuple[BitsRow, ...]]:
    """Measure miss rate and FPR against the width of codes.

    The codes are those of weights, converters and heater DACs.
    One width changes at a time; the others have 8 bits, and everything else is ideal. Writes
    ``bits.json``, ``bits.csv`` and ``bits.png``.

    Parameters
    ----------
    fewest
        Smallest width to try, in bits, at least 2.
    most
        Largest width to try, in bits, at most 16.
    profile
        Device profile whose drivers the DAC codes are for; by default those of the student's
        program. The profile's errors have no part in it: see ``dac.bits`` of
        ``ecgphoton study sweep`` for chips that have them.
    model, data, data_dir, out
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    if not 2 <= fewest <= most <= 16:
        raise InputError(
            f"widths from {fewest} to {most} bits; they must be from 2 to 16, in rising order"
        )
    journey = begin(bits, locals(), f"{fewest}-{most}")
    trained, widths = journey.trained, range(fewest, most + 1)
    drivers = HeaterDac() if trained.program is None else trained.program.dac
    if journey.profile is not None:
        if journey.profile.driver is None:
            raise InputError(
                f"the profile {journey.profile.name!r} states no [{HeaterDac.section}], which is "
                "all that is asked of it here; leave it out, or name one that does"
            )
        drivers = journey.profile.driver
    training = own_splits(trained.metadata, data, data_dir).train
    _, inputs, label, point = journey.arguments
    found = tuple(
        bits_table(
            trained.student,
            inputs,
            label,
            point,
            inputs_of(training, trained.student.architecture),
            weight_bits=widths,
            converter_bits=widths,
            dac_bits=widths,
            drivers=drivers,
        )
    )
    rows = [asdict(row) for row in found]
    least = {part: enough(list(found), part) for part in get_args(Part)}
    lines, value = {"delta_miss": "miss rate", "delta_fpr": "FPR"}, "change, percentage points"
    draw = partial(draw_lines, x="bits", lines=lines, value=value, group="part", unit="")
    numbers = {"rows": rows, "enough": least, "drivers": drivers.words}
    return journey.write(found, numbers, rows, draw)

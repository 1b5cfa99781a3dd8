"""Curves over a parameter, and the sheet of what every parameter has to be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from ecgphoton.calibration import requirements as sheets
from ecgphoton.calibration.campaign import refuse_untrimmed
from ecgphoton.calibration.drift import calibrated_over
from ecgphoton.calibration.requirements import ALL, STATES, Line, Sheet
from ecgphoton.errors import InputError
from ecgphoton.hwsim import requirement, sensitivity as taylor, sweep as sweeps
from ecgphoton.hwsim.conditions import conditions, following
from ecgphoton.hwsim.effects.drivers import CROSSTALK
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.intervals import with_interval
from ecgphoton.progress import Progress, silent
from ecgphoton.report.chips import draw_lines, draw_sweep
from ecgphoton.report.sheet import draw_sheet, write_sheet
from ecgphoton.run.journey import Journey, Limit, Outcome, begin

SHEET_FILES = ("sheet.json", "sheet.csv", "sheet.png", "sheet.html")
SHEET_BEATS = 2048
Calibrated = Literal["no", "once", "again"]


def sweep(
    model: Path | str | None = None,
    *,
    over: str,
    noise: float | None = None,
    profile: Profile | str | None = None,
    chips: int = 200,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    calibrated: Calibrated = "no",
    limit: Limit = (),
    workers: int = 1,
    dask: str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[sweeps.SweepReport]:
    """Simulate several values of a parameter on the same chips.

    Writes ``sweep.json``, ``sweep.csv`` and ``sweep.png``.

    Parameters
    ----------
    over
        ``noise`` or a key of a profile with its values: ``splitter.sigma=first:last:count`` or
        ``noise=a,b,c``.
    model, noise, profile, chips, seed, readout, settings
        As `ecgphoton.run.simulate` takes them.
    calibrated
        ``no``: chips before calibration. ``once``: calibrated where the parameter is 0, and
        driven by the same codes while it changes. ``again``: calibrated anew at every value.
    limit, workers, dask, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    wanted = sweeps.parse_sweep(over)
    sweeps.refuse_twice(wanted.parameter, noise, settings)
    journey = begin(sweep, locals(), wanted.parameter, moving=wanted.parameter)
    report = sweeps.run_sweep(
        wanted,
        *journey.arguments,
        judge=_judge(wanted.parameter, journey),
        progress=partial(progress, "values"),
        **journey.settings(simulate),
    )
    return journey.write(report, report.to_dict(), report.rows(), draw_sweep)


def solve(
    model: Path | str | None = None,
    *,
    key: str,
    noise: float | None = None,
    profile: Profile | str | None = None,
    chips: int = 200,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    calibrated: Calibrated = "no",
    limit: Limit = (),
    workers: int = 1,
    dask: str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[requirement.Requirement]:
    """Find the largest value of a parameter that passes.

    The verdict at this value is PASS, and it is not at larger values. Where a larger value is
    better, as of ``dac.bits``, the smallest one that passes is found.

    Writes ``requirement.json``, ``requirement.csv`` and ``requirement.png``.

    Parameters
    ----------
    key
        ``noise`` or a key of a profile, such as ``splitter.sigma``.
    model, noise, profile, chips, seed, readout, settings
        As `ecgphoton.run.simulate` takes them.
    calibrated
        As `ecgphoton.study.sweep` takes it.
    limit, workers, dask, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    files = ("requirement.json", "requirement.csv", "requirement.png")
    sweeps.parameter(key)  # refuses what is no number of a chip
    sweeps.refuse_twice(key, noise, settings)
    journey = begin(solve, locals(), key, files=files, moving=key)
    found = requirement.solve(
        key,
        *journey.arguments,
        judge=_judge(key, journey),
        progress=partial(progress, "values"),
        **journey.settings(simulate),
    )
    limits, rows = journey.limits, []
    for value, share in sorted(found.tried):
        passed = with_interval("yield", round(share * chips), chips, limits.confidence)
        rows.append({key: value, **passed})
    axis = f"{key}, {found.number.unit}" if found.number.unit else key
    draw = partial(draw_lines, x=key, lines={"yield": "yield"}, axis=axis, value="yield")
    return journey.write(found, {**found.to_dict(), "limits": asdict(limits)}, rows, draw)


def _judge(key: str, journey: Journey) -> sweeps.Judge | None:
    """Return what judges calibrated chips, None for chips as they are."""
    if journey.asked["calibrated"] == "no":
        return None
    given = [name for name in ("noise", "dask") if journey.asked[name] is not None]
    if given:
        raise InputError(
            f"{given[0]} is given for calibrated chips, which have the errors of a profile and are "
            "judged on this machine; leave it out"
        )
    settings = journey.settings(calibrated_over)
    settings |= {"when": journey.asked["calibrated"], "limits": journey.limits}
    settings.pop("key", None)
    return calibrated_over(key, *journey.arguments, **settings)


def surrogate(
    model: Path | str | None = None,
    *,
    over: str = "noise=0.005:0.04:8",
    chips: int = 1000,
    order: Literal[1, 2] = 2,
    seed: int = 0,
    limit: Limit = (),
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[tuple[Mapping[str, Any], ...]]:
    """Estimate the yield over noise from a Taylor expansion.

    The error of the expansion is measured on exactly simulated chips. It is an expansion in
    independent errors of weights, which chips of a profile do not have: for those there is
    `ecgphoton study sweep`.
    A chip costs one matrix product, so thousands of chips a value are affordable. Writes
    ``surrogate.json``, ``surrogate.csv`` and ``surrogate.png``.

    Parameters
    ----------
    over
        Values of the noise: ``noise=first:last:count`` or ``noise=a,b,c``, as shares of full scale.
    chips
        How many chips at every value.
    order
        Order of the Taylor expansion.
    model, seed, limit, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    wanted = sweeps.parse_sweep(over)
    if wanted.parameter != "noise":
        raise InputError(f"{over!r} is not about noise; `ecgphoton study sweep` takes any key")
    noise = max(wanted.values)  # the expansion is set up at the largest, where it must hold
    journey = begin(surrogate, {**locals(), "readout": "analog"}, "noise")
    limits, expansion, rows = journey.limits, taylor.surrogate(journey.trial(), order=order), []
    for value in wanted.values:
        miss, fpr, *_ = expansion.rates(chips, value, value).T
        passed = int(limits.good(miss, fpr).sum())
        rows.append(
            {
                "noise": value,
                **with_interval("yield", passed, chips, limits.confidence),
                "miss_median": float(np.median(miss)),
                "fpr_median": float(np.median(fpr)),
                "error_rms": expansion.error(value, value),
            }
        )
        progress("values", len(rows), len(wanted.values))
    lines = {"yield": "yield", "miss_median": "miss rate, median", "fpr_median": "FPR, median"}
    numbers = {"rows": rows, "chips": chips, "order": order, "limits": asdict(limits)}
    draw = partial(draw_lines, x="noise", lines=lines, axis="noise, of full scale")
    return journey.write(tuple(rows), numbers, rows, draw)


def sheet(
    model: Path | str | None = None,
    *,
    profile: Profile | str = USUAL_PROFILE,
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
    journey = begin(sheet, locals(), files=SHEET_FILES, most=SHEET_BEATS)
    program = program_of(journey.trained.carried)
    stated = cast(Profile, journey.profile).on(program)
    if calibrated:
        refuse_untrimmed(stated)
    without = sheets.idle(stated, program)
    if asked_for := [name for name in key if name in without]:
        raise InputError(
            f"{asked_for[0]} is without effect in the profile {stated.name!r} while it is alone, "
            "so nothing is required of it; state what it acts through (time.drift: time.hours), or "
            f"ask for {ALL!r}"
        )
    keys = tuple(name for name in sheets.parameters_of(stated, key) if name not in without)
    states, limits = STATES if calibrated else STATES[:1], journey.limits
    asked = Sheet(journey.arguments, stated, keys, states, chips=chips, seed=seed, limits=limits)
    lines = sheets.lines_of(asked, workers=workers, progress=partial(progress, "lines"))
    rows = [line.row() for line in lines]
    said = following(CROSSTALK, program) if CROSSTALK in keys else ""
    numbers = {
        "chips": chips,
        "limits": asdict(limits),
        "precision": asked.precision,
        "idle": list(without),
        "conditions": "; ".join(filter(None, (conditions(stated), said))),
        "lines": rows,
    }
    write_sheet(journey.folder / SHEET_FILES[3], {**numbers, **journey.about}, rows)
    return journey.write(lines, numbers, rows, draw_sheet)

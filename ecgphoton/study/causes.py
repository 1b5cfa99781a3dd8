"""Causes and bounds: a student comes in; error budgets and bounds on decisions go out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ecgphoton.hwsim.adversary import WorstChip, check_search, worst_chip
from ecgphoton.hwsim.blame import Share, blame as blame_trial
from ecgphoton.hwsim.certify import certify as certify_trial, check_epsilons
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.trace import Trace, check_place, trace as trace_trial
from ecgphoton.progress import Progress, silent
from ecgphoton.report import style
from ecgphoton.report.chips import draw_bars, draw_lines
from ecgphoton.run.journey import Outcome, begin

BLAME_BEATS, BOUND_BEATS = 4096, 2048
COSTS = {"lost_sensitivity_gradient": "miss rate", "added_fpr_gradient": "FPR"}
RATES = {
    "certified": "beats no chip can flip",
    "worst_miss": "miss rate at most",
    "worst_fpr": "FPR at most",
}
PARTS = {"static": "static errors", "shot": "noise of this shot"}


def blame(
    model: Path | str | None = None,
    *,
    noise: float | None = None,
    profile: Profile | str | None = None,
    chips: int = 40,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[tuple[Share, ...]]:
    """Divide the losses among sources of error, blocks and MZIs.

    For each, the rise of the miss rate (lost sensitivity) and of the FPR is given, with its 95 %
    interval over chips.

    Writes ``blame.json``, ``blame.csv`` and ``blame.png`` (sources and blocks); on at most 4,096
    beats.

    Parameters
    ----------
    chips
        How many chips are simulated for each source of error.

    model, noise, profile, seed, readout, settings, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    journey = begin(blame, locals(), most=BLAME_BEATS)
    step = partial(progress, "sources and blocks")
    shares = tuple(blame_trial(journey.trial(), chips=chips, progress=step))
    rows = [share.to_dict() for share in shares]
    value = "rise of the rate by the gradient, percentage points\nlines: 95 % intervals over chips"

    def draw(found: Mapping[str, Any], _: object) -> style.Figure:
        most = [{**row, "kind": f"{row['kind']}s"} for row in rows if row["kind"] != "mzi"]
        return draw_bars(found, most, name="name", bars=COSTS, value=value, unit="", group="kind")

    return journey.write(shares, {"shares": rows}, rows, draw)


def adversary(
    model: Path | str | None = None,
    *,
    noise: float | None = None,
    profile: Profile | str | None = None,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    sigmas: float = 3.0,
    weight: float = 0.5,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
) -> Outcome[WorstChip]:
    """Search for the worst chip within given tolerances.

    Every weight and bias may be off by some standard deviations: of the noise, or around their
    means over 200 chips of a profile. Errors of a profile's chips depend on one another, which the
    tolerances do not know, so a chip of that process may not reach the worst one. The chip is
    judged without per-shot noise.

    Writes ``adversary.json``, ``adversary.csv`` (how much of its tolerance every block uses) and
    ``adversary.png``.

    Parameters
    ----------
    sigmas
        Tolerance of every weight and bias, in standard deviations of their error (`noise`).
    weight
        Weight of the miss rate against the FPR, from 0 to 1: 1 looks for missed beats only, 0 for
        false alarms only.

    model, noise, profile, seed, readout, settings, data, data_dir, out
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    check_search(sigmas, weight)
    journey = begin(adversary, locals())
    found = worst_chip(journey.trial(), sigmas=sigmas, weight=weight)
    rows = [{"block": name, "used": share} for name, share in found.use.items()]
    value = "mean error, of the tolerance"
    draw = partial(draw_bars, name="block", bars={"used": value}, value=value, unit=" %")
    return journey.write(found, found.to_dict(), rows, draw)


def certify(
    model: Path | str | None = None,
    *,
    epsilon: Sequence[float] = (0.001, 0.002, 0.005, 0.01),
    readout: Literal["analog", "digital"] = "analog",
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
) -> Outcome[tuple[Mapping[str, Any], ...]]:
    """Bound the decisions of all chips within given errors.

    Every weight and bias may differ from its programmed value by up to epsilon, whatever the
    reason: so there is no profile to choose. `ecgphoton study adversary` finds a chip within the
    errors of a profile.

    Writes ``certified.json``, ``certified.csv`` and ``certified.png``; on at most 2,048 beats.

    Parameters
    ----------
    epsilon
        Largest error of every weight and bias, from 0 to 1; both lie from -1 to 1.

    model, readout, data, data_dir, out
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    files = ("certified.json", "certified.csv", "certified.png")
    check_epsilons(epsilon := tuple(epsilon))
    journey = begin(certify, locals(), "bounds", files=files, most=BOUND_BEATS)
    rows = tuple(certify_trial(journey.trial(), epsilon))
    axis = "epsilon, largest error of a weight or bias, of full scale"
    draw = partial(draw_lines, x="epsilon", lines=RATES, axis=axis)
    return journey.write(rows, {"rows": list(rows)}, rows, draw)


def trace(
    model: Path | str | None = None,
    *,
    chip: int = 0,
    beat: int = 0,
    noise: float | None = None,
    profile: Profile | str | None = None,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
) -> Outcome[Trace]:
    """Replay one decision of one chip, block by block.

    The margin is how far the logit of abnormal lies above the threshold; from 0 on the beat is
    called abnormal. For each block, its change is given: by the static errors of matrix and bias,
    and by the noise of this shot.

    Writes ``trace.json``, ``trace.csv`` and ``trace.png``.

    Parameters
    ----------
    chip
        Number of the chip, from 0.
    beat
        Number of the beat in the evaluation set, from 0.

    model, noise, profile, seed, readout, settings, data, data_dir, out
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    check_place(chip, beat)
    journey = begin(trace, locals(), f"chip-{chip}-beat-{beat}")
    found = trace_trial(journey.trial(), chip, beat)
    rows = [asdict(stage) for stage in found.stages]
    value = "change of the margin (logit)"
    draw = partial(draw_bars, name="block", bars=PARTS, value=value)
    return journey.write(found, found.to_dict(), rows, draw)

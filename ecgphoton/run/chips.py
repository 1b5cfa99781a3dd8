"""A run or bundle comes in; a verdict over many chips goes out, as they are or calibrated."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ecgphoton import runs
from ecgphoton.calibration.bench import Bench
from ecgphoton.calibration.calibrate import STANDARD, check_bench, check_steps, steps_of
from ecgphoton.calibration.campaign import TABLES, calibrate_chips, refuse_untrimmed
from ecgphoton.calibration.judge import Labelled
from ecgphoton.calibration.laboratory import calibrate_bench, open_bench
from ecgphoton.calibration.report import CalibrationReport
from ecgphoton.errors import InputError
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE
from ecgphoton.hwsim.simulate import simulate as simulate_arrays
from ecgphoton.hwsim.verdict import SimulationReport
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Progress, silent
from ecgphoton.report.chips import draw_calibration, draw_chips
from ecgphoton.run.beats import check_both, own_splits
from ecgphoton.run.claim import BEGUN, claimed
from ecgphoton.run.journey import Limit, Outcome, begin
from ecgphoton.student.propagate import inputs_of

TABLE = "table.npz"
"""Drive table of the chips of a bench."""
CHIPS = 100


def simulate(
    model: Path | str | None = None,
    *,
    noise: float | None = None,
    profile: Profile | str | None = None,
    chips: int = 200,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    limit: Limit = (),
    early_stop: bool = False,
    workers: int = 1,
    dask: str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[SimulationReport]:
    """Estimate the yield of many simulated chips, with a verdict.

    A chip passes if its miss rate and FPR are within the limits.

    From the command line the exit code is 1 unless the verdict is PASS.
    Writes ``simulation.json``, ``chips.csv`` and ``chips.png``.

    Parameters
    ----------
    model
        Folder of a run or bundle, a checkpoint file, or the name of a shipped student; by default
        the newest run below ``runs/``, otherwise the shipped student ``inter-patient``.
    noise
        Standard deviation of the fixed error of every weight and bias, and of the new error of
        every detector reading, both as a share of full scale; by default 0.02, or 0 with a profile.
    profile
        Device profile, a TOML file or the name of a shipped one, such as ``foundry-thermo-optic``
        or ``pessimistic``: chips are then meshes with the errors of that process.
    chips
        How many chips.
    seed
        Seed that the chips are drawn with.
    readout
        How readings are averaged: ``analog``, before one A/D conversion for each token;
        ``digital``, after one for each sample, by the converters of a bundle.
    settings
        What differs from the profile, as ``section.key=value``: ``receiver.kind=balanced`` (or
        ``homodyne``, ``hybrid``, ``intensity``), ``link.laser=5`` (mW), ``splitter.sigma=0.01``.
    limit
        A limit that differs from the default: ``miss`` 0.1 and ``fpr`` 0.1, the largest miss rate
        and FPR of a good chip; ``yield`` 0.95, the smallest share of good chips; ``confidence``
        0.95, of bounds and intervals.
    early_stop
        Stop once the confidence bound of the yield decides, before all chips are simulated.
    workers
        Number of processes; the answer is the same for any.
    dask
        Address of a Dask scheduler (``tcp://HOST:PORT``) to use instead of own processes.
    data
        Where the beats come from: a database by name (``mitdb``, ``svdb``), ``synthetic``,
        ``auto`` (MIT-BIH where it is found, else synthetic beats), a folder or dataset file of your
        own; by default as in training.
    data_dir
        Folder of the database, or of the student's recordings, if they are not where they were.
    out
        Folder to write to; by default one of its own below ``simulations/STUDENT/``.
    progress
        Called with the stage, how much is done, and how much there is.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    journey = begin(simulate, locals(), files=("simulation.json", "chips.csv", "chips.png"))
    report = simulate_arrays(
        *journey.arguments,
        records=journey.beats.record,
        progress=partial(progress, "chips"),
        **journey.settings(simulate_arrays),
    )
    numbers = {**report.to_dict(), "set": "evaluation"}
    return journey.write(report, numbers, report.chip_rows(), draw_chips)


def calibrate(
    model: Path | str | None = None,
    *,
    bench: str | Callable[[MeshProgram], Bench] | None = None,
    profile: Profile | str | None = None,
    chips: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    steps: str | None = None,
    own_thresholds: bool = False,
    limit: Limit = (),
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[CalibrationReport]:
    """Calibrate chips, and judge them before and after.

    The chips are simulated ones or those of a bench.

    From the command line the exit code is 1 unless the verdict afterwards is PASS.
    Writes ``calibration.json``, ``calibrated_chips.csv``, ``calibration.png`` and the drive tables:
    below ``tables/`` those of simulated chips, of which an interrupted call keeps the finished
    ones; ``table.npz`` that of a bench.

    Parameters
    ----------
    bench
        ``MODULE:FUNCTION`` of a function that takes the mesh program and returns a `Bench`: its
        chips are calibrated instead of simulated ones, and judged by what their table predicts.
    profile
        Device profile of simulated chips, a TOML file or the name of a shipped one; by default
        ``foundry-thermo-optic``.
    chips
        How many simulated chips; by default 100.
    seed
        Seed that simulated chips are drawn with; by default 0.
    steps
        Calibration steps by name, in order, with commas between; by default
        ``dark,sweep,fit,correct,trim``, or what a bench of photodiodes can read.
    own_thresholds
        Fit the threshold of every chip as well, on the validation beats, or on the training beats
        where the protocol has folds.
    model, settings, limit, data, data_dir
        As `ecgphoton.run.simulate` takes them.
    out
        Folder to write to; by default one of its own below ``calibrations/STUDENT/``.
    progress
        Called with the stage, how many chips are done, and how many there are.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats, bench or folder cannot be used; if
        `profile`, `chips`, `seed` or `settings` is given with a bench, which brings its own chips.
    """
    asked = dict(locals())
    fabricated = {"profile": profile, "chips": chips, "seed": seed, "--set": settings or None}
    given = [name for name, value in fabricated.items() if value is not None]
    if bench is not None and given:
        raise InputError(
            f"{', '.join(given)} of simulated chips and a bench are given; leave out one of them"
        )
    names = None if steps is None else [name.strip() for name in steps.split(",")]
    check_steps(steps_of(names or STANDARD))  # before beats are read and a folder is made
    if bench is None:
        usual = {"profile": USUAL_PROFILE, "chips": CHIPS, "seed": 0}
        asked |= {name: value for name, value in usual.items() if asked[name] is None}
    tables = TABLES if bench is None else TABLE
    files = ("calibration.json", "calibrated_chips.csv", "calibration.png", tables, BEGUN)
    slug = "" if bench is None else "bench"
    journey = begin(calibrate, asked, slug, root=runs.CALIBRATIONS, files=files)
    trained, validation = journey.trained, None
    if journey.profile is not None:
        refuse_untrimmed(journey.profile)
    if own_thresholds:
        held = check_both(own_splits(trained.metadata, data, data_dir).held)
        validation = Labelled(inputs_of(held, trained.carried.architecture), held.label)
    shared: dict[str, Any] = {
        "validation": validation,
        "policy": trained.recipe.decision,
        "limits": journey.limits,
        "records": journey.beats.record,
        "progress": progress,
    }
    if bench is None:
        with claimed(journey.folder, journey.call):
            report = calibrate_chips(
                *journey.arguments,
                profile=journey.profile or USUAL_PROFILE,
                chips=asked["chips"],
                seed=asked["seed"],
                steps=names or STANDARD,
                folder=journey.folder,
                **shared,
            )
    else:
        program = program_of(trained.carried)
        made = open_bench(bench, program) if isinstance(bench, str) else check_bench(bench(program))
        _, *beats = journey.arguments
        table, report = calibrate_bench(made, program, *beats, steps=names, **shared)
        table.save(journey.folder / TABLE)
    return journey.write(report, report.to_dict(), report.chip_rows(), draw_calibration)

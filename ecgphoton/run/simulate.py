"""A run or bundle comes in; a verdict over many simulated chips goes out."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.simulate import simulate as simulate_arrays
from ecgphoton.hwsim.verdict import SimulationReport
from ecgphoton.progress import Progress, silent
from ecgphoton.report.chips import draw_chips
from ecgphoton.run.journey import Limit, Outcome, begin

SIMULATION, CHIPS = "simulation.json", "chips.csv"


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
        ``digital``, after one for each sample.
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
        Folder to write to; by default one of its own below ``simulations/``.
    progress
        Called with the stage, how much is done, and how much there is.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    journey = begin(simulate, locals(), files=(SIMULATION, CHIPS, "chips.png"))
    report = simulate_arrays(
        *journey.arguments,
        records=journey.beats.record,
        progress=partial(progress, "chips"),
        **journey.settings(simulate_arrays),
    )
    numbers = {**report.to_dict(), "set": "evaluation"}
    return journey.write(report, numbers, report.chip_rows(), draw_chips)

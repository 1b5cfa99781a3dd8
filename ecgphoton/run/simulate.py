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
        A run, bundle or checkpoint, or the name of a shipped student; by default the newest run,
        otherwise the shipped student.
    noise
        Standard deviation of every programmed weight and bias, and of every detector reading as a
        fraction of full scale. Default 0.02, or 0 with a profile.
    profile
        Device profile by name, TOML file or value: chips are then fabricated meshes.
    chips
        How many chips.
    seed
        Seed that the chips are drawn with.
    readout
        ``analog``: one conversion a token; ``digital``: one a sample.
    settings
        What differs from the profile, as ``section.key=value``: ``receiver.kind=balanced`` (or
        ``homodyne``, ``hybrid``, ``intensity``), ``receiver.lo_power=2``, ``splitter.sigma=0.01``.
    limit
        Limits that differ from the default: ``miss`` 0.1, ``fpr`` 0.1, ``yield`` 0.95,
        ``confidence`` 0.95.
    early_stop
        Stop once the confidence bound decides.
    workers
        Number of processes; the answer is the same to the last bit.
    dask
        Address of a Dask scheduler to use instead of own processes.
    data
        Where the beats come from: a database by name (``mitdb``, ``svdb``), ``synthetic``,
        ``auto``, a folder or dataset file of your own; by default as in training.
    data_dir
        Folder of the database, or of the student's recordings.
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

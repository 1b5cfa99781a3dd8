"""From a run or a bundle to a verdict over many chips."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ecgphoton.hwsim.simulate import simulate as simulate_arrays
from ecgphoton.progress import Progress, silent
from ecgphoton.report.chips import draw_chips
from ecgphoton.run.journey import Limit, Outcome, begin

if TYPE_CHECKING:
    from ecgphoton.hwsim.profile import Profile
    from ecgphoton.hwsim.verdict import SimulationReport

SIMULATION, CHIPS = "simulation.json", "chips.csv"


def simulate(
    model: Path | str | None = None,
    *,
    noise: float | None = None,
    profile: Profile | str | None = None,
    chips: int = 200,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    detection: str = "homodyne",
    limit: Limit = (),
    early_stop: bool = False,
    workers: int = 1,
    dask: str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[SimulationReport]:
    """Judge a student or bundle on many chips by the yield within limits on miss rate and FPR.

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
    chips, seed
        How many chips, and the seed they are drawn with.
    readout
        ``analog``: one conversion a token; ``digital``: one a sample.
    detection
        What the detectors of a profile see.
    limit
        Limits that differ from the default: ``miss`` 0.1, ``fpr`` 0.1, ``yield`` 0.95,
        ``confidence`` 0.95.
    early_stop
        Stop once the confidence bound decides.
    workers, dask
        Number of processes, or address of a Dask scheduler; the answer is the same to the last bit.
    data, data_dir
        Where the beats come from; those of the student's own test set.
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
        progress=partial(progress, "chips"),
        **journey.settings(simulate_arrays),
    )
    numbers = {**report.to_dict(), "set": "evaluation"}
    return journey.write(report, numbers, report.chip_rows(), draw_chips)

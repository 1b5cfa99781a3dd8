"""`simulate`: one call from a student or a mesh program to a verdict over many chips."""

import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import MeshChips, mesh_source
from ecgphoton.hwsim.montecarlo import Trial, rates, run, single_threaded
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.verdict import Limits, SimulationReport, chips_to_prove
from ecgphoton.hwsim.weights import Carrier, WeightChips
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Steps
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

DEFAULT_NOISE = 0.02


def simulate(
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    labels: NDArray[Any],
    operating_point: OperatingPoint,
    *,
    chips: int = 200,
    seed: int = 0,
    noise: float | None = None,
    profile: Profile | str | None = None,
    readout: Readout | Literal["analog", "digital"] = "analog",
    detection: str = "homodyne",
    max_miss: float = 0.10,
    max_fpr: float = 0.10,
    min_yield: float = 0.95,
    early_stop: bool = False,
    workers: int = 1,
    dask: str | None = None,
    progress: Steps | None = None,
) -> SimulationReport:
    """Judge a student or a mesh program on many simulated chips.

    Parameters
    ----------
    carried
        Student or mesh program that the chips carry.
    inputs
        B beats, as `ecgphoton.student.inputs.inputs_of` returns them.
    labels
        (B,), nonzero means abnormal.
    operating_point
        Threshold on the probability of abnormal.
    chips, seed
        Number of chips, and the seed they are drawn with.
    noise
        Standard deviation of every programmed weight and bias (static, then clamped) and of every
        detector reading (per shot, fraction of full scale). Default 0.02, or 0 with a profile.
    profile
        Name, TOML file or value of a device profile: chips are then fabricated meshes, and `noise`
        comes on top.
    readout
        ``analog`` (one conversion a token), ``digital`` (one a sample), or a `Readout`; a mesh
        program brings its converters, a student has none.
    detection
        Receiver of a profile's chips, by its name in `ecgphoton.hwsim.receivers.RECEIVERS`:
        ``homodyne``, ``balanced``, ``intensity`` or one of an extension.
    max_miss, max_fpr, min_yield
        Largest miss rate and FPR of a chip that passes, and the share of chips that must pass.
    early_stop
        Stop once the one-sided confidence bound decides.
    workers, dask
        Processes, or address of a Dask scheduler; the answer is bit for bit the same.
    progress
        Called with (chips done, chips in all).

    Raises
    ------
    InputError
        If a number is outside its range, or beats and labels do not fit.
    """
    started = time.perf_counter()
    limits = Limits(max_miss, max_fpr, min_yield)
    if early_stop:
        chips_to_prove(limits)
    with single_threaded() as threads:
        trial = trial_of(
            carried,
            inputs,
            labels,
            operating_point,
            seed=seed,
            noise=noise,
            profile=profile,
            readout=readout,
            detection=detection,
        )
        table, stopped = run(
            trial,
            chips,
            limits=limits,
            early_stop=early_stop,
            workers=workers,
            dask=dask,
            threads=threads,
            progress=progress,
        )
        perfect = rates(trial.perfect()[None], trial.label, trial.point)[0]
    made = trial.source.foundry.profile if isinstance(trial.source, MeshChips) else None
    return SimulationReport(
        miss=table[:, 0],
        fpr=table[:, 1],
        auc=table[:, 2],
        perfect=(float(perfect[0]), float(perfect[1]), float(perfect[2])),
        limits=limits,
        settings={
            "seed": seed,
            "noise": DEFAULT_NOISE if noise is None and profile is None else noise or 0.0,
            "profile": None if made is None else made.name,
            "profile_values": None if made is None else dict(made.numbers),
            "readout": trial.readout.pooling,
            "receiver": None if made is None else detection,
            "beats": len(inputs),
            "abnormal_beats": int(trial.label.sum()),
            "operating_point": operating_point.to_dict(),
        },
        stopped_early=stopped,
        seconds=time.perf_counter() - started,
    )


def trial_of(
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    labels: NDArray[Any],
    operating_point: OperatingPoint,
    *,
    seed: int = 0,
    noise: float | None = None,
    profile: Profile | str | None = None,
    readout: Readout | Literal["analog", "digital"] = "analog",
    detection: str = "homodyne",
) -> Trial:
    """Return the `Trial` that `simulate` runs; see there for the parameters."""
    carrier = Carrier.of(carried)
    electronics = readout if isinstance(readout, Readout) else _electronics(carried, readout)
    label = np.asarray(labels) != 0
    if profile is not None:
        mesh = mesh_source(carried, inputs, Foundry.of(profile, detection), sigma=noise or 0.0)
        return Trial(carrier, mesh, inputs, label, operating_point, seed, electronics)
    if detection != "homodyne":
        raise InputError(
            f"detection is {detection!r}, which only a device profile has; name a profile, such as "
            "foundry-thermo-optic"
        )
    sigma = DEFAULT_NOISE if noise is None else noise
    source = WeightChips(carrier, sigma, sigma)
    return Trial(carrier, source, inputs, label, operating_point, seed, electronics)


def _electronics(carried: SegmentStudent | MeshProgram, pooling: str) -> Readout:
    own = Readout(carried.architecture.response)
    if isinstance(carried, MeshProgram):
        own = Readout.of(carried)
    return replace(own, pooling=pooling)  # type: ignore[arg-type]

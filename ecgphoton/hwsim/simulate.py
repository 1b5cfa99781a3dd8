"""`simulate`: one call from a student or a mesh program to a verdict over many chips."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from ecgphoton.decision import OperatingPoint, abnormal_of
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.errors import InputError, require
from ecgphoton.host import as_array
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.conditions import conditions, recoded
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.effects.modulator import DEPTH
from ecgphoton.hwsim.meshchips import MeshChips, mesh_source
from ecgphoton.hwsim.montecarlo import GROUP, Trial, run
from ecgphoton.hwsim.profile import Profile, allowed, read_setting
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.readout import Readout
from ecgphoton.hwsim.unused import refuse_unused
from ecgphoton.hwsim.verdict import (
    Limits,
    SimulationReport,
    chips_to_prove,
    decide,
    false_pass,
)
from ecgphoton.hwsim.weights import Carrier, ChipSource, WeightChips
from ecgphoton.mesh.arrays import AnyArray, Floats, Integers
from ecgphoton.metrics import check_both
from ecgphoton.program.program import MeshProgram
from ecgphoton.progress import Steps
from ecgphoton.settings import assignments, convert, read_as, several
from ecgphoton.student.inputs import Inputs, inputs_of
from ecgphoton.student.network import SegmentStudent

DEFAULT_NOISE = 0.02


def simulate(
    carried: SegmentStudent | MeshProgram,
    inputs: BeatSet | Inputs,
    labels: AnyArray,
    operating_point: OperatingPoint,
    *,
    chips: int = 200,
    seed: int = 0,
    noise: float | None = None,
    profile: Profile | str | None = None,
    readout: Readout | Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    max_miss: float = 0.10,
    max_fpr: float = 0.10,
    min_yield: float = 0.95,
    confidence: float = 0.95,
    early_stop: bool = False,
    workers: int = 1,
    dask: str | None = None,
    records: AnyArray | None = None,
    progress: Steps | None = None,
) -> SimulationReport:
    """Judge a student or a mesh program on many simulated chips.

    Parameters
    ----------
    carried
        Student or mesh program that the chips carry. Of a program they start from what its DAC
        codes perform; a profile that states another width than the program's has the program's
        phases coded at its own.
    inputs
        B beats, or the inputs that `ecgphoton.student.inputs.inputs_of` makes of them.
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
        program brings its converters, a student has none and is not read digitally.
    settings
        What differs from the profile, as ``section.key=value``. ``receiver.kind`` is a name in
        `ecgphoton.hwsim.receivers.RECEIVERS`: ``homodyne`` (the effective reading, of a profile
        that names none), ``balanced``, ``hybrid``, ``intensity`` or one of an extension.
    max_miss, max_fpr, min_yield
        Largest miss rate and FPR of a chip that passes, and the share of chips that must pass.
    confidence
        Of bounds and intervals.
    early_stop
        Stop once the one-sided confidence bound decides.
    workers, dask
        Processes, or address of a Dask scheduler; the answer is bit for bit the same.
    records
        (B,) record of each beat; with them the report says what other patients change.
    progress
        Called with (chips done, chips in all).

    Raises
    ------
    InputError
        If a number is outside its range, beats and labels do not fit, or all beats are normal or
        all abnormal.
    """
    started = time.perf_counter()
    limits = Limits(max_miss, max_fpr, min_yield, confidence)
    if convert(early_stop, bool, "early_stop"):
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
            settings=settings,
            records=records,
        )
        check_both(trial.label)
        groups = run(trial, chips, workers=workers, dask=dask, threads=threads)
        rows: list[Floats] = []
        good = 0
        for rows_of_group in groups:
            rows.extend(rows_of_group)
            if progress is not None:
                progress(len(rows), chips)
            good += int(limits.good(rows_of_group[:, 0], rows_of_group[:, 1]).sum())
            if early_stop and decide(good, len(rows), limits) != "open":
                break
        groups.close()
    made = trial.source.foundry.profile if isinstance(trial.source, MeshChips) else None
    return trial.report(
        np.stack(rows),
        limits,
        settings={
            "seed": seed,
            "noise": noise_of(noise, profile),
            "profile": None if made is None else made.name,
            "profile_values": None if made is None else dict(made.numbers),
            "readout": trial.readout.pooling,
            "receiver": None if made is None else made.receiver,
            "perfect": _perfect(carried, chosen=made is not None),
            "recoded": recoded(made, carried)
            if made and isinstance(carried, MeshProgram)
            else None,
            "beats": len(inputs),
            "abnormal_beats": int(trial.label.sum()),
            "operating_point": operating_point.to_dict(),
        },
        stopped_early=len(rows) < chips,
        false_pass=false_pass(limits, chips, GROUP) if early_stop else None,
        seconds=time.perf_counter() - started,
        conditions=made and partial(conditions, made),
    )


def _perfect(carried: SegmentStudent | MeshProgram, *, chosen: bool) -> str:
    """Return in words which chip is the perfect one, with a device profile or without."""
    if chosen:
        performs = "every phase is set exactly"
    elif isinstance(carried, MeshProgram):
        performs = "the matrices are those of the bundle's DAC codes"
    else:
        performs = "the weights are the student's own"
    return f"perfect: the chip without errors and noise; {performs}"


def trial_of(
    carried: SegmentStudent | MeshProgram,
    inputs: BeatSet | Inputs,
    labels: AnyArray,
    operating_point: OperatingPoint,
    *,
    seed: int = 0,
    noise: float | None = None,
    profile: Profile | str | None = None,
    readout: Readout | Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    records: AnyArray | None = None,
) -> Trial:
    """Return the `Trial` that `simulate` runs; see there for the parameters."""
    electronics = readout if isinstance(readout, Readout) else _electronics(carried, readout)
    inputs, label = inputs_of(inputs, carried.architecture), abnormal_of(labels)
    if not isinstance(operating_point, OperatingPoint):
        raise InputError(
            f"operating_point is {operating_point!r}; give an OperatingPoint, which states its "
            "threshold and the sets it was chosen on"
        )
    record = None if records is None else _numbered(records)
    chosen = profile_of(profile, settings)
    if chosen is not None:
        refuse_unused(chosen, settings)
    sigma = read_as(WeightChips, "sigma", noise_of(noise, chosen), "noise")
    source: ChipSource
    if chosen is None:
        carrier = Carrier.shipped(carried)
        source = WeightChips(carrier, sigma, sigma)
    else:
        carrier = Carrier.of(carried)
        source = mesh_source(carried, inputs, Foundry(chosen), sigma=sigma)
        electronics = replace(electronics, depth=chosen[DEPTH] or electronics.depth)
    return Trial(carrier, source, inputs, label, operating_point, seed, electronics, record=record)


def _numbered(records: AnyArray) -> Integers:
    """Return the number of the record of each beat, or InputError where one is not known."""
    given = as_array(records, "records")
    require(given.ndim == 1, "records", records, "one row, with the record of each beat")
    try:
        names, numbers = np.unique(given, return_inverse=True)
    except TypeError as error:
        raise InputError(f"records cannot be told apart ({error}); give a name each") from error
    if (names != names).any():
        raise InputError("records holds NaN; give the name of the record of each beat")
    return numbers


def noise_of(noise: float | None, profile: object) -> float:
    """Return the noise that acts: the one given, else `DEFAULT_NOISE`, or none with a profile."""
    usual = DEFAULT_NOISE if profile is None else 0.0
    return usual if noise is None else noise


def profile_of(
    profile: Profile | str | None = None, settings: Sequence[str] = ()
) -> Profile | None:
    """Return a profile with what differs from it, None for none.

    Raises
    ------
    InputError
        If the profile cannot be read or changed, or settings are given without one.
    """
    settings = several(settings)
    if profile is not None:
        return load_profile(profile).with_settings(settings)
    if assignments(settings, allowed, read_setting):
        raise InputError(
            f"--set is {', '.join(settings)!r}, which only a device profile has; name a profile, "
            "such as foundry-thermo-optic"
        )
    return None


def _electronics(carried: SegmentStudent | MeshProgram, pooling: str) -> Readout:
    if isinstance(carried, MeshProgram):
        return replace(Readout.of(carried), pooling=pooling)  # type: ignore[arg-type]
    made = Readout(carried.architecture.response, pooling)  # type: ignore[arg-type]
    if pooling == "digital":
        raise InputError(
            "readout is 'digital', but a student has no converters, so it would change nothing; "
            "export the student, and name the bundle"
        )
    return made

"""Verdicts on calibrated chips over a parameter: how stable it has to be, and what restores them.

*Once*: chips are calibrated where the parameter is 0 and keep their codes while it changes.
*Again*: they are calibrated anew at every value.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecgphoton.calibration.calibrate import STANDARD, steps_of
from ecgphoton.calibration.campaign import Campaign
from ecgphoton.calibration.judge import driven
from ecgphoton.calibration.table import DriveTable
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.effects import number_of
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.montecarlo import rates, run
from ecgphoton.hwsim.profile import Profile, load_profile
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.verdict import Limits, SimulationReport
from ecgphoton.metrics import check_both
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

When = Literal["once", "again"]


def calibrated_over(
    key: str,
    carried: SegmentStudent | MeshProgram,
    inputs: Inputs,
    labels: NDArray[Any],
    point: OperatingPoint,
    *,
    when: When,
    profile: Profile | str | None = None,
    chips: int = 40,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    limits: Limits | None = None,
    workers: int = 1,
) -> Callable[[float], SimulationReport]:
    """Return what judges calibrated chips at a value of a key of their profile.

    Parameters
    ----------
    key
        Such as ``temperature.change``.
    when
        ``once``: calibrated where the key is 0; ``again``: at every value.
    carried, inputs, labels, point, profile, chips, seed, readout, settings, workers
        As `ecgphoton.hwsim.simulate.simulate` takes them; default profile
        ``foundry-thermo-optic``.

    Raises
    ------
    InputError
        If the key is no error of a profile, the chips are not trimmed, or all beats are normal or
        all abnormal.
    """
    if key == "noise" or number_of(key).better == "more":
        raise InputError(
            f"{key} is nothing that calibrated chips drift by; choose an error of a profile, such "
            "as temperature.change, or ask about chips that are not calibrated"
        )
    check_both(np.asarray(labels) != 0)
    made = load_profile(profile or "foundry-thermo-optic").with_settings(settings)
    bounds = limits or Limits()
    program = program_of(carried)

    @cache
    def table(value: float) -> DriveTable:
        foundry = Foundry(made.with_value(key, value))
        with single_threaded() as threads:
            campaign = Campaign(program, foundry, steps_of(STANDARD), seed)
            return campaign.joined(chips, threads)

    def judge(value: float) -> SimulationReport:
        here = made.with_value(key, value)
        trial = trial_of(program, inputs, labels, point, seed=seed, profile=here, readout=readout)
        source: Any = trial.source
        trial = replace(trial, source=driven(source, table(value if when == "again" else 0.0)))
        rows = np.concatenate([*run(trial, chips, workers=workers)])
        miss, fpr, auc = map(float, rates(trial.perfect()[None], trial.label, trial.point)[0])
        about = {
            "readout": readout,
            "receiver": here.receiver,
            "seed": seed,
            "calibrated": when,
            "profile": here.name,
            "profile_values": dict(here.on(program).numbers),
        }
        each = rows[:, 0], rows[:, 1], rows[:, 2]
        return SimulationReport(*each, (miss, fpr, auc), bounds, about)

    return judge

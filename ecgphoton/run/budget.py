"""A student comes in; the light, noise, power, time and energy of a chip that carries it go out."""

import timeit
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from ecgphoton.errors import InputError
from ecgphoton.hwsim.budget import Budget
from ecgphoton.hwsim.effects.supply import LASER, LINK, SUPPLY
from ecgphoton.hwsim.energy import Digital, core
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import KIND, Profile
from ecgphoton.hwsim.profile_file import USUAL_PROFILE
from ecgphoton.hwsim.receivers import BALANCED, RECEIVERS
from ecgphoton.hwsim.requirement import solve
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.hwsim.unused import giving, refuse_unused
from ecgphoton.intake import expecting
from ecgphoton.progress import Progress, silent
from ecgphoton.report import style
from ecgphoton.report.chips import draw_bars
from ecgphoton.run.journey import Limit, Outcome, begin
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

BUDGET_BEATS = 4096
PRECISION = 0.1
"""Of the least laser power."""
REPEATS = 5
"""Timings of onnxruntime; the fastest counts."""


def budget(
    model: Path | str | None = None,
    *,
    profile: Profile | str = USUAL_PROFILE,
    chips: int = 40,
    seed: int = 0,
    readout: Literal["analog", "digital"] = "analog",
    settings: Sequence[str] = (),
    limit: Limit = (),
    workers: int = 1,
    data: str | None = None,
    data_dir: Path | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> Outcome[Budget]:
    """Compute light, noise, power, time and energy of one beat.

    The laser power at which the verdict still passes is found by bisection over simulated chips,
    on at most 4,096 beats. A microcontroller and one core of a server stand beside the chip.

    Writes ``budget.json``, ``budget.csv`` and ``budget.png``.

    Parameters
    ----------
    profile
        Device profile with the tables ``link`` and ``power``, a TOML file or the name of a shipped
        one. Where its receiver has no powers (``homodyne``), the ``balanced`` one is taken.
    chips
        How many chips are simulated at every laser power.
    model, seed, readout, settings, limit, workers, data, data_dir, out, progress
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If a value is outside its range, the profile states no light path, or student, beats or
        folder cannot be used.
    """
    journey = begin(budget, locals(), most=BUDGET_BEATS, moving=None)
    carried, inputs, *_ = journey.arguments
    program = program_of(carried)
    asked = cast(Profile, journey.profile).on(program)
    if not RECEIVERS[asked.receiver].keys:
        if named := giving(KIND, settings):
            others = ", ".join(one.name for one in RECEIVERS.values() if one.keys)
            raise InputError(f"{named[-1]} has no powers; a budget needs one of {others}")
        asked = asked.read_by(BALANCED.name)
    found = Budget(program, asked, seed=seed, digital_pooling=readout == "digital")
    with expecting(f"profile {asked.name}", "one with a light path", "state one"):
        found.link  # noqa: B018 - refuses one without before anything is simulated
    refuse_unused(asked, settings, moving=LASER, read=(*LINK, *SUPPLY))
    requirement = solve(
        LASER,
        *journey.arguments,
        precision=PRECISION,
        progress=partial(progress, "laser power"),
        **journey.settings(simulate) | {"profile": found.profile},
    )
    measured = _onnxruntime(journey.trained.student, inputs)
    found = replace(found, others=(measured,), requirement=requirement)
    return journey.write(found, found.to_dict(), found.rows(), _draw)


def _onnxruntime(student: SegmentStudent, inputs: Inputs) -> Digital:
    """Measure a beat in a batch of `BATCH` on one thread of this machine."""
    from ecgphoton.export.golden import arrays_of
    from ecgphoton.export.onnx_graph import float_graph
    from ecgphoton.export.runtime import BATCH, runner

    run, feed = runner(float_graph(student), "onnxruntime"), arrays_of(inputs.rows(slice(BATCH)))
    taken = timeit.repeat(lambda: run(feed), number=1, repeat=REPEATS)
    return core(min(taken) / min(BATCH, len(inputs)))


def _draw(found: Mapping[str, Any], _: Sequence[Mapping[str, Any]]) -> style.Figure:
    """Draw the energy of a beat of every way and processor."""
    from matplotlib.ticker import EngFormatter

    kinds = {"plans": "computed by light", "digital": "computed by a processor"}
    rows = [
        {"kind": title, "name": one["name"], "energy": one["joules"]}
        for kind, title in kinds.items()
        for one in found[kind]
    ]
    about: dict[str, Any] = {"group": "kind", "value": "energy of a beat", "log": True}
    figure = draw_bars(found, rows, name="name", bars={"energy": ""}, **about)
    figure.axes[-1].xaxis.set_major_formatter(EngFormatter("J"))
    return figure

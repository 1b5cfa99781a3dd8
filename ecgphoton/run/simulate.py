"""From a run or a bundle to a verdict over many chips, with everything written down."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.artifacts import check_room, write_json, write_text
from ecgphoton.errors import InputError
from ecgphoton.run.beats import evaluation_beats
from ecgphoton.run.subject import Subject
from ecgphoton.student.propagate import inputs_of

if TYPE_CHECKING:
    from ecgphoton.ecg.beats import BeatSet
    from ecgphoton.hwsim.montecarlo import Trial
    from ecgphoton.hwsim.verdict import SimulationReport

SIMULATION = "simulation.json"
CHIPS = "chips.csv"


@dataclass(frozen=True)
class SimulatedRun:
    """A simulation and where its files are."""

    report: SimulationReport
    beats: BeatSet
    folder: Path

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **self.report.to_dict(),
            "source": self.beats.source,
            "set": "evaluation",
            "folder": str(self.folder),
        }


def simulate_subject(
    subject: Subject,
    out: Path,
    *,
    data: str | None = None,
    data_dir: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,  # noqa: ANN401 - handed to hwsim.simulate
) -> SimulatedRun:
    """Judge a student or bundle on many chips and write report, chips and picture.

    Parameters
    ----------
    subject
        What runs on the chips.
    out
        Folder for ``simulation.json``, ``chips.csv`` and ``chips.png``.
    data, data_dir
        Where evaluation beats come from; those of the subject's own protocol.
    settings
        As `ecgphoton.hwsim.simulate.simulate` takes them.
    """
    from ecgphoton.hwsim.simulate import simulate
    from ecgphoton.report.chips import draw_chips

    check_room(out)
    bench = bench_of(subject, data, data_dir)
    beats = bench.beats
    report = simulate(*bench.arguments, progress=progress, **settings)
    done = SimulatedRun(report, beats, out)
    write_json(out / SIMULATION, done.to_dict())
    write_text(out / CHIPS, table_text(report.chip_rows()))
    draw_chips(out / "chips.png", report, source=beats.source)
    return done


@dataclass(frozen=True)
class Bench:
    """A subject with its evaluation beats: what every study of it starts from."""

    subject: Subject
    beats: BeatSet

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Return the positional arguments of `ecgphoton.hwsim.simulate.simulate`."""
        inputs = inputs_of(self.beats, self.subject.architecture)
        return self.subject.carried, inputs, self.beats.label, self.subject.point

    def trial(self, **settings: Any) -> Trial:  # noqa: ANN401 - as trial_of takes them
        """Return the trial behind a simulation, for blame, bounds and traces."""
        from ecgphoton.hwsim.simulate import trial_of

        return trial_of(*self.arguments, **settings)


def bench_of(
    subject: Subject, data: str | None, data_dir: Path | None, *, most: int | None = None
) -> Bench:
    """Load the evaluation beats of a subject, evenly thinned to at most `most`."""
    if subject.point is None:
        raise InputError(
            "a student of more than two classes has no miss rate or FPR to simulate; "
            "use a binary one"
        )
    beats = evaluation_beats(subject.metadata, data, data_dir)
    if most is not None and len(beats) > most:
        beats = beats.take(np.linspace(0, len(beats) - 1, most).astype(np.int64))
    return Bench(subject, beats)


def table_text(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

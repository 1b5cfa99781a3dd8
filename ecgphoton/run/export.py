"""From a run to a bundle: find the training beats for the converter ranges, then export."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ecgphoton import runs
from ecgphoton.errors import InputError, VerificationError
from ecgphoton.run.beats import evaluation_beats, splits_like
from ecgphoton.student.propagate import inputs_of

if TYPE_CHECKING:
    from ecgphoton.export.bundle import ExportReport
    from ecgphoton.mesh.device import MeshKind
    from ecgphoton.student.propagate import Inputs

RANGE_BEATS = 4096  # training beats that fix the converter ranges


def export_run(
    run: Path,
    out: Path,
    *,
    bits: int,
    dac_bits: int,
    mesh: MeshKind,
    formats: Iterable[str],
    force: bool,
    data: str | None = None,
    data_dir: Path | None = None,
) -> ExportReport:
    """Export a run; converter ranges come from its own kind of training beats.

    A student trained on recorded beats is exported without the database from made-up beats, and
    the report says so.
    """
    from ecgphoton.export.bundle import export_bundle

    return export_bundle(
        run,
        out,
        bits=bits,
        dac_bits=dac_bits,
        mesh=mesh,
        formats=formats,
        calibration=_training_inputs(run, data, data_dir),
        force=force,
    )


def _training_inputs(run: Path, data: str | None, data_dir: Path | None) -> Inputs | None:
    trained = runs.load_student(run)
    splits = splits_like(trained.metadata, data, data_dir)
    if splits.train.source != trained.metadata["source"] and data is None:
        return None
    step = max(1, len(splits.train) // RANGE_BEATS)
    return inputs_of(splits.train, trained.student.architecture).rows(slice(None, None, step))


def beats_to_verify(bundle: Path, data: str | None, data_dir: Path | None) -> Inputs | None:
    """Return the test beats of a bundle's student, None where its checkpoint cannot be read."""
    try:
        trained = runs.load_student(bundle)
    except (InputError, VerificationError):
        return None  # `verify` says what is wrong with it
    beats = evaluation_beats(trained.metadata, data, data_dir)
    return inputs_of(beats, trained.student.architecture)

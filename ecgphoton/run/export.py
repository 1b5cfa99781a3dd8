"""From a run to a bundle: find the training beats for the converter ranges, then export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecgphoton import runs
from ecgphoton.export.bundle import export_bundle
from ecgphoton.export.formats import DEFAULT_FORMATS
from ecgphoton.run.beats import splits_like
from ecgphoton.student.propagate import inputs_of

if TYPE_CHECKING:
    from ecgphoton.export.bundle import ExportReport
    from ecgphoton.mesh.device import MeshKind

RANGE_BEATS = 4096  # training beats that fix the converter ranges


def export(
    model: Path | str | None = None,
    *,
    mesh: bool = False,
    bits: int = 8,
    dac_bits: int = 8,
    architecture: MeshKind = "svd-clements",
    formats: Sequence[str] = (),
    out: Path | None = None,
    force: bool = False,
    data: str | None = None,
    data_dir: Path | None = None,
) -> ExportReport:
    """Write ONNX graphs and the photonic mesh program of a run as a bundle.

    A student trained on the database is exported without it from synthetic beats; the manifest
    and ``ranges_from`` of the report say so.

    Parameters
    ----------
    model
        A run or checkpoint; by default the newest run, otherwise the shipped student.
    mesh
        Add netlists, DAC codes, bill of materials and drawings.
    bits
        Width of weights, biases, input and detector codes.
    dac_bits
        Width of the heater DACs.
    architecture
        How a matrix becomes a mesh.
    formats
        Only these extra forms.
    out
        Bundle folder to create; by default below ``bundles/``.
    force
        Replace an existing bundle.
    data, data_dir
        As `ecgphoton.run.simulate` takes them; the training beats fix the converter ranges.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    trained = runs.load_student(runs.choose(model))
    splits = splits_like(trained.metadata, data, data_dir)
    ranged = None
    if splits.train.source == trained.metadata["source"] or data is not None:
        step = max(1, len(splits.train) // RANGE_BEATS)
        ranged = inputs_of(splits.train, trained.student.architecture).rows(slice(None, None, step))
    return export_bundle(
        trained.path,
        out if out is not None else Path(runs.BUNDLES) / trained.name,
        bits=bits,
        dac_bits=dac_bits,
        mesh=architecture,
        formats=formats or (DEFAULT_FORMATS if mesh else ()),
        calibration=ranged,
        force=force,
    )

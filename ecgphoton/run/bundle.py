"""Bundles: a run comes in and its bundle goes out, whose claims are recomputed."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecgphoton import runs
from ecgphoton.arguments import strict
from ecgphoton.artifacts import kind_of, load_checkpoint, save_checkpoint
from ecgphoton.errors import InputError, VerificationError
from ecgphoton.export.bundle import ExportReport, export_bundle
from ecgphoton.export.bundle_folder import KIND as BUNDLE, check_place
from ecgphoton.export.formats import DEFAULT_FORMATS, check_formats
from ecgphoton.export.quantize import Quantization
from ecgphoton.export.verify import VerificationReport, verify as verify_folder
from ecgphoton.hwsim.effects.drivers import CROSSTALK
from ecgphoton.hwsim.profile import BITS, Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.mesh.device import MeshKind
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.run.beats import evaluation_beats, splits_like
from ecgphoton.run.claim import outside_bundles
from ecgphoton.run.crossed import at_wish
from ecgphoton.settings import read_as
from ecgphoton.student.propagate import Inputs, inputs_of

RANGE_BEATS = 4096  # training beats that fix the converter ranges


@strict
def export(
    model: Path | str | None = None,
    *,
    mesh: bool = False,
    bits: int = 8,
    dac_bits: int | None = None,
    profile: Profile | str | None = None,
    architecture: MeshKind = "svd-clements",
    formats: Sequence[str] = (),
    max_miss: float | None = None,
    max_fpr: float | None = None,
    out: Path | None = None,
    force: bool = False,
    data: str | None = None,
    data_dir: Path | None = None,
) -> ExportReport:
    """Export a run as a bundle of ONNX graphs and a mesh program.

    Training beats fix the ranges of the converters; the output and the manifest say which they
    were, as does ``ranges_from`` in Python.

    Parameters
    ----------
    model
        Folder of a run or bundle, a checkpoint file, or the name of a shipped student; by default
        the newest run below ``runs/``, otherwise the shipped student ``inter-patient``.
    mesh
        Add DAC codes, netlists for SAX and GDSFactory, bill of materials and drawings.
    bits
        Width of weights, biases, input and detector codes, 2 to 16 bits.
    dac_bits
        Width of the heater DACs, 2 to 24 bits; by default that of the profile, otherwise 8.
    profile
        Device profile, a TOML file or the name of a shipped one, with the phase law, voltages and
        width of the drivers that the codes are for, and the crosstalk that they undo; by default
        quadratic heaters without crosstalk.
    architecture
        How a matrix becomes a mesh: two meshes with attenuators between them, rectangular
        (``svd-clements``) or triangular (``svd-reck``), or one mesh whose field has the matrix as
        its real part (``real-part``).
    formats
        One more form, beside those of `mesh`: ``sax``, ``gdsfactory``, ``csv`` (DAC codes),
        ``bom``, ``svg``, ``png`` or ``raw`` (an ONNX graph of the window alone).
    max_miss, max_fpr
        As `ecgphoton.run.evaluate` takes them; the checkpoint in the bundle then differs from that
        of the run in its operating point.
    out
        Bundle folder to create; by default one below ``bundles/``.
    force
        Replace an existing bundle, unless it holds files that were added to it.
    data, data_dir
        As `ecgphoton.run.simulate` takes them; the training beats fix the converter ranges.

    Raises
    ------
    InputError
        If a value is outside its range, or student, beats or folder cannot be used.
    """
    read_as(Quantization, "adc_bits", bits, "bits")  # before beats are looked for
    drivers = _drivers(profile, dac_bits)
    trained, wished = at_wish(runs.load_student(*runs.choose(model)), max_miss, max_fpr)
    folder = out if out is not None else Path(runs.BUNDLES) / trained.name
    outside_bundles(folder.absolute().parent)
    if folder.resolve() == trained.folder.resolve():
        raise InputError(f"{folder} is exported here, and would be replaced; choose another --out")
    formats = check_formats((*(DEFAULT_FORMATS if mesh else ()), *formats))
    check_place(folder, force=force)
    splits = splits_like(trained.metadata, data, data_dir)
    learnt = (trained.metadata.get("data") or {}).get("training")
    ranged, own = None, data is None or splits.train.digest == learnt
    if splits.train.source == trained.metadata["source"] or not splits.train.synthetic:
        step = max(1, len(splits.train) // RANGE_BEATS)
        ranged = inputs_of(splits.train, trained.student.architecture).rows(slice(None, None, step))
    changed = tempfile.TemporaryDirectory() if wished else contextlib.nullcontext(".")
    with changed as place:
        checkpoint = trained.path
        if wished:
            checkpoint = Path(place) / runs.CHECKPOINT
            save_checkpoint(checkpoint, load_checkpoint(trained.path)[0], trained.metadata)
        made = export_bundle(
            checkpoint,
            folder,
            bits=bits,
            **drivers,
            mesh=architecture,
            formats=formats,
            calibration=ranged,
            calibration_is="training beats" if own else f"beats of {splits.train.source}",
            force=force,
        )
    return replace(made, run=str(trained.folder), chosen=trained.chosen)


def _drivers(profile: Profile | str | None, dac_bits: int | None) -> dict[str, Any]:
    """Return drivers, crosstalk and name of a profile, and the width of the DACs.

    Raises
    ------
    InputError
        If the profile states nothing of drivers, or what it states cannot be used.
    """
    if dac_bits is not None:
        read_as(HeaterDac, "bits", dac_bits, "dac_bits")
    if profile is None:
        return {} if dac_bits is None else {"dac_bits": dac_bits}
    stated = load_profile(profile)
    bits = int(stated[BITS])
    if stated.driver is None and BITS not in stated.numbers and not stated.crosstalk.share:
        raise InputError(
            f"the profile {stated.name!r} states neither [driver] nor {BITS} nor {CROSSTALK}, "
            "which is all that an export takes of it; leave it out, or state them"
        )
    if not stated.trimmed:
        raise InputError(
            f"the chips of profile {stated.name!r} are as fabricated, and codes are for trimmed "
            "ones; name the profile without its state"
        )
    if dac_bits is None and not bits:
        raise InputError(
            f"the profile {stated.name!r} drives exactly ({BITS} is not above 0), but codes have a "
            "width; add it (--dac-bits 12)"
        )
    if dac_bits is not None and bits and dac_bits != bits:
        raise InputError(
            f"dac_bits is {dac_bits}, but the profile {stated.name!r} states {bits}; leave out one "
            "of them"
        )
    return {
        "drivers": stated.driver,
        "crosstalk": stated.crosstalk,
        "dac_bits": dac_bits or bits,
        "profile": stated.name,
    }


@strict
def verify(
    bundle: Path | str | None = None,
    *,
    beats: bool = True,
    sax: bool = True,
    data: str | None = None,
    data_dir: Path | None = None,
) -> VerificationReport:
    """Recompute every claim of an exported bundle.

    From the command line the exit code is 1 unless every claim holds.

    Parameters
    ----------
    bundle
        Folder of a bundle, or the name of a shipped student; by default the newest bundle below
        ``bundles/``, otherwise that of the shipped student ``inter-patient``.
    beats
        Whether to run the student's test beats through both graphs as well, where they are found.
    sax
        Whether to simulate the circuits with SAX, where it is installed.
    data, data_dir
        As `ecgphoton.run.simulate` takes them.

    Raises
    ------
    InputError
        If the folder is not a bundle, or beats cannot be found.
    """
    folder, why = runs.choose(bundle, kind=BUNDLE, root=runs.BUNDLES)
    if not beats and (data, data_dir) != (None, None):
        raise InputError(
            f"no beats are run (--no-beats), so those of {data or data_dir} would not be read; "
            "leave one out"
        )
    if kind_of(folder) == runs.KIND:
        raise InputError(f"{folder} is a run, not a bundle; `ecgphoton export {folder}` makes one")
    inputs = _test_inputs(folder, data, data_dir) if beats else None
    return replace(verify_folder(folder, beats=inputs, sax=sax), chosen=why)


def _test_inputs(folder: Path, data: str | None, data_dir: Path | None) -> Inputs | None:
    try:
        trained = runs.load_student(folder)
        found = evaluation_beats(trained.metadata, data, data_dir).beats
    except (InputError, VerificationError):
        if data is not None or data_dir is not None:
            raise
        return None  # the claims say what is wrong with the student, and which beats were run
    return inputs_of(found, trained.student.architecture)

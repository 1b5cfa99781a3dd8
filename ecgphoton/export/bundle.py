"""The bundle: one folder with everything a laboratory needs, and hashes of all of it."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ecgphoton import artifacts
from ecgphoton.arguments import strict
from ecgphoton.decision import OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.export import formats as forms
from ecgphoton.export.bundle_folder import (
    CHECKPOINT,
    FLOAT,
    GOLDEN,
    INTEGER,
    KIND,
    MESH,
    RAW_FLOAT,
    RAW_INTEGER,
    RECORDING,
    bundle_at,
    manifest_problems,
    write_folder,
)
from ecgphoton.export.golden import (
    decoded,
    golden_inputs,
    npz,
    read_golden,
    recording_file,
    unexplained,
)
from ecgphoton.export.lower import SPLITTER_SIGMA, Gauge, lower
from ecgphoton.export.onnx_builder import metadata_of
from ecgphoton.export.onnx_graph import float_graph, integer_graph
from ecgphoton.export.quantize import Quantization, QuantizedStudent, quantize
from ecgphoton.export.ranges import RangeMethod, ranges_of
from ecgphoton.export.stated import CODES, differing, reading_of, stated
from ecgphoton.mesh.crosstalk import NO_CROSSTALK, Crosstalk
from ecgphoton.mesh.device import MeshKind
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import program_text, read_program
from ecgphoton.program.shipped import Shipped, shipped
from ecgphoton.settings import read_as
from ecgphoton.student.network import SegmentStudent, read_student
from ecgphoton.student.propagate import Inputs


@dataclass(frozen=True)
class ExportReport:
    """The files written, and what the choice of the order of the singular values gained."""

    folder: str
    files: dict[str, int]
    """Bytes of every file."""
    mesh: str
    dac_bits: int
    drivers: str
    """Phase law, voltages and bits of the drivers, in words."""
    crosstalk: str
    """Which crosstalk the codes undo, and where they cannot, in words; empty without any."""
    quantization: Quantization
    ranges_from: str
    """Where the converter ranges come from."""
    gauges: tuple[Gauge, ...]
    shipped: Shipped
    """What the DAC codes perform, on the golden beats."""
    unexplained: tuple[str, ...]
    """Features of other packages, for which the bundle holds no ``features.py``."""
    bill_of_materials: dict[str, Any]
    seconds: float
    checkpoint: str = field(default="")
    """SHA-256."""
    run: str = ""
    """Folder of the student, and why it is this one, where it was looked for."""
    chosen: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"shipped": self.shipped._asdict()}

    def rows(self) -> list[tuple[str, ...]]:
        """One row a block: order, margin (rad), heater power (P_pi), both in descending order."""
        return [
            (
                gauge.name,
                " ".join(map(str, gauge.order)),
                f"{gauge.margin:.3f}",
                f"{gauge.power:.1f}",
                f"{gauge.default_margin:.3f}",
                f"{gauge.default_power:.1f}",
            )
            for gauge in self.gauges
        ]


@dataclass(frozen=True)
class Bundle:
    """A bundle read back, every hash checked."""

    folder: Path
    manifest: dict[str, Any] = field(repr=False)
    program: MeshProgram = field(repr=False)
    quantized: QuantizedStudent = field(repr=False)
    student: SegmentStudent
    metadata: dict[str, Any] = field(repr=False)
    """Metadata of the checkpoint: labels, protocol, recipe and more."""
    golden: Inputs = field(repr=False)


@strict
def export_bundle(
    run: Path | str,
    out: Path | str,
    *,
    bits: int = 8,
    dac_bits: int = 8,
    drivers: HeaterDac | None = None,
    crosstalk: Crosstalk = NO_CROSSTALK,
    profile: str = "",
    mesh: MeshKind = "svd-clements",
    formats: Iterable[str] = forms.DEFAULT_FORMATS,
    quantization: Quantization | None = None,
    calibration: Inputs | None = None,
    calibration_is: str = "beats that were given",
    range_method: RangeMethod = "mse",
    splitter_sigma: float = SPLITTER_SIGMA,
    force: bool = False,
) -> ExportReport:
    """Export a trained student as a bundle.

    Parameters
    ----------
    run
        Run folder, or a checkpoint file.
    out
        Folder to write, atomically.
    bits
        Width of weights, biases, inputs and detector codes, 2 to 16.
    dac_bits
        Bits of the heater DACs, 2 to 24.
    drivers
        Phase law and voltages of the drivers, whose own bits do not count; default quadratic.
    crosstalk
        What the codes undo.
    profile
        Name of the device profile that drivers and crosstalk are of, for the manifest.
    mesh
        How a matrix becomes a mesh.
    formats
        Extra forms, of `ecgphoton.export.formats.FORMATS`.
    quantization
        Widths one by one, instead of `bits`.
    calibration
        Training beats for the converter ranges. Ranges stored in the checkpoint (``range_lo``,
        ``range_hi``) come first; with neither, synthetic beats are used and the report says so.
    calibration_is
        What `calibration` is, for the report and the manifest.
    range_method
        How converter ranges follow from beats, as `ecgphoton.export.ranges` takes it.
    splitter_sigma
        Spread of splitter angles, rad, for which every MZI should stay correctable.
    force
        Replace an existing bundle.

    Raises
    ------
    InputError
        If the run cannot be read, a value is out of range, or `out` exists and may not be replaced.
    """
    began = time.perf_counter()
    dac = replace(drivers or HeaterDac(), bits=read_as(HeaterDac, "bits", dac_bits, "dac_bits"))
    run, out, wanted = Path(run), Path(out), forms.check_formats(formats)
    run = run / CHECKPOINT if run.is_dir() else run
    q = quantization or Quantization(*[read_as(Quantization, "adc_bits", bits, "bits")] * 4)
    student, arrays, metadata = read_student(run)
    ranges, source = ranges_of(
        student, arrays, calibration, calibration_is, method=range_method, bits=q.adc_bits
    )
    quantized = quantize(student, ranges, q)
    checkpoint = artifacts.read_bytes(run)
    digest = artifacts.sha256(checkpoint)
    graphs = _graphs(student, quantized, metadata, q, digest, raw="raw" in wanted)
    program, gauges = lower(
        quantized,
        operating_point=OperatingPoint.from_dict(metadata["operating_point"]),
        classes=metadata["classes"],
        mesh=mesh,
        dac=dac,
        crosstalk=crosstalk,
        splitter_sigma=splitter_sigma,
        **reading_of(metadata),
        hashes={
            "checkpoint": digest,
            "onnx": artifacts.sha256(graphs[FLOAT]),
            "onnx_integer": artifacts.sha256(graphs[INTEGER]),
        },
    )
    golden = quantized.trace(golden_inputs(quantized.architecture))
    found = shipped(program, decoded(golden, q.input_bits))
    files = {
        CHECKPOINT: checkpoint,
        **graphs,
        MESH: program_text(program).encode(),
        GOLDEN: npz(golden),
        **forms.documents(program),
        **forms.derived(program, wanted),
    }
    foreign = unexplained(program.architecture)
    if not foreign:
        files[RECORDING] = recording_file(program)
    claims: dict[str, Any] = {"profile": profile} if profile else {}
    claims |= {CODES: found._asdict(), "ranges_from": source, "formats": list(wanted)}
    write_folder(out, files, stated(program) | claims, force=force)
    return ExportReport(
        folder=str(out),
        files={name: len(data) for name, data in sorted(files.items())},
        mesh=mesh,
        dac_bits=dac_bits,
        drivers=program.dac.words,
        crosstalk=program.undone,
        quantization=q,
        ranges_from=source,
        gauges=gauges,
        shipped=found,
        unexplained=foreign,
        bill_of_materials=forms.bill_of_materials(program),
        seconds=round(time.perf_counter() - began, 3),
        checkpoint=digest,
    )


def _graphs(
    student: SegmentStudent,
    quantized: QuantizedStudent,
    metadata: dict[str, Any],
    q: Quantization,
    digest: str,
    *,
    raw: bool,
) -> dict[str, bytes]:
    about = student.architecture, metadata["classes"], metadata["operating_point"]
    exact = metadata_of(*about, {"checkpoint": digest}, arithmetic="float32")
    codes = metadata_of(*about, {"checkpoint": digest}, arithmetic="integer", **asdict(q))
    graphs = {FLOAT: float_graph(student, exact), INTEGER: integer_graph(quantized, codes)}
    if raw:
        graphs |= {
            RAW_FLOAT: float_graph(student, exact, raw=True),
            RAW_INTEGER: integer_graph(quantized, codes, raw=True),
        }
    return graphs


def load_bundle(folder: Path | str) -> Bundle:
    """Read a bundle after checking every hash.

    Raises
    ------
    InputError
        If the folder is not a bundle, any file differs from the manifest, or mesh file and
        checkpoint are not of one student; the message names it.
    """
    folder = bundle_at(folder)
    if problems := manifest_problems(folder):
        raise InputError(f"bundle {folder} is damaged: {'; '.join(problems[:3])}")
    program = read_program(folder / MESH)
    student, _, metadata = read_student(folder / CHECKPOINT)
    foreign = program.hashes.get("checkpoint") != artifacts.sha256(folder / CHECKPOINT)
    if wrong := ["hash"] * foreign + [*differing(program, student, metadata)]:
        named = f"{', '.join(wrong)} of {MESH}"
        raise InputError(f"bundle {folder}: {named}: not as in {CHECKPOINT}; export again")
    return Bundle(
        folder=folder,
        manifest=artifacts.read_manifest(folder, kind=KIND),
        program=program,
        quantized=QuantizedStudent.from_program(program),
        student=student,
        metadata=metadata,
        golden=read_golden(folder / GOLDEN, program.blocks[0].input_bits)[0],
    )

"""What the files of a bundle state of its student, and where they differ."""

from dataclasses import asdict
from typing import Any

from ecgphoton.export.quantize import widths_of
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.network import SegmentStudent

CODES, DRIVERS, CROSSTALK = "codes", "drivers", "crosstalk"
"""Keys of a manifest: what the DAC codes perform, drivers other than the usual ones, and the
crosstalk that codes undo."""


def reading_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint says of the windows that its student reads: centring and lead."""
    recipe = metadata.get("recipe") or {}
    centring = recipe.get("data", {}).get("centring", "annotation")
    return {"centring": centring, "lead": metadata.get("lead") or ""}


def stated(program: MeshProgram) -> dict[str, Any]:
    """Return the settings of a program that a manifest states, by the keys of the format.

    Drivers are among them where they are others than the usual ones, crosstalk where codes undo it.
    """
    widths = asdict(widths_of(program))
    settings = {"mesh": program.mesh, "dac_bits": program.dac.bits, "quantisation": widths}
    own = {
        DRIVERS: program.dac.words if program.dac != HeaterDac(bits=program.dac.bits) else "",
        CROSSTALK: program.undone,
    }
    return settings | {key: words for key, words in own.items() if words}


def differing(
    program: MeshProgram, student: SegmentStudent, metadata: dict[str, Any]
) -> tuple[str, ...]:
    """Return the settings in which a mesh file and the checkpoint beside it differ."""
    same = {
        "architecture": program.architecture == student.architecture,
        "classes": list(program.classes) == metadata["classes"],
        "windows": {"centring": program.centring, "lead": program.lead} == reading_of(metadata),
        "operating point": program.operating_point.to_dict() == metadata["operating_point"],
    }
    return tuple(name for name, alike in same.items() if not alike)

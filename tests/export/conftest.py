"""Students that were never trained but behave: seeded, with gains that use the activations."""

from __future__ import annotations

import shutil
from dataclasses import asdict

import pytest

from ecgphoton.artifacts import save_checkpoint
from ecgphoton.decision import OperatingPoint
from ecgphoton.export.bundle import export_bundle
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent

FULL = Architecture(patient=TOKENS[:2], template=True, layers=2)
POINT = OperatingPoint(0.5, ("validation",))


@pytest.fixture(scope="session")
def make_student():
    """Return a maker of students by architecture."""

    def make(architecture=FULL, *, seed=3) -> SegmentStudent:
        return SegmentStudent(architecture, seed=seed).eval()

    return make


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory, make_student):
    """Folder with the checkpoint of a full student."""
    folder = tmp_path_factory.mktemp("run")
    metadata = {
        "architecture": asdict(FULL),
        "operating_point": POINT.to_dict(),
        "classes": ["normal", "abnormal"],
        "labels": "literal",
        "protocol": "reference",
        "recipe": {},
    }
    save_checkpoint(folder / "checkpoint.safetensors", make_student().arrays(), metadata)
    return folder


@pytest.fixture(scope="session")
def bundle(run_folder, tmp_path_factory):
    """Export of that run with every form but PNG; copy it before changing it."""
    out = tmp_path_factory.mktemp("export") / "bundle"
    formats = ("sax", "gdsfactory", "csv", "bom", "svg", "raw")
    export_bundle(run_folder, out, formats=formats)
    return out


@pytest.fixture
def copy(bundle, tmp_path):
    """Return a copy of the bundle that may be damaged."""
    return shutil.copytree(bundle, tmp_path / "copy")

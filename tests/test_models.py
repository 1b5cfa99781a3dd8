"""The students that come with the package."""

from __future__ import annotations

import numpy as np
import pytest

from ecgphoton import runs
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import load_bundle
from ecgphoton.export.bundle_folder import MESH, manifest_problems
from ecgphoton.export.formats import documents
from ecgphoton.export.lower import lower
from ecgphoton.models import NAMES_CLASSES, bundle, card, shipped
from ecgphoton.program.program_file import program_text, read_program
from ecgphoton.recipe import read
from ecgphoton.recipes import FLAGSHIP

NAMES = [FLAGSHIP, NAMES_CLASSES, "reference-8", "reference-rhythm"]


def test_the_flagship_comes_first() -> None:
    """In lists and messages; the others follow by name."""
    assert list(shipped()) == NAMES
    with pytest.raises(InputError, match=f"shipped are {', '.join(NAMES)}"):
        bundle("reference-9")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_student_is_of_the_recipe_of_its_name(name: str) -> None:
    """Its network, beats and labels are those of the recipe, and its card says how to train it."""
    trained, recipe = runs.load_student(bundle(name)), read(name)
    assert trained.recipe.name == name
    assert trained.student.architecture.blocks == recipe.student.blocks
    assert trained.student.architecture.patient == recipe.student.patient
    assert trained.recipe.data == recipe.data
    seed = trained.metadata["seed"]
    assert f"ecgphoton train --recipe {name} --seed {seed}\n" in card(name)
    assert trained.digest == runs.load_student(bundle(name).parent).digest


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_bundle_is_what_this_version_writes(name: str) -> None:
    """Its files are those of its manifest; mesh file, schema and programs are of this version."""
    folder = bundle(name)
    assert manifest_problems(folder) == []
    program = read_program(folder / MESH)
    files = documents(program) | {MESH: program_text(program).encode()}
    assert {"mesh.schema.json", "check.py"} < files.keys()
    assert {name: (folder / name).read_bytes() for name in files} == files


@pytest.mark.parametrize("name", NAMES)
def test_phases_of_a_shipped_bundle_are_those_this_version_chooses(name: str) -> None:
    """The order of singular values and every phase follow from its integer student."""
    held = load_bundle(bundle(name))
    point, classes = held.program.operating_point, held.program.classes
    again, _ = lower(held.quantized, operating_point=point, classes=classes)
    assert [one.order for one in again.blocks] == [one.order for one in held.program.blocks]
    assert np.allclose(again.phases, held.program.phases, rtol=0, atol=1e-9)


def test_without_a_name_and_a_run_the_flagship_is_taken(tmp_path) -> None:
    """And the student of several classes where it is wished, as `annotate` does."""
    for name in (FLAGSHIP, NAMES_CLASSES):
        assert runs.choose(None, root=str(tmp_path), shipped=name).path == shipped()[name]
    assert len(runs.load_student(shipped()[NAMES_CLASSES]).classes) == 4

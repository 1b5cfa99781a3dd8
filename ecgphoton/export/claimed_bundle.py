"""A bundle under test, and what a check of one of its claims answers."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ecgphoton import artifacts
from ecgphoton.export import bundle_folder as names
from ecgphoton.export.golden import arrays_of, read_golden, synthetic_inputs
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.program.program import MeshProgram
from ecgphoton.program.program_file import read_program
from ecgphoton.student.network import SegmentStudent, read_student
from ecgphoton.student.propagate import Inputs

State = Literal["ok", "coarse", "failed", "skipped"]
"""``coarse``: the claim holds, but the codes perform the program coarsely."""
Result = tuple[State, str]
"""Outcome, and what was measured."""


class ClaimedBundle:
    """A bundle under test; a damaged file fails only the checks that need it."""

    def __init__(self, folder: Path, beats: Inputs | None) -> None:
        self.folder, self.beats = folder, beats

    def read(self, name: str) -> bytes:
        """Return the content of one file."""
        return artifacts.read_bytes(self.folder / name)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest, if its form is right."""
        return artifacts.read_manifest(self.folder, kind=names.KIND)

    @cached_property
    def program(self) -> MeshProgram:
        """The mesh file, read with all its checks."""
        return read_program(self.folder / names.MESH)

    @cached_property
    def checkpoint(self) -> tuple[SegmentStudent, dict[str, Any], dict[str, Any]]:
        """Student, arrays and metadata of the checkpoint."""
        return read_student(self.folder / names.CHECKPOINT)

    @cached_property
    def golden(self) -> tuple[Inputs, dict[str, AnyArray]]:
        """Golden inputs, and every stored array."""
        return read_golden(self.folder / names.GOLDEN, self.program.blocks[0].input_bits)

    @cached_property
    def inputs(self) -> Inputs:
        """Golden beats, 180 other synthetic ones, and the beats given."""
        parts = [self.golden[0], synthetic_inputs(self.program.architecture, seed=2, beats=20)]
        parts += [] if self.beats is None else [self.beats]
        columns = [arrays_of(part) for part in parts]
        joined = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
        return Inputs(**{name: torch.as_tensor(value) for name, value in joined.items()})


def verdict(good: bool | np.bool_, found: str) -> Result:
    """Return what a check found, as good or failed."""
    return ("ok" if good else "failed"), found
